"""Where a model's latent points lie: a Gaussian mixture fitted to the aggregated posterior once the network is trained.

A standard normal prior leaves holes that no sequence was encoded to, and what is drawn from them is blurred: pair
correlations come out at half their size. Fitting the density afterwards mends that (Ghosh 2020, ex-post density estimation;
Tomczak & Welling 2018 on the aggregated posterior as prior). The mixture is part of the model: its likelihood uses it, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
DRAWS = 5  # latent points drawn for each training sequence
PER_COMPONENT = 40  # effective sequences for which there is one component
MOST = 30
WIDENED = 1e-2  # variance added to each component, so that none shrinks onto a point


@dataclass(frozen=True, eq=False)
class Mixture:
    """shares (K,), means (K, k), roots (K, k, k): lower Cholesky factors of the components' covariances."""

    shares: Array
    means: Array
    roots: Array

    @classmethod
    def fit(cls, means: Array, spreads: Array, weights: Array, seed: int = 0) -> Mixture:
        """From posteriors with means and standard deviations (n, k), each counted by its weight (n,)."""
        from sklearn.mixture import GaussianMixture

        rng = np.random.default_rng([seed, 11])
        n = len(means)
        rows = rng.choice(n, n * DRAWS if n < 20_000 else n, p=weights / weights.sum())
        z = means[rows] + spreads[rows] * rng.standard_normal((len(rows), means.shape[1]))
        components = int(np.clip(weights.sum() / PER_COMPONENT, 1, MOST))
        with np.errstate(all="ignore"):
            fitted = _quiet(GaussianMixture(components, random_state=seed, reg_covar=WIDENED, max_iter=60), z)
        return cls(
            fitted.weights_.astype(np.float32),
            fitted.means_.astype(np.float32),
            np.linalg.cholesky(fitted.covariances_).astype(np.float32),
        )

    @classmethod
    def normal(cls, k: int) -> Mixture:
        """The standard normal distribution."""
        return cls(np.ones(1, np.float32), np.zeros((1, k), np.float32), np.eye(k, dtype=np.float32)[None])

    @property
    def dim(self) -> int:
        return int(self.means.shape[1])

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Latent points (n, k)."""
        shares = self.shares.astype(np.float64)
        which = rng.choice(len(shares), n, p=shares / shares.sum())
        noise = rng.standard_normal((n, self.dim))
        return np.asarray(self.means[which] + np.einsum("nij,nj->ni", self.roots[which], noise), np.float32)

    def log_density(self, z: Array) -> Array:
        """Natural log density (...,) at points z (..., k)."""
        from scipy.linalg import solve_triangular
        from scipy.special import logsumexp

        flat = z.reshape(-1, self.dim).astype(np.float64)
        terms = np.empty((len(self.shares), len(flat)))
        for i, (share, mean, root) in enumerate(zip(self.shares, self.means, self.roots, strict=True)):
            white = solve_triangular(root.astype(np.float64), (flat - mean).T, lower=True)
            terms[i] = np.log(share) - 0.5 * (white**2).sum(0) - np.log(np.diag(root)).sum()
        return np.asarray(logsumexp(terms, axis=0) - 0.5 * self.dim * np.log(2 * np.pi)).reshape(z.shape[:-1])


def _quiet(mixture, z):  # type: ignore[no-untyped-def]
    """Fit without the library's word on iterations: after sixty the likelihood moves in its last digits."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixture.fit(z)
