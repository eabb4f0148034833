"""The Gaussian prior of slices: mean, principal axes and their variances, and one variance for all the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.tomography.slices import Slices

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Principal:
    """mean (d,), axes (k, d) as 8-bit whole numbers times scales (k,), variances (k,) along them, `rest` across them."""

    mean: Array
    axes: Array
    scales: Array
    variances: Array
    rest: float


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
    scales = np.abs(axes).max(1) / 127
    whole = np.rint(axes / scales[:, None]).astype(np.int8)
    axes = whole * scales[:, None]
    along = x @ axes.T.astype(np.float32)
    variances = along.astype(np.float64).var(0)
    rest = (float(np.square(x, dtype=np.float64).sum()) / len(x) - variances.sum()) / (x.shape[1] - k)
    return Principal(mean, whole, scales.astype(np.float32), variances.astype(np.float32), max(rest, 1e-8))
