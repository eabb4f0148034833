"""Samples, scores and decoded points as files of the field: FASTA for sequences, CSV for what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gen_core.stamp import csv_column, fasta_header, safe_cell, stamp

if TYPE_CHECKING:
    from gen_core.proteins.decode import Decoded
    from gen_core.proteins.filters import Verdict
    from gen_core.proteins.mutate import Mutated
    from gen_core.proteins.sample import Drawn
    from gen_core.proteins.score import Scored
    from gen_core.proteins.structure import Threaded
    from gen_core.recipe import Recipe

Array = np.ndarray
Writers = dict[str, Callable[[Path], None]]


def sample_writers(made: Drawn, models: list[Threaded]) -> Writers:
    """The files of `proteins.sample`, each made when it is asked for."""
    writers: Writers = {
        "sequences.fasta": lambda path: fasta(path, *kept_of(made), made.recipe),
        "sequences.csv": lambda path: table(path, sample_table(made), made.recipe),
        **order_writers(made),
        **label_writers(made),
    }
    endings = {"pdb": (".pdb",), "mmcif": (".cif",), "both": (".pdb", ".cif")}[made.recipe.structure_format]
    for model in models:
        for ending in endings:
            writers[f"structures/{model.name}{ending}"] = partial(structure, model=model, recipe=made.recipe)
    return writers


def order_writers(made: Drawn) -> Writers:
    """The plate order, where one is asked for."""
    plated = made.ordered
    return {} if plated is None else {"plate.csv": lambda path: table(path, plated.table, made.recipe)}


def score_writers(made: Scored) -> Writers:
    """The file of `proteins.score`."""
    return {"scores.csv": lambda path: table(path, score_table(made), made.recipe), **label_writers(made)}


def mutate_writers(made: Mutated) -> Writers:
    """The file of `proteins.mutate`."""
    return {"single_changes.csv": lambda path: table(path, made.table, made.recipe)}


def label_writers(made: Drawn | Scored) -> Writers:
    """What the labels say of the filters, of themselves and of plates chosen by them; nothing without labels."""
    from gen_core.proteins.enrichment import enrichment

    learned = made.viability
    if learned is None:
        return {}
    return {
        "enrichment.csv": lambda path: table(path, enrichment(learned, made.model, made.recipe.filters), made.recipe),
        "learning_curve.csv": lambda path: table(path, learned.curve, made.recipe),
        "backtest.csv": lambda path: table(path, learned.backtest, made.recipe),
    }


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


def sample_table(made: Drawn, first: int = 0) -> pd.DataFrame:
    """One row a sample, in the order drawn: sequence, row of the alignment, values, what each filter says, `kept`. Names count
    from `first` on."""
    frame = pd.DataFrame(
        {
            "id": [name_of(first + i) for i in range(len(made.rows))],
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
            "viability": values.pop("viability", np.full(len(made.names), np.nan)),
            "aligned": made.rows,
        }
    )
    return frame.assign(**_told(values, made.verdicts), kept=made.kept)


def _told(values: Mapping[str, Array], verdicts: list[Verdict]) -> dict[str, Array]:
    return {**values, **{f"pass_{verdict.name}": verdict.passed for verdict in verdicts}}


def structure(path: Path, model: Threaded, recipe: Recipe) -> None:
    """A threaded model as PDB, or as mmCIF where the name ends in .cif, with the recipe in it."""
    path.write_text(model.mmcif() if path.suffix == ".cif" else model.pdb(), encoding="ascii")
    stamp(path, recipe)


def table(path: Path, frame: pd.DataFrame, recipe: Recipe) -> None:
    """A table as CSV with the recipe in its last column; numbers in six significant digits.

    Names of the user's own went through `safe_cell`; rows of an alignment are letters and dashes and stay as they are.
    """
    csv_column(frame, recipe).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def fasta(path: Path, names: list[str], sequences: list[str], recipe: Recipe) -> None:
    """Sequences as FASTA with the recipe in the first record's description; without records an empty file."""
    heads = [fasta_header(name, recipe) if i == 0 else name for i, name in enumerate(names)]
    path.write_text("".join(f">{head}\n{sequence}\n" for head, sequence in zip(heads, sequences, strict=True)), encoding="ascii")
