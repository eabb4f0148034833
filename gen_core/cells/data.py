"""Cells from a scientist's own file: one look that says what is in it, and the reading of the cells that are needed.

Whatever the file holds (counts, their log1p in any base, a layer, CellRanger's or anndata's layout of any age), what
comes out is one thing: natural log1p of counts per 10,000 for each cell, with unique names and plain labels.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from gen_core.cells import columns as cols
from gen_core.cells.columns import Column, Guess, confounding
from gen_core.cells.genenames import Genes, named, repeated
from gen_core.cells.normalise import normalise
from gen_core.cells.state import State, recognise
from gen_core.errors import InputError
from gen_core.inputs.cellfile import CellFile, open_cells
from gen_core.inputs.matrix import Matrix, Progress
from gen_core.inputs.table import Labels, Table, unique_names
from gen_core.memo import Memo
from gen_core.result import Notice, unique

__all__ = ["Cells", "Column", "Description", "Guess", "State", "confounding", "describe", "read_cells", "read_obs", "scanpy_pbmc"]

SAMPLE = 2_000  # cells looked at to tell what a matrix holds
SAMPLE_VALUES = 10_000_000  # and no more stored values than this
MIN_CELLS = 10
DROPLET = 50  # genes seen in a cell, on average over the file, below which most are empty droplets
MAX_COLUMNS = 500  # described for the page; any other can still be asked for by name
STATES = Memo(1000, lambda state: 1)  # by file and layer: blocks of one file are read one after the other


@dataclass(frozen=True)
class Description:
    """What a file holds, as a page shows it before anything is read in full."""

    n_cells: int
    n_genes: int
    n_nonzero: int | None
    """Stored values; None for a dense matrix."""
    columns: tuple[Column, ...]
    layers: tuple[str, ...]
    state: State
    guess: Guess
    notices: tuple[Notice, ...]
    instead: tuple[str, ...] = ()
    """Where the matrix cannot be used: the layers that can."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells as read: `X` n x genes float32, natural log1p of counts per 10,000 (or as `state` says), `obs` a table of the
    columns asked for with `names` as its index. `rows` are the cells' places in the file."""

    X: csr_matrix
    genes: np.ndarray
    names: np.ndarray
    obs: pd.DataFrame
    state: State
    notices: tuple[Notice, ...]
    rows: np.ndarray


def describe(path: Path, layer: str | None = None) -> Description:
    """What the file holds: cells, genes, columns, layers, the state of the matrix, and a guess which column is which.

    The matrix is looked at in up to 2,000 cells, never read. Raises InputError where the file is of no known format or damaged;
    a matrix that cannot be used (scaled, NaN) is described as such, so that another layer can be chosen.
    """
    with open_cells(path) as file:
        n_cells = _enough(file)
        matrix, genes, notices = _matrix(file, layer)
        state = _state(path, layer, matrix, genes)
        instead = () if usable(state) else _instead(path, file, layer)
        if not usable(state):
            state = State(state.kind, state.base, state.target_sum, f"{state.text} {_advice(instead)}")
        described = [(name, file.obs.column(name)) for name in file.obs.columns[:MAX_COLUMNS]]
        found = tuple(cols.describe_column(name, values) for name, values in described)
        guessed = cols.guess(found)
        if (changed := unique_names(file.obs.names)[1]) > 0:
            notices.append(repeated(changed, "cell names"))
        notices += _doubts(state)
        if (matrix.n_nonzero or n_cells * DROPLET) < n_cells * DROPLET and matrix.shape[1] > 5_000:
            text = "Most cells have hardly a gene: these may be all droplets of a run. Use the filtered matrix."
            notices.append(Notice("empty_droplets", text))
        if len(file.obs.columns) > MAX_COLUMNS:
            text = f"The file has {len(file.obs.columns):,} columns; the first {MAX_COLUMNS} are shown."
            notices.append(Notice("many_columns", text))
        notices += _labels_missing(found) + _confounded(dict(described), found, guessed)
        return Description(
            n_cells, len(genes.names), matrix.n_nonzero, found, tuple(file.layers), state, guessed, unique(notices), instead
        )


