"""Samples of the posterior of one slice by the thousand, in shards: the same data for all, with the same noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.shards import Piece, Sampled, Shard
from gen_core.stamp import npz_member
from gen_core.tomography import methods
from gen_core.tomography.recipe import Reconstruct
from gen_core.tomography.reconstruct import with_weights
from gen_core.tomography.subject import subject_of

DRAWING = ("gaussian", "latent_map", "posterior", "langevin")


def _filled(recipe: Reconstruct) -> Reconstruct:
    """The recipe with those of its methods that draw. Raises RecipeError where none does."""
    drawing = tuple(name for name in recipe.methods if name in DRAWING)
    if not drawing:
        raise RecipeError(f"methods: {', '.join(recipe.methods)} draw no samples; choose some of {', '.join(DRAWING)}.")
    methods.check(recipe.replace(methods=drawing))
    return with_weights(recipe.replace(methods=drawing))


def _drawn(recipe: Reconstruct, piece: Piece, of: Reconstruct) -> Shard:
    """Samples by the shard's seed, of data by the batch's: another seed would be another noise. So its files hold the recipe of
    the batch, and their own seed beside it."""
    pick("cpu")
    subject = subject_of(of)
    out: dict[str, np.ndarray] = {
        "sinogram": subject.problem.data.astype(np.float32),
        "angles_deg": np.asarray(subject.problem.geometry.angles, np.float32),
        "seed": np.array(piece.seed),
    }
    for name in recipe.methods:
        samples = methods.solve(name, subject.problem, recipe).samples
        assert samples is not None
        out[f"{name}_samples"] = subject.told(samples[: piece.n]).astype(np.float32)

    def write(path: Path) -> None:
        np.savez_compressed(path, **out, recipe=npz_member(of))  # type: ignore[arg-type]

    return Shard({piece.name("samples", ".npz"): write}, {"n": piece.n})


RECONSTRUCT = Sampled("posterior_samples", 4, 16, _filled, _drawn)
