"""Letters and their codes: the twenty amino acids in alphabetical order, then the gap, which also stands for the unknown."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
LETTERS = "ACDEFGHIKLMNPQRSTVWY-"
Q = len(LETTERS)
GAP = Q - 1

_CODES = np.full(256, GAP, np.uint8)
_CODES[np.frombuffer(LETTERS.encode(), np.uint8)] = np.arange(Q, dtype=np.uint8)
_BYTES = np.frombuffer(LETTERS.encode(), np.uint8)


def encode(letters: Array) -> Array:
    """Codes (…) uint8 of letters (…) given as bytes in upper case; anything else is a gap."""
    return _CODES[letters]


def encode_text(row: str) -> Array:
    """Codes (L,) of one row."""
    return _CODES[np.frombuffer(row.encode("latin-1"), np.uint8)]


def decode(codes: Array) -> list[str]:
    """Rows of letters, gaps as `-`, of codes (n, L)."""
    letters = _BYTES[codes]
    return [row.tobytes().decode() for row in letters]


def ungapped(rows: list[str]) -> list[str]:
    """The sequences alone."""
    return [row.replace("-", "") for row in rows]
