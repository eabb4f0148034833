"""The closed-form posterior under a Gaussian prior: principal components of slices, and equal noise in all other directions.

The prior is N(mean, U diag(variance) U^T + rest I) (Tipping and Bishop 1999), the data are y = A x + noise. The posterior is
Gaussian, too: its mean and its samples solve one linear system (Papandreou and Yuille 2010 for the samples), by conjugate
gradients. These are preconditioned by the posterior of a scanner that treats all pixels alike, which Woodbury's identity gives
in closed form in the frequency domain; the deviation of each pixel is that preconditioner's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.tomography.operator import filtered, half_plane
from gen_core.tomography.priors import Problem, Progress, Solution, quiet

Array = np.ndarray
TOLERANCE = 1e-3  # of the residual in the preconditioner's norm
MOST = 150


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A prior of slices (size, size) in attenuation over that of water.

    mean (size^2,), parts (k, size^2) of any length, variance (k,) along each, `rest` the variance in every direction beside.
    `name` is the digest of its weights: what depends on it is kept by that.
    """

    size: int
    mean: Array
    parts: Array
    variance: Array
    rest: float
    name: str = ""

    def at(self, size: int) -> Gaussian:
        """The prior of the same slices with fewer pixels. Raises RecipeError where the pixels do not fit together."""
        if size == self.size:
            return self
        times, left = divmod(self.size, size)
        if left or times < 1:
            raise RecipeError(
                f"size: this prior knows slices of {self.size} x {self.size} pixels; choose {self.size} or {self.size // 2}, "
                "or leave out the method gaussian."
            )
        small = lambda rows: rows.reshape(-1, size, times, size, times).mean((2, 4)).reshape(-1, size * size)  # noqa: E731
        parts = np.ascontiguousarray(small(self.parts))
        return Gaussian(size, small(self.mean)[0], parts, self.variance, self.rest / times**2, f"{self.name}/{size}")

    @cached_property
    def inner(self) -> Array:
        """The lower Cholesky factor (k, k) of 1/variance + U^T U / rest."""
        return np.linalg.cholesky((np.diag(1 / self.variance) + self.parts @ self.parts.T / self.rest).astype(np.float64))

    def precision(self, x: Array) -> Array:
        """The inverse of the covariance times images (m, size^2)."""
        from scipy.linalg import cho_solve

        along = self.parts @ x.T / self.rest
        return (x / self.rest - cho_solve((self.inner, True), along).T.astype(np.float32) @ self.parts / self.rest).astype(
            np.float32
        )

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Images (count, size^2) drawn from the prior."""
        along = rng.standard_normal((count, len(self.parts))) * np.sqrt(self.variance)
        beside = rng.standard_normal((count, len(self.mean))) * np.sqrt(self.rest)
        return (self.mean + along.astype(np.float32) @ self.parts + beside).astype(np.float32)


class Posterior:
    """What the posterior covariance nearly is: exact were the scanner's A^T A a filter within the measured directions.

    There (1 / w + rest A A^T)^-1 is a filter g along the detector, so that the posterior is R + T^T S^-1 T with
    R = rest (1 - rest A^T g A), T = U (1 - rest A^T g A) and S = 1/variance + (A U)^T g (A U) by Woodbury's identity.
    """

    def __init__(self, prior: Gaussian, problem: Problem, weight: float) -> None:
        a, self.rest, self.size = problem.operator, prior.rest, prior.size
        geometry = problem.geometry
        length = 1 << int(np.ceil(np.log2(2 * geometry.bins)))
        scale = geometry.spacing if geometry.kind == "parallel" else (
            geometry.spacing * geometry.source_origin / (geometry.source_origin + geometry.origin_detector)
        )  # fmt: skip
        wave = np.hypot(np.fft.rfftfreq(length) / scale, 0.5 / prior.size)
        turn = float(np.median(np.abs(np.diff(geometry.radians)))) if len(geometry.angles) > 1 else np.pi
        strength = 1 / (turn * wave * scale)  # of A^T A at this frequency, along the measured directions
        self.length, self.filter = length, (weight / (1 + weight * prior.rest * strength)).astype(np.float32)
        x = np.ones((prior.size, prior.size), np.float32)
        for _ in range(8):  # 1 - rest A^T g A must stay positive
            y = a.adjoint(self._g(a.forward(x)))
            largest = float(np.linalg.norm(y) / np.linalg.norm(x))
            x = y / np.linalg.norm(y)
        self.filter *= min(1.0, 0.95 / (prior.rest * largest))
        n, views = prior.size, geometry.shape
        self.parts = np.empty_like(prior.parts)
        seen = np.empty((len(prior.parts), views[0] * views[1]), np.float32)
        for first in range(0, len(prior.parts), 64):
            some = slice(first, first + 64)
            projected = a.forward(prior.parts[some].reshape(-1, n, n)).reshape(-1, *views)
            filtered = self._g(projected)
            back = a.adjoint(filtered).reshape(-1, n * n)
            self.parts[some] = prior.parts[some] - prior.rest * back
            seen[some] = self._g(projected, 0.5).reshape(-1, seen.shape[1])
        inner = (seen @ seen.T).astype(np.float64) + np.diag(1 / prior.variance)
        self.root = np.linalg.cholesky(inner)
        self.beside = half_plane(prior.rest / (1 + prior.rest * weight * a.wide_response))
        self.flat = float(prior.rest * np.mean(1 / (1 + prior.rest * weight * a.response)))

    def _g(self, views: Array, power: float = 1.0) -> Array:
        from scipy import fft

        spectrum = fft.rfft(views, self.length, axis=-1) * self.filter**power
        return np.asarray(fft.irfft(spectrum, self.length, axis=-1)[..., : views.shape[-1]], np.float32)

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return int(self.parts.nbytes + self.root.nbytes)

    def apply(self, x: Array) -> Array:
        """The covariance times images (m, size^2)."""
        from scipy.linalg import cho_solve

        n = self.size
        image = x.reshape(-1, n, n)
        smooth = np.stack([filtered(one, self.beside) for one in image]).reshape(x.shape)
        along = cho_solve((self.root, True), self.parts @ x.T).T.astype(np.float32)
        return np.asarray(smooth + along @ self.parts, np.float32)

    @cached_property
    def deviation(self) -> Array:
        """The deviation of each pixel (size, size)."""
        from scipy.linalg import solve_triangular

        turned = solve_triangular(self.root.astype(np.float32), self.parts, lower=True)
        variance = self.flat + np.einsum("kp,kp->p", turned, turned)
        return np.sqrt(variance).reshape(self.size, self.size).astype(np.float32)


_KEPT = Memo(512 << 20, lambda made: made.nbytes)


def posterior(problem: Problem, prior: Gaussian) -> Posterior:
    """The posterior covariance of a problem, kept by scanner, noise and prior."""
    weight = float(np.median(1 / problem.spread.astype(np.float64) ** 2))  # views held out do not count
    make: Any = lambda: Posterior(prior, problem, weight)  # noqa: E731
    if not prior.name:
        return make()
    return _KEPT.get((prior.name, problem.geometry, round(weight, 6)), make)


def solve(problem: Problem, prior: Gaussian, progress: Progress = quiet, samples: int = 0, seed: int = 0) -> Solution:
    """The posterior mean, its deviation, and samples (k, size, size). Raises RecipeError where the sizes do not fit."""
    prior = prior.at(problem.size)
    a, n = problem.operator, problem.size
    w = 1 / problem.spread.astype(np.float32)
    progress(0.1, "the covariance of the posterior")
    about = posterior(problem, prior)
    rng = np.random.default_rng([seed, 41])
    start = np.concatenate([prior.mean[None].astype(np.float32), prior.draw(samples, rng)])  # the mean, then draws of the prior
    noise = rng.standard_normal((samples, *problem.geometry.shape)) * problem.spread
    data = problem.data[None] + np.concatenate([np.zeros((1, *problem.geometry.shape)), noise])
    left = data.astype(np.float32) - a.forward(start.reshape(-1, n, n)).reshape(-1, *problem.geometry.shape)
    right = a.adjoint(w * w * left).reshape(-1, n * n)

    def system(x: Array) -> Array:
        return a.adjoint(w * w * a.forward(x.reshape(-1, n, n)).reshape(-1, *w.shape)).reshape(-1, n * n) + prior.precision(x)

    progress(0.5, "the mean and the samples of the posterior")
    step, trace = solved(system, about.apply, right)
    found = (start + step).reshape(-1, n, n)
    done = trace["residual"][-1] <= TOLERANCE
    told = f"{len(trace['residual'])} conjugate gradient steps"
    return Solution(found[0], about.deviation, found[1:] if samples else None, trace, done, told)


def solved(system: Any, precondition: Any, right: Array) -> tuple[Array, dict[str, list[float]]]:
    """Preconditioned conjugate gradients for several right sides (m, p) at once; the trace holds the largest residual."""
    x = np.zeros_like(right)
    r = right.copy()
    z = precondition(r)
    d, rz = z, np.einsum("mp,mp->m", r, z, dtype=np.float64)
    first = np.maximum(rz, 1e-30)
    trace: dict[str, list[float]] = {"iteration": [], "residual": []}
    for k in range(MOST):
        ad = system(d)
        alpha = rz / np.maximum(np.einsum("mp,mp->m", d, ad, dtype=np.float64), 1e-30)
        x += alpha[:, None].astype(np.float32) * d
        r -= alpha[:, None].astype(np.float32) * ad
        z = precondition(r)
        new = np.einsum("mp,mp->m", r, z, dtype=np.float64)
        trace["iteration"].append(k + 1)
        trace["residual"].append(float(np.sqrt(np.maximum(new / first, 0).max())))
        if trace["residual"][-1] <= TOLERANCE:
            break
        d = z + (new / np.maximum(rz, 1e-30))[:, None].astype(np.float32) * d
        rz = new
    return x, trace
