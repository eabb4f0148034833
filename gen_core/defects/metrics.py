"""How good a fit is: against the known truth, and distances between clouds of points."""

from __future__ import annotations

import itertools

import numpy as np

Array = np.ndarray
LINES = 32  # directions of the sliced distance
COMPARED = 4_000  # points of each cloud, at most


def relative(found: Array, truth: Array) -> float:
    """Root mean square error over the root mean square of the truth, over all values."""
    return float(np.sqrt(((found - truth) ** 2).sum() / (truth**2).sum()))


def cosine(found: Array, truth: Array) -> float:
    """Mean cosine of the angle between two fields of vectors (m, d)."""
    sizes = np.linalg.norm(found, axis=1) * np.linalg.norm(truth, axis=1)
    kept = sizes > 0
    return float(((found * truth).sum(1)[kept] / sizes[kept]).mean())


def normalised_mae(found: Array, truth: Array) -> float:
    """Mean length of the difference of two fields of vectors (m, d) over the mean length of the truth."""
    return float(np.linalg.norm(found - truth, axis=1).mean() / np.linalg.norm(truth, axis=1).mean())


def w1(a: Array, b: Array, box: Array | None = None) -> float:
    """Sliced Wasserstein-1 distance of two clouds (m, d), in their unit: the mean over directions of that along a line.

    Rabin et al. 2012. In one dimension it is the Wasserstein distance itself. In a periodic box the directions are those of
    waves of one period along some of the axes, and the way is the shorter one around.
    """
    d = a.shape[1]
    rng = np.random.default_rng(17)
    a, b = _some(a, rng), _some(b, rng)
    if box is not None:
        return _around(a / box, b / box, box)
    angle = np.arange(LINES) * np.pi / LINES
    lines = np.stack([np.cos(angle), np.sin(angle)], 1) if d == 2 else np.eye(1) if d == 1 else rng.standard_normal((LINES, d))
    lines = lines / np.linalg.norm(lines, axis=1, keepdims=True)
    share = (np.arange(512) + 0.5) / 512
    return float(np.abs(_quantiles(a @ lines.T, share) - _quantiles(b @ lines.T, share)).mean())


def _around(a: Array, b: Array, box: Array) -> float:
    """The mean over waves of the distance of their phases on a circle: the area between both distribution functions less its
    median (Rabin, Delon, Gousseau 2011), in the unit of the box."""
    found = []
    for wave in itertools.product((-1, 0, 1), repeat=a.shape[1]):
        if wave <= (0,) * len(wave):  # one of each pair of opposite ones
            continue
        one, other = (np.sort(np.mod(x @ np.array(wave, float), 1.0)) for x in (a, b))
        at = np.concatenate([one, other])
        at.sort()
        width = np.diff(np.append(at, at[0] + 1))
        gap = np.searchsorted(one, at, "right") / len(one) - np.searchsorted(other, at, "right") / len(other)
        order = np.argsort(gap)
        middle = gap[order][np.searchsorted(np.cumsum(width[order]), 0.5)]
        found.append(float((width * np.abs(gap - middle)).sum() / np.linalg.norm(np.array(wave) / box)))
    return float(np.mean(found))


def _quantiles(values: Array, share: Array) -> Array:
    """Quantiles (q, m) of columns (n, m), as `numpy.quantile` but by one sort."""
    ordered = np.sort(values, axis=0)
    place = share * (len(values) - 1)
    low = np.minimum(place.astype(int), max(len(values) - 2, 0))
    part = (place - low)[:, None]
    return np.asarray((1 - part) * ordered[low] + part * ordered[np.minimum(low + 1, len(values) - 1)])


def _some(x: Array, rng: np.random.Generator) -> Array:
    return x if len(x) <= COMPARED else x[rng.choice(len(x), COMPARED, replace=False)]
