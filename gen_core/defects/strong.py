"""The strong form: drift and diffusion from a score and its change in time, by regression of the Fokker-Planck equation.

    d_t log p = -div f - f . s + D (div s + |s|^2)

is linear in the weights of f and in D. It needs derivatives of the score, and so is worse than the weak form; it errs in
another way, which makes it a second opinion.
"""

from __future__ import annotations

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.defects.derivatives import divergence
from gen_core.defects.libraries import Library
from gen_core.defects.score import ClosedScore, Score

Array = np.ndarray
PLACES = 600  # replicas of a snapshot that the equation is asked at
STEP = 1e-3  # of the spread of the data, for differences in place
PAUSE = 0.02  # of the time between first and last snapshot, for differences in time


def fit(score: Score, snapshots: Snapshots, library: Library, D: float | None = None) -> tuple[Array, float]:
    """Weights of the library and D; with `D` given, the weights alone. Both ends in time are left out."""
    step = STEP * snapshots.scale
    times = snapshots.times
    several = snapshots.particles > 1
    inner = range(1, len(times) - 1)
    left, right = [], []
    for k in inner:
        x = snapshots.positions[k][: PLACES // (3 if several else 1)]
        if isinstance(score, ClosedScore):
            A, y = _of_density(score, x, float(times[k]), library, step)
        else:
            A, y = _of_score(score, x, float(times[k]), library, step, PAUSE * float(times[-1] - times[0]))
        left.append(A)
        right.append(y)
    A, y = np.concatenate(left), np.concatenate(right)
    if D is not None:
        theta = np.linalg.lstsq(A[:, :-1], y - A[:, -1] * D, rcond=None)[0]
        return theta, D
    found = np.linalg.lstsq(A, y, rcond=None)[0]
    return found[:-1], float(found[-1])


def _of_density(score: ClosedScore, x: Array, t: float, library: Library, step: float) -> tuple[Array, Array]:
    """Of a score that knows log p: both sides but for their means, which are zero under p."""
    from gen_core.defects.score import features

    value, slope, bend = features(score.tests, score.centre, score.scale, score.periodic, x)
    s, change = slope @ score.weights(t), value @ score.change(t)
    drift = -divergence(library.forces, x, step) - np.einsum("nm,nml->nl", s, library.forces(x))
    A = np.column_stack([drift, bend @ score.weights(t) + (s**2).sum(1)])
    return A - A.mean(0), change - change.mean()


def _of_score(score: Score, x: Array, t: float, library: Library, step: float, pause: float) -> tuple[Array, Array]:
    """Of any score: the gradient of the equation, a row for each coordinate."""
    n = len(x)

    def terms(at: Array) -> Array:
        s = score.at(at, t).reshape(len(at), -1)
        drift = -divergence(library.forces, at, step) - np.einsum("nm,nml->nl", s, library.forces(at))
        wide = divergence(lambda place: score.at(place, t).reshape(len(place), -1), at, 4 * step)
        return np.column_stack([drift, wide + (s**2).sum(1)])

    rate = (score.at(x, t + pause) - score.at(x, t - pause)) / (2 * pause)
    _, N, d = x.shape
    A = np.empty((n, N * d, len(library.names) + 1))
    for i in range(N):
        for j in range(d):
            up, down = x.copy(), x.copy()
            up[:, i, j] += 4 * step
            down[:, i, j] -= 4 * step
            A[:, i * d + j] = (terms(up) - terms(down)) / (8 * step)
    return A.reshape(n * N * d, -1), rate.reshape(-1)
