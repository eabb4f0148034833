"""Tomography of two pixels and one ray, where everything can be drawn: the line that a measurement leaves, and what a prior says
on it.

    y = sqrt(2) (cos t x1 + sin t x2) + noise,   at t = 45 degrees y = x1 + x2 + noise

The prior is a bent ridge, as a mixture of Gaussians along a parabola. Its posterior is a mixture again, and so is either of them
after noise was added: the score that Langevin dynamics follows is exact. Quadrature of prior times likelihood checks it all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import RecipeError
from gen_core.recipe import Recipe
from gen_core.stamp import write_csv

Array = np.ndarray
MIDDLE = np.array([1.3, 0.9])  # of the prior: near the attenuation of water
BOTH, APART = np.array([1.0, 1.0]) / math.sqrt(2), np.array([1.0, -1.0]) / math.sqrt(2)
LONG, THICK, PARTS = 0.8, 0.1, 41  # deviation of the prior along its ridge and across it; Gaussians it is made of
PARTICLES, FRAMES = 300, 24
HIGH, LOW, EACH = 2.0, 0.02, 3  # noise of Langevin dynamics at its start and end, steps at each level
STEP = 0.5  # of the variance of the noise
BINS = 40


@dataclass(frozen=True)
class Asked:
    """The sliders: the measured value, the deviation of its noise, how bent the prior is, the ray's angle, Langevin's steps."""

    y: float = 2.8
    noise: float = 0.15
    curvature: float = 1.0
    angle: float = 45.0
    steps: int = 90
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.noise > 0 and self.steps >= 2 and 0 <= self.angle <= 90):
            raise RecipeError("Two pixels: the noise must be above 0, the angle 0 to 90 degrees, and the steps 2 or more.")

    @property
    def ray(self) -> Array:
        """How much of each pixel (2,) the measurement sums up."""
        t = math.radians(self.angle)
        return math.sqrt(2) * np.array([math.cos(t), math.sin(t)])


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians in the plane: logarithms of their weights (k,), means (k, 2), covariances (k, 2, 2)."""

    log_weights: Array
    means: Array
    covariances: Array

    def log_density(self, x: Array) -> Array:
        """log p(x) (n,) at points (n, 2)."""
        return _log_sum(self._each(x)[0])

    def noisy(self, sigma: float) -> Mixture:
        """The same after noise of this deviation was added."""
        return Mixture(self.log_weights, self.means, self.covariances + sigma**2 * np.eye(2))

    def score(self, x: Array) -> Array:
        """The gradient (n, 2) of log p at points (n, 2)."""
        each, pull = self._each(x)
        share = np.exp(each - _log_sum(each)[:, None])
        return np.asarray((share[..., None] * pull).sum(1))

    def given(self, ray: Array, y: float, noise: float) -> Mixture:
        """The posterior after ray . x + noise was found to be y."""
        seen = self.covariances @ ray  # (k, 2)
        spread = seen @ ray + noise**2  # (k,)
        off = y - self.means @ ray
        weights = self.log_weights - 0.5 * (off**2 / spread + np.log(2 * np.pi * spread))
        means = self.means + seen * (off / spread)[:, None]
        covariances = self.covariances - seen[:, :, None] * seen[:, None, :] / spread[:, None, None]
        return Mixture(weights - _log_sum(weights[None])[0], means, covariances)

    @property
    def mean(self) -> Array:
        """The mean (2,)."""
        return np.asarray(np.exp(self.log_weights) @ self.means)

    def summit(self, x: Array, steps: int = 60) -> Array:
        """The mode (2,) above a point, by the fixed point of the vanishing gradient (Carreira-Perpinan 2000)."""
        inverse = np.linalg.inv(self.covariances)
        for _ in range(steps):
            share = np.exp(self._each(x[None])[0][0])[:, None, None] * inverse
            share /= max(float(share.max()), 1e-300)
            new = np.linalg.solve(share.sum(0), (share @ self.means[..., None]).sum(0)[:, 0])
            if np.abs(new - x).max() < 1e-9:
                break
            x = new
        return x

    def _each(self, x: Array) -> tuple[Array, Array]:
        """log of weight times density of each Gaussian (n, k), and its pull (n, k, 2)."""
        inverse = np.linalg.inv(self.covariances)
        off = self.means[None] - x[:, None]  # (n, k, 2)
        a, b, c = inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]
        u, v = off[..., 0], off[..., 1]
        pull = np.stack([a * u + b * v, b * u + c * v], -1)
        size = self.log_weights + 0.5 * np.log(a * c - b * b) - math.log(2 * math.pi)
        return size - 0.5 * (u * pull[..., 0] + v * pull[..., 1]), pull


