"""Flat maps of a latent space whose places are only stored, as those of UMAP are: new points placed, spots led back.

Of a fitted UMAP only coordinates can be kept safely (the rest needs pickle), and its own inverse takes a second a point. So
a new point lies among the map places of its latent neighbours, and a spot means the latent points of its map neighbours.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.latent.density import AROUND, Density, neighbours

Array = np.ndarray
LEAST = 30  # points: of fewer than twice its neighbours UMAP's graph joins nearly all with all
DIGITS = 3  # of a place: a link that names one stays short, and names exactly this one


@dataclass(frozen=True, eq=False)
class FlatMap:
    """codes (n, k) of the points that the map was made from, and their places (n, 2) on it."""

    codes: Array
    places: Array

    def place(self, points: Array) -> Array:
        """Places (m, 2) of new points (m, k): the weighted mean of those of their 15 nearest codes."""
        distance, nearest = neighbours(points, self.codes, AROUND)
        return _mean(distance, self.places[nearest])

    def latent(self, spots: Array) -> Array:
        """Latent points (m, k) at spots (m, 2): the weighted mean of the codes of the 15 nearest places."""
        distance, nearest = neighbours(spots, self.places, AROUND)
        return _mean(distance, self.codes[nearest])

    def strangeness(self, spots: Array) -> Array:
        """How little a spot (m, 2) means, in % (m,): the larger of two percentiles.

        How far it lies from any place, and how far from it its own latent point would be placed: an empty spot between two
        clusters decodes to a mixture that lies elsewhere.
        """
        density, usual = self._usual
        return np.maximum(density.percentile(spots), 100 * np.searchsorted(usual, self._back(spots)) / len(usual))

    def _back(self, spots: Array) -> Array:
        """How far from a spot (m, 2) its own latent point would be placed (m,)."""
        return np.asarray(np.linalg.norm(self.place(self.latent(spots)) - spots, axis=1))

    @cached_property
    def _usual(self) -> tuple[Density, Array]:
        """What strangeness is measured against: the density of the places, and how far these are led back, ascending."""
        return Density.of(self.places), np.sort(self._back(self.places))


def umap(codes: Array, seed: int = 0, neighbours: int = 15) -> FlatMap:
    """A UMAP (McInnes 2018) of codes (n, k), the same for the same seed; of fewer than 30 codes their two widest axes.

    It is centred, and turned so that it is widest across. The first call of a process takes many seconds.
    """
    fitted = codes
    if len(codes) >= LEAST:
        with warnings.catch_warnings():  # that the library's other half, which needs Tensorflow, is not there
            warnings.simplefilter("ignore", ImportWarning)
            from umap import UMAP
        fitted = UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(codes)
    return FlatMap(codes, np.round(widest(fitted), DIGITS).astype(np.float32))


def widest(points: Array) -> Array:
    """Points (n, k) around their mean along their two widest axes (n, 2); zero along an axis that they do not have."""
    centred = np.asarray(points, float) - np.mean(points, axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(1)])[:, None]
    found = np.zeros((len(points), 2))
    found[:, : len(axes)] = centred @ axes.T
    return found


def inside(places: Array, region: Array) -> Array:
    """Which places (n, 2) lie in a polygon (v, 2) that closes itself: a ray from them crosses it an odd number of times."""
    x, y = np.asarray(places, float).T[:, :, None]
    (ax, ay), (bx, by) = np.asarray(region, float).T, np.roll(region, -1, 0).T
    crosses = (ay > y) != (by > y)
    at = ax + (y - ay) / np.where(by == ay, 1, by - ay) * (bx - ax)  # where the edge meets the ray's height
    return np.asarray((crosses & (x < at)).sum(1) % 2 == 1)


def lattice(places: Array, most: int) -> tuple[Array, Array, float]:
    """The finest lattice of square cells of which at most `most` hold a place (n, 2).

    Of each of these its middle (m, 2) and the row (m,) of the place nearest to that; the cells' side.
    """
    low, high = places.min(0), places.max(0)
    for across in range(most, 0, -1):
        side = float(max((high - low).max(), 1e-6)) / across
        cells = np.floor((places - low) / side * (1 - 1e-6))
        if across == 1 or len(np.unique(cells, axis=0)) <= most:
            break
    middles = low + (cells + 0.5) * side
    order = np.lexsort((np.square(places - middles).sum(1), cells[:, 0], cells[:, 1]))
    rows = order[np.r_[True, np.diff(cells[order], axis=0).any(1)]]
    return middles[rows], rows, side


def _mean(distance: Array, values: Array) -> Array:
    """Means (m, d) of values (m, j, d) with Gaussian weights, half the farthest distance as their width."""
    weights = np.exp(-0.5 * (distance / np.maximum(distance[:, [-1]] / 2, 1e-9)) ** 2)
    return np.asarray(np.einsum("mj,mjd->md", weights / weights.sum(1, keepdims=True), values))
