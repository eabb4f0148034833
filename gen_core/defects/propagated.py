"""The propagated weak form, for times that no parabola joins: particles of one snapshot are moved on to the next.

With a force and a diffusion constant each snapshot is carried to the time of the next one, and the means of test functions there
are compared with what was observed. Weights and D are improved by Gauss and Newton with Levenberg's damping: how a particle's
end depends on them is carried along its way (the tangent process), with the same random numbers at every trial. Weights begin at
those of the weak form or of optimal transport, and are held near them where the snapshots say nothing. Of one population that
is seen at every time D is that of the matched ways, see `matching`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gen_core.defects import matching
from gen_core.defects.additive import Additive
from gen_core.defects.data import Snapshots
from gen_core.defects.libraries import Library
from gen_core.defects.testfunctions import MODE, TestFunctions

Array = np.ndarray
Begin = Callable[[Library], tuple[Array, float]]
STEPS = 20  # from one snapshot to the next
TRIALS = 10  # improvements, at most
WAVES, RANDOM = 24, 40  # test functions along each axis, and in any direction
ACCEPTED = 1.25  # misfit from which on weights are improved no more
FLOOR = 1e-3  # of the largest eigenvalue of the noise: directions below it are left out
HELD = (1.0, 0.1, 1e-3)  # how firmly the waves of a rough landscape are held at their first weights, tried in this order
SOFT = 20.0  # ridge on these waves in the regression that gives the first weights
FIXED = 1e9  # how firmly D is held where matching told it
CARRIED = 2_500  # replicas of each snapshot that are moved on, at most


@dataclass(frozen=True, eq=False)
class Propagated:
    """Weights theta (L,) of a library and D, with draws (B, L + 1) of them; misfit is the squared deviation of each mean of a
    test function, in units of its noise."""

    library: Library
    theta: Array
    D: float
    misfit: float
    draws: Array


@dataclass(frozen=True, eq=False)
class _Problem:
    """What the weights must explain: snapshots, what the test functions saw in them, and which particle went where, if told."""

    x: list[Array]
    times: Array
    library: Library
    tests: TestFunctions
    observed: list[Array]
    matches: list[Array] | None
    seed: int

    def ends(self, at: Array, tangent: bool) -> list[tuple[Array, Array]]:
        """Each snapshot but the last moved on to the next, and how it depends on the weights and log D."""
        pauses = np.diff(self.times)
        D = float(np.exp(at[-1]))
        return [_moved(self.x[k], self.library, at[:-1], D, float(pauses[k]), self.seed + k, tangent) for k in range(len(pauses))]

    def whitener(self, k: int, moved: Array) -> Array:
        """Of the means at the end of the k-th way."""
        return _whitener(moved, self.observed[k + 1], None if self.matches is None else self.matches[k])


def fit(
    snapshots: Snapshots, libraries: Sequence[Library], seed: int, bootstrap: int = 20, begin: Begin | None = None
) -> Propagated:
    """Fit single particles by the first of these libraries that explains them, else by the last; `begin` gives weights and a D
    to begin at.

    Where the same population is seen at every time (`snapshots.followed`), the noise of the means is that of its motion alone,
    told by optimal matching, which then gives D too, unless particles lie too dense for it.
    """
    x, times = [one[:CARRIED] for one in snapshots.positions], snapshots.times
    tests = _tests(snapshots, seed)
    observed = [tests.evaluate(one)[0] for one in x]
    followed = snapshots.followed and _told_apart(x, times, libraries[-1], tests, observed, seed)
    matches = [matching.matched(a[:, 0], b[:, 0]) for a, b in pairwise(x)] if followed or begin is None else None
    for library in libraries:
        problem = _Problem(x, times, library, tests, observed, matches if followed else None, seed)
        ridge = _ridge(library)
        if matches is not None:
            ways = matching.transported(x, times, library, matches, SOFT * ridge[:-1])
        if followed:
            found = _of_matched(problem, ways, ridge, bootstrap)
        else:
            found = _of_means(problem, *((ways.theta, ways.D) if begin is None else begin(library)), ridge, bootstrap)
        if found.misfit <= ACCEPTED:
            break
    told = _corrected(problem, ways, found.theta) if followed else None
    if told is None:
        return found
    wide = (found.draws[:, -1] / found.D) ** np.sqrt(2)  # the simulations have as much noise again
    draws = np.column_stack([found.draws[:, :-1], told * wide])
    return replace(found, D=told, draws=draws)


def _told_apart(x: list[Array], times: Array, library: Library, tests: TestFunctions, observed: list[Array], seed: int) -> bool:
    """Whether matching tells D of one population: its particles must not lie too dense for how far they move."""
    first, pause, ridge = x[:2], times[:2], _ridge(library)
    matches = [matching.matched(x[0][:, 0], x[1][:, 0])]
    ways = matching.transported(first, pause, library, matches, SOFT * ridge[:-1])
    return _corrected(_Problem(first, pause, library, tests, observed[:2], matches, seed), ways, ways.theta) is not None


def _corrected(problem: _Problem, ways: matching.Ways, theta: Array) -> float | None:
    """D of the matched ways, corrected for how cheap matching is."""
    other = replace(problem, seed=problem.seed + 101)  # noise of its own
    again = lambda D: [end for end, _ in other.ends(np.append(theta, np.log(D)), False)]  # noqa: E731
    return matching.corrected(problem.x, ways, again, problem.times, problem.library, SOFT * _ridge(problem.library)[:-1])


def _ridge(library: Library) -> Array:
    """Which of the weights and log D (L + 1,) are held near the first ones: the waves of a rough landscape."""
    out = np.zeros(len(library.names) + 1)
    if isinstance(library, Additive):
        out[len(library.polynomial.names) : -1] = 1.0
    return out


def _of_means(problem: _Problem, theta: Array, D: float, ridge: Array, bootstrap: int) -> Propagated:
    """Weights and D together."""
    begin = np.append(theta, np.log(D))
    at, misfit, firmness = begin, np.inf, HELD[0]
    for firmness in HELD if ridge.any() else HELD[:1]:  # as firm as the noise allows
        at, misfit = _improved(problem, at, begin, firmness * ridge)
        if misfit <= ACCEPTED:
            break
    draws = _draws(problem, at, firmness * ridge, bootstrap, problem.seed)
    return Propagated(problem.library, at[:-1], float(np.exp(at[-1])), misfit, draws)


def _of_matched(problem: _Problem, ways: matching.Ways, ridge: Array, bootstrap: int) -> Propagated:
    """Weights where the matched ways tell D."""
    first = np.append(ways.theta, np.log(ways.D))
    draws = matching.draws(ways, SOFT * ridge[:-1], bootstrap, problem.seed)
    at, misfit = first, _misfit(problem, first)
    if misfit <= ACCEPTED:  # transport explains all that was seen: what is added would be noise
        return Propagated(problem.library, ways.theta, ways.D, misfit, draws)
    fixed = np.append(np.zeros(len(first) - 1), FIXED)
    firmness = HELD[0]
    for firmness in HELD if ridge.any() else HELD[:1]:  # as firm as the noise allows
        at, misfit = _improved(problem, at, first, firmness * ridge + fixed)
        if misfit <= ACCEPTED:
            break
    weights = _draws(problem, at, firmness * ridge + fixed, bootstrap, problem.seed)
    return Propagated(problem.library, at[:-1], ways.D, misfit, np.column_stack([weights[:, :-1], draws[:, -1]]))


def _misfit(problem: _Problem, at: Array) -> float:
    """The squared deviation of each mean of a test function, in units of its noise."""
    total, count = 0.0, 0
    for k, (end, _) in enumerate(problem.ends(at, False)):
        moved = problem.tests.evaluate(end)[0]
        left = problem.whitener(k, moved).T @ (moved.mean(0) - problem.observed[k + 1].mean(0))
        total, count = total + float(left @ left), count + len(left)
    return total / max(count, 1)


def _slopes(problem: _Problem, at: Array) -> tuple[list[Array], list[Array], Array]:
    """Values of the test functions at the ends, their whiteners, and how the whitened means depend on weights and log D."""
    moved = problem.ends(at, True)
    told = [problem.tests.evaluate(end) for end, _ in moved]
    white = [problem.whitener(k, one[0]) for k, one in enumerate(told)]
    slopes = [np.einsum("ndj,ndp->jp", t[1], way, optimize=True) / len(way) for t, (_, way) in zip(told, moved, strict=True)]
    return [t[0] for t in told], white, np.concatenate([w.T @ part for w, part in zip(white, slopes, strict=True)])


def _improved(problem: _Problem, at: Array, first: Array, held: Array) -> tuple[Array, float]:
    """Better weights and log D, held near the first ones, and what is left of the misfit."""
    damping, observed = 1e-2, problem.observed
    for _ in range(TRIALS):
        values, white, slope = _slopes(problem, at)
        left = np.concatenate([w.T @ (v.mean(0) - o.mean(0)) for w, v, o in zip(white, values, observed[1:], strict=True)])
        now = float(left @ left + (held * (at - first) ** 2).sum())
        curve, pull = slope.T @ slope + np.diag(held), slope.T @ left + held * (at - first)
        trial, then, rest = at, now, left
        for _ in range(6):
            step = np.linalg.solve(curve + damping * np.diag(np.diag(curve) + 1e-12), pull)
            step[-1] = np.clip(step[-1], -1.0, 1.0)  # log D: a factor of e at most
            trial = at - step
            ends = [problem.tests.evaluate(end)[0].mean(0) for end, _ in problem.ends(trial, False)]
            rest = np.concatenate([w.T @ (end - o.mean(0)) for w, end, o in zip(white, ends, observed[1:], strict=True)])
            then = float(rest @ rest + (held * (trial - first) ** 2).sum())
            if then < now:
                break
            damping *= 5
        if then >= now:
            return at, float(left @ left) / len(left)
        at, damping, left = trial, damping / 5, rest
        if now - then < 1e-2 * now:
            break
    return at, float(left @ left) / len(left)


def _draws(problem: _Problem, at: Array, held: Array, count: int, seed: int) -> Array:
    """Draws (B, L + 1) of weights and D: replicas with exponential weights (Rubin 1981), and one step of Gauss and Newton from
    the answer for each, with its slopes."""
    rng = np.random.default_rng([seed, 37])
    values, white, slope = _slopes(problem, at)
    curve = slope.T @ slope + np.diag(held)
    u = [rng.exponential(size=(count, len(one))) for one in problem.x]
    if problem.matches is not None:  # one population: its replicas keep their weights
        for k, match in enumerate(problem.matches):
            n = len(match)
            u[k + 1][:, match] = u[k][:, :n]
    mean = lambda w, v: w @ v / w.sum(1, keepdims=True) - v.mean(0)  # noqa: E731
    noise = np.concatenate(
        [(mean(u[k], v) - mean(u[k + 1], problem.observed[k + 1])) @ white[k] for k, v in enumerate(values)], 1
    )  # (B, rows)
    moved = at - np.linalg.solve(curve + 1e-9 * np.diag(np.diag(curve) + 1e-12), slope.T @ noise.T).T
    moved[:, -1] = np.exp(np.clip(moved[:, -1], at[-1] - 5, at[-1] + 5))
    return np.asarray(moved)


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
    """Particles (n, 1, d) moved on for a while, and how their ends depend on the weights and on log D (n, d, L + 1)."""
    rng = np.random.default_rng([seed, 29])
    n, _, d = x.shape
    h, tiny = pause / STEPS, 1e-5 * float(np.ptp(x))
    way = np.zeros((n, d, len(theta) + 1))
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
            way = way + h * bend @ way
            way[..., :-1] += h * terms
            way[..., -1] += kick[:, 0] / 2
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
