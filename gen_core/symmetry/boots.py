"""Intervals over pictures: what would have been found with others of their kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
DRAWN = 1_000
ENDS = (0.025, 0.975)
NEVER = 1e300  # stands for infinity where quantiles lie between two values


def shares(sources: Array, seed: int = 0, times: int = DRAWN) -> Array:
    """What each of n rows counts (times, n) where pictures are drawn with replacement: the same draws for all models, so that
    differences are paired. sources (n,): the picture that each row shows; rows of one picture are drawn together."""
    names, which = np.unique(sources, return_inverse=True)
    k = len(names)
    rows = np.random.default_rng([seed, 87]).integers(0, k, (times, k))
    counts = np.apply_along_axis(np.bincount, 1, rows, minlength=k)[:, which].astype(np.float64)
    return np.asarray(counts / counts.sum(1, keepdims=True))


def interval(values: Array) -> tuple[float, float]:
    """The ends of the 95 % interval of what was found with other pictures; NaN where that was nothing in a tenth of them.
    Infinity is a value like others: what is never reached."""
    known = values[~np.isnan(values)]
    if not len(known) or len(known) < 0.9 * len(values):
        return float("nan"), float("nan")
    low, high = (float(end) for end in np.quantile(np.minimum(known, NEVER), ENDS))
    return (low if low < NEVER / 1e6 else float("inf")), (high if high < NEVER / 1e6 else float("inf"))


def mean(
    each: Array, sources: Array | None = None, of: Callable[[Array], Array] = lambda means: means
) -> tuple[float, float, float]:
    """A mean over rows (n,), or what `of` makes of it, with the ends of its 95 % interval; NaN where all show one picture.

    sources (n,): the picture that each row shows; where it is None each shows its own.
    """
    sources = np.arange(len(each)) if sources is None else sources
    value = float(of(np.array([each.mean()]))[0])
    if len(np.unique(sources)) < 2:
        return value, float("nan"), float("nan")
    return value, *interval(of(shares(sources) @ each))
