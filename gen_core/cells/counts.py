"""The counts of cells, had back from their log1p: what a likelihood of counts learns from."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from gen_core.errors import InputError

Array = np.ndarray
MOST = 20  # the largest number that the smallest count of a cell may be
UNCLEAR = 0.01  # share of the cells that may be none, and are then rounded
BLOCK = 2_000  # cells looked at at once: in double precision they take several times their memory


def ones_of(X: sparse.csr_matrix) -> Array:
    """What one count is worth in each cell (n,) before the log: the largest number that all of expm1(x) are whole multiples of.

    X (n, G) CSR, no zeros stored: log1p of counts, each cell's scaled by a number of its own. NaN where there is no such
    number, 1 in an empty cell. Of counts that share a divisor, as 2, 4 and 6, it finds the smallest: 1, 2 and 3.
    """
    lengths = np.diff(X.indptr)
    plain, one = np.expm1(X.data.astype(np.float64)), np.full(X.shape[0], np.nan)
    one[lengths == 0] = 1
    filled = np.flatnonzero(lengths)
    starts, smallest = X.indptr[filled], np.minimum.reduceat(plain, X.indptr[filled])
    for count in range(1, MOST + 1):
        asked = np.isnan(one[filled])
        if not asked.any():
            break
        ratio = plain / np.repeat(smallest / count, lengths[filled])
        whole = np.maximum(np.rint(ratio), 1)
        fits = np.logical_and.reduceat(np.abs(ratio - whole) <= 0.01 + 1e-5 * ratio, starts)
        # The mean over all counts is a finer measure than the smallest alone, whose rounding the largest multiply.
        fine = np.add.reduceat(plain, starts) / np.add.reduceat(whole, starts)
        one[filled[asked & fits]] = fine[asked & fits]
    return one


def counts_of(X: sparse.csr_matrix) -> sparse.csr_matrix:
    """The counts (n, G) CSR float32 of cells X (n, G) CSR log1p. Raises InputError where they are not counts."""
    X = X.copy()
    X.eliminate_zeros()
    one = np.concatenate([ones_of(X[first : first + BLOCK]) for first in range(0, X.shape[0], BLOCK)])
    if (unclear := np.isnan(one).mean()) > UNCLEAR:
        raise InputError(
            f"likelihood: no counts can be had from {unclear:.0%} of these cells, whose values are no whole multiples of one "
            "number. Choose a layer with raw counts, or gaussian."
        )
    one[np.isnan(one)] = np.nanmedian(one)
    plain = np.expm1(X.data.astype(np.float64)) / np.repeat(one, np.diff(X.indptr))
    X.data = np.maximum(np.rint(plain), 1).astype(np.float32)
    return X
