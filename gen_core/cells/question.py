"""From a recipe and a file to a question that has an answer: columns guessed, labels found, each cell given its role."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gen_core import checkpoint
from gen_core.cells import data, genesets
from gen_core.cells.recipe import Decode, Perturb
from gen_core.datasets import named, path_of
from gen_core.errors import InputError, RecipeError
from gen_core.memo import Memo
from gen_core.result import Notice

Array = np.ndarray
GUESSED = ("condition_key", "control", "perturbed", "cell_type_key", "target")  # fields that `fill_in` fills in
DESCRIBED = Memo(64 << 20, lambda described: 1 << 20)


def described(name: str, layer: str | None = None) -> data.Description:
    """What the file of a recipe's content name holds, looked at once. Raises InputError where it cannot be read."""
    layer = layer_of(name, layer)
    found: data.Description = DESCRIBED.get((name, layer), lambda: data.describe(path_of(name), layer))
    return found


def check(name: str) -> None:
    """Raise InputError where no matrix of this file can be used, or it is no file of cells at all."""
    found = described(name)
    if not data.usable(found.state) and not found.instead:
        raise InputError(found.state.text)


def layer_of(name: str, layer: str | None) -> str | None:
    """The layer to read: the one asked for, else what the data set calls its expression, else X."""
    known = named(name)
    return layer or (known.layer if known else None)


def fill_in(recipe: Perturb) -> Perturb:
    """The recipe with its columns, labels and target filled in from the file.

    Raises InputError where the file has no such columns or one condition only, RecipeError where the recipe names a
    column or a label that is not there.
    """
    path = path_of(recipe.data)
    found = described(recipe.data, recipe.layer)
    guess = found.guess
    condition_key = recipe.condition_key or guess.condition_key
    cell_type_key = recipe.cell_type_key or guess.cell_type_key
    if condition_key is None:
        single = next(
            (f"; {c.name!r} holds one condition only ({c.levels[0]!r})" for c in found.columns if len(c.levels) == 1), ""
        )
        raise InputError(
            f"No column of this file tells control from perturbed cells{single}: name one (condition_key), or add it."
        )
    if cell_type_key is None:
        raise InputError(
            "No column of this file holds cell types: name the column whose contexts the response is carried across."
        )
    names = [column.name for column in found.columns]
    for field, key in (
        ("condition_key", condition_key),
        ("cell_type_key", cell_type_key),
        ("dose_key", recipe.dose_key),
        ("replicate_key", recipe.replicate_key),
    ):
        if key is not None and key not in names:
            raise RecipeError(f"{field}: this file has no column {key!r}; it has {some(names)}.")
    if recipe.replicate_key in (condition_key, cell_type_key):
        raise RecipeError(
            f"replicate_key: {recipe.replicate_key!r} is the condition or the context already; name another column."
        )
    if condition_key == cell_type_key:
        raise RecipeError(f"cell_type_key: {cell_type_key!r} is the condition already; the context must be another column.")
    obs = data.read_obs(path, [condition_key, cell_type_key])
    counts = obs[condition_key].value_counts()
    if len(counts) < 2:
        raise InputError(
            f"The column {condition_key!r} holds one condition only ({some(counts.index)}); control and perturbed are needed."
        )
    control, perturbed = _conditions(
        recipe, guess if condition_key == guess.condition_key else None, [str(c) for c in counts.index], condition_key
    )
    if recipe.second is not None and recipe.second not in counts.index:
        raise RecipeError(f"second: {condition_key!r} has no label {recipe.second!r}; it has {some(counts.index)}.")
    target = recipe.target or _best_target(obs, condition_key, cell_type_key, control, perturbed)
    known = obs[cell_type_key].dropna().unique()
    if recipe.target_data is None and target not in set(known.astype(str)):
        raise RecipeError(f"target: {cell_type_key!r} has no {target!r}; it has {some(sorted(known.astype(str)))}.")
    return recipe.replace(
        condition_key=condition_key, cell_type_key=cell_type_key, control=control, perturbed=perturbed, target=target
    )


