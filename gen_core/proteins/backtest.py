"""Backtest: hide a part of the assay, choose a plate from it, and count how many of the chosen were functional."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gen_core.proteins.agreement import percentiles
from gen_core.proteins.head import fit
from gen_core.proteins.plate import ALIKE, WELLS, picked
from gen_core.proteins.viability import Viability, sample_of_both

Array = np.ndarray
REPEATS = 20


def backtest(made: Viability, hidden: float = 0.5, k: int = WELLS, max_identity: float = ALIKE) -> pd.DataFrame:
    """One row a way to choose: `hits` among `k` chosen from the hidden part, mean and 90 % of the repeats (`low`, `high`), and
    `per_96`, the same for a plate of 96.

    `viability` learns from the part that is not hidden and takes the best; `viability_spread` takes none more than
    `max_identity` identical to another; `profile` and `independent_sites` need no labels; `random` chooses blindly. At most a
    third of what is hidden is chosen, or choosing would be no art.
    """
    n = len(made.labelled)
    size = min(max(round(n * (1 - hidden)), 10), n - 3)
    k = max(1, min(k, (n - size) // 3))
    rng = np.random.default_rng([made.seed, 26])
    hits: dict[str, list[int]] = {}
    for _ in range(REPEATS):
        seen = sample_of_both(made.functional, size, rng)
        rest = rng.permutation(np.setdiff1d(np.arange(n), seen))
        head = fit(made.inputs.rows(seen), made.labelled.rows(seen), made.head.which)
        scores, codes = head.score(made.inputs.rows(rest)), made.labelled.codes[rest]
        spread = picked(scores, codes, k, max_identity)
        more = np.setdiff1d(picked(scores, codes, len(rest)), spread, assume_unique=True)[: k - len(spread)]
        ways = {
            "viability": picked(scores, codes, k),
            "viability_spread": np.concatenate([spread, more]).astype(int),
            "profile": picked(made.inputs.bits[rest], codes, k),
            "independent_sites": picked(made.sites[rest], codes, k),
            "random": np.arange(k),
        }
        for way, rows in ways.items():
            hits.setdefault(way, []).append(int(made.functional[rest[rows]].sum()))
    lines = []
    for way, counts in hits.items():
        low, high = percentiles(np.array(counts, float))
        mean = float(np.mean(counts))
        per = WELLS / k
        lines.append((way, k, mean, low, high, mean * per, low * per, high * per))
    return pd.DataFrame(lines, columns=["chosen_by", "k", "hits", "low", "high", "per_96", "per_96_low", "per_96_high"])
