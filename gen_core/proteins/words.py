"""Higher orders than pairs: the words that stand at several sites of an alignment at once (r20; Haldane and McGee 2021).

At a random set of sites the residues of a sequence spell a word. The twenty words that naturals have there most often are
compared: r20 is the correlation of their frequencies with those in other sequences, averaged over many sets of sites. Few
naturals make it noisy, which other naturals, compared in the same way, tell: no model can be expected above them.
"""

from __future__ import annotations

import numpy as np

from gen_core.proteins.alphabet import Q
from gen_core.proteins.statistics import pearson

Array = np.ndarray
LENGTHS = range(2, 9)
TOP = 20


def r20(naturals: Array, weights: Array, others: dict[str, Array], sets: int, seed: int) -> dict[str, dict[str, float]]:
    """How the words of sets of sequences codes (m, L) agree with those of naturals codes (n, L) with weights (n,): for each name
    `r20_2` to `r20_8`, averages over so many sets of as many sites, and `r20`, the mean of these. NaN where L is too short or no
    set has two words of unlike frequency."""
    rng = np.random.default_rng([seed, 6])
    told: dict[str, dict[str, float]] = {name: {} for name in others}
    for length in LENGTHS:
        found: dict[str, list[float]] = {name: [] for name in others}
        for _ in range(sets if naturals.shape[1] >= length else 0):
            sites = np.sort(rng.choice(naturals.shape[1], length, replace=False))
            words, which = np.unique(spelled(naturals, sites), return_inverse=True)
            shares = np.bincount(which, weights, len(words)) / weights.sum()
            top = np.sort(np.argsort(-shares, kind="stable")[:TOP])  # of the words, which are ascending themselves
            for name, codes in others.items():
                found[name].append(pearson(shares[top], frequencies(spelled(codes, sites), words[top])))
        for name, values in found.items():
            known = np.array(values)[np.isfinite(values)]
            told[name][f"r20_{length}"] = float(known.mean()) if len(known) else float("nan")
    for values_of in told.values():
        values_of["r20"] = float(np.mean(list(values_of.values())))
    return told


def spelled(codes: Array, sites: Array) -> Array:
    """The words (n,) of sequences codes (n, L) at some sites (k,), as numbers."""
    return codes[:, sites].astype(np.int64) @ (Q ** np.arange(len(sites), dtype=np.int64))


def frequencies(spelled: Array, words: Array) -> Array:
    """The share (w,) of each of some words, ascending, among those of a set of sequences (n,)."""
    place = np.minimum(np.searchsorted(words, spelled), len(words) - 1)
    hits = place[words[place] == spelled]
    return np.bincount(hits, minlength=len(words)) / len(spelled)
