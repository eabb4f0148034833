"""How unlike the training codes a latent point is: the distance to its nearest neighbours, as a percentile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
NEIGHBOURS = 10
AROUND = 15
MAX_CODES = 4_000


@dataclass(frozen=True, eq=False)
class Density:
    """codes (n, k) of training points; scale (n,) their own distances to their neighbours, ascending."""

    codes: Array
    scale: Array

    @classmethod
    def of(cls, codes: Array, seed: int = 0) -> Density:
        """From training codes (n, k); of more than 4,000 a seeded sample is kept."""
        if len(codes) > MAX_CODES:
            codes = codes[np.random.default_rng(seed).choice(len(codes), MAX_CODES, replace=False)]
        return cls(codes, np.sort(_distance(codes, codes, skip_self=True)))

    def percentile(self, points: Array) -> Array:
        """Share in % (m,) of the training points that lie closer to their neighbours than each point (m, k) to its own.

        About 50 for a typical point; near 100 for one unlike anything seen.
        """
        return 100 * np.searchsorted(self.scale, _distance(points, self.codes)) / len(self.scale)


def neighbours(points: Array, codes: Array, k: int) -> tuple[Array, Array]:
    """Distance and index (m, k) of the k nearest codes (n, d) of each point (m, d), the nearest first."""
    k = min(k, len(codes))
    squared = (points**2).sum(1)[:, None] - 2 * points @ codes.T + (codes**2).sum(1)
    nearest = np.argpartition(squared, k - 1, axis=1)[:, :k]
    distance = np.sqrt(np.maximum(np.take_along_axis(squared, nearest, 1), 0))
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, order, 1), np.take_along_axis(nearest, order, 1)


def place(spots: Array, codes: Array, axes: list[int]) -> Array:
    """Latent vectors (m, k) at places (m, d) along d axes of a map of codes (n, k).

    Along the axes shown the place is taken exactly; along the others the point gets the Gaussian-weighted mean of the 15
    cells nearest on the map, so that it decodes to a cell like those around it.
    """
    distance, nearest = neighbours(spots, codes[:, axes], AROUND)
    weights = np.exp(-0.5 * (distance / np.maximum(distance[:, [-1]] / 2, 1e-9)) ** 2)
    filled: Array = np.einsum("mk,mkd->md", weights / weights.sum(1, keepdims=True), codes[nearest])
    filled[:, axes] = spots
    return filled


def _distance(points: Array, codes: Array, skip_self: bool = False) -> Array:
    """Mean distance (m,) to the nearest codes, in blocks that keep memory small."""
    blocks = [
        neighbours(points[i : i + 512], codes, NEIGHBOURS + skip_self)[0][:, skip_self:] for i in range(0, len(points), 512)
    ]
    return np.concatenate(blocks).mean(1) if blocks else np.array([])
