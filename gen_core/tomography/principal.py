"""The Gaussian prior of slices: mean, principal axes and their variances, and one variance for all the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gen_core.tomography.slices import Slices

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Principal:
    """mean (d,), axes (k, d) as 8-bit whole numbers of any length, variances (k,) along them once they are made orthonormal
    (`directions`), and `rest`, the variance across them."""

    mean: Array
    axes: Array
    variances: Array
    rest: float

    def directions(self) -> Array:
        """The axes (k, d) made orthonormal, each changed as little as can be (Loewdin 1950); float32."""
        rough = self.axes / np.linalg.norm(self.axes.astype(np.float32), axis=1, keepdims=True)
        values, vectors = np.linalg.eigh((rough @ rough.T).astype(np.float64))
        return np.asarray(((vectors / np.sqrt(values)) @ vectors.T).astype(np.float32) @ rough)


FITTED = 6_144  # slices that are enough: their Gram matrix is taken apart


def fit(slices: Slices, k: int) -> Principal:
    """Probabilistic principal components (Tipping & Bishop 1999) of the slices to train on.

    The axes are rounded to 8 bits before their variances are measured, so that what is stored is what was fitted.
    """
    n = min(slices.n_train, FITTED)
    x = slices.images[:n].reshape(n, -1).astype(np.float32)
    mean = x.mean(0)
    x -= mean
    k = min(k, len(x) - 1)
    values, vectors = np.linalg.eigh((x @ x.T).astype(np.float64))
    axes = (vectors[:, : -k - 1 : -1].T.astype(np.float32) @ x) / np.sqrt(np.maximum(values[: -k - 1 : -1, None], 1e-12))
    whole = np.rint(axes * (127 / np.abs(axes).max(1, keepdims=True))).astype(np.int8)
    found = Principal(mean, whole, np.ones(k, np.float32), 0.0)
    variances = (x @ found.directions().T).astype(np.float64).var(0)
    rest = (float(np.square(x, dtype=np.float64).sum()) / len(x) - variances.sum()) / (x.shape[1] - k)
    rest = max(rest, 1e-8)  # of few slices the last axes are noise: no less along them than across
    return replace(found, variances=np.maximum(variances, rest).astype(np.float32), rest=rest)
