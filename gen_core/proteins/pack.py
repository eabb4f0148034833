"""Blocks of numbers as bytes: each block with a scale of its own, so that the rounding is 1/254 of its largest value."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def pack(blocks: Array) -> tuple[Array, Array]:
    """Bytes (P, m) int8 and scales (P,) float32 of blocks (P, m)."""
    scales = (np.abs(blocks).max(1) / 127).astype(np.float32) if blocks.size else np.zeros(len(blocks), np.float32)
    safe = np.where(scales > 0, scales, 1)
    return np.rint(blocks / safe[:, None]).clip(-127, 127).astype(np.int8), scales


def unpack(values: Array, scales: Array) -> Array:
    """Blocks (P, m) float32."""
    return values.astype(np.float32) * scales[:, None].astype(np.float32)
