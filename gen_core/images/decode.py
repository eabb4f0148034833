"""Pictures of latent vectors."""

from __future__ import annotations

import time

import numpy as np

from gen_core.errors import RecipeError
from gen_core.images import files
from gen_core.images.modelfile import look_up, notices_of, opened
from gen_core.images.recipe import Decode
from gen_core.images.sample import Drawn, strange
from gen_core.images.space import CONTENT
from gen_core.result import Result


def run(recipe: Decode, progress: object = None) -> Result:
    """Run `images.decode`. Raises RecipeError where the vectors are of unlike length, or of none that the model has."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    if len({len(z) for z in recipe.z}) != 1:
        raise RecipeError("z: every latent vector needs the same number of coordinates.")
    found = look_up([recipe.content], space)
    latents = space.whole(np.array(recipe.z, float), found[0].code[:CONTENT])
    made = Drawn(space.decode(latents), latents, space.percentile(latents))
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made.images, made.latents, min(8, len(latents))),
        metrics={"off_manifold_percentile": float(made.percentile.max())},
        warnings=(*strange(made.percentile), *notices_of(found, space)),
        seconds={"decode": time.perf_counter() - started},
    )
