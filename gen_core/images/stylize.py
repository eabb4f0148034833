"""The structure of one picture with a blend of the styles of others."""

from __future__ import annotations

import time

import numpy as np

from gen_core.images import files, metrics
from gen_core.images.modelfile import codes_of, look_up, notices_of, opened, told_of
from gen_core.images.recipe import Stylize
from gen_core.images.sample import Drawn, strange
from gen_core.images.space import Array, groups_mask
from gen_core.result import Result


def run(recipe: Stylize, progress: object = None) -> Result:
    """Run `images.stylize`: the pictures are the content as it is drawn, and stylized."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    found = look_up([recipe.content, *recipe.styles], space)
    code, style = codes_of(found[:1])[0], blend(codes_of(found[1:]), recipe.weights)
    mask = groups_mask(recipe.layers)
    latents = np.stack([code, np.where(mask, (1 - recipe.strength) * code + recipe.strength * style, code)])
    made = Drawn(space.decode(latents), latents, space.percentile(latents))
    a, b = told_of(found[:1]), blend(told_of(found[1:]), recipe.weights)[None]
    kept, moved = metrics.kept_and_moved(space.encode(made.images[1:]), a, b, mask)
    before = metrics.kept_and_moved(space.encode(made.images[:1]), a, b, mask)
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made.images, made.latents, 2),
        metrics={"content_kept": kept, "style_moved": moved, "off_manifold_percentile": float(made.percentile[1])},
        baselines={"no_switch": dict(zip(("content_kept", "style_moved"), before, strict=True))},
        warnings=(*strange(made.percentile[1:]), *notices_of(found, space)),
        seconds={"stylize": time.perf_counter() - started},
    )


def blend(codes: Array, weights: tuple[float, ...] | None) -> Array:
    """The weighted mean (2096,) of latent vectors; weights are brought to a sum of 1."""
    shares = np.ones(len(codes)) if weights is None else np.array(weights, float)
    return np.asarray((shares / shares.sum()) @ codes)