def prior_of(curvature: float) -> Mixture:
    """The bent ridge: x = MIDDLE + b apart + curvature (b^2 - LONG^2 / 2) both, b normal, thick across."""
    b = np.linspace(-2.8, 2.8, PARTS) * LONG
    means = MIDDLE + b[:, None] * APART + curvature * (b**2 - LONG**2 / 2)[:, None] * BOTH
    weights = -0.5 * (b / LONG) ** 2
    along = APART + 2 * curvature * b[:, None] * BOTH  # (k, 2): one step of b moves by this
    step = b[1] - b[0]
    across = np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)
    covariances = step**2 * along[:, :, None] * along[:, None, :] + THICK**2 * across[:, :, None] * across[:, None, :]
    return Mixture(weights - _log_sum(weights[None])[0], means, covariances)


@dataclass(frozen=True, eq=False)
class Found:
    """What one measurement of two pixels leaves.

    places (m,) along the line, from the foot of its perpendicular; `along` (m,) the posterior there by quadrature over what lies
    across. `points` are solutions (2,) by name. paths (frames, n, 2) are Langevin's particles after `at` steps. `numbers` as the
    page tells them.
    """

    asked: Asked
    prior: Mixture
    posterior: Mixture
    places: Array
    along: Array
    points: dict[str, Array]
    paths: Array
    at: Array
    split: float | None
    numbers: dict[str, float]

    @property
    def foot(self) -> Array:
        """The point (2,) of the line next to the origin, from where places are counted."""
        return self.points["least_norm"]

    @property
    def way(self) -> Array:
        """The direction (2,) of the line."""
        ray = self.asked.ray / math.sqrt(2)
        return np.array([ray[1], -ray[0]])

    def place(self, x: Array) -> Array:
        """How far along the line points (..., 2) lie."""
        return np.asarray((x - self.foot) @ self.way)


def solve(asked: Asked) -> Found:
    """The line, the exact posterior, the solutions of single methods, and Langevin's particles."""
    prior, ray = prior_of(asked.curvature), asked.ray
    posterior = prior.given(ray, asked.y, asked.noise)
    places, along, mean, top = quadrature(prior, asked, *_extent(posterior, asked))
    points = {
        "least_norm": asked.y * ray / 2,  # |ray|^2 is 2
        "tv": np.full(2, asked.y / ray.sum()),  # both alike: no variation, and the data are met
        "map": posterior.summit(top),
        "mean": mean,
    }
    at, paths = [], []
    wanted = set(np.unique(np.linspace(0, asked.steps, FRAMES).round().astype(int)).tolist())
    for i, particles in enumerate(langevin(posterior, asked)):
        if i in wanted:
            at.append(i)
            paths.append(particles)
    split = _valley(places, along)
    found = Found(asked, prior, posterior, places, along, points, np.array(paths), np.array(at), split, {})
    found.numbers.update(_numbers(found))
    return found


def quadrature(prior: Mixture, asked: Asked, middle: tuple[float, float], reach: tuple[float, float]) -> tuple[Array, ...]:
    """Places along the line (m,), the density there with what lies across summed up, the mean (2,) and the densest point (2,).

    Prior times likelihood is summed on a grid that lies along the line, so that a narrow band is met too: about `middle`, as far
    as `reach` on either side, along the line and across it.
    """
    foot, across = asked.y * asked.ray / 2, asked.ray / math.sqrt(2)
    way = np.array([across[1], -across[0]])
    s = middle[0] + reach[0] * np.linspace(-1, 1, 321)
    r = middle[1] + reach[1] * np.linspace(-1, 1, 33)
    x = foot + r[:, None, None] * across + s[None, :, None] * way
    logs = prior.log_density(x.reshape(-1, 2)).reshape(len(r), len(s)) - 0.5 * (math.sqrt(2) * r / asked.noise)[:, None] ** 2
    density = np.exp(logs - logs.max())
    mean = (density[..., None] * x).sum((0, 1)) / density.sum()
    return s, density.sum(0) / density.sum() / (s[1] - s[0]), mean, x.reshape(-1, 2)[logs.argmax()]


