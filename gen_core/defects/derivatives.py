"""Derivatives by central differences of what is given as a function of place, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Array = np.ndarray
Field = Callable[[Array], Array]  # positions (n, N, d) to values


def divergence(field: Field, x: Array, step: float) -> Array:
    """Sum over the coordinates of the derivative of a field's own component.

    The field gives (n, N * d) or (n, N * d, L); the result is (n,) or (n, L).
    """
    total = None
    for i, (up, down) in enumerate(_beside(field, x, step)):
        slope = (up[:, i] - down[:, i]) / (2 * step)
        total = slope if total is None else total + slope
    assert total is not None
    return total


def gradient(value: Field, x: Array, step: float) -> Array:
    """The gradient (n, N, d) of a field of numbers (n,)."""
    return np.stack([(up - down) / (2 * step) for up, down in _beside(value, x, step)], 1).reshape(x.shape)


def _beside(field: Field, x: Array, step: float) -> Iterator[tuple[Array, Array]]:
    """The field a step up and a step down each coordinate. Of single particles it is asked for all of them at once, which takes
    less than to ask many times; of many that would be much to hold."""
    n, N, d = x.shape
    moves = [(i, j, sign) for i in range(N) for j in range(d) for sign in (step, -step)]
    size = len(moves) if N == 1 else 2
    for start in range(0, len(moves), size):
        part = moves[start : start + size]
        places = np.concatenate([x] * len(part))
        for k, (i, j, by) in enumerate(part):
            places[k * n : (k + 1) * n, i, j] += by
        told = field(places)
        for k in range(0, len(part), 2):
            yield told[k * n : (k + 1) * n], told[(k + 1) * n : (k + 2) * n]
