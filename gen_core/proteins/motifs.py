"""Motifs that a designed protein should not have: the usual ones, and a check of what a user writes as a pattern."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np

Array = np.ndarray
# Those on by default are hit by under 1 % of naturals of the families at hand; what naturals often have is left to the user.
ON = {
    "TEV protease site": "ENLYFQ[GS]",
    "thrombin site": "LVPR[GS]",
    "factor Xa site": "I[ED]GR",
    "enterokinase site": "DDDDK",
    "3C protease site": "LEVLFQGP",
    "four Lys or Arg in a row": "[KR]{4}",
    "RGD, bound by integrins": "RGD",
}
OFF = {
    "N-glycosylation": "N[^P][ST][^P]",
    "Asn-Gly or Asn-Ser, deamidation": "N[GS]",
    "Asp-Gly, isomerisation": "DG",
    "Asp-Pro, cleaved by acid": "DP",
    "furin site": "R.[KR]R",
    "Lys-Arg pair": "[KR][KR]",
    "cysteine": "C",
    "tryptophan": "W",
}
MOST = 50  # patterns
LONGEST = 100  # characters of one
PATHS = 2_000  # ways in which a pattern may try to match at one place
REPEATS = 100  # of a group or letter
_QUANTIFIER = re.compile(r"\*|\+|\?|\{(\d*)(,?)(\d*)\}")
_SAFE = re.compile(r"[A-Za-z0-9\[\]^$().|?*+{},-]+")


def check(pattern: str) -> str:
    """The pattern in upper case. Raises ValueError, one sentence that names it, where it is no pattern or may take for ever.

    Letters, `.`, `[…]`, `(…)`, `|`, `^`, `$` and quantifiers are allowed. How often a pattern may branch at one place is
    bounded: no group that holds a quantifier or an alternative is repeated, and the ranges of all quantifiers multiply.
    """
    shown = repr(pattern[:40])
    if not pattern or len(pattern) > LONGEST:
        raise ValueError(f"{shown} has {len(pattern)} characters; a motif has 1 to {LONGEST}.")
    if not _SAFE.fullmatch(pattern) or "(?" in pattern:
        raise ValueError(f"{shown} is no motif: letters, . [ ] ( ) | ^ $ and the quantifiers * + ? {{m,n}} are allowed.")
    text = pattern.upper()
    try:
        with warnings.catch_warnings(action="error"):  # of what later versions of Python will read otherwise
            re.compile(text)
    except (re.error, OverflowError, FutureWarning) as error:
        raise ValueError(f"{shown} is no regular expression ({error}).") from None
    _bounded(text, shown)
    return text


def _bounded(text: str, shown: str) -> None:
    """Raise ValueError where the pattern can try too many ways."""
    paths, groups, last_branches, at = 1, [False], False, 0
    bare = re.sub(r"\[\^?\]?[^\]]*\]", lambda found: "X" * len(found[0]), text)  # a class is one letter
    while at < len(bare):
        found = _QUANTIFIER.match(bare, at)
        if found:
            low, high = _range(found)
            if last_branches and high > 1:
                raise ValueError(f"{shown} repeats a group that itself repeats or branches, which may take for ever.")
            if low > REPEATS or REPEATS < high < 10**9:
                raise ValueError(f"{shown} repeats more than {REPEATS} times.")
            paths *= min(high, 1_000) - low + 1
            if high != low:
                groups = [True] * len(groups)
            at = found.end()
            if at < len(bare) and bare[at] in "?+":  # lazy or possessive: the same ways
                at += 1
        elif bare[at] == "(":
            groups.append(False)
            at += 1
            continue
        elif bare[at] == ")":
            last_branches = groups.pop() if len(groups) > 1 else False
            at += 1
            continue
        elif bare[at] == "|":
            groups = [True] * len(groups)
            paths *= 2
            at += 1
        else:
            at += 1
        last_branches = False
        if paths > PATHS:
            raise ValueError(f"{shown} can match in too many ways; use one * or +, or narrower ranges.")


def _range(found: re.Match[str]) -> tuple[int, int]:
    """Fewest and most repeats; 10**9 stands for no limit."""
    sign = found[0][0]
    if sign in "*+?":
        return (1 if sign == "+" else 0), (1 if sign == "?" else 10**9)
    low = int(found[1] or 0)
    return low, (int(found[3]) if found[3] else 10**9) if found[2] else low


def hits(rows: Sequence[str], patterns: Sequence[str]) -> Array:
    """How many of the patterns (n,) each sequence, without gaps, holds."""
    found = np.zeros(len(rows), np.int64)
    for pattern in patterns:
        search = re.compile(pattern).search
        found += np.fromiter((search(row) is not None for row in rows), bool, len(rows))
    return found
