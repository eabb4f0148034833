"""How good a reconstruction is: against the truth, and against the data."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def range_of(truth: Array) -> float:
    """The truth's own range, what PSNR and SSIM are relative to."""
    return max(float(truth.max() - truth.min()), 1e-12)


def psnr(image: Array, truth: Array, where: Array | None = None) -> float:
    """Peak signal-to-noise ratio in dB, the peak being the truth's own range; within a mask where one is given."""
    error = (np.asarray(image, np.float64) - truth) ** 2
    mean = float(error.mean() if where is None else error[where].mean())
    return 10 * float(np.log10(range_of(truth) ** 2 / max(mean, 1e-30)))


def ssim(image: Array, truth: Array) -> float:
    """Structural similarity with Gaussian windows of deviation 1.5 (Wang et al. 2004), relative to the truth's own range."""
    from scipy.ndimage import gaussian_filter

    a, b = np.asarray(image, np.float64), np.asarray(truth, np.float64)
    c1, c2 = (0.01 * range_of(truth)) ** 2, (0.03 * range_of(truth)) ** 2

    def smooth(values: Array) -> Array:
        return np.asarray(gaussian_filter(values, 1.5, truncate=3.5))

    ma, mb = smooth(a), smooth(b)
    va, vb, both = smooth(a * a) - ma * ma, smooth(b * b) - mb * mb, smooth(a * b) - ma * mb
    index = (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    inner = index[5:-5, 5:-5] if min(index.shape) > 20 else index  # windows that lie inside
    return float(inner.mean())


def rmse(image: Array, truth: Array, where: Array | None = None) -> float:
    """Root mean square error, in the truth's own unit; within a mask where one is given."""
    error = (np.asarray(image, np.float64) - truth) ** 2
    return float(np.sqrt(error.mean() if where is None else error[where].mean()))


def disc(size: int) -> Array:
    """The field of view: pixels (size, size) whose middles lie in the inscribed disc."""
    step = np.arange(size) - (size - 1) / 2
    return np.asarray(np.hypot(step[:, None], step[None]) <= size / 2)


def residual(projected: Array, data: Array, sigma: Array) -> float:
    """Norm of A x - y over the norm of the noise that is expected: about 1 where the image explains the data."""
    return float(np.linalg.norm(projected - data)) / max(float(np.linalg.norm(sigma)), 1e-30)


def coverage(truth: Array, mean: Array, deviation: Array, level: float, where: Array | None = None) -> float:
    """The share of pixels whose truth lies within the central interval of this level, were the errors normal."""
    from scipy.special import ndtri

    inside = np.abs(truth - mean) <= ndtri(0.5 + level / 2) * deviation
    return float(inside.mean() if where is None else inside[where].mean())


LEVELS = np.linspace(0.05, 0.95, 19)


def calibration(truth: Array, mean: Array, deviation: Array, where: Array | None = None) -> tuple[Array, float]:
    """Coverage at each of LEVELS, and its mean distance from what it should be."""
    found = np.array([coverage(truth, mean, deviation, level, where) for level in LEVELS])
    return found, float(np.abs(found - LEVELS).mean())
