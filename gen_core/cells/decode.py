"""Decode latent points into expression profiles: what a click on the map shows, as a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from gen_core.cells import data, files, question
from gen_core.cells.moved import column_mean
from gen_core.cells.recipe import Decode
from gen_core.cells.space import Learned, Linear, Space
from gen_core.cells.warn import STRANGE
from gen_core.datasets import named, path_of
from gen_core.errors import RecipeError
from gen_core.latent.components import Components
from gen_core.latent.density import Density, place
from gen_core.memo import Memo
from gen_core.result import Notice, Result

Array = np.ndarray
MAX_CELLS = 20_000  # a map of more cells shows, and is fitted on, a seeded sample
KEPT = Memo(1 << 30, lambda atlas: int(atlas.X.data.nbytes * 2))


@dataclass(frozen=True, eq=False)
class Atlas:
    """All cells of a file in a latent space: X (n, G), codes (n, k), the columns to colour by."""

    X: sparse.csr_matrix
    genes: Array
    names: Array
    obs: pd.DataFrame
    space: Space
    codes: Array
    notices: tuple[Notice, ...]

    @cached_property
    def density(self) -> Density:
        """How dense the cells lie in the latent space."""
        return Density.of(self.codes)

    @cached_property
    def mean(self) -> Array:
        """Mean expression of all cells (G,)."""
        return column_mean(self.X)


@dataclass(frozen=True, eq=False)
class Decoded:
    """Latent points z (m, k) and their profiles (m, G); percentile (m,) says how unlike any cell they are."""

    atlas: Atlas
    z: Array
    profiles: Array
    percentile: Array


def open_atlas(recipe: Decode) -> Atlas:
    """The cells that span the map. Raises InputError where the file cannot be read."""
    layer = question.layer_of(recipe.data, recipe.layer)
    key = (recipe.data, layer, recipe.latent_dim, recipe.seed, recipe.model, recipe.weights)
    return KEPT.get(key, lambda: _read(recipe, layer))


def _read(recipe: Decode, layer: str | None) -> Atlas:
    path = path_of(recipe.data)
    described = question.described(recipe.data, layer)
    columns = [column.name for column in described.columns if 1 < len(column.levels) <= 50]
    rows = None
    if described.n_cells > MAX_CELLS:
        rows = np.sort(np.random.default_rng(recipe.seed).choice(described.n_cells, MAX_CELLS, replace=False))
    cells = data.read_cells(path, [], rows, layer)
    obs = data.read_obs(path, columns)
    space: Space
    if recipe.model == "pca":
        space = Linear(Components.fit(cells.X, recipe.latent_dim, recipe.seed))
    else:
        from gen_core.cells.modelfile import open_model

        space = Learned.of(open_model(recipe.model, recipe.weights).on(cells.genes))
    obs = obs if rows is None else obs.iloc[rows]
    return Atlas(cells.X, cells.genes, cells.names, obs, space, space.encode(cells.X), cells.notices)


def decode(recipe: Decode) -> Decoded:
    """Profiles of the recipe's points. Raises RecipeError where they are longer than the latent space, or of unlike length."""
    atlas = open_atlas(recipe)
    k = atlas.codes.shape[1]
    lengths = {len(z) for z in recipe.z}
    if len(lengths) != 1 or not 1 <= max(lengths) <= k:
        raise RecipeError(f"z: every latent vector needs the same number of coordinates, from 1 to {k}.")
    z = np.array(recipe.z)
    if z.shape[1] < k:
        z = place(z, atlas.codes, list(range(z.shape[1])))
    elif isinstance(atlas.space, Learned):  # whole vectors are the model's own
        z = atlas.space.turned(z)
    return Decoded(atlas, z, atlas.space.decode(z), atlas.density.percentile(z))


def run(recipe: Decode, progress: object = None) -> Result:
    """Run `cells.decode`."""
    started = time.perf_counter()
    made = decode(recipe)
    strange = int((made.percentile > STRANGE).sum())
    warnings = [Notice("off_manifold", f"{strange} of {len(made.z)} points lie where no cell does.")] if strange else []
    if (known := named(recipe.data)) and known.synthetic:
        warnings.append(Notice("synthetic_data", "These cells are synthetic: made by a simulator, measured nowhere."))
    writers: dict[str, Callable[[Path], None]] = {"profiles.csv": lambda path: files.table(path, profiles(made), recipe)}
    return Result(
        recipe=recipe,
        content=made,
        files=writers,
        metrics={"off_manifold_percentile": float(made.percentile.max())},
        warnings=(*warnings, *made.atlas.notices),
        seconds={"decode": time.perf_counter() - started},
    )


def profiles(made: Decoded) -> pd.DataFrame:
    """One row a gene, one column a point, in log1p expression, beside the mean of all cells."""
    columns = {f"point_{i + 1}": profile for i, profile in enumerate(made.profiles)}
    return pd.DataFrame({"gene": made.atlas.genes, "mean_of_all_cells": made.atlas.mean} | columns)
