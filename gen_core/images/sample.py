"""New pictures, from the prior or around one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from gen_core.images import files
from gen_core.images.modelfile import codes_of, look_up, notices_of, opened
from gen_core.images.recipe import Sample
from gen_core.images.space import STRANGE, Array, standard
from gen_core.result import Notice, Result


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pictures (n, 64, 64, 3), their latent vectors (n, 2096), and how unlike the training pictures each is, in % (n,)."""

    images: Array
    latents: Array
    percentile: Array


def strange(percentile: Array) -> tuple[Notice, ...]:
    """The warning where points lie unlike anything that was learned from."""
    n = int((percentile > STRANGE).sum())
    if not n:
        return ()
    who = "This point lies" if len(percentile) == 1 else f"{n} of {len(percentile)} points lie"
    return (Notice("off_manifold", f"{who} farther from the training pictures than {STRANGE:.0f} % of these: distrust it."),)


def run(recipe: Sample, progress: object = None) -> Result:
    """Run `images.sample`."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    rng = np.random.default_rng(recipe.seed)
    latents = space.draw(recipe.n, rng, recipe.temperature)
    notices = notices_of([], space)
    if recipe.around is not None:
        found = look_up([recipe.around], space)
        notices = notices_of(found, space)
        # as much of the other picture as keeps the width of the codes
        keep = np.sqrt(max(1 - recipe.radius**2, 0.0))
        latents = (
            space.prior.centre + keep * (codes_of(found) - space.prior.centre) + recipe.radius * (latents - space.prior.centre)
        )
        latents = standard(latents)
    made = Drawn(space.decode(latents), latents, space.percentile(latents))
    columns = min(8, int(np.ceil(np.sqrt(recipe.n))))
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made.images, made.latents, columns),
        metrics={"off_manifold_percentile": float(np.median(made.percentile))},
        warnings=(*strange(made.percentile), *notices),
        seconds={"sample": time.perf_counter() - started},
    )
