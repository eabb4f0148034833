"""The linear latent space: principal components, which every other latent space is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
MAX_ROWS = 5_000  # the components are fitted on a seeded sample of at most so many rows


@dataclass(frozen=True, eq=False)
class Components:
    """axes (G, k) orthonormal; centre (G,); explained (k,) share of the variance along each axis."""

    axes: Array
    centre: Array
    explained: Array

    @classmethod
    def fit(cls, X: Any, k: int, seed: int = 0) -> Components:
        """Principal components of X (n, G), dense or CSR; k is lowered where X has fewer rows or columns."""
        from sklearn.decomposition import PCA

        if X.shape[0] > MAX_ROWS:
            X = X[np.sort(np.random.default_rng(seed).choice(X.shape[0], MAX_ROWS, replace=False))]
        k = max(min(k, min(X.shape) - 1), 1)
        pca = PCA(k, svd_solver="arpack", random_state=seed).fit(X)
        # float32 halves the memory and the time of each projection, and is far finer than the cells are measured
        axes = np.ascontiguousarray(pca.components_.T, np.float32)
        return cls(axes, np.asarray(pca.mean_, np.float32), np.asarray(pca.explained_variance_ratio_))

    def encode(self, X: Any) -> Array:
        """Coordinates (n, k) of rows X (n, G)."""
        return np.asarray(X @ self.axes - self.centre @ self.axes, np.float32)

    def decode(self, z: Array) -> Array:
        """Rows (n, G) at coordinates z (n, k): the exact inverse within the span of the axes."""
        return np.asarray(z @ self.axes.T + self.centre)
