"""Read chosen cells out of a cells x genes matrix on disk, with memory for those cells and one block more.

All ways of storing it end in the same form: `scipy.sparse.csr_matrix`, float32, one row for each cell asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import h5py
import numpy as np
from h5py import h5d, h5p
from scipy.sparse import csr_matrix, hstack, vstack

from gen_core.errors import InputError
from gen_core.inputs.hdf5_texts import shown
from gen_core.inputs.hdf5_values import length

Progress = Callable[[float, str], None]
BLOCK = 1 << 22  # stored numbers read at a time: 32 MiB with their positions
GAP = 1 << 16  # skipping fewer stored numbers than this costs more than reading them
DENSE_BLOCK = 1 << 28  # bytes of a dense matrix read at a time
KINDS = ("iufb", "iu", "iu")  # of data, indices and indptr
MAX_ENTRIES = 1 << 30  # stored numbers of all cells asked for: 8 GiB


class Matrix(Protocol):
    """A matrix of cells x genes on disk."""

    shape: tuple[int, int]
    n_nonzero: int | None
    slow: bool
    """Whether reading some cells means reading through most of the matrix."""

    def rows(self, rows: np.ndarray, progress: Progress | None = None) -> csr_matrix:
        """The cells `rows` (sorted, each once) as float32; raises InputError where the matrix is damaged."""

    def values(self, count: int) -> np.ndarray:
        """Up to `count` stored values from over the file, cheaply, in no order."""


class Compressed:
    """A sparse matrix stored by cells (CSR) or by genes (CSC), as anndata and CellRanger write it."""

    def __init__(self, group: Any, shape: tuple[int, int], by_cells: bool, name: str) -> None:
        self.shape, self.by_cells, self.name = shape, by_cells, name
        parts = [group.get(part) for part in ("data", "indices", "indptr")]
        n_major = shape[0] if by_cells else shape[1]
        stored = length(parts[0])
        if not all(length(part) >= 0 and part.dtype.kind in kinds for part, kinds in zip(parts, KINDS, strict=True)):
            raise InputError(
                f"The sparse matrix {shown(name)} is incomplete: data, indices and indptr are needed, each a list of numbers."
            )
        if length(parts[1]) != stored or length(parts[2]) != n_major + 1:
            raise InputError(
                f"The sparse matrix {shown(name)} does not fit together: {stored:,} values, {length(parts[1]):,} positions and "
                f"{length(parts[2]):,} starts for {n_major:,} {'cells' if by_cells else 'genes'}; write the file again."
            )
        self.data, self.indices = (_cached(part) for part in parts[:2])
        self.starts = parts[2][()].astype(np.int64)
        lengths = np.diff(self.starts)
        if self.starts[0] != 0 or self.starts[-1] != stored or (lengths < 0).any():
            raise InputError(
                f"The sparse matrix {shown(name)} is damaged: its indptr does not rise from 0 to the {stored:,} values stored."
            )
        n_minor = shape[1] if by_cells else shape[0]
        if len(lengths) and lengths.max() > n_minor:
            raise InputError(
                f"The sparse matrix {shown(name)} is damaged: it stores {lengths.max():,} values in a line of {n_minor:,}."
            )
        self.n_nonzero: int | None = stored
        self.slow = not by_cells

    def rows(self, rows: np.ndarray, progress: Progress | None = None) -> csr_matrix:
        return self._by_cells(rows, progress) if self.by_cells else self._by_genes(rows, progress)

    def values(self, count: int) -> np.ndarray:
        stored, part = len(self.data), max(count // 16, 1)
        if stored <= count:
            return _floats(self.data[()])
        return np.concatenate([_floats(self.data[a : a + part]) for a in np.linspace(0, stored - part, 16).astype(np.int64)])

    def _by_cells(self, rows: np.ndarray, progress: Progress | None) -> csr_matrix:
        first, last = self.starts[rows], self.starts[rows + 1]
        indptr = np.concatenate([[0], np.cumsum(last - first)])
        data, indices = _room(indptr[-1], self.shape[1])
        for i, j in _runs(first, last):
            a, b = int(first[i]), int(last[j - 1])
            values, positions = self.data[a:b], self._positions(a, b)
            to = slice(int(indptr[i]), int(indptr[j]))
            if b - a != to.stop - to.start:  # cells in between that were not asked for
                chosen = np.repeat(first[i:j] - a - (indptr[i:j] - indptr[i]), np.diff(indptr[i : j + 1])) + np.arange(
                    to.stop - to.start
                )
                values, positions = values[chosen], positions[chosen]
            data[to], indices[to] = _floats(values), positions
            if progress:
                progress(j / len(rows), "reading cells")
        return _made(data, indices, indptr, (len(rows), self.shape[1]))

    def _by_genes(self, rows: np.ndarray, progress: Progress | None) -> csr_matrix:
        place = np.full(self.shape[0], -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        blocks = list(_runs(self.starts[:-1], self.starts[1:]))
        counts = np.zeros(len(rows), dtype=np.int64)
        for step, (i, j) in enumerate(blocks):  # the room that each cell needs, before any value is kept
            found = place[self._positions(int(self.starts[i]), int(self.starts[j]))]
            counts += np.bincount(found[found >= 0], minlength=len(rows))
            if progress:
                progress((step + 1) / len(blocks) / 2, "counting")
        out = Filling(counts, self.shape[1])
        for step, (i, j) in enumerate(blocks):
            a, b = int(self.starts[i]), int(self.starts[j])
            row = place[self._positions(a, b)]
            kept = row >= 0
            out.add(row[kept], np.repeat(np.arange(i, j), np.diff(self.starts[i : j + 1]))[kept], self.data[a:b][kept])
            if progress:
                progress(0.5 + (step + 1) / len(blocks) / 2, "reading cells")
        return out.matrix()

    def _positions(self, a: int, b: int) -> np.ndarray:
        """Stored positions `a` to `b` as int64, each checked to lie inside the matrix."""
        positions = self.indices[a:b].astype(np.int64)
        limit = self.shape[1] if self.by_cells else self.shape[0]
        if len(positions) and (positions.min() < 0 or positions.max() >= limit):
            what = "gene" if self.by_cells else "cell"
            raise InputError(f"The sparse matrix {shown(self.name)} is damaged: it refers to a {what} beyond its {limit:,}.")
        return positions


class Dense:
    """A matrix with all its zeros stored."""

    n_nonzero: int | None = None

    def __init__(self, dataset: Any, name: str) -> None:
        if dataset.dtype.kind not in "iufb" or dataset.shape is None or len(dataset.shape) != 2:
            raise InputError(f"The matrix {shown(name)} should be a table of numbers, cells x genes; export the file again.")
        self.shape = (int(dataset.shape[0]), int(dataset.shape[1]))
        width = max(self.shape[1] * dataset.dtype.itemsize, 1)
        tall = dataset.chunks[0] if dataset.chunks else 1
        # Pieces that reach over very many cells are read gene by gene: row by row each would be unpacked again and again. What
        # lies in one stretch has no pieces.
        self.by_cells = not dataset.chunks or tall * width <= DENSE_BLOCK
        self.slow = not self.by_cells
        self.step = max(DENSE_BLOCK // 8 // width // tall, 1) * tall
        self.gap = max(GAP // width, 8)
        self.dataset = _cached(dataset, tall * width if self.by_cells else 0)

    def rows(self, rows: np.ndarray, progress: Progress | None = None) -> csr_matrix:
        parts: list[csr_matrix] = []
        for done, part in self._lines(rows) if self.by_cells else self._bands(rows):
            parts.append(part)
            _fits(sum(part.nnz for part in parts))
            if progress:
                progress(done / len(rows), "reading cells")
        joined = vstack(parts, format="csr", dtype=np.float32) if parts else csr_matrix((0, self.shape[1]), dtype=np.float32)
        return _made(joined.data, joined.indices, joined.indptr, joined.shape)

    def values(self, count: int) -> np.ndarray:
        n, across = self.shape if self.by_cells else self.shape[::-1]
        few = max(count // max(across, 1) // 16, 1)
        starts = np.linspace(0, max(n - few, 0), min(16, n)).astype(int)
        parts = [self.dataset[a : a + few] if self.by_cells else self.dataset[:, a : a + few] for a in starts]
        found = _floats(np.concatenate([part.reshape(-1) for part in parts])) if parts else np.zeros(0, dtype=np.float32)
        return found[found != 0]

    def _lines(self, rows: np.ndarray) -> Iterator[tuple[int, csr_matrix]]:
        for i, j in _runs(rows, rows + 1, self.step, self.gap):
            first = int(rows[i])
            yield j, csr_matrix(_floats(self.dataset[first : int(rows[j - 1]) + 1][rows[i:j] - first]))

    def _bands(self, rows: np.ndarray) -> Iterator[tuple[int, csr_matrix]]:
        """Cells that share pieces, some genes at a time."""
        tall, wide = self.dataset.chunks
        step = max(DENSE_BLOCK // 2 // (tall * self.dataset.dtype.itemsize) // wide, 1) * wide
        edges = [*(np.flatnonzero(np.diff(rows // tall)) + 1).tolist(), len(rows)] if len(rows) else []
        for i, j in zip([0, *edges], edges, strict=False):
            first, last = int(rows[i]), int(rows[j - 1]) + 1
            parts = [
                csr_matrix(_floats(self.dataset[first:last, gene : gene + step][rows[i:j] - first]))
                for gene in range(0, self.shape[1], step)
            ]
            yield j, hstack(parts, format="csr")


class Filling:
    """A matrix of cells x genes that is filled from entries in any order; `counts` says how many each cell will have."""

    def __init__(self, counts: np.ndarray, n_genes: int) -> None:
        self.indptr = np.concatenate([[0], np.cumsum(counts)])
        self.free, self.n_genes = self.indptr[:-1].copy(), n_genes
        self.data, self.indices = _room(int(self.indptr[-1]), n_genes)

    def add(self, row: np.ndarray, gene: np.ndarray, values: np.ndarray) -> None:
        order = np.argsort(row, kind="stable")
        row = row[order]
        here = np.bincount(row, minlength=len(self.free))
        to = np.repeat(self.free - np.concatenate([[0], np.cumsum(here)[:-1]]), here) + np.arange(len(row))
        self.data[to], self.indices[to] = _floats(values[order]), gene[order]
        self.free += here

    def matrix(self) -> csr_matrix:
        return _made(self.data, self.indices, self.indptr, (len(self.free), self.n_genes))


def _runs(first: np.ndarray, last: np.ndarray, block: int | None = None, gap: int | None = None) -> Iterator[tuple[int, int]]:
    """Split lines that lie at [first, last) into runs (i, j) to be read at once: near together, and no more than `block`."""
    block, gap = block or BLOCK, GAP if gap is None else gap
    ends = [*(np.flatnonzero(first[1:] - last[:-1] > gap) + 1).tolist(), len(first)] if len(first) else []
    i = 0
    for end in ends:
        while i < end:
            j = max(i + int(np.searchsorted(last[i:end], first[i] + block, side="right")), i + 1)
            yield i, j
            i = j


def _room(entries: int, n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    _fits(entries)
    return np.empty(entries, dtype=np.float32), np.empty(entries, dtype=np.int32 if n_genes < 2**31 else np.int64)


def _fits(entries: int) -> None:
    if entries > MAX_ENTRIES:
        raise InputError(
            f"These cells hold {entries:,} values, more than can be kept in memory at once ({MAX_ENTRIES:,}); use fewer cells."
        )


def _floats(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is then refused as such
        return values.astype(np.float32, copy=False)


def _made(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    small = max(int(indptr[-1]), shape[1]) < 2**31
    matrix = csr_matrix(shape, dtype=np.float32)
    whole = np.int32 if small else np.int64
    matrix.data, matrix.indices, matrix.indptr = data, indices.astype(whole, copy=False), indptr.astype(whole)
    return _tidy(matrix)


def _tidy(matrix: csr_matrix) -> csr_matrix:
    matrix.has_sorted_indices = matrix.has_canonical_format = False  # have it looked at
    matrix.sum_duplicates()
    if (matrix.data == 0).any():
        matrix.eliminate_zeros()
    return matrix


def _cached(dataset: Any, room: int = 0) -> Any:
    """The data set opened so that HDF5 keeps the last piece it unpacked; without that, blocks that share a large piece
    would each unpack it again."""
    if not dataset.chunks:
        return dataset
    piece = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    access = h5p.create(h5p.DATASET_ACCESS)
    access.set_chunk_cache(10007, max(piece, room) + (1 << 20), 1.0)
    return h5py.Dataset(h5d.open(dataset.file.id, dataset.name.encode(), access))
