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
BASES = (math.e, 2.0, 10.0)


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
        return State(
            "unknown",
            0,
            None,
            f"The matrix holds {broken:,} values that are not numbers (NaN or infinite) in the cells looked at.",
        )
    if not len(pool):
        return State("unknown", 0, None, "The matrix holds only zeros in the cells looked at.")
    if (pool < 0).any():
        return State(
            "scaled",
            0,
            None,
            "The matrix holds negative values: it is scaled or corrected, so it is neither counts nor their log1p.",
        )
    whole = float((pool == np.round(pool)).mean())
    if whole == 1:
        return State("counts", 0, None, "The matrix holds counts; they are brought to 10,000 per cell and log1p is taken.")
    cells = _Cells(sample)
    if (total := cells.common_total(stored)) is not None:
        text = f"The matrix holds {_number(total)} per cell, not logged; it is brought to 10,000 per cell and log1p is taken."
        return State("counts", 0, total, text)
    if pool.max() < LOGGED_BELOW and (logged := _logged(cells, stored)):
        return logged
    if whole >= 0.5 or pool.max() > LOGGED_BELOW:
        text = f"The matrix holds counts, {1 - whole:.0%} of them no whole numbers (corrected ones); they are used as counts."
        return State("counts", 0, None, text, whole=False)
    text = (
        "The matrix is neither counts nor their log1p as far as can be told; its values are taken as natural log1p as they stand."
    )
    return State("unknown", math.e, None, text)


def _logged(cells: _Cells, stored: np.ndarray) -> State | None:
    """log1p of what has one total in all cells, or of multiples of one number in each cell; None where neither holds."""
    names = {math.e: "natural logarithm", 2.0: "log2", 10.0: "log10"}
    best, score = 0.0, 0.0
    for base in BASES:
        plain = np.expm1(stored * math.log(base))
        total = cells.common_total(plain)
        if total is not None:
            text = f"The matrix holds log1p of {_number(total)} per cell ({names[base]})"
            return State(
                "log1p",
                base,
                total,
                text + ("; it is used as it is." if base == math.e else ", brought to the natural logarithm."),
            )
        if (share := cells.multiples(plain)) > score:
            best, score = base, share
    if score < 0.8:
        return None
    plain = np.expm1(stored * math.log(best))
    if (np.abs(plain - np.round(plain)) <= 1e-3 + 1e-5 * plain).mean() > 0.999:
        text = f"The matrix holds log1p of raw counts ({names[best]}); the counts are recovered and brought to 10,000 per cell."
        return State("counts", best, None, text)
    text = (
        f"The matrix holds log1p ({names[best]}) of normalised counts, but totals differ from cell to cell: it is a part of the "
        "genes, or each cell was scaled by its own factor. It is used as it is."
    )
    return State("log1p_subset", best, None, text)


class _Cells:
    """Sums and smallest values per cell of a sample; cells without any value are left out."""

    def __init__(self, sample: csr_matrix) -> None:
        starts = sample.indptr[:-1][np.diff(sample.indptr) > 0]
        self.starts = starts
        self.lengths = np.diff(np.append(starts, len(sample.data)))

    def common_total(self, plain: np.ndarray) -> float | None:
        """The total that (nearly) all cells share to within 0.5 %, None where they do not or there are too few cells."""
        if len(self.starts) < 3:
            return None
        totals = np.add.reduceat(plain, self.starts)
        middle = float(np.median(totals))
        near = np.abs(totals - middle) <= 0.005 * middle
        # Few genes can give near totals by chance; a real target is met far better than the tolerance by most.
        if near.mean() < 0.99 or np.median(np.abs(totals - middle)) > 1e-3 * middle:
            return None
        rounded = float(f"{middle:.4g}")
        return rounded if abs(rounded - middle) <= 5e-4 * middle else middle

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
