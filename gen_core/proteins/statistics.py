"""First and second moments of an alignment: site frequencies f_i(a) and connected correlations C_ij(a,b).

C_ij(a,b) = f_ij(a,b) - f_i(a) f_j(b) over i < j and all 21 states, gaps included, which is how generative models of families
are compared (Figliuzzi 2018; McGee 2021). Counting is by integers pair by pair: ten times faster than a one-hot product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gen_core.proteins.alphabet import Q

Array = np.ndarray
CELLS = 56  # of the density of pair correlations, a side
WIDEST = 0.2  # connected correlation at which it ends


@dataclass(frozen=True, eq=False)
class Moments:
    """sites (L, Q) frequencies; pairs (P, Q*Q) connected correlations of the P = L (L - 1) / 2 pairs, in row order."""

    sites: Array
    pairs: Array


def moments(codes: Array, weights: Array | None = None) -> Moments:
    """Moments of codes (n, L), each sequence counted by its weight (n,)."""
    sites = frequencies(codes, weights)
    columns = np.ascontiguousarray(codes.T).astype(np.int32)
    total = float(len(codes) if weights is None else weights.sum())
    pairs = np.empty((len(columns) * (len(columns) - 1) // 2, Q * Q), np.float32)
    for p, (i, j) in enumerate(pair_order(len(columns))):
        if j == i + 1:
            left = columns[i] * Q
        joint = np.bincount(left + columns[j], weights, Q * Q) / total
        pairs[p] = joint - np.outer(sites[i], sites[j]).ravel()
    return Moments(sites, pairs)


def frequencies(codes: Array, weights: Array | None = None) -> Array:
    """Site frequencies (L, Q) of codes (n, L)."""
    total = float(len(codes) if weights is None else weights.sum())
    return np.stack([np.bincount(column, weights, Q) / total for column in codes.T])


def pair_order(length: int) -> Iterator[tuple[int, int]]:
    """The pairs i < j of columns in the order in which they are stored."""
    return ((i, j) for i in range(length) for j in range(i + 1, length))


def pearson(a: Array, b: Array) -> float:
    """Correlation of two arrays of one size; NaN where one of them does not vary."""
    x, y = (np.asarray(v, np.float64).ravel() for v in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 1e-12 else float("nan")


def density(family: Array, samples: Array) -> tuple[Array, Array]:
    """Edges (CELLS + 1,) and counts (rows by samples, columns by family) of pairs of correlations; the few beyond the edges
    are counted in the outermost cells."""
    edges = np.linspace(-WIDEST, WIDEST, CELLS + 1)
    scale = np.float32(CELLS / (2 * WIDEST))
    place = lambda values: np.clip(((values.ravel() + WIDEST) * scale).astype(np.int32), 0, CELLS - 1)  # noqa: E731
    return edges, np.bincount(place(samples) * CELLS + place(family), minlength=CELLS**2).reshape(CELLS, CELLS)


def slope(samples: Array, family: Array) -> float:
    """Slope of the regression of the samples' values on the family's: 1 where they are as large."""
    x, y = np.asarray(family, np.float64).ravel(), np.asarray(samples, np.float64).ravel()
    x = x - x.mean()
    return float(x @ y / (x @ x)) if (x @ x) > 1e-12 else float("nan")
