"""From what a matrix holds to natural log1p of counts per 10,000, in place and block by block."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csr_matrix

from gen_core.cells.state import TARGET, State
from gen_core.errors import InputError

BLOCK = 1 << 22  # stored values worked on at a time, in float64


def normalise(X: csr_matrix, state: State) -> int:
    """Turn `X` (cells x genes, float32, changed in place) into natural log1p; returns how many cells held no counts.

    Counts, and the totals of normalised counts, are brought to 10,000 per cell first, as scanpy's `normalize_total` does.
    Raises InputError where values are not finite or, in counts, negative: the sample that told the state may have missed them.
    """
    broken = sum(int((~np.isfinite(X.data[a : a + BLOCK])).sum()) for a in range(0, len(X.data), BLOCK))
    if broken:
        raise InputError(
            f"The matrix holds {broken:,} values that are not numbers (NaN or infinite); replace them or leave those cells out."
        )
    negative = sum(int((X.data[a : a + BLOCK] < 0).sum()) for a in range(0, len(X.data), BLOCK))
    if negative:
        raise InputError(f"The matrix holds {negative:,} negative values among what looks like {state.kind}; use the raw counts.")
    if state.kind != "counts":
        if state.base not in (0.0, math.e):
            X.data *= np.float32(math.log(state.base))
        return 0
    empty = 0
    for first, last in _lines(X.indptr):
        a, b = int(X.indptr[first]), int(X.indptr[last])
        lengths = np.diff(X.indptr[first : last + 1])
        plain = X.data[a:b].astype(np.float64)
        if state.base:
            plain = np.round(np.expm1(plain * math.log(state.base)))
        filled = lengths > 0
        totals = np.zeros(last - first)
        if filled.any():
            totals[filled] = np.add.reduceat(plain, (X.indptr[first:last] - a)[filled])
        empty += int((totals == 0).sum())
        X.data[a:b] = np.log1p(plain * np.repeat(TARGET / np.where(totals > 0, totals, 1.0), lengths))
    return empty


def _lines(indptr: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of cells that together hold about one block of values."""
    n, ranges, first = len(indptr) - 1, [], 0
    while first < n:
        last = min(max(int(np.searchsorted(indptr, indptr[first] + BLOCK, side="right")) - 1, first + 1), n)
        ranges.append((first, last))
        first = last
    return ranges
