"""How large each sine coefficient of a scene usually is: what the learned coefficients are divided by, and the Gaussian prior.

A Gaussian charge of width s has the power s^2 exp(-(pi k s)^2) at the wave number k, once its density is brought to a mean
square of 1. The mean over the widths of the scenes, not less than a floor, is the variance of a coefficient. It is known in
closed form and depends on no weights, so a posterior under it can be written down exactly.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

Array = np.ndarray
WIDTHS = (0.04, 0.12)  # of the charges in scenes, in lengths of the square
FLOOR = 0.05  # of the largest deviation: what is fainter is not amplified further


@lru_cache(maxsize=16)
def eigenvalues(n: int) -> Array:
    """Of minus the five-point Laplacian with zero edges on n x n inner nodes (n, n), by wave number."""
    h = 1.0 / (n + 1)
    along = 4 / h**2 * np.sin(np.pi * np.arange(1, n + 1) * h / 2) ** 2
    return _kept(along[:, None] + along[None])


@lru_cache(maxsize=16)
def charge(n: int) -> Array:
    """The deviation (n, n) of the orthonormal sine coefficients of a charge density whose mean square is 1."""
    k = np.arange(1, n + 1)
    square = (k[:, None] ** 2 + k[None] ** 2) * np.pi**2
    widths = np.linspace(*WIDTHS, 33)
    power = (widths**2 * np.exp(-square[..., None] * widths**2)).mean(-1)
    deviation = np.maximum(np.sqrt(power), FLOOR * np.sqrt(power.max()))
    return _kept(deviation * n / np.sqrt((deviation**2).sum()))  # Parseval: the n^2 coefficients carry n^2


@lru_cache(maxsize=16)
def potential(n: int) -> Array:
    """The same of the potential: the charge's over the eigenvalues."""
    return _kept(charge(n) / eigenvalues(n))


@lru_cache(maxsize=16)
def sines(n: int) -> Array:
    """The orthonormal sine transform (n, n): symmetric, and its own inverse."""
    k = np.arange(1, n + 1)
    return _kept(np.sqrt(2 / (n + 1)) * np.sin(np.pi * np.outer(k, k) / (n + 1)))


def transform(inner: Array) -> Array:
    """Sine coefficients of inner nodes (..., n, n), or the nodes of coefficients: the same map."""
    s = sines(inner.shape[-1])
    return s @ inner @ s


def white(rho: Array) -> Array:
    """Whitened coefficients of a charge density at inner nodes (..., n, n), as an image of the same shape."""
    return transform(transform(rho) / charge(rho.shape[-1]))


def potential_of(image: Array) -> Array:
    """The potential (..., n, n) with zero edges that a whitened image stands for."""
    return transform(transform(image) * potential(image.shape[-1]))


def _kept(values: Array) -> Array:
    values.flags.writeable = False
    return values
