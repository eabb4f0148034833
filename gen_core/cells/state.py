"""What a matrix of cells x genes holds: counts, their logarithm, or something from which neither can be had back.

Told from the stored numbers of some cells alone. What files say about themselves is often wrong: `uns["log1p"]` stays
behind when a layer is swapped, and a subset of genes keeps the marks of the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

Kind = Literal["counts", "log1p", "log1p_subset", "scaled", "unknown"]
TARGET = 10_000.0  # counts per cell after normalisation
LOGGED_BELOW = 30.0  # no log1p of counts in any of the three bases reaches it: log2(1 + 1e9) = 29.9
NAMES = {math.e: "natural logarithm", 2.0: "log2", 10.0: "log10"}
BASES = tuple(NAMES)


@dataclass(frozen=True)
class State:
    """What the matrix holds. `base` is that of the logarithm, 0 where none was taken; `target_sum` the total of each
    cell before the logarithm where it is the same for all, None where it is not; `text` says it in a sentence."""

    kind: Kind
    base: float
    target_sum: float | None
    text: str
    whole: bool = True
    """False where counts hold a few fractions, as corrected for ambient RNA."""


def recognise(sample: csr_matrix, values: np.ndarray | None = None) -> State:
    """The state of a matrix from some of its cells (n x all genes) and, if given, further stored values from elsewhere in it."""
    stored = sample.data.astype(np.float64)
    pool = stored if values is None else np.concatenate([stored, values[values != 0].astype(np.float64)])
    broken = int((~np.isfinite(pool)).sum())
    if broken:
        text = f"The matrix holds {broken:,} values that are not numbers (NaN or infinite) in the cells looked at."
        return State("unknown", 0, None, text)
    if not len(pool):
        return State("unknown", 0, None, "The matrix holds only zeros in the cells looked at.")
    if (pool < 0).any():
        text = "The matrix holds negative values: it is scaled or corrected, so it is neither counts nor their log1p."
        return State("scaled", 0, None, text)
    whole = float((pool == np.round(pool)).mean())
    if whole == 1:
        return State("counts", 0, None, "The matrix holds counts; they are brought to 10,000 per cell and log1p is taken.")
    cells = _Cells(sample)
    bases = [base for base in BASES if pool.max() < LOGGED_BELOW]
    if found := _normalised(cells, stored, bases) or _multiples(cells, stored, bases):
        return found
    if whole >= 0.5 or pool.max() > LOGGED_BELOW:
        text = f"The matrix holds counts, {1 - whole:.0%} of them no whole numbers (corrected ones); they are used as counts."
        return State("counts", 0, None, text, whole=False)
    text = "The matrix is neither counts nor their log1p as far as can be told; it is taken as natural log1p as it stands."
    return State("unknown", math.e, None, text)


def _normalised(cells: _Cells, stored: np.ndarray, bases: list[float]) -> State | None:
    """What has one total in all cells, as it stands or before a logarithm; None where nothing has."""
    found = [(0.0, *cells.total(stored)), *((base, *cells.total(np.expm1(stored * math.log(base)))) for base in bases)]
    base, total, spread = min(found, key=lambda one: one[2])
    # Totals of small numbers are near each other under any base; the true one is met a thousand times better.
    if spread > 1e-3:
        return None
    if not base:
        text = f"The matrix holds {_number(total)} per cell, not logged; it is brought to 10,000 per cell and log1p is taken."
        return State("counts", 0, total, text)
    text = f"The matrix holds log1p of {_number(total)} per cell ({NAMES[base]})"
    return State("log1p", base, total, text + ("; it is used as it is." if base == math.e else ", brought to the natural one."))


def _multiples(cells: _Cells, stored: np.ndarray, bases: list[float]) -> State | None:
    """log1p of whole multiples of one number in each cell, which is that of one count; None where it is not."""
    shares = {base: cells.multiples(np.expm1(stored * math.log(base))) for base in bases}
    base = max(shares, key=lambda one: shares[one], default=0.0)
    if not base or shares[base] < 0.8:
        return None
    plain = np.expm1(stored * math.log(base))
    if (np.abs(plain - np.round(plain)) <= 1e-3 + 1e-5 * plain).mean() > 0.999:
        text = f"The matrix holds log1p of raw counts ({NAMES[base]}); the counts are recovered and brought to 10,000 per cell."
        return State("counts", base, None, text)
    text = (
        f"The matrix holds log1p ({NAMES[base]}) of normalised counts, but totals differ from cell to cell: it is a part of the "
        "genes, or each cell was scaled by its own factor. It is used as it is."
    )
    return State("log1p_subset", base, None, text)


class _Cells:
    """Sums and smallest values per cell of a sample; cells without any value are left out."""

    def __init__(self, sample: csr_matrix) -> None:
        starts = sample.indptr[:-1][np.diff(sample.indptr) > 0]
        self.starts = starts
        self.lengths = np.diff(np.append(starts, len(sample.data)))

    def total(self, plain: np.ndarray) -> tuple[float, float]:
        """The middle total, and by what share of it cells lie apart from it; infinite where over 1 % of cells do by 0.5 %."""
        if len(self.starts) < 3:
            return 0.0, math.inf
        totals = np.add.reduceat(plain, self.starts)
        middle = float(np.median(totals))
        apart = np.abs(totals - middle) / middle
        rounded = float(f"{middle:.4g}")
        middle = rounded if abs(rounded - middle) <= 5e-4 * middle else middle
        return middle, float(np.median(apart)) if (apart <= 0.005).mean() >= 0.99 else math.inf

    def multiples(self, plain: np.ndarray) -> float:
        """The share of cells whose values are all (19 of 20) whole multiples of the smallest, among cells of several values."""
        least = np.minimum.reduceat(plain, self.starts)
        ratio = plain / np.repeat(least, self.lengths)
        near = np.abs(ratio - np.round(ratio)) <= 0.01 + 1e-3 * ratio
        several = (np.maximum.reduceat(ratio, self.starts) > 1.5) & (self.lengths >= 5)
        if several.sum() < 3:
            return 0.0
        return float((np.add.reduceat(near.astype(float), self.starts) / self.lengths >= 0.95)[several].mean())


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