def _conditions(recipe: Perturb, guess: data.Guess | None, labels: list[str], key: str) -> tuple[str, str]:
    """Which label is control and which perturbed: as the recipe says, else as guessed, else the one that is left."""
    chosen: dict[str, str | None] = {"control": recipe.control, "perturbed": recipe.perturbed}
    for role, other in (("control", "perturbed"), ("perturbed", "control")):
        guessed = getattr(guess, role) if guess else None
        if chosen[role] is None and guessed != chosen[other]:
            chosen[role] = guessed
        if chosen[role] is None and chosen[other] is not None and len(labels) == 2:
            chosen[role] = next(label for label in labels if label != chosen[other])
        if chosen[role] is not None and chosen[role] not in labels:
            raise RecipeError(f"{role}: {key!r} has no label {chosen[role]!r}; it has {some(labels)}.")
    for role in ("control", "perturbed"):
        if chosen[role] is None:
            raise RecipeError(f"{role}: say which label of {key!r} it is; there are {some(labels)}.")
    return str(chosen["control"]), str(chosen["perturbed"])


def _best_target(obs: pd.DataFrame, condition_key: str, cell_type_key: str, control: str, perturbed: str) -> str:
    """The type with the most cells in its smaller group: its prediction can be scored best."""
    counts = pd.crosstab(obs[cell_type_key], obs[condition_key])
    if counts.empty or control not in counts or perturbed not in counts:
        raise InputError(f"No cell has both a {cell_type_key!r} and one of the conditions {control!r} and {perturbed!r}.")
    return str(counts[[control, perturbed]].min(axis=1).idxmax())


def types(recipe: Perturb) -> list[str]:
    """The contexts of a filled-in recipe that have cells to start from, in alphabetical order."""
    obs = labels(recipe, path_of(recipe.data))
    start = "perturbed" if recipe.reverse else "control"
    found = {str(name) for name in obs.cell_type[obs.role == start].unique()}
    return sorted(found | ({str(recipe.target)} if recipe.target else set()))


def check_new_donor(recipe: Perturb, name: str) -> None:
    """Raise InputError where this second file has no cells that the question could be asked of."""
    check(name)
    new_donor_rows(recipe.replace(target_data=name), path_of(name, "target_data"))


def size(recipe: Perturb) -> tuple[int, int]:
    """Cells and genes of a recipe's file."""
    found = described(recipe.data, recipe.layer)
    return found.n_cells, found.n_genes


def spaces(recipe: Perturb | Decode) -> dict[str, str]:
    """The latent spaces that fit the cells of a filled-in recipe: the name of each model, and what it is called."""
    asked = {recipe.control, recipe.perturbed} if isinstance(recipe, Perturb) else None
    found = {"pca": "Components (linear)"}
    for name, card in checkpoint.known("cells").items():
        labels = {card.get("control"), card.get("perturbed")}
        if card.get("data") == recipe.data and asked in (None, labels):
            other = isinstance(recipe, Perturb) and (
                card.get("target") != recipe.target or dict(card.get("recipe") or {}).get("reverse", False) != recipe.reverse
            )
            saw = f", saw {recipe.target}" if other and isinstance(recipe, Perturb) else ""
            title = f"Trained, {card.get('latent_dim', '?')}-D{saw}"
            found[name] = title if title not in found.values() else f"{title} ({name.removeprefix('sha256:')[:4]})"
    return found


def check_gene_sets(name: str) -> None:
    """Raise InputError where this content is not a .gmt file."""
    genesets.read_gmt(path_of(name, "gene_sets"))


