"""One picture with known factors changed, each in its own unit."""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass

import numpy as np

from gen_core.errors import RecipeError
from gen_core.images import files, metrics, render
from gen_core.images.modelfile import Named, look_up, notices_of, opened
from gen_core.images.recipe import Edit
from gen_core.images.sample import strange
from gen_core.images.space import CONTENT, Array, Direction, Space
from gen_core.result import Notice, Result


@dataclass(frozen=True, eq=False)
class Edited:
    """The picture as drawn and as edited: images (2, 64, 64, 3), latents (2, 2096); truth (64, 64, 3) where it is known."""

    named: Named
    used: dict[str, Direction]
    images: Array
    latents: Array
    truth: Array | None


def run(recipe: Edit, progress: object = None) -> Result:
    """Run `images.edit`. Raises RecipeError where the model has no direction of a name."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    used = {name: direction(space, name) for name in recipe.directions}
    named = look_up([recipe.seed], space)[0]
    latents = np.stack([named.code, moved(named.code, used, recipe.directions)])
    images = space.decode(latents)
    truth, notices = true_edit(space, named, recipe.directions)
    made = Edited(named, used, images, latents, truth)
    percentile = space.percentile(latents[1:])
    numbers: dict[str, float] = {"off_manifold_percentile": float(percentile[0])}
    baseline: dict[str, float] = {}
    if truth is not None:
        numbers |= {"psnr_truth": float(metrics.psnr(images[1:], truth[None])[0])}
        baseline |= {"psnr_truth": float(metrics.psnr(images[:1], truth[None])[0])}
    for name, found in used.items():
        numbers |= {f"{name}.r2": found.r2, f"{name}.leakage": found.leakage}
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, images, latents, 2),
        metrics=numbers,
        baselines={"no_edit": baseline},
        warnings=(*strange(percentile), *notices, *notices_of([named], space)),
        seconds={"edit": time.perf_counter() - started},
    )


def direction(space: Space, name: str) -> Direction:
    """The model's direction of this name. Raises RecipeError with the nearest name where there is none."""
    if name in space.directions:
        return space.directions[name]
    near = difflib.get_close_matches(name, space.directions, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose {', '.join(space.directions)}."
    raise RecipeError(f"directions: this model has no direction {name!r}: {hint}")


def moved(code: Array, used: dict[str, Direction], amounts: dict[str, float]) -> Array:
    """A latent vector (2096,) moved along directions by these amounts."""
    code = code.copy()
    code[CONTENT:] += sum((amounts[name] * found.step for name, found in used.items()), np.zeros(len(code) - CONTENT))
    return code


def true_edit(space: Space, named: Named, amounts: dict[str, float]) -> tuple[Array | None, tuple[Notice, ...]]:
    """The rendered picture with its factors changed; None where that cannot be, and a notice where it leaves their ranges."""
    if named.rendered is None or space.family is None or any(name not in render.NAMES for name in amounts):
        return None, ()
    values = render.factors(np.array([named.rendered]))
    for name, amount in amounts.items():
        values[0, render.NAMES.index(name)] += amount
    beyond = [f.name for f, v in zip(render.FACTORS, values[0], strict=True) if not f.low - 1e-9 <= v <= f.high + 1e-9]
    named_so = ", ".join(name.replace("_", " ") for name in beyond)
    told = f"The edit leaves the range that the model learned from, in {named_so}."
    notices = (Notice("out_of_distribution", told),) if beyond else ()
    values = np.clip(values, render.LOW, render.HIGH)
    return render.render(np.array([named.rendered]), values, space.family)[0], notices
