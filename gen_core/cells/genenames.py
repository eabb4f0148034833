"""The names of genes: symbols where a file has them, each once, and no feature that is not a gene."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.table import Labels, Table, unique_names
from gen_core.result import Notice

SYMBOLS = (
    "gene_symbols",
    "gene_symbol",
    "symbol",
    "feature_name",
    "gene_name",
    "gene_names",
    "gene_short_name",
    "hgnc_symbol",
    "SYMBOL",
    "Symbol",
)
_ENSEMBL = re.compile(r"ENS[A-Z]{0,6}G\d{6,}(\.\d+)?")


@dataclass(frozen=True, eq=False)
class Genes:
    """Unique names of the genes used (`object` array of str), and which of the file's features they are (None: all)."""

    names: np.ndarray
    kept: np.ndarray | None


def named(table: Table, notices: list[Notice]) -> Genes:
    """The genes of a table; what was done to their names is added to `notices`. Raises InputError where there are none."""
    kept = _expression_only(table, notices)
    names = _symbols(table, notices)
    names, changed = unique_names(names if kept is None else names[kept])
    if changed:
        notices.append(repeated(changed, "gene names"))
    if not len(names):
        raise InputError("The file holds no genes.")
    return Genes(names, kept)


def repeated(changed: int, what: str) -> Notice:
    """The notice that names were made unique: `what` is "gene names" or "cell names"."""
    return Notice(
        "duplicate_" + what.replace(" ", "_"), f"{changed:,} {what} are repeated; -1, -2 … was added to tell them apart."
    )


def _expression_only(table: Table, notices: list[Notice]) -> np.ndarray | None:
    """Which features are genes, where the file holds antibodies, guides or tags as well."""
    key = next((name for name in ("feature_types", "feature_type") if name in table.columns), None)
    kinds = table.column(key) if key else None
    if not isinstance(kinds, Labels) or len(kinds.levels) < 2 or "Gene Expression" not in kinds.levels:
        return None
    kept = kinds.codes == kinds.levels.index("Gene Expression")
    notices.append(
        Notice("features_left_out", f"{int((~kept).sum()):,} features that are no genes (antibodies, guides, tags) are left out.")
    )
    return kept


def _symbols(table: Table, notices: list[Notice]) -> np.ndarray:
    """Names of the genes: the index, or a column of symbols where the index holds Ensembl ids or mere numbers."""
    head = table.names[:: max(len(table.names) // 500, 1)].tolist()
    ensembl = sum(bool(_ENSEMBL.fullmatch(name)) for name in head) > len(head) / 2
    if not ensembl and not all(name.isdigit() for name in head):
        return table.names
    for key in (name for name in SYMBOLS if name in table.columns):
        column = table.column(key)
        if isinstance(column, Labels):
            words = column.words()
            missing = np.array([word is None for word in words])
            notices.append(Notice("gene_symbols", f"Genes are named by the column {key!r} instead of the file's ids."))
            return np.where(missing, table.names, words)
    if ensembl and any("." in name for name in head):
        notices.append(
            Notice("ensembl_versions", "Gene names are Ensembl ids with versions (ENSG….5); they are kept as they are.")
        )
    return table.names
