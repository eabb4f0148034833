"""All pictures between four corners."""

from __future__ import annotations

import time

import numpy as np

from gen_core.images import files
from gen_core.images.interpolate import between
from gen_core.images.modelfile import codes_of, look_up, notices_of, opened
from gen_core.images.recipe import Grid
from gen_core.images.sample import Drawn, strange
from gen_core.result import Result


def run(recipe: Grid, progress: object = None) -> Result:
    """Run `images.grid`: pictures row by row, the corners those of the recipe."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    found = look_up(recipe.seeds, space)
    a, b, c, d = codes_of(found)
    down, across = np.linspace(0, 1, recipe.rows), np.linspace(0, 1, recipe.columns)
    left, right = between(space.prior, recipe.path, a, c, down), between(space.prior, recipe.path, b, d, down)
    latents = np.concatenate([between(space.prior, recipe.path, x, y, across) for x, y in zip(left, right, strict=True)])
    made = Drawn(space.decode(latents), latents, space.percentile(latents))
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made.images, made.latents, recipe.columns),
        metrics={"off_manifold_percentile": float(made.percentile.max())},
        warnings=(*strange(made.percentile), *notices_of(found, space)),
        seconds={"grid": time.perf_counter() - started},
    )
