"""All single changes of a reference: how much each raises or lowers likelihood, coupling energy, profile and viability."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.proteins import viability
from gen_core.proteins.agreement import spearman
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.family import place_row
from gen_core.proteins.head import Inputs, inputs_of
from gen_core.proteins.known import Known, open_both, ready
from gen_core.proteins.labels import sequence_of
from gen_core.proteins.model import likelihood_of_changes
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Mutate
from gen_core.proteins.viability import Viability
from gen_core.proteins.warn import warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
LEAST = 10  # measured single changes from which their ranks are compared
MEASURES = {  # what a change is judged by: its column, and whether more of it is better
    "log_likelihood_change": 1,
    "coupling_energy_change": -1,
    "profile_bits_change": 1,
    "site_log_odds": 1,
}
SAMPLES = 1024  # latent points in the bound on the likelihood: the same for all changes, so that differences are sure


SCORED = Memo(64 << 20, lambda scored: int(scored.inputs.codes.nbytes * 8))


@dataclass(frozen=True, eq=False)
class Scored:
    """A reference's own codes (L,) and residue numbers (L,), the columns (m,) it has residues in, and of itself (first) and its
    20 m single changes codes, bound on the log likelihood and coupling energy."""

    own: Array
    numbers: Array
    columns: Array
    codes: Array
    bound: Array
    energy: Array
    inputs: Inputs


@dataclass(frozen=True, eq=False)
class Mutated:
    """`table` has one row for each of the 20 residues at each of the reference's residues that stand in a column; its own
    residues are among them, with changes of 0."""

    recipe: Mutate  # filled in
    model: FamilyModel
    known: Known
    table: pd.DataFrame
    viability: Viability | None
    notices: tuple[Notice, ...]

    def matrix(self, name: str) -> pd.DataFrame:
        """One column of the table as positions by residues, for a heat map; the index is the reference's own numbering."""
        return self.table.pivot(index="position", columns="residue", values=name)[list(LETTERS[:GAP])]


def mutate(recipe: Mutate) -> Mutated:
    """The single changes of a recipe's reference. Raises InputError where it is not of the family, and what `open_both` does."""
    recipe, model, known = open_both(recipe)
    key = (recipe.weights, recipe.reference, recipe.seed)
    found: Scored = SCORED.get(key, lambda: _scored(recipe, model))
    columns, inputs = found.columns, found.inputs
    logs = np.log(np.maximum(model.moments.sites[columns][:, :GAP], 1e-3))
    table = pd.DataFrame(
        {
            "position": np.repeat(found.numbers[columns] + recipe.reference_offset, GAP),
            "column": np.repeat(model.columns[columns] + 1, GAP),
            "wild_type": np.repeat([LETTERS[a] for a in found.own[columns]], GAP),
            "residue": list(LETTERS[:GAP]) * len(columns),
            "log_likelihood_change": found.bound[1:] - found.bound[0],
            "coupling_energy_change": found.energy[1:] - found.energy[0],
            "profile_bits_change": inputs.bits[1:] - inputs.bits[0],
            "site_log_odds": (logs - logs[np.arange(len(columns)), found.own[columns]][:, None]).ravel(),
            "frequency": model.moments.sites[columns][:, :GAP].ravel(),
        }
    )
    learned, notices = None, []
    if recipe.labels is not None:
        learned = viability.assess(recipe, model, str(recipe.family))
        chances = learned.calibration.chance(learned.head.score(inputs))  # one fit for all: a map must not change fits
        table = table.assign(viability=chances[1:], viability_change=chances[1:] - chances[0])
        table = table.assign(assay=_measured(found, learned))
        notices = [*learned.notices, Notice("extrapolation", "Viability of single changes extrapolates from the labels.")]
    if outside := len(sequence_of(recipe.reference)) - len(columns):
        notices.append(
            Notice("outside_columns", f"{outside} residues of the reference stand in no column of the family and are not shown.")
        )
    return Mutated(recipe, model, known, table, learned, tuple(notices))


