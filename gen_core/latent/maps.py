"""Flat maps of a latent space whose places are only stored, as those of UMAP are: new points placed, spots led back.

Of a fitted UMAP only coordinates can be kept safely (the rest needs pickle), and its own inverse takes a second a point. So
a new point lies among the map places of its latent neighbours, and a spot means the latent points of its map neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.latent.density import AROUND, Density, neighbours

Array = np.ndarray


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
        back = np.linalg.norm(self.place(self.latent(spots)) - spots, axis=1)
        usual = np.sort(np.linalg.norm(self.place(self.latent(self.places)) - self.places, axis=1))
        return np.maximum(Density.of(self.places).percentile(spots), 100 * np.searchsorted(usual, back) / len(usual))


def umap(codes: Array, seed: int = 0, neighbours: int = 15) -> FlatMap:
    """A UMAP (McInnes 2018) of codes (n, k), the same for the same seed. The first call of a process takes many seconds."""
    import umap as library

    fitted = library.UMAP(n_neighbors=min(neighbours, len(codes) - 1), random_state=seed, n_jobs=1).fit_transform(codes)
    return FlatMap(codes, np.asarray(fitted, np.float32))


def _mean(distance: Array, values: Array) -> Array:
    """Means (m, d) of values (m, j, d) with Gaussian weights, half the farthest distance as their width."""
    weights = np.exp(-0.5 * (distance / np.maximum(distance[:, [-1]] / 2, 1e-9)) ** 2)
    return np.asarray(np.einsum("mj,mjd->md", weights / weights.sum(1, keepdims=True), values))
