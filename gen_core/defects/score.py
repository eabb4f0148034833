"""The score s(x, t) = grad log p(x, t) of the snapshots: what every score can do, and one in closed form.

In closed form log p is a sum of known functions, a Gaussian's and random waves (for interacting particles, of distances too),
and score matching (Hyvarinen 2005) is one linear equation for their weights at each time; the weights are smooth in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.defects.testfunctions import TestFunctions, drawn

Array = np.ndarray
WAVES, RADIAL = 60, 20
MODE = 0.6  # spread of the frequencies, in units of one over the spread of the data: derivatives of the score are wanted, too
RIDGES = np.geomspace(1e-5, 1.0, 11)  # that cross-validation chooses from
SEEN = 4_000  # replicas of a snapshot, at most, that the score is made of
DEGREE = 4  # of the polynomial of time through the weights


class Score(Protocol):
    """The score of configurations."""

    def at(self, x: Array, t: float) -> Array:
        """s (n, N, d) at positions (n, N, d) and time t."""
        ...


@dataclass(frozen=True, eq=False)
class ClosedScore:
    """A score whose log density is a sum of functions; weights (K, F) at the times (K,), and their polynomials in time."""

    tests: TestFunctions
    centre: Array
    scale: float
    times: Array
    powers: Array  # (degree + 1, F): of time from 0 at the first to 1 at the last snapshot
    periodic: bool

    def weights(self, t: float) -> Array:
        """Weights (F,) at a time."""
        u = (t - self.times[0]) / (self.times[-1] - self.times[0])
        return u ** np.arange(len(self.powers)) @ self.powers

    def change(self, t: float) -> Array:
        """Their rate of change (F,)."""
        span = self.times[-1] - self.times[0]
        u, k = (t - self.times[0]) / span, np.arange(1, len(self.powers))
        return (k * u ** (k - 1)) @ self.powers[1:] / span

    def at(self, x: Array, t: float) -> Array:
        """As `Score.at`."""
        weights, d = self.weights(t), x.shape[2]
        if len(self.tests.radial):
            return (features(self.tests, self.centre, self.scale, self.periodic, x)[1] @ weights).reshape(x.shape)
        first = 0 if self.periodic else d + d * (d + 1) // 2
        waves = self.tests.waves  # without the table of all gradients, which is slow to fill
        s = -(np.sin(x @ waves.T + self.tests.phases) * weights[first:]) @ waves
        if first:
            bend = np.zeros((d, d))
            bend[_upper(d)] = weights[d:first]
            s += (weights[:d] + (x - self.centre) / self.scale @ (bend + bend.T)) / self.scale
        return np.asarray(s)

    def log_density(self, x: Array, t: float) -> Array:
        """log p (n,) but for a constant of each time."""
        return features(self.tests, self.centre, self.scale, self.periodic, x)[0] @ self.weights(t)


@lru_cache(maxsize=4)
def _upper(d: int) -> tuple[Array, Array]:
    """Where the upper triangle of a matrix (d, d) lies, which takes longer to find than to fill."""
    return np.triu_indices(d)


def features(tests: TestFunctions, centre: Array, scale: float, periodic: bool, x: Array) -> tuple[Array, Array, Array]:
    """Values (n, F), gradients (n, N * d, F) and Laplacians (n, F) of the functions that log p is a sum of."""
    n, N, d = x.shape
    phi, gradient, laplacian = tests.evaluate(x)
    phi, gradient, laplacian = N * phi, N * gradient, N * laplacian  # a configuration's log p is a sum over its particles
    if periodic:
        return phi, gradient, laplacian
    z = (x - centre) / scale
    values, slopes, bends = [], [], []
    for i in range(d):
        values.append(z[..., i].sum(1))
        slope = np.zeros((n, N, d))
        slope[..., i] = 1 / scale
        slopes.append(slope)
        bends.append(np.zeros(n))
    for i in range(d):
        for j in range(i, d):
            values.append((z[..., i] * z[..., j]).sum(1))
            slope = np.zeros((n, N, d))
            slope[..., i] += z[..., j] / scale
            slope[..., j] += z[..., i] / scale
            slopes.append(slope)
            bends.append(np.full(n, 2 * N / scale**2 if i == j else 0.0))
    return (
        np.concatenate([np.stack(values, 1), phi], 1),
        np.concatenate([np.stack(slopes, -1).reshape(n, N * d, -1), gradient], 2),
        np.concatenate([np.stack(bends, 1), laplacian], 1),
    )


def closed(snapshots: Snapshots, seed: int = 0) -> ClosedScore:
    """The score in closed form of these snapshots; the ridge is that of the lowest loss on halves left out."""
    pair = snapshots.particles > 1
    scale, centre, periodic = snapshots.scale, snapshots.centre, snapshots.box is not None
    tests = drawn(scale, snapshots.d, WAVES, RADIAL if pair else 0, seed + 1, snapshots.box, snapshots.charges, MODE)
    halves = [[_normal(tests, centre, scale, periodic, x[:SEEN][part::2]) for part in (0, 1)] for x in snapshots.positions]
    losses = np.zeros(len(RIDGES))
    for one, other in halves:
        for (M, v), (Mo, vo) in ((one, other), (other, one)):
            for i, ridge in enumerate(RIDGES):
                a = _solved(M, v, ridge, snapshots.d if not periodic else 0)
                losses[i] += 0.5 * a @ Mo @ a + vo @ a
    ridge = float(RIDGES[np.argmin(losses)])
    found = [_solved((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, ridge / 2, snapshots.d if not periodic else 0) for a, b in halves]
    return ClosedScore(tests, centre, scale, snapshots.times, _smooth(snapshots.times, found), periodic)


def projected(score: Score, snapshots: Snapshots, seed: int = 0) -> ClosedScore:
    """The score in closed form that is nearest to another at the particles: smoother, and the gradient of a log density."""
    if isinstance(score, ClosedScore):
        return score
    base = closed(snapshots, seed)
    found = []
    for x, t in zip(snapshots.positions, snapshots.times, strict=True):
        some = x[:SEEN]
        slopes = features(base.tests, base.centre, base.scale, base.periodic, some)[1]
        flat = slopes.reshape(-1, slopes.shape[-1])
        M = flat.T @ flat
        M += 1e-4 * np.mean(np.diag(M)) * np.eye(len(M))
        found.append(np.linalg.solve(M, flat.T @ score.at(some, float(t)).reshape(-1)))
    return replace(base, powers=_smooth(snapshots.times, found))


def _normal(tests: TestFunctions, centre: Array, scale: float, periodic: bool, x: Array) -> tuple[Array, Array]:
    """Score matching as a quadratic form in the weights: 1/2 a M a + v a, of these replicas."""
    _, gradient, laplacian = features(tests, centre, scale, periodic, x)
    flat = gradient.reshape(-1, gradient.shape[-1])
    return flat.T @ flat / len(x), laplacian.mean(0)


def _solved(M: Array, v: Array, ridge: float, d: int) -> Array:
    """The weights of least loss; the Gaussian's (the first of them) are not held back."""
    penalty = np.full(len(v), ridge) * float(np.mean(np.diag(M)))
    penalty[: d + d * (d + 1) // 2 if d else 0] *= 1e-6
    return -np.linalg.solve(M + np.diag(penalty), v)


def _smooth(times: Array, found: Sequence[Array]) -> Array:
    """Polynomials of time through the weights (K, F)."""
    u = (times - times[0]) / (times[-1] - times[0])
    table = u[:, None] ** np.arange(min(len(times) - 1, DEGREE) + 1)
    return np.linalg.lstsq(table, np.array(found), rcond=None)[0]
