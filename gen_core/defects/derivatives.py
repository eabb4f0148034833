"""Derivatives by central differences of what is given as a function of place, in double precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Field = Callable[[Array], Array]  # positions (n, N, d) to values


def divergence(field: Field, x: Array, step: float) -> Array:
    """Sum over the coordinates of the derivative of a field's own component.

    The field gives (n, N * d) or (n, N * d, L); the result is (n,) or (n, L).
    """
    _n, N, d = x.shape
    total = None
    for i in range(N):
        for j in range(d):
            up, down = x.copy(), x.copy()
            up[:, i, j] += step
            down[:, i, j] -= step
            slope = (field(up)[:, i * d + j] - field(down)[:, i * d + j]) / (2 * step)
            total = slope if total is None else total + slope
    assert total is not None
    return total


def gradient(value: Field, x: Array, step: float) -> Array:
    """The gradient (n, N, d) of a field of numbers (n,)."""
    out = np.empty(x.shape)
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            up, down = x.copy(), x.copy()
            up[:, i, j] += step
            down[:, i, j] -= step
            out[:, i, j] = (value(up) - value(down)) / (2 * step)
    return out