def labels(recipe: Perturb, path: Path) -> pd.DataFrame:
    """One row a cell of the file: condition, cell_type, role ("control", "perturbed" or "" for cells not asked about), and
    dose and replicate where the recipe names their columns.

    Raises InputError where the dose column is not numeric or a group is empty.
    """
    keys = {
        "condition": recipe.condition_key,
        "cell_type": recipe.cell_type_key,
        "dose": recipe.dose_key,
        "replicate": recipe.replicate_key,
    }
    named = {name: key for name, key in keys.items() if key is not None}
    read = data.read_obs(path, list(dict.fromkeys(named.values())))
    obs = pd.DataFrame({name: read[key] for name, key in named.items()})
    role = np.select([obs.condition == recipe.control, obs.condition == recipe.perturbed], ["control", "perturbed"], "")
    role[obs.cell_type.isna().to_numpy()] = ""
    if recipe.replicate_key:
        role[obs.replicate.isna().to_numpy()] = ""
    if recipe.dose_key:
        obs["dose"] = pd.to_numeric(obs["dose"], errors="coerce")
        treated = obs.dose[role == "perturbed"]
        if not (treated > 0).any():
            raise InputError(
                f"The column {recipe.dose_key!r} holds no dose above 0 for {recipe.perturbed!r} cells; it must hold numbers."
            )
        role[(role == "perturbed") & ~(obs.dose > 0).to_numpy()] = ""
    obs["role"] = role
    for name, label in (("control", recipe.control), ("perturbed", recipe.perturbed)):
        if not (role == name).any():
            raise InputError(f"No {label!r} cell is left once cells without a label are set aside.")
    return obs


def notices(recipe: Perturb, path: Path) -> list[Notice]:
    """What the file's design makes doubtful: conditions that coincide with a batch or a donor."""
    suspects = [
        key
        for key in {recipe.replicate_key, described(recipe.data, recipe.layer).guess.replicate_key}
        if key and key != recipe.condition_key
    ]
    if not suspects:
        return []
    read = data.read_obs(path, [str(recipe.condition_key), *suspects])
    read = read[read[recipe.condition_key].isin([recipe.control, recipe.perturbed])]
    found = [data.confounding(read, str(recipe.condition_key), key) for key in suspects]
    return [notice for notice in found if notice is not None]


def new_donor_rows(recipe: Perturb, path: Path) -> Array:
    """Rows of a second file that are control cells of the target; all its cells are control where it has no conditions."""
    found = described(str(recipe.target_data), recipe.layer)
    names = [column.name for column in found.columns]
    type_key = recipe.cell_type_key if recipe.cell_type_key in names else found.guess.cell_type_key
    if type_key is None:
        raise InputError(
            f"The second file has no column {recipe.cell_type_key!r} that says which of its cells are {recipe.target!r}."
        )
    keys = [type_key] + ([str(recipe.condition_key)] if recipe.condition_key in names else [])
    obs = data.read_obs(path, list(dict.fromkeys(keys)))
    wanted = obs[type_key] == recipe.target
    if not wanted.any():
        raise InputError(
            f"The second file has no {recipe.target!r} cells; its {type_key!r} has {some(obs[type_key].dropna().unique())}."
        )
    if recipe.condition_key in names:
        start = recipe.perturbed if recipe.reverse else recipe.control
        wanted &= obs[recipe.condition_key] == start
        if not wanted.any():
            raise InputError(f"The second file has {recipe.target!r} cells, but none of them is {start!r}.")
    return np.flatnonzero(wanted.to_numpy())


def asked_rows(recipe: Perturb) -> tuple[Path, Array]:
    """The file and all rows of it that a prediction is asked for, whatever a study holds in memory."""
    if recipe.target_data is not None:
        path = path_of(recipe.target_data, "target_data")
        return path, new_donor_rows(recipe, path)
    path = path_of(recipe.data)
    obs = labels(recipe, path)
    start = "perturbed" if recipe.reverse else "control"
    return path, np.flatnonzero(((obs.role == start) & (obs.cell_type == recipe.target)).to_numpy())


def some(values: Iterable[Any], most: int = 6) -> str:
    """The first few names of a list, quoted, for a sentence."""
    names = [repr(str(value)) for value in values]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
