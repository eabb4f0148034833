"""Intervals over pictures: what would have been found with others of their kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
DRAWN = 1_000
ENDS = (0.025, 0.975)


def drawn(count: int, seed: int = 0, times: int = DRAWN) -> Array:
    """Rows (times, count) of pictures drawn with replacement: the same for all models, so that differences are paired."""
    return np.random.default_rng([seed, 87]).integers(0, count, (times, count))


def interval(values: Array) -> tuple[float, float]:
    """The ends of the 95 % interval of what was found with other pictures; NaN where that was nothing."""
    known = values[~np.isnan(values)]
    if len(known) < 0.9 * len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(known, ENDS)
    return float(low), float(high)


def mean(each: Array, seed: int = 0, of: Callable[[Array], Array] = lambda means: means) -> tuple[float, float, float]:
    """A mean over pictures (n,), or what `of` makes of it, with the ends of its 95 % interval."""
    means = each[drawn(len(each), seed)].mean(1)
    return float(of(np.array([each.mean()]))[0]), *interval(of(means))
