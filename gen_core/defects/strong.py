"""The strong form: drift and diffusion from a score and its change in time, by regression of the Fokker-Planck equation.

    d_t log p = -div f - f . s + D (div s + |s|^2)

is linear in the weights of f and in D. It needs derivatives of the score, and so is worse than the weak form; it errs in
another way, which makes it a second opinion. A network's score is first made the nearest gradient of a smooth log density.
"""

from __future__ import annotations

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.defects.derivatives import divergence
from gen_core.defects.libraries import Library
from gen_core.defects.score import ClosedScore, Score, features, projected

Array = np.ndarray
PLACES = 600  # replicas of a snapshot that the equation is asked at
STEP = 1e-3  # of the spread of the data, for differences in place


def fit(score: Score, snapshots: Snapshots, library: Library, D: float | None = None) -> tuple[Array, float]:
    """Weights of the library and D; with `D` given, the weights alone. Both ends in time are left out."""
    smooth = projected(score, snapshots)
    step = STEP * snapshots.scale
    times = snapshots.times
    several = snapshots.particles > 1
    inner = range(1, len(times) - 1)
    left, right = [], []
    for k in inner:
        x = snapshots.positions[k][: PLACES // (3 if several else 1)]
        A, y = _equations(smooth, x, float(times[k]), library, step)
        left.append(A)
        right.append(y)
    A, y = np.concatenate(left), np.concatenate(right)
    if D is not None:
        theta = np.linalg.lstsq(A[:, :-1], y - A[:, -1] * D, rcond=None)[0]
        return theta, D
    found = np.linalg.lstsq(A, y, rcond=None)[0]
    return found[:-1], float(found[-1])


def _equations(score: ClosedScore, x: Array, t: float, library: Library, step: float) -> tuple[Array, Array]:
    """Both sides of the equation at these replicas, but for their means, which are zero under p."""
    value, slope, bend = features(score.tests, score.centre, score.scale, score.periodic, x)
    s, change = slope @ score.weights(t), value @ score.change(t)
    drift = -divergence(library.forces, x, step) - np.einsum("nm,nml->nl", s, library.forces(x))
    A = np.column_stack([drift, bend @ score.weights(t) + (s**2).sum(1)])
    return A - A.mean(0), change - change.mean()
