"""Directions in a latent space that mean something, and sums with them."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def between(codes: Array, is_second: Array) -> Array:
    """The move (k,) from the mean of the first group to that of the second, for codes (n, k) and is_second (n,) bool."""
    return np.asarray(codes[is_second].mean(0) - codes[~is_second].mean(0))


def along(codes: Array, values: Array, ridge: float = 1.0) -> Array:
    """The direction (k,) of unit length along which a measured value (n,) rises most surely: ridge regression on the codes.

    `ridge` is in units of the mean variance of a code. Raises ValueError where the value does not vary.
    """
    values = np.asarray(values, float) - np.mean(values)
    if not np.any(values):
        raise ValueError("the value does not vary, so no direction follows it")
    centred = codes - codes.mean(0)
    covariance = centred.T @ centred / len(codes)
    slope = np.linalg.solve(
        covariance + ridge * np.trace(covariance) / len(covariance) * np.eye(len(covariance)), centred.T @ values
    )
    return np.asarray(slope / np.linalg.norm(slope))


def without(codes: Array, direction: Array) -> Array:
    """Codes (n, k) with what they hold along a direction (k,) set to its mean: the attribute is taken out, the rest stays."""
    unit = direction / np.linalg.norm(direction)
    part = codes @ unit
    return np.asarray(codes - (part - part.mean())[:, None] * unit)


def analogy(a: Array, b: Array, c: Array) -> Array:
    """What is to c as b is to a: c + (b - a) (Mikolov 2013), for codes (..., k)."""
    return np.asarray(c + (b - a))
