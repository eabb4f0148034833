"""A plate order of kept samples: which, in which well, as which DNA, of which length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.dna import coded
from gen_core.proteins.family import place_row
from gen_core.proteins.labels import sequence_of
from gen_core.proteins.plate import WELLS, picked
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.order_recipe import Order
    from gen_core.proteins.sample import Drawn

Array = np.ndarray
PLATES = Memo(32 << 20, lambda made: 0 if made is None else int(made.table.memory_usage(deep=True).sum()))


@dataclass(frozen=True, eq=False)
class Ordered:
    """rows (m,) of the samples that are ordered; `table` has one row a well."""

    rows: Array
    table: pd.DataFrame
    notices: tuple[Notice, ...]


def ordered(made: Drawn) -> Ordered | None:
    """The plate of a draw; None where none is asked for.

    Raises RecipeError where the reference cannot be ordered, InputError where no DNA meets the limits.
    """
    order = made.recipe.order
    if order is None:
        return None
    if made.model.card.get("sha256") is None:  # not stored yet: its recipe does not name it
        return _ordered(made, order)
    shown: dict[str, object] = {"structure": False, "b_factor": "conservation", "structure_format": "pdb"}
    found: Ordered = PLATES.get(made.recipe.replace(**shown).sha256, lambda: _ordered(made, order))
    return found


def _ordered(made: Drawn, order: Order) -> Ordered:
    recipe = made.recipe
    kept = np.flatnonzero(made.kept)
    name = "profile_bits" if made.viability is None else "viability"
    rows = kept[picked(made.values[name][kept], made.codes[kept], order.wells, order.max_identity)]
    marked = _domains(made, rows)
    lines = []
    for place, (i, text) in enumerate(zip(rows, marked, strict=True)):
        sample = f"sample_{i + 1}"
        protein = _tagged(text.upper(), order.tag, order.tag_end, order.start)
        coding, dna = coded(protein, order, recipe.seed, sample)
        lines.append(
            {
                "well": well(place, order.wells),
                "name": sample,
                "sequence": protein,
                "dna": dna,
                "coding_dna": coding,
                "bases": len(dna),
                "gc": (dna.count("G") + dna.count("C")) / len(dna),
                name: float(made.values[name][i]),
                "domain_upper_reference_lower": text,
                "construct": "full length" if order.full_length else "domain only",
            }
        )
    notices = []
    if not order.full_length:
        notices.append(
            Notice("domain_only", "The order holds the domain only, as it stands in the family's columns; for both ends and the "
                   "residues between the columns give a reference and full_length.")
        )  # fmt: skip
    if len(rows) < order.wells:
        notices.append(Notice("wells_empty", f"{len(rows)} of {order.wells} wells are filled: the other kept samples are too "
                              "alike one of them, or there are none; draw more."))  # fmt: skip
    columns = ["well", "name", "sequence", "dna", "coding_dna", "bases", "gc", name, "domain_upper_reference_lower", "construct"]
    return Ordered(rows, pd.DataFrame(lines, columns=columns), tuple(notices))


def _domains(made: Drawn, rows: Array) -> list[str]:
    """What is ordered of each sample: its own residues in upper case, those of the reference in lower case."""
    order, recipe, model = made.recipe.order, made.recipe, made.model
    codes = made.codes[rows]
    if order is None or not order.full_length:
        return ["".join(LETTERS[a] for a in row if a != GAP) for row in codes]
    assert recipe.reference is not None  # which the recipe has checked
    _, numbers = place_row(model.profile, model.columns, model.width, recipe.reference, "reference")
    whole = sequence_of(recipe.reference)
    if strange := next((letter for letter in whole if letter not in LETTERS), None):
        raise RecipeError(f"order.full_length: the reference holds {strange!r}, which cannot be ordered; give its residue.")
    return [joined(row, numbers, whole) for row in codes]


def joined(codes: Array, numbers: Array, whole: str) -> str:
    """A sample's codes (L,) inside a reference `whole` whose residue numbers[i], from 1 on, stands in column i (0 at a gap).

    Residues of the reference that stand in no column are kept, in lower case; those in columns give way to the sample's.
    """
    parts, done = [], 0
    for code, number in zip(codes, numbers, strict=True):
        if number:
            parts.append(whole[done : number - 1].lower())
            done = int(number)
        if code != GAP:
            parts.append(LETTERS[code])
    return "".join([*parts, whole[done:].lower()])


def _tagged(protein: str, tag: str | None, end: str, start: bool) -> str:
    if tag is not None:
        protein = protein + tag if end == "C" else tag + protein
    return protein if not start or protein.startswith("M") else "M" + protein


def well(place: int, wells: int) -> str:
    """The name of a well, row by row: A1 … H12 of 96, A1 … P24 of 384."""
    across = 12 if wells <= WELLS else 24
    return f"{'ABCDEFGHIJKLMNOP'[place // across]}{place % across + 1}"