def read_cells(
    path: Path, columns: Sequence[str], rows: np.ndarray | None = None, layer: str | None = None, progress: Progress | None = None
) -> Cells:
    """Read the cells `rows` (places in the file, rising; None: all) with these columns.

    Memory is that of the cells asked for and one block more. Cells that lack a label in one of the columns are left
    out, with a notice. Raises InputError where the matrix is scaled, holds NaN or infinities or is damaged, and where a
    column is missing.
    """
    with open_cells(path) as file:
        n_cells = _enough(file)
        matrix, genes, notices = _matrix(file, layer)
        state = _state(path, layer, matrix, genes)
        if not usable(state):
            raise InputError(f"{state.text} {_advice(_instead(path, file, layer))}")
        notices += _doubts(state)
        rows = np.arange(n_cells) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(rows) and (rows[0] < 0 or rows[-1] >= n_cells or (np.diff(rows) <= 0).any()):
            raise ValueError("rows must be places of cells in the file, rising, each once")
        names, changed = unique_names(file.obs.names)
        if changed:
            notices.append(repeated(changed, "cell names"))
        obs = _obs(file.obs, columns).iloc[rows]
        rows, obs = _labelled(rows, obs, notices)
        X = matrix.rows(rows, progress)
        if genes.kept is not None:
            X = X[:, genes.kept]
        empty = normalise(X, state)
        if empty:
            notices.append(Notice("empty_cells", f"{empty:,} cells hold no counts at all; they stay zero."))
        names = names[rows]
        return Cells(X, genes.names, names, obs.set_axis(pd.Index(names, dtype=object), axis=0), state, unique(notices), rows)


