"""Ways through a latent space: straight, along a sphere, and through several points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Way = Callable[[Array, Array, Array], Array]


def lerp(a: Array, b: Array, t: Array) -> Array:
    """Points (len(t), k) on the straight line from a (k,) at t = 0 to b (k,) at t = 1; beyond that it goes on."""
    t = np.asarray(t, float)[:, None]
    return np.asarray((1 - t) * a + t * b)


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Points (len(t), k) on the great circle from a to b, their length changing evenly (Shoemake 1985; White 2016).

    In many dimensions a normal distribution lies near a sphere, and a straight line between two of its points cuts through
    the inside, where it is thin. Where a and b point the same or opposite ways, or one of them is zero, there is no such
    circle, and the line is taken.
    """
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if min(length_a, length_b) < 1e-12:
        return lerp(a, b, t)
    one, two = a / length_a, b / length_b
    angle = np.arccos(np.clip(one @ two, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(a, b, t)
    t = np.asarray(t, float)[:, None]
    direction = (np.sin((1 - t) * angle) * one + np.sin(t * angle) * two) / np.sin(angle)
    return np.asarray(direction * ((1 - t) * length_a + t * length_b))


def through(points: Array, steps: int, way: Way = lerp) -> Array:
    """`steps` points (steps, k), evenly many on each leg, along a way through points (m, k), m >= 2, ends included."""
    if len(points) < 2:
        raise ValueError("a way needs at least two points")
    at = np.linspace(0, len(points) - 1, steps)
    leg = np.minimum(at.astype(int), len(points) - 2)
    return np.concatenate([way(points[i], points[i + 1], at[leg == i] - i) for i in range(len(points) - 1)])
