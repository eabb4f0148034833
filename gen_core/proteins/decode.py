"""Decode latent points into sequences: what a click on the map shows, as a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gen_core.errors import RecipeError
from gen_core.latent.density import Density
from gen_core.proteins.alphabet import LETTERS, Q
from gen_core.proteins.model import probabilities
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.recipe import Decode
from gen_core.result import Notice, Result

Array = np.ndarray
STRANGE = 95.0  # percentile from which a point counts as off the manifold


@dataclass(frozen=True, eq=False)
class Decoded:
    """Latent points z (m, k), the probabilities (m, L, Q) of each residue there, and how unlike any natural they are (m,)."""

    recipe: Decode  # filled in
    model: FamilyModel
    z: Array
    probabilities: Array
    percentile: Array

    @cached_property
    def rows(self) -> list[str]:
        """The likeliest residue at each column, as rows of the family's alignment."""
        return self.model.rows(self.probabilities.argmax(2).astype(np.uint8))

    @cached_property
    def sites(self) -> pd.DataFrame:
        """One row a point and column of the alignment: entropy in bits, then the probability of each residue and the gap."""
        m, L, _ = self.probabilities.shape
        p = self.probabilities.reshape(-1, Q).astype(np.float64)
        entropy = -(p * np.log2(np.maximum(p, 1e-12))).sum(1)
        letters = {("gap" if letter == "-" else letter): p[:, a] for a, letter in enumerate(LETTERS)}
        places = {"point": np.repeat(np.arange(1, m + 1), L), "column": np.tile(self.model.columns + 1, m)}
        return pd.DataFrame({**places, "entropy": entropy, **letters})


def decode(recipe: Decode) -> Decoded:
    """What the recipe's points mean. Raises RecipeError where they have not as many coordinates as the latent space."""
    model = open_model(recipe.model, recipe.weights)
    if {len(z) for z in recipe.z} != {model.latent_dim}:
        raise RecipeError(f"z: every latent vector of {model.name!r} needs {model.latent_dim} coordinates.")
    z = np.array(recipe.z, np.float32)
    filled = recipe.replace(weights=model.card["sha256"])
    return Decoded(filled, model, z, probabilities(model.net, z, recipe.temperature), Density.of(model.codes.means).percentile(z))


def run(recipe: Decode, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.decode`."""
    from gen_core.proteins import files

    started = time.perf_counter()
    made = decode(recipe)
    strange = int((made.percentile > STRANGE).sum())
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.decode_writers(made),
        metrics={
            "off_manifold_percentile": float(made.percentile.max()),
            "entropy_mean": float(made.sites["entropy"].mean()),
        },
        warnings=(Notice("off_manifold", f"{strange} of {len(made.z)} points lie where no natural does."),) if strange else (),
        seconds={"decode": time.perf_counter() - started},
    )
