"""A trap that turns its particles, with everything known in closed form: what the tests compare with."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm, solve_continuous_lyapunov

Array = np.ndarray
PULL = np.array([[-1.0, -2.0], [2.0, -1.0]])
D = 0.25
MEAN, SPREAD = np.array([1.3, 0.0]), np.diag([0.25, 0.0625])


def normal(t: float) -> tuple[Array, Array]:
    """Mean and covariance at a time."""
    moved = expm(PULL * t)
    rest = solve_continuous_lyapunov(PULL, -2 * D * np.eye(2))
    return moved @ MEAN, rest + moved @ (SPREAD - rest) @ moved.T


class Exact:
    """Its score."""

    def at(self, x: Array, t: float) -> Array:
        mean, cov = normal(t)
        return -(x - mean) @ np.linalg.inv(cov)


def force(x: Array) -> Array:
    """Its drift."""
    return x @ PULL.T
