"""The propagated weak form, for times that no parabola joins: particles of one snapshot are moved on to the next.

With a force and a diffusion constant each snapshot is carried to the time of the next one, and the means of test functions there
are compared with what was observed. The weights are improved by Gauss and Newton with Levenberg's damping: how a particle's
end depends on them is carried along its way (the tangent process), with the same random numbers at every trial. Weights begin at
those of optimal transport and are held near them where the snapshots say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gen_core.defects.additive import Additive
from gen_core.defects.data import Snapshots
from gen_core.defects.libraries import Library
from gen_core.defects.testfunctions import MODE, TestFunctions

Array = np.ndarray
STEPS = 20  # from one snapshot to the next
TRIALS = 10  # improvements, at most
WAVES, RANDOM = 24, 40  # test functions along each axis, and in any direction
ACCEPTED = 1.25  # misfit from which on weights are improved no more
FLOOR = 1e-3  # of the largest eigenvalue of the noise: directions below it are left out
HELD = (1.0, 0.1, 1e-3)  # how firmly the waves of a rough landscape are held at their first weights, tried in this order
SOFT = 20.0  # ridge on these waves in the regression that gives the first weights


@dataclass(frozen=True, eq=False)
class Propagated:
    """Weights theta (L,) and D; misfit is the squared deviation of each mean of a test function, in units of its noise."""

    theta: Array
    D: float
    misfit: float


@dataclass(frozen=True, eq=False)
class _Problem:
    """What the weights must explain: snapshots, what the test functions saw in them, and which particle went where, if told."""

    x: list[Array]
    times: Array
    library: Library
    tests: TestFunctions
    observed: list[Array]
    matches: list[Array] | None
    D: float
    seed: int

    def ends(self, theta: Array, tangent: bool) -> list[tuple[Array, Array]]:
        """Each snapshot but the last moved on to the next, and how it depends on the weights."""
        pauses = np.diff(self.times)
        return [
            _moved(self.x[k], self.library, theta, self.D, float(pauses[k]), self.seed + k, tangent) for k in range(len(pauses))
        ]


def fit(snapshots: Snapshots, library: Library, seed: int) -> Propagated:
    """Fit single particles.

    Where the same population is seen at every time (`snapshots.followed`), the noise of the means is that of its motion alone,
    told by optimal matching. D is what the matched displacements leave unexplained: a little too low, for matching is cheap.
    """
    x, times = snapshots.positions, snapshots.times
    matches = [_matched(a[:, 0], b[:, 0]) for a, b in pairwise(x)]
    waves = np.zeros(len(library.names))
    if isinstance(library, Additive):
        waves[len(library.polynomial.names) :] = 1.0
    first, D = _transported(x, times, library, matches, SOFT * waves)
    tests = _tests(snapshots, seed)
    observed = [tests.evaluate(one)[0] for one in x]
    problem = _Problem(x, times, library, tests, observed, matches if snapshots.followed else None, D, seed)
    theta, misfit = first, _misfit(problem, first)
    if misfit <= ACCEPTED:  # transport explains all that was seen: what is added would be noise
        return Propagated(theta, D, misfit)
    for firmness in HELD if waves.any() else HELD[:1]:  # as firm as the noise allows
        theta, misfit = _improved(problem, theta, first, firmness * waves)
        if misfit <= ACCEPTED:
            break
    return Propagated(theta, D, misfit)


def _misfit(problem: _Problem, theta: Array) -> float:
    """The squared deviation of each mean of a test function, in units of its noise."""
    total, count = 0.0, 0
    for k, (end, _) in enumerate(problem.ends(theta, False)):
        moved, observed = problem.tests.evaluate(end)[0], problem.observed[k + 1]
        white = _whitener(moved, observed, None if problem.matches is None else problem.matches[k])
        left = white.T @ (moved.mean(0) - observed.mean(0))
        total, count = total + float(left @ left), count + len(left)
    return total / max(count, 1)


def _improved(problem: _Problem, theta: Array, first: Array, held: Array) -> tuple[Array, float]:
    """Better weights, held near the first ones, and what is left of the misfit."""
    damping, observed = 1e-2, problem.observed
    for _ in range(TRIALS):
        moved = problem.ends(theta, True)
        told = [problem.tests.evaluate(end) for end, _ in moved]
        white = [
            _whitener(told[k][0], observed[k + 1], None if problem.matches is None else problem.matches[k])
            for k in range(len(told))
        ]
        left = np.concatenate([w.T @ (t[0].mean(0) - o.mean(0)) for w, t, o in zip(white, told, observed[1:], strict=True)])
        slopes = [np.einsum("ndj,ndp->jp", t[1], way, optimize=True) / len(way) for t, (_, way) in zip(told, moved, strict=True)]
        slope = np.concatenate([w.T @ part for w, part in zip(white, slopes, strict=True)])
        now = float(left @ left + (held * (theta - first) ** 2).sum())
        curve, pull = slope.T @ slope + np.diag(held), slope.T @ left + held * (theta - first)
        trial, then, rest = theta, now, left
        for _ in range(6):
            trial = theta - np.linalg.solve(curve + damping * np.diag(np.diag(curve) + 1e-12), pull)
            ends = [problem.tests.evaluate(end)[0].mean(0) for end, _ in problem.ends(trial, False)]
            rest = np.concatenate([w.T @ (end - o.mean(0)) for w, end, o in zip(white, ends, observed[1:], strict=True)])
            then = float(rest @ rest + (held * (trial - first) ** 2).sum())
            if then < now:
                break
            damping *= 5
        if then >= now:
            return theta, float(left @ left) / len(left)
        theta, damping, left = trial, damping / 5, rest
        if now - then < 1e-2 * now:
            break
    return theta, float(left @ left) / len(left)


def _matched(a: Array, b: Array) -> Array:
    """For each place of a (n, d) the one of b that optimal transport sends it to; of unequal snapshots the first of both."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    n = min(len(a), len(b), 2_500)
    return np.asarray(linear_sum_assignment(cdist(a[:n], b[:n], "sqeuclidean"))[1])


