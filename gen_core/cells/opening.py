"""From a recipe to its study: the file read, every cell given its role, kept between the moves of a control."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from gen_core.cells import data, question
from gen_core.cells.recipe import FREE, Perturb
from gen_core.cells.study import FEW, Study
from gen_core.datasets import path_of
from gen_core.errors import InputError, RecipeError
from gen_core.latent.components import Components
from gen_core.memo import Memo
from gen_core.result import Notice, unique

Array = np.ndarray
MAX_VALUES = 60_000_000  # non-zero values held in memory (0.5 GB); of larger files each group keeps a seeded sample
KEPT = Memo(3 << 30, lambda study: study.nbytes)
KEPT_LEARNED = Memo(1 << 30, lambda study: study.X.shape[0] * 512)  # the cells themselves are those of the study it copies


def open_study(recipe: Perturb) -> Study:
    """The study a recipe asks about, from memory where it was read before.

    Raises InputError where the file has no such conditions or nothing to transfer from, RecipeError where the recipe
    names a column or a label that the file does not have.
    """
    if recipe.model == "train":
        raise RecipeError("model: train first (this happens when the recipe is run), or name a model.")
    if any(getattr(recipe, field) is None for field in question.GUESSED):
        recipe = question.fill_in(recipe)  # so that a question and its filled-in form are one study
    key = repr(sorted(recipe.model_dump(exclude=set(FREE)).items()))
    if recipe.model != "pca":
        return KEPT_LEARNED.get(key, lambda: _learned(recipe))
    return KEPT.get(key, lambda: _read(key, recipe))


def _learned(recipe: Perturb) -> Study:
    """The cells of a recipe in the latent space of its model."""
    from gen_core.cells.modelfile import open_model

    model = open_model(recipe.model, recipe.weights)
    base = open_study(recipe.replace(model="pca", weights=None, latent_dim=Perturb.model_fields["latent_dim"].default))
    study = base.seen_by(model)
    filled = base.recipe.replace(model=recipe.model, weights=model.card["sha256"], latent_dim=model.latent_dim)
    object.__setattr__(study, "recipe", filled)
    return study


def _read(key: str, recipe: Perturb) -> Study:
    recipe = question.fill_in(recipe)
    path = path_of(recipe.data)
    obs = question.labels(recipe, path)
    start = recipe.perturbed if recipe.reverse else recipe.control
    is_target = (obs.cell_type == recipe.target).to_numpy()
    is_perturbed = (obs.condition != start).to_numpy()
    keep = np.flatnonzero((obs.role != "").to_numpy())
    cells_held, sampled = _sample(obs.iloc[keep], question.described(recipe.data, recipe.layer), recipe.seed)
    rows = keep[cells_held]
    cells = data.read_cells(path, [], rows, recipe.layer)
    X, genes, names = cells.X, cells.genes, cells.names
    cell_type, perturbed = obs.cell_type.to_numpy(str)[rows], is_perturbed[rows]
    dose = obs.dose.to_numpy(float)[rows] if recipe.dose_key else None
    replicate = obs.replicate.to_numpy(str)[rows] if recipe.replicate_key else None
    notices = [*cells.notices, *question.notices(recipe, path)]
    asked = np.flatnonzero(is_target[rows] & ~perturbed)
    seen = ~(is_target[rows] & perturbed)
    if recipe.target_data is not None:
        new, told = _new_donor(recipe)
        sampled = sampled or bool(told)
        X, genes, left_out = _align(X, genes, new)
        notices += [*new.notices, *left_out, *told]
        asked = np.arange(len(names), X.shape[0])
        names = np.concatenate([names, new.names])
        cell_type = np.concatenate([cell_type, np.full(len(new.names), recipe.target)])
        perturbed = np.concatenate([perturbed, np.zeros(len(new.names), bool)])
        dose = None if dose is None else np.concatenate([dose, np.zeros(len(new.names))])
        replicate = None if replicate is None else np.concatenate([replicate, np.full(len(new.names), "new donor")])
        seen = np.r_[np.ones(len(rows), bool), np.zeros(len(new.names), bool)]
    if sampled:
        notices.append(
            Notice(
                "sampled_cells",
                f"The file holds {len(keep):,} cells of these conditions; a seeded sample of {len(rows):,} serves the estimates.",
            )
        )
    latent = Components.fit(X[np.flatnonzero(seen)], recipe.latent_dim, recipe.seed)
    study = Study(
        key, recipe, X, genes, names, cell_type, perturbed, dose, replicate, asked, latent, cells.state, sampled, unique(notices)
    )
    _check(study)
    return study


def _check(study: Study) -> None:
    """Raise where the question cannot be answered from these cells."""
    recipe, target = study.recipe, study.target
    if not len(study.asked):
        have = sorted({name for name, perturbed in study._groups if not perturbed})
        raise InputError(
            f"There are no {study.label(study.start)!r} cells of {target!r} to start from; there are of {question.some(have)}."
        )
    unknown = sorted(set(recipe.sources or ()) - set(study.types))
    if unknown:
        raise RecipeError(f"sources: {unknown[0]!r} has no cells in both conditions; there are {question.some(study.types)}.")
    if not study.sources:
        raise InputError(
            f"There is nothing to transfer from: no {recipe.cell_type_key!r} other than {target!r} has at least {FEW} cells "
            f"in both conditions. Name another column as context, or add cells of another type."
        )


def _sample(obs: pd.DataFrame, described: data.Description, seed: int) -> tuple[Array, bool]:
    """Positions of the cells to hold in memory: all, or of each group as many as fit."""
    room = int(MAX_VALUES / _per_cell(described))
    if len(obs) <= room:
        return np.arange(len(obs)), False
    groups = [
        np.asarray(g) for g in obs.reset_index(drop=True).groupby(["cell_type", "condition"], observed=True).groups.values()
    ]
    cap = room // len(groups)
    while sum(min(len(g), cap + 50) for g in groups) <= room:  # what small groups leave free, the others share
        cap += 50
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([g if len(g) <= cap else rng.choice(g, cap, replace=False) for g in groups])), True


def _new_donor(recipe: Perturb) -> tuple[data.Cells, list[Notice]]:
    """The control cells of the target in the second file, or a seeded sample of them with a notice where they do not fit."""
    assert recipe.target_data is not None
    path = path_of(recipe.target_data, "target_data")
    rows = question.new_donor_rows(recipe, path)
    per_cell, told = _per_cell(question.described(recipe.target_data, recipe.layer)), list[Notice]()
    if len(rows) * per_cell > MAX_VALUES:
        some = np.sort(np.random.default_rng(recipe.seed).choice(rows, int(MAX_VALUES / 3 / per_cell), replace=False))
        text = f"The second file holds {len(rows):,} of these cells; a seeded sample of {len(some):,} serves the estimates."
        rows, told = some, [Notice("sampled_cells", text)]
    return data.read_cells(path, [], rows, recipe.layer), told


def _per_cell(described: data.Description) -> float:
    """Values that a cell has on average, at least one."""
    return max((described.n_nonzero or described.n_cells * described.n_genes) / described.n_cells, 1)


def _align(X: sparse.csr_matrix, genes: Array, new: data.Cells) -> tuple[sparse.csr_matrix, Array, list[Notice]]:
    """Both files on the genes they share, the new cells below; and a notice on what was left out."""
    shared, here, there = np.intersect1d(genes, new.genes, return_indices=True)
    if len(shared) < 50:
        raise InputError(
            f"The two files share {len(shared)} gene names; at least 50 are needed. Do both name genes in the same way?"
        )
    order = np.argsort(here)  # the first file's order
    joined = sparse.vstack([X[:, here[order]], new.X[:, there[order]]], format="csr")
    lost = len(new.genes) - len(shared)
    notices = (
        [Notice("missing_genes", f"{lost:,} of {len(new.genes):,} genes of the new file are not in the data and are left out.")]
        if lost
        else []
    )
    return joined, genes[here[order]], notices
