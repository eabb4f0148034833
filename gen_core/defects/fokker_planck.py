"""A fitted force and diffusion constant beside a score: does the density move as the Fokker-Planck equation says?

d_t s = grad[-div f - f . s + D (div s + |s|^2)]
v = f - D s   (the velocity of the probability; the flow x' = v has the same densities as the stochastic motion)
entropy production rate = E[|v|^2] / D   (Seifert 2012, in units of k_B per unit of time)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gen_core.defects import metrics, simulate
from gen_core.defects.data import Snapshots
from gen_core.defects.derivatives import divergence, gradient
from gen_core.defects.score import ClosedScore, Score, closed

Array = np.ndarray
Force = Callable[[Array], Array]
CELLS = 21  # of the grid of maps along a side
FRAMES = 15  # times of the maps
STEP = 2e-3  # of the spread of the data, for differences in place
PAUSE = 0.02  # of the time between first and last snapshot, for differences in time
ASKED = 300  # replicas that the equation is asked at
FLOW = 800  # replicas that the flow and the stochastic motion are followed for


@dataclass(frozen=True, eq=False)
class Maps:
    """Fields of one particle in two dimensions on a grid: x (g,), y (g,), times (T,); score, change, expected (T, g, g, 2) with
    the first axis of the grid along y; log_density (T, g, g), normalised over the grid; NaN where no particle comes."""

    x: Array
    y: Array
    times: Array
    score: Array
    change: Array
    expected: Array
    log_density: Array


@dataclass(frozen=True, eq=False)
class Check:
    """Where the score and the fit meet.

    difference (K,): median length of d_t s minus what Fokker-Planck expects, over that of d_t s, at each inner time, for
    single particles. (Third derivatives of a density are known badly where few particles are: a mean would tell of tails alone.)
    entropy (K,): the rate of entropy production at each time. flow and stochastic: the first snapshot moved on by each,
    (K, n, N, d); flow_w1 and stochastic_w1 (K,): their sliced W1 distances to the snapshots.
    """

    times: Array
    difference: Array
    entropy: Array
    flow: Array
    stochastic: Array
    flow_w1: Array
    stochastic_w1: Array


def expected_change(score: Score, force: Force, D: float, x: Array, t: float, scale: float) -> Array:
    """What Fokker-Planck says d_t s (n, N, d) is."""
    step = STEP * scale
    n = len(x)

    def inside(at: Array) -> Array:
        flat = lambda place: score.at(place, t).reshape(len(place), -1)  # noqa: E731
        s, f = flat(at), force(at).reshape(len(at), -1)
        spread = divergence(lambda place: force(place).reshape(len(place), -1), at, step)
        return -spread - (f * s).sum(1) + D * (divergence(flat, at, step) + (s**2).sum(1))

    return gradient(inside, x, step).reshape(n, *x.shape[1:])


def change(score: Score, x: Array, t: float, span: float) -> Array:
    """d_t s (n, N, d) of a score."""
    pause = PAUSE * span
    return (score.at(x, t + pause) - score.at(x, t - pause)) / (2 * pause)


def check(score: Score, snapshots: Snapshots, force: Force, D: float, seed: int) -> Check:
    """Compare at the particles of each snapshot, follow flow and stochastic motion, sum up entropy production."""
    times, scale = snapshots.times, snapshots.scale
    span = float(times[-1] - times[0])
    several = snapshots.particles > 1
    difference = np.full(len(times), np.nan)
    entropy = np.empty(len(times))
    for k, t in enumerate(times):
        x = snapshots.positions[k][:ASKED]
        if 0 < k < len(times) - 1 and not several:  # of many coordinates the third derivatives take minutes
            told = change(score, x, float(t), span)
            left = expected_change(score, force, D, x, float(t), scale) - told
            size = lambda field: float(np.median(np.linalg.norm(field.reshape(len(field), -1), axis=1)))  # noqa: E731
            difference[k] = size(left) / max(size(told), 1e-12)
        x = snapshots.positions[k][:FLOW]
        entropy[k] = float(((force(x) - D * score.at(x, float(t))) ** 2).sum((1, 2)).mean() / D) if D > 0 else np.nan
    start = snapshots.positions[0][: FLOW // (4 if several else 1)]
    flow = snapshots.wrapped(_flow(score, force, D, start, times, snapshots.limits))
    pause = float(np.diff(times).min()) / 10
    moved = simulate.followed(start, force, max(D, 0.0), times, pause, seed, snapshots.limits)
    stochastic = snapshots.wrapped(np.array(moved))
    apart = lambda moved: np.array([  # noqa: E731
        metrics.w1(moved[k].reshape(-1, snapshots.d), x.reshape(-1, snapshots.d), snapshots.box)
        for k, x in enumerate(snapshots.positions)
    ])  # fmt: skip
    return Check(times, difference, entropy, flow, stochastic, apart(flow), apart(stochastic))


def half(snapshots: Snapshots, which: int, seed: int) -> ClosedScore:
    """The score in closed form of one half (0 or 1) of the replicas."""
    return closed(replace(snapshots, positions=[x[which::2] for x in snapshots.positions]), seed)


def noise(snapshots: Snapshots, force: Force, D: float, halves: Sequence[Score]) -> float:
    """What the median difference from Fokker-Planck would be by the noise of the score alone: half of what the scores of two
    halves of the snapshots differ by, over d_t s. Single particles; NaN for several."""
    if snapshots.particles > 1 or D <= 0:
        return float("nan")
    span, found = float(snapshots.times[-1] - snapshots.times[0]), []
    for k, t in enumerate(snapshots.times[1:-1], 1):
        x = snapshots.positions[k][: ASKED // 2]
        told = [change(half, x, float(t), span) for half in halves]
        left = [
            expected_change(half, force, D, x, float(t), snapshots.scale) - own for half, own in zip(halves, told, strict=True)
        ]
        length = lambda field: float(np.median(np.linalg.norm(field.reshape(len(field), -1), axis=1)))  # noqa: E731
        found.append(length(left[0] - left[1]) / 2 / max(length((told[0] + told[1]) / 2), 1e-12))
    return float(np.median(found))


def maps(score: Score, snapshots: Snapshots, force: Force | None, D: float) -> Maps | None:
    """The fields on a grid over the middle of the data; None but for single particles in two dimensions."""
    if snapshots.particles > 1 or snapshots.d != 2:
        return None
    low, high = snapshots.span
    x, y = np.linspace(low[0], high[0], CELLS), np.linspace(low[1], high[1], CELLS)
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 1, 2)
    times = np.linspace(snapshots.times[0], snapshots.times[-1], FRAMES)
    span = float(times[-1] - times[0])
    shape = (CELLS, CELLS, 2)
    fields = []
    for t in times:
        s = score.at(grid, float(t)).reshape(shape)
        moved = change(score, grid, float(np.clip(t, times[0] + PAUSE * span, times[-1] - PAUSE * span)), span).reshape(shape)
        told = np.zeros(shape) if force is None else expected_change(score, force, D, grid, float(t), snapshots.scale)
        fields.append((s, moved, told.reshape(shape), log_density(s, float(x[1] - x[0]), float(y[1] - y[0]))))
    s, moved, told, density = (np.array(part) for part in zip(*fields, strict=True))
    return Maps(x, y, times, s, moved, told, density)


def log_density(s: Array, dx: float, dy: float) -> Array:
    """log p (g, g) on a grid whose gradient is nearest to a score (g, g, 2) in the least-squares sense; p sums to one over it.

    The normal equations are Poisson's with Neumann edges: a cosine transform solves them.
    """
    from scipy.fft import dctn, idctn

    rows, columns = s.shape[:2]
    along_x = (s[:, 1:, 0] + s[:, :-1, 0]) / 2  # of the edges between neighbours
    along_y = (s[1:, :, 1] + s[:-1, :, 1]) / 2
    source = np.zeros((rows, columns))
    source[:, :-1] += along_x / dx
    source[:, 1:] -= along_x / dx
    source[:-1] += along_y / dy
    source[1:] -= along_y / dy
    bend_x = (2 - 2 * np.cos(np.pi * np.arange(columns) / columns)) / dx**2
    bend_y = (2 - 2 * np.cos(np.pi * np.arange(rows) / rows)) / dy**2
    bend = bend_y[:, None] + bend_x
    bend[0, 0] = 1.0
    spectrum = -dctn(source, type=2, norm="ortho") / bend
    spectrum[0, 0] = 0.0
    found = np.asarray(idctn(spectrum, type=2, norm="ortho"))
    return np.asarray(found - np.log(np.exp(found - found.max()).sum() * dx * dy) - found.max())


def _flow(score: Score, force: Force, D: float, start: Array, times: Array, limits: tuple[Array, Array]) -> Array:
    """Positions at each time of particles that follow v = f - D s, by Runge-Kutta's midpoint rule."""
    out, x = [start], start
    for a, b in itertools.pairwise(times):
        dt = float(b - a) / 4
        for i in range(4):
            t = float(a) + i * dt
            half = x + dt / 2 * (force(x) - D * score.at(x, t))
            x = np.clip(x + dt * (force(half) - D * score.at(half, t + dt / 2)), *limits)
        out.append(x)
    return np.array(out)
