"""All single changes of a reference: how much each raises or lowers likelihood, coupling energy, profile and viability."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gen_core.proteins import viability
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.family import place_row
from gen_core.proteins.head import inputs_of
from gen_core.proteins.known import Known, open_both, ready
from gen_core.proteins.labels import sequence_of
from gen_core.proteins.model import likelihood
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Mutate
from gen_core.proteins.viability import Viability
from gen_core.proteins.warn import warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
SAMPLES = 32  # latent points per sequence in the bound on its likelihood; the same noise for all, so that differences are sure


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
    own, numbers = place_row(model.profile, model.columns, model.width, recipe.reference, "reference")
    columns = np.flatnonzero(own != GAP)
    codes = np.concatenate([own[None], np.tile(own, (len(columns) * GAP, 1))])
    codes[np.arange(1, len(codes)), np.repeat(columns, GAP)] = np.tile(np.arange(GAP, dtype=np.uint8), len(columns))
    bound = likelihood(model.net, model.prior, codes, SAMPLES, recipe.seed)
    energy = np.full(len(codes), np.nan) if model.couplings is None else model.couplings.energy(codes)
    inputs = inputs_of(codes, model)
    table = pd.DataFrame(
        {
            "position": np.repeat(numbers[columns] + recipe.reference_offset, GAP),
            "column": np.repeat(model.columns[columns] + 1, GAP),
            "wild_type": np.repeat([LETTERS[a] for a in own[columns]], GAP),
            "residue": list(LETTERS[:GAP]) * len(columns),
            "log_likelihood_change": bound[1:] - bound[0],
            "coupling_energy_change": energy[1:] - energy[0],
            "profile_bits_change": inputs.bits[1:] - inputs.bits[0],
        }
    )
    learned, notices = None, []
    if recipe.labels is not None:
        learned = viability.assess(recipe, model, str(recipe.family))
        chances = learned.calibration.chance(learned.head.score(inputs))  # one fit for all: a map must not change fits
        table = table.assign(viability=chances[1:], viability_change=chances[1:] - chances[0])
        notices = [*learned.notices, Notice("extrapolation", "Viability of single changes extrapolates from the labels.")]
    if outside := len(sequence_of(recipe.reference)) - len(columns):
        notices.append(
            Notice("outside_columns", f"{outside} residues of the reference stand in no column of the family and are not shown.")
        )
    return Mutated(recipe, model, known, table, learned, tuple(notices))


def run(recipe: Mutate, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.mutate`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    recipe = ready(recipe, progress)
    opened = time.perf_counter()
    made = mutate(recipe)
    changed = made.table[made.table.residue != made.table.wild_type]
    numbers: dict[str, float | int | str | bool | None] = {
        "n_positions": int(made.table.position.nunique()),
        "n_changes": len(changed),
        "likelier_fraction": float((changed.log_likelihood_change > 0).mean()),
        "lower_energy_fraction": float((changed.coupling_energy_change < 0).mean()),
    }
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.mutate_writers(made),
        metrics=numbers | (made.viability.numbers if made.viability else {}),
        baselines=dict(made.viability.baselines) if made.viability else {},
        warnings=unique([*(n for n in warnings_of(made.model, made.known) if n.code != "synthetic_data"), *made.notices]),
        seconds={"train": opened - started, "mutate": time.perf_counter() - opened},
    )