def _extent(posterior: Mixture, asked: Asked) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle and the reach of the grid, along the line and across it: all Gaussians that weigh anything, five deviations."""
    foot, across = asked.y * asked.ray / 2, asked.ray / math.sqrt(2)
    there = posterior.log_weights > posterior.log_weights.max() - 14
    found = []
    for axis in (np.array([across[1], -across[0]]), across):
        at = (posterior.means[there] - foot) @ axis
        spread = np.sqrt(np.maximum((posterior.covariances[there] @ axis) @ axis, 1e-12))
        found.append((float((at - 5 * spread).min()), float((at + 5 * spread).max())))
    (a, b), (c, d) = found
    return ((a + b) / 2, (c + d) / 2), ((b - a) / 2, (d - c) / 2)


def langevin(posterior: Mixture, asked: Asked) -> Iterator[Array]:
    """Particles (n, 2) of annealed Langevin dynamics, from the start on, one set a step: where they head, E[x0 | x, y]."""
    rng = np.random.default_rng([asked.seed, 2])
    count = max(2, round(asked.steps / EACH))
    ends = HIGH ** (1 / 7), LOW ** (1 / 7)
    levels = [(ends[0] + i / (count - 1) * (ends[1] - ends[0])) ** 7 for i in range(count)]
    x = MIDDLE + HIGH * rng.standard_normal((PARTICLES, 2))
    yield x
    kept, done = math.sqrt(1 - STEP), 0
    for i, (level, low) in enumerate(zip(levels, [*levels[1:], 0.0], strict=True)):
        noisy = posterior.noisy(level)
        for _ in range(EACH if i + 1 < count else asked.steps - done):
            if done == asked.steps:
                return
            clean = x + level**2 * noisy.score(x)  # Tweedie
            done += 1
            yield clean
            x = clean + kept * (x - clean) + level * math.sqrt(1 - kept**2) * rng.standard_normal(x.shape)
        x = clean + low / level * (x - clean)


def _valley(places: Array, along: Array) -> float | None:
    """The place between two peaks of the posterior; None where it has one."""
    inner = (along[1:-1] > along[:-2]) & (along[1:-1] >= along[2:]) & (along[1:-1] > 0.02 * along.max())
    peaks = 1 + np.flatnonzero(inner)
    if len(peaks) < 2:
        return None
    first, second = sorted(sorted(peaks, key=lambda i: -along[i])[:2])
    low = first + int(along[first : second + 1].argmin())
    return float(places[low]) if along[low] < 0.8 * min(along[first], along[second]) else None


def _numbers(found: Found) -> dict[str, float]:
    places, step = found.places, found.places[1] - found.places[0]
    ended = found.place(found.paths[-1])
    edges = np.linspace(places[0], places[-1], BINS + 1)
    exact = np.histogram(places, edges, weights=found.along * step)[0]
    drawn = np.histogram(np.clip(ended, places[0], places[-1]), edges)[0] / len(ended)
    out = {"distance": 0.5 * float(np.abs(exact - drawn).sum())}
    # what as many exact draws would have: the mean absolute deviation of a count that is nearly normal
    out["distance_of_exact_draws"] = 0.5 * float(np.sqrt(2 / np.pi * exact * (1 - np.minimum(exact, 1)) / len(ended)).sum())
    if found.split is not None:
        right = places > found.split
        out["exact_right"] = float((found.along * step)[right].sum())
        out["langevin_right"] = float((ended > found.split).mean())
    dense = lambda x: float(np.exp(found.posterior.log_density(x[None])[0]))  # noqa: E731
    out["mean_over_map"] = dense(found.points["mean"]) / dense(found.points["map"])
    return out


def _log_sum(each: Array) -> Array:
    top = each.max(1)
    return np.asarray(top + np.log(np.exp(each - top[:, None]).sum(1)))


def table(path: Path, found: Found, recipe: Recipe) -> None:
    """What was asked and found, as a CSV file: one quantity a row. The recipe is that of the page it was shown on."""
    rows: list[tuple[str, float]] = [(name, float(getattr(found.asked, name))) for name in found.asked.__dataclass_fields__]
    for name, point in found.points.items():
        rows += [(f"{name}_x1", float(point[0])), (f"{name}_x2", float(point[1]))]
    rows += list(found.numbers.items())
    write_csv(path, recipe, ["quantity", "value"], [(name, f"{value:.6g}") for name, value in rows])