def read_obs(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """These columns of all cells in the file's order: text as str, None where missing; numbers as float. Index: unique names."""
    with open_cells(path) as file:
        _enough(file)
        return _obs(file.obs, columns).set_axis(pd.Index(unique_names(file.obs.names)[0], dtype=object), axis=0)


def scanpy_pbmc() -> Path:
    """The file `10x_pbmc68k_reduced.h5ad` that scanpy ships: 700 real blood cells, X scaled, `raw` log1p of 765 genes."""
    scanpy = importlib.util.find_spec("scanpy")  # found, not imported: that takes seconds
    path = Path((scanpy and scanpy.origin) or "").parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
    if not path.is_file():
        raise InputError("The data set pbmc68k_reduced is part of scanpy, and scanpy is not installed here.")
    return path


def _enough(file: CellFile) -> int:
    n_cells = len(file.obs.names)
    if n_cells < MIN_CELLS:
        raise InputError(f"The file holds {n_cells} cells; at least {MIN_CELLS} are needed.")
    return n_cells


def _matrix(file: CellFile, layer: str | None) -> tuple[Matrix, Genes, list[Notice]]:
    """The matrix, its genes under the names used, and what is to be said about those."""
    matrix, table = file.matrix(layer)
    notices: list[Notice] = []
    return matrix, named(table, notices), notices


def _state(path: Path, layer: str | None, matrix: Matrix, genes: Genes) -> State:
    """The state of a matrix, looked at once for each file."""
    file = os.stat(path)
    found: State = STATES.get((file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, layer), lambda: _look(matrix, genes))
    return found


def _look(matrix: Matrix, genes: Genes) -> State:
    """The state of a matrix from a sample of its cells, or from some values where those suffice and cells are slow to read."""
    values = matrix.values(1 << 20) if matrix.slow else None
    if (
        values is not None
        and len(values)
        and (not np.isfinite(values).all() or (values < 0).any() or (values == np.round(values)).all())
    ):
        return recognise(csr_matrix((0, matrix.shape[1]), dtype=np.float32), values)
    n_cells = matrix.shape[0]
    per_cell = max((matrix.n_nonzero or n_cells * matrix.shape[1]) // n_cells, 1)
    sample = matrix.rows(_spread(n_cells, min(SAMPLE, max(SAMPLE_VALUES // per_cell, 20))))
    return recognise(sample if genes.kept is None else sample[:, genes.kept], values)


def usable(state: State) -> bool:
    """Whether a matrix can be read as expression: not scaled, not broken, not empty."""
    return state.kind != "scaled" and (state.kind != "unknown" or state.base > 0)


def _doubts(state: State) -> list[Notice]:
    """What is to be said about a matrix that is used although it is not quite what it should be."""
    if state.kind == "unknown" and usable(state):
        return [Notice("unknown_scale", state.text)]
    return [] if state.whole else [Notice("not_integers", state.text)]


def _spread(n: int, count: int) -> np.ndarray:
    """Up to `count` cells over the whole file, in 50 runs of neighbours: neighbours are read at once."""
    if n <= count:
        return np.arange(n)
    run = max(count // 50, 1)
    starts = np.linspace(0, n - run, min(count, 50)).astype(np.int64)
    return np.unique(starts[:, None] + np.arange(run))


def _instead(path: Path, file: CellFile, layer: str | None) -> tuple[str, ...]:
    """Which other matrices of the file would do, each with its state."""
    fit = []
    for other in [None, *file.layers]:
        if other == layer or (other is None and layer == "X"):
            continue
        try:
            matrix, genes, _ = _matrix(file, other)
            state = _state(path, other, matrix, genes)
        except InputError:
            continue
        if usable(state) and state.kind != "unknown":
            fit.append(f"{other or 'X'} ({state.kind.removesuffix('_subset')})")
    return tuple(fit)


def _advice(instead: Sequence[str]) -> str:
    if instead:
        return f"Choose another layer: {', '.join(instead)}."
    return "No other layer of the file would do; save the raw counts as X or as a layer."


def _obs(table: Table, columns: Sequence[str]) -> pd.DataFrame:
    found = {}
    for name in columns:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, 3, 0.5) or table.columns[:10]
            raise InputError(f"The file has no column {name!r}; it has {', '.join(map(repr, near)) if near else 'none at all'}.")
        found[name] = cols.as_series(name, table.column(name))
    return pd.DataFrame(found, index=pd.RangeIndex(len(table.names)))


def _labelled(rows: np.ndarray, obs: pd.DataFrame, notices: list[Notice]) -> tuple[np.ndarray, pd.DataFrame]:
    """Only the cells with a label in every column."""
    missing = obs.isna()
    for name in obs.columns[missing.any()]:
        notices.append(
            Notice("missing_labels", f"{int(missing[name].sum()):,} cells have no label in {name!r} and are left out.")
        )
    whole = ~missing.any(axis=1).to_numpy()
    if len(rows) and not whole.any():
        raise InputError(f"No cell has a label in {', '.join(map(repr, obs.columns))}: choose other columns.")
    return (rows, obs) if whole.all() else (rows[whole], obs[whole])


def _labels_missing(found: Sequence[Column]) -> list[Notice]:
    if any(column.kind == "category" and len(column.levels) > 1 for column in found):
        return []
    text = (
        "The file has no column of labels. To compare conditions, add one that tells control from perturbed cells, and one of "
        "cell types: "
        "adata.obs['condition'] = ... and adata.obs['cell_type'] = ..., then adata.write_h5ad(...)."
    )
    return [Notice("no_labels", text)]


def _confounded(values: dict[str, Labels | np.ndarray], found: Sequence[Column], guessed: Guess) -> list[Notice]:
    """Notices on the guessed condition and the columns that hold donors or batches."""
    key = guessed.condition_key
    several = [c.name for c in found if c.kind == "category" and len(c.levels) > 1]
    others = {name for name in several if name == guessed.replicate_key or cols.is_batch(name)}
    if key is None:
        return []
    frame = pd.DataFrame({name: cols.as_series(name, values[name]) for name in [key, *sorted(others - {key})]})
    return [notice for name in frame.columns[1:] if (notice := confounding(frame, key, name))]