def _scored(recipe: Mutate, model: FamilyModel) -> Scored:
    own, numbers = place_row(model.profile, model.columns, model.width, recipe.reference, "reference")
    columns = np.flatnonzero(own != GAP)
    codes = np.concatenate([own[None], np.tile(own, (len(columns) * GAP, 1))])
    codes[np.arange(1, len(codes)), np.repeat(columns, GAP)] = np.tile(np.arange(GAP, dtype=np.uint8), len(columns))
    changes = likelihood_of_changes(model.net, model.prior, own, SAMPLES, recipe.seed)
    bound = np.append(changes[columns[0], own[columns[0]]], changes[columns, :GAP])
    energy = np.full(len(codes), np.nan) if model.couplings is None else model.couplings.energy(codes)
    return Scored(own, np.asarray(numbers), columns, codes, bound, energy, inputs_of(codes, model))


def _measured(found: Scored, learned: Viability) -> Array:
    """The assay's value (20 m,) of each single change that was measured itself; NaN elsewhere."""
    labelled = learned.labelled
    values = {row.tobytes(): value for row, value in zip(labelled.codes, labelled.values, strict=True)}
    return np.array([values.get(row.tobytes(), np.nan) for row in found.codes[1:]])


def changed(reference: str, place: int, residue: str) -> str:
    """The reference with another residue at a place, counted from 1 over its residues; gaps of a row stay where they are.

    Raises RecipeError where the reference has no such place.
    """
    letters = list(reference)
    seen = [i for i, letter in enumerate(letters) if letter.isalpha()]
    if not 1 <= place <= len(seen):
        raise RecipeError(f"reference: there is no residue {place}; it has {len(seen)}.")
    old = letters[seen[place - 1]]
    letters[seen[place - 1]] = residue if old.isupper() else residue.lower()
    return "".join(letters)


def agreements(table: pd.DataFrame) -> dict[str, dict[str, float | int | str | bool | None]]:
    """How each score ranks the changes, by its column: against independent sites, which need no model, and, where at least ten
    of the changes were measured themselves, against the assay; rank correlations, with the sign that makes more better."""
    changes = table[table.residue != table.wild_type]
    measured = changes[changes.assay.notna()] if "assay" in changes else changes.iloc[:0]
    told: dict[str, dict[str, float | int | str | bool | None]] = {}
    for name, sign in MEASURES.items():
        if not changes[name].notna().all():
            continue
        told[name] = {"spearman_sites": spearman(sign * changes[name].to_numpy(), changes.site_log_odds.to_numpy())}
        if len(measured) >= LEAST:
            told[name]["spearman_assay"] = spearman(sign * measured[name].to_numpy(), measured.assay.to_numpy())
    return told


def run(recipe: Mutate, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.mutate`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    recipe = ready(recipe, progress)
    opened = time.perf_counter()
    made = mutate(recipe)
    changes = made.table[made.table.residue != made.table.wild_type]
    numbers: dict[str, float | int | str | bool | None] = {
        "n_positions": int(made.table.position.nunique()),
        "n_changes": len(changes),
        "likelier_fraction": float((changes.log_likelihood_change > 0).mean()),
        "lower_energy_fraction": float((changes.coupling_energy_change < 0).mean()),
    }
    told = agreements(made.table)
    baselines = {name: dict(row) for name, row in made.viability.baselines.items()} if made.viability else {}
    baselines["independent_sites"] = baselines.get("independent_sites", {}) | told.pop("site_log_odds")
    for name, row in told.items():
        numbers |= {f"{name.removesuffix('_change')}_{kind}": value for kind, value in row.items()}
    if "assay" in made.table:
        numbers["n_measured"] = int(changes.assay.notna().sum())
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.mutate_writers(made),
        metrics=numbers | (made.viability.numbers if made.viability else {}),
        baselines=baselines,
        warnings=unique([*(n for n in warnings_of(made.model, made.known) if n.code != "synthetic_data"), *made.notices]),
        seconds={"train": opened - started, "mutate": time.perf_counter() - opened},
    )
