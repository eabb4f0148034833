"""How well scores agree with an assay, with intervals: AUC, Spearman, shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
COVER = 0.9  # of every interval here
RESAMPLES = 500


def auc(scores: Array, functional: Array, counts: Array | None = None) -> float:
    """Area under the ROC curve: the chance that a functional sequence scores higher than one that is not, ties being half.

    With counts (n,) each sequence stands for so many. NaN where one of the two kinds is missing.
    """
    counts = np.ones(len(scores)) if counts is None else counts
    _, which = np.unique(scores, return_inverse=True)
    yes, no = (np.bincount(which, counts * kind) for kind in (functional, ~functional))
    total = float(yes.sum() * no.sum())
    return float((yes * (np.cumsum(no) - no / 2)).sum()) / total if total else float("nan")


def spearman(scores: Array, values: Array) -> float:
    """Rank correlation; NaN where one of them does not vary."""
    from scipy.stats import rankdata

    x, y = (rankdata(part) - (len(part) + 1) / 2 for part in (scores, values))
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else float("nan")


def interval(measure: Callable[[Array], float], clusters: Array, seed: int) -> tuple[float, float]:
    """90 % interval of a measure of rows, by resampling clusters (n,): near relatives are no independent witnesses."""
    rng = np.random.default_rng([seed, 21])
    order = np.argsort(clusters, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1)
    found = []
    for _ in range(RESAMPLES):
        found.append(measure(np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])))
    return percentiles(np.array(found))


def percentiles(found: Array) -> tuple[float, float]:
    """The 90 % interval of resampled values; NaN where there are none."""
    known = found[np.isfinite(found)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [50 * (1 - COVER), 50 * (1 + COVER)])
    return float(low), float(high)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """90 % interval of a share, hits of n (Wilson 1927); NaN where n is 0."""
    from scipy.stats import norm

    if not n:
        return float("nan"), float("nan")
    z, share = float(norm.ppf((1 + COVER) / 2)), hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
