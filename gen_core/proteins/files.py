"""Samples, scores and decoded points as files of the field: FASTA for sequences, CSV for what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gen_core.stamp import csv_column, fasta_header, safe_cell

if TYPE_CHECKING:
    from gen_core.proteins.decode import Decoded
    from gen_core.proteins.filters import Verdict
    from gen_core.proteins.sample import Drawn
    from gen_core.proteins.score import Scored
    from gen_core.recipe import Recipe

Array = np.ndarray
Writers = dict[str, Callable[[Path], None]]


def sample_writers(made: Drawn) -> Writers:
    """The files of `proteins.sample`, each made when it is asked for."""
    return {
        "sequences.fasta": lambda path: fasta(path, *kept_of(made), made.recipe),
        "sequences.csv": lambda path: table(path, sample_table(made), made.recipe),
    }


def score_writers(made: Scored) -> Writers:
    """The file of `proteins.score`."""
    return {"scores.csv": lambda path: table(path, score_table(made), made.recipe)}


def decode_writers(made: Decoded) -> Writers:
    """The files of `proteins.decode`."""
    names = [f"point_{i}" for i in range(1, len(made.rows) + 1)]
    return {
        "sequences.fasta": lambda path: fasta(path, names, [row.replace("-", "") for row in made.rows], made.recipe),
        "sites.csv": lambda path: table(path, made.sites, made.recipe),
    }


def kept_of(made: Drawn) -> tuple[list[str], list[str]]:
    """Names and sequences, without gaps, of the samples that are kept."""
    rows = np.flatnonzero(made.kept)
    return [name_of(int(i)) for i in rows], [made.rows[i].replace("-", "") for i in rows]


def name_of(i: int) -> str:
    """What the i-th sample, from 0 on, is called."""
    return f"sample_{i + 1}"


def sample_table(made: Drawn) -> pd.DataFrame:
    """One row a sample, in the order drawn: sequence, row of the alignment, values, what each filter says, `kept`."""
    frame = pd.DataFrame(
        {
            "id": [name_of(i) for i in range(len(made.rows))],
            "sequence": [row.replace("-", "") for row in made.rows],
            "aligned": made.rows,
        }
    )
    if made.recipe.path is not None:
        frame["step"] = made.steps
    return frame.assign(**_told(made.values, made.verdicts), kept=made.kept)


def score_table(made: Scored) -> pd.DataFrame:
    """One row a given sequence, in the file's order; `viability` is empty where no labels were given."""
    values = dict(made.values)
    frame = pd.DataFrame(
        {
            "id": [safe_cell(str(name)) for name in made.names],
            "log_likelihood": made.log_likelihood,
            "coupling_energy": values.pop("coupling_energy"),
            "profile_bits": values.pop("profile_bits"),
            "nearest_identity": values.pop("nearest_identity"),
            "viability": np.nan,
            "aligned": made.rows,
        }
    )
    return frame.assign(**_told(values, made.verdicts), kept=made.kept)


def _told(values: Mapping[str, Array], verdicts: list[Verdict]) -> dict[str, Array]:
    return {**values, **{f"pass_{verdict.name}": verdict.passed for verdict in verdicts}}


def table(path: Path, frame: pd.DataFrame, recipe: Recipe) -> None:
    """A table as CSV with the recipe in its last column; numbers in six significant digits.

    Names of the user's own went through `safe_cell`; rows of an alignment are letters and dashes and stay as they are.
    """
    csv_column(frame, recipe).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def fasta(path: Path, names: list[str], sequences: list[str], recipe: Recipe) -> None:
    """Sequences as FASTA with the recipe in the first record's description; without records an empty file."""
    heads = [fasta_header(name, recipe) if i == 0 else name for i, name in enumerate(names)]
    path.write_text("".join(f">{head}\n{sequence}\n" for head, sequence in zip(heads, sequences, strict=True)), encoding="ascii")