def _transported(x: list[Array], times: Array, library: Library, matches: list[Array], ridge: Array) -> tuple[Array, float]:
    """Weights from the matched velocities at the middle of their way, and D from what is left of these."""
    left, right = [], []
    for (a, b), (t, u), match in zip(pairwise(x), pairwise(times), matches, strict=True):
        one, other = a[: len(match)], b[match]
        left.append(library.forces((one + other) / 2).reshape(-1, len(library.names)))
        right.append(((other - one) / (u - t)).reshape(-1))
    A, y = np.concatenate(left), np.concatenate(right)
    theta = np.linalg.solve(A.T @ A + np.diag(ridge + 1e-9 * np.trace(A.T @ A) / len(ridge)), A.T @ y)
    pause = float(np.diff(times).mean())
    spread = 1.4826 * float(np.median(np.abs(y - A @ theta)))  # a few are matched wrongly, and far
    return theta, max(spread**2 * pause / 2, 1e-12)


def _tests(snapshots: Snapshots, seed: int) -> TestFunctions:
    """Waves along each axis, which see a rough landscape, and random ones."""
    points, d = snapshots.pooled(), snapshots.d
    centre, reach = span_of(points)
    axes = np.concatenate([np.outer(np.arange(1, WAVES + 1) * np.pi / reach[i], np.eye(d)[i]) for i in range(d)])
    rng = np.random.default_rng([seed, 13])
    waves = np.concatenate([axes, axes, rng.standard_normal((RANDOM, d)) * MODE / snapshots.scale])
    phases = np.concatenate([-axes @ centre, np.pi / 2 - axes @ centre, rng.uniform(0, 2 * np.pi, RANDOM)])
    return TestFunctions(waves, phases, np.zeros(0))


def span_of(points: Array) -> tuple[Array, Array]:
    """The middle (d,) of the range of points and a little more than half of it."""
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, 0.51 * (high - low)


def _moved(x: Array, library: Library, theta: Array, D: float, pause: float, seed: int, tangent: bool) -> tuple[Array, Array]:
    """Particles (n, 1, d) moved on for a while, and how their ends depend on the weights (n, d, L)."""
    rng = np.random.default_rng([seed, 29])
    n, _, d = x.shape
    h, tiny = pause / STEPS, 1e-5 * float(np.ptp(x))
    way = np.zeros((n, d, len(theta)))
    low, high = x.min((0, 1)) - np.ptp(x), x.max((0, 1)) + np.ptp(x)
    for _ in range(STEPS):
        kick = np.sqrt(2 * D * h) * rng.standard_normal(x.shape)
        terms = library.forces(x)
        if tangent:
            bend = np.empty((n, d, d))
            for i in range(d):
                step = np.zeros(d)
                step[i] = tiny
                bend[:, :, i] = ((library.forces(x + step) - library.forces(x - step)) @ theta) / (2 * tiny)
            way = way + h * (bend @ way + terms)
        x = np.clip(x + h * (terms @ theta).reshape(x.shape) + kick, low, high)
    return x, way


def _whitener(moved: Array, observed: Array, match: Array | None) -> Array:
    """Directions of the means of test functions, scaled to noise of one."""
    if match is None:
        noise = np.cov(moved.T) / len(moved) + np.cov(observed.T) / len(observed)
    else:
        noise = np.cov((moved[: len(match)] - observed[match]).T) / len(match)
    values, vectors = np.linalg.eigh(noise)
    kept = values > FLOOR * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))
