"""How alike aligned sequences are: the share of columns in which two rows hold the same, gaps included.

Bytes are compared column by column over a block of rows: exact, and ten times faster than a one-hot product.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
BLOCK = 16  # rows compared at once: their counts stay in the processor's cache
ALIKE = 0.8  # identity from which two sequences count as one in the statistics


def nearest(codes: Array, known: Array) -> tuple[Array, Array]:
    """Identity (n,) of rows codes (n, L) to the most alike of known (m, L), and which one that is (n,)."""
    found, which = np.zeros(len(codes)), np.zeros(len(codes), np.int64)
    for rows, same in _compared(codes, known):
        which[rows] = same.argmax(1)
        found[rows] = same.max(1)
    return found / codes.shape[1], which


def weights(codes: Array, threshold: float = ALIKE) -> Array:
    """Weight (n,) of each row: one over the number of rows, itself included, of at least this identity to it (Morcos 2011)."""
    least = int(np.ceil(threshold * codes.shape[1] - 1e-9))
    counts = np.empty(len(codes))
    for rows, same in _compared(codes, codes):
        counts[rows] = (same >= least).sum(1)
    return 1 / counts


def _compared(codes: Array, known: Array):  # type: ignore[no-untyped-def]
    """Blocks of rows with the number of equal columns (b, m) to each known row."""
    columns = np.ascontiguousarray(known.T)
    few = columns.shape[0] < 256
    same = np.empty((BLOCK, len(known)), bool)
    for start in range(0, len(codes), BLOCK):
        rows = slice(start, min(start + BLOCK, len(codes)))
        block = np.ascontiguousarray(codes[rows].T)[:, :, None]
        here = same[: block.shape[1]]
        count = np.zeros(here.shape, np.uint8)
        total = count if few else np.zeros(here.shape, np.uint16)
        for i, column in enumerate(columns):
            np.equal(column, block[i], out=here)
            np.add(count, here.view(np.uint8), out=count)
            if not few and (i % 255 == 254 or i == len(columns) - 1):
                total += count
                count[:] = 0
        yield rows, total
