"""Gene sets: how much each is predicted to change, beside how much it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gen_core.errors import InputError
from gen_core.inputs import read_limited

Array = np.ndarray
MAX_BYTES, MAX_SETS = 64 << 20, 20_000
LEAST = 3  # genes of a set that must be in the data


def read_gmt(path: Path) -> dict[str, list[str]]:
    """Gene sets of a .gmt file: one a line, tab-separated: name, description, genes. Raises InputError where it is not one."""
    try:
        text = read_limited(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("This is not a .gmt file: it is not text.") from None
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2:
            raise InputError(f"Line {number} of the .gmt file has no genes: name, description and genes are separated by tabs.")
        if len(sets) >= MAX_SETS:
            raise InputError(f"This .gmt file holds more than {MAX_SETS:,} sets; drop a smaller one.")
        sets[name.strip()] = [gene.strip() for gene in rest[1:] if gene.strip()]
    if not sets:
        raise InputError("This .gmt file is empty.")
    return sets


def changes(sets: dict[str, list[str]], genes: Array, control: Array, predicted: Array, observed: Array | None) -> pd.DataFrame:
    """Mean change of each set in log1p expression, predicted and observed, and its z against all genes of the data.

    genes (G,), means (G,). Columns: gene_set, n_genes, n_found, predicted_change, predicted_z, observed_change, observed_z;
    sets with fewer than 3 genes in the data are left out; sorted by |predicted_z|.
    """
    place = {str(gene).upper(): i for i, gene in enumerate(genes)}
    rows = []
    for name, members in sets.items():
        found = np.array(sorted({place[g.upper()] for g in members if g.upper() in place}), int)
        if len(found) < LEAST:
            continue
        row = {"gene_set": name, "n_genes": len(set(members)), "n_found": len(found)}
        for role, mean in (("predicted", predicted), ("observed", observed)):
            change = None if mean is None else mean - control
            row[f"{role}_change"] = np.nan if change is None else change[found].mean()
            row[f"{role}_z"] = np.nan if change is None else _z(change, found)
        rows.append(row)
    if not rows:
        raise InputError(
            f"None of the {len(sets):,} gene sets has {LEAST} genes of this data: do both name genes in the same way?"
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values("predicted_z", key=np.abs, ascending=False, ignore_index=True, kind="stable")


def _z(change: Array, found: Array) -> float:
    """How many standard errors the mean of some genes lies from the mean of all."""
    spread = change.std()
    return float((change[found].mean() - change.mean()) / (spread / np.sqrt(len(found)))) if spread > 0 else 0.0
