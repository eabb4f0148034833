"""The two kinds of column that a table of cells or genes has, whatever file it comes from: labels and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

MISSING = ("", "nan", "NaN", "NA", "N/A", "<NA>")  # how other programs write "no label"


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of words: `codes` point into `levels` (each used and different); -1 is a missing label."""

    codes: np.ndarray
    levels: tuple[str, ...]

    def words(self) -> np.ndarray:
        """The labels as an `object` array of str, None where missing."""
        return np.array([*self.levels, None], dtype=object)[self.codes]


class Table(Protocol):
    """What is known of each cell, or of each gene."""

    names: np.ndarray
    """Names of the lines, `object` array of str, as stored: they may repeat."""
    columns: list[str]

    def column(self, name: str) -> Labels | np.ndarray:
        """One column: Labels, or numbers (integers, or floats with NaN where missing). Raises InputError where damaged."""


def labels(words: np.ndarray) -> Labels:
    """Labels of an array of str (or bytes read as str)."""
    levels, codes = _hashed(words)
    return tidy(codes, list(levels))


def tidy(codes: np.ndarray, levels: list[str]) -> Labels:
    """Labels with unused, doubled and missing levels taken out, in sorted order; codes outside the levels count as missing."""
    codes = np.where((codes >= 0) & (codes < len(levels)), codes, -1)
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(levels)))
    kept = in_order({levels[i] for i in used} - set(MISSING))
    where = {level: i for i, level in enumerate(kept)}
    new = np.full(len(levels) + 1, -1, dtype=np.int32)
    for i in used:
        new[i] = where.get(levels[i], -1)
    return Labels(new[codes], tuple(kept))


def narrow(content: bytes, delimiter: str, most: int) -> bool:
    """Whether no line of a table of text has more than `most` cells, delimiters in quotes counted as well: what reads tables
    takes seconds and gigabytes for tens of thousands of columns."""
    sign = re.escape(delimiter.encode())
    return re.search(rb"^(?:[^\n%b]*+%b){%d}" % (sign, sign, most), content, re.MULTILINE) is None


def in_order(levels: Iterable[str]) -> list[str]:
    """Levels sorted as numbers where all are numbers (clusters 2 and 10), else as text."""
    found = list(levels)
    try:
        return sorted(found, key=lambda level: (float(level), level))
    except ValueError:
        return sorted(found)


def unique_names(names: np.ndarray) -> tuple[np.ndarray, int]:
    """The names with `-1`, `-2` … after repeated ones, as anndata writes them, and how many were changed."""
    seen = set(names.tolist())
    if len(seen) == len(names):
        return names, 0
    first: set[str] = set()
    counts: dict[str, int] = {}
    out, changed = names.copy(), 0
    for i, name in enumerate(names.tolist()):
        if name not in first:
            first.add(name)
            continue
        while True:
            counts[name] = counts.get(name, 0) + 1
            new = f"{name}-{counts[name]}"
            if new not in seen:
                break
        seen.add(new)
        out[i], changed = new, changed + 1
    return out, changed


def _hashed(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different words and the place of each: by hashing, since sorting hundreds of thousands of Python strings takes seconds,
    and each as long as it is, since in an array of one width all take as much as the longest."""
    where: dict[str, int] = {}
    codes = np.fromiter((where.setdefault(word, len(where)) for word in words.tolist()), dtype=np.int64, count=len(words))
    return np.array([str(word) for word in where], dtype=object), codes
