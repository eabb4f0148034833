"""Proteins as DNA that can be made: codons of a host, without forbidden sites, repeats, long runs and extreme GC.

Codons are drawn by the host's usage, one after the other, each checked with all before it; where none fits, the last ones are
taken back. The result is translated back before it is given out.
"""

from __future__ import annotations

import numpy as np

from gen_core.errors import InputError
from gen_core.proteins.codons import CODE, STOPS, USAGE, Host, translate
from gen_core.proteins.order_recipe import Order

Array = np.ndarray
TRIES, STEPS = 12, 4_000  # of drawing anew, and codons set in each
STEER = 30.0  # how much a codon of the wrong GC comes later, by its GC and by how far the last window is off


def coded(protein: str, order: Order, seed: int, name: str) -> tuple[str, str]:
    """The coding sequence of a protein, and the same with its flanks. Raises InputError where none meets the limits."""
    for attempt in range(TRIES):
        found = _attempt(protein, order, np.random.default_rng([seed, attempt, 31]))
        if found is not None:
            expected = protein + ("*" if order.stop else "")
            if translate(found) != expected:
                raise InputError(f"order: the DNA of {name} does not translate back to its protein; nothing is written.")
            return found, order.flank_5 + found + order.flank_3
    raise InputError(
        f"order: no DNA for {name} meets all limits; allow a wider range of GC, longer repeats or runs, or rarer codons, and "
        "look whether the flanks and the tag hold a forbidden site themselves."
    )


def _attempt(protein: str, order: Order, rng: np.random.Generator) -> str | None:
    choices = codons_of(order.host, order.min_codon_share)
    pieces: list[list[str]] = [list(choices[residue]) for residue in protein]
    weights = [[choices[residue][codon] for codon in choices[residue]] for residue in protein]
    if order.stop:
        pieces.append([STOPS[order.host]])
        weights.append([1.0])
    if order.flank_3:
        pieces.append([order.flank_3])
        weights.append([1.0])
    dna, steps = order.flank_5, 0
    left: list[list[str]] = []
    words: list[list[str]] = []
    size, coding_end = order.max_repeat + 1, len(order.flank_5) + 3 * (len(protein) + order.stop)
    seen = {*_words(order.flank_5, 0, size, coding_end), *_words(order.flank_3, 0, size, coding_end)}
    while len(left) < len(pieces) or not left:
        at = len(left)
        left.append(_ranked(pieces[at], weights[at], dna, order, rng))
        while True:
            steps += 1
            if steps > STEPS:
                return None
            if not left[-1]:  # nothing fits: take the one before back
                left.pop()
                if not left:
                    return None
                dna = dna[: len(dna) - len(pieces[len(left) - 1][0])]
                for word in words.pop():
                    seen.remove(word)
                continue
            piece = left[-1].pop(0)
            new = _words(dna + piece, len(dna), size, coding_end)
            unlike = len(set(new)) == len(new) and not seen.intersection(new)
            if unlike and _fits(dna + piece, len(dna), order, coding_end):
                dna += piece
                words.append(new)
                seen.update(new)
                break
    return dna[len(order.flank_5) : coding_end] if _short_gc(dna, order) else None


def codons_of(host: Host, least: float) -> dict[str, dict[str, float]]:
    """Codons with their share by residue; those under `least` only where a residue has no other."""
    found: dict[str, dict[str, float]] = {}
    for codon, count in USAGE[host].items():
        found.setdefault(CODE[codon], {})[codon] = count
    shares = {residue: {c: v / sum(part.values()) for c, v in part.items()} for residue, part in found.items()}
    return {residue: {c: v for c, v in part.items() if v >= min(least, max(part.values()))} for residue, part in shares.items()}


def _ranked(codons: list[str], weights: list[float], dna: str, order: Order, rng: np.random.Generator) -> list[str]:
    """The codons in a random order by their weights; where the last window is off the middle, those that lead back first."""
    keys = rng.exponential(size=len(codons)) / np.array(weights)
    window = dna[-order.gc_window :]
    if len(window) >= 20:
        off = _gc(window) - (order.min_gc + order.max_gc) / 2
        if abs(off) > (order.max_gc - order.min_gc) / 4:
            keys = keys * np.exp([STEER * off * _gc(codon) for codon in codons])
    return [codons[i] for i in np.argsort(keys, kind="stable")]


def _fits(dna: str, before: int, order: Order, coding_end: int) -> bool:
    """Whether what was added to `dna` after its first `before` bases breaks no limit; what lies wholly in a flank is the
    user's own."""
    start = len(order.flank_5)
    own = lambda first, stop: first < coding_end and stop > start  # noqa: E731
    for site in order.forbidden:
        at = dna.find(site, max(0, before - len(site) + 1))
        while at >= 0:
            if own(at, at + len(site)):
                return False
            at = dna.find(site, at + 1)
    longest = order.max_homopolymer + 1
    for end in range(before + 1, len(dna) + 1):
        if end >= longest and len(set(dna[end - longest : end])) == 1 and own(end - longest, end):
            return False
        first = end - order.gc_window
        if first >= 0 and own(first, end) and not order.min_gc <= _gc(dna[first:end]) <= order.max_gc:
            return False
    return True


def _short_gc(dna: str, order: Order) -> bool:
    """Whether a sequence shorter than a window lies in the range as a whole."""
    return len(dna) >= order.gc_window or order.min_gc <= _gc(dna) <= order.max_gc


def _words(dna: str, before: int, size: int, coding_end: int) -> list[str]:
    """The words of this size that end behind the first `before` bases and begin before the end of what is coded."""
    return [dna[end - size : end] for end in range(max(before + 1, size), len(dna) + 1) if end - size < coding_end]


def _gc(dna: str) -> float:
    return (dna.count("G") + dna.count("C")) / max(len(dna), 1)
