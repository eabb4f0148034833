"""Where curves of errors fall to a given error, and straight lines through those numbers against the numbers in a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gen_core.symmetry import boots

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Curves:
    """Errors (m, n) of n pictures at each number of measurements, by model and numbers in a code, and the floors (n,); those of
    the Gaussian prior (m, n), which has no codes; and which picture each of n shows."""

    measurements: tuple[int, ...]
    errors: Mapping[str, Mapping[int, Array]]
    floors: Mapping[str, Mapping[int, Array]]
    targets: tuple[float, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    gaussian: Array | None = None
    sources: Array | None = None

    @property
    def shows(self) -> Array:
        """Which picture each row shows (n,): its own where nothing else is said."""
        count = next(iter(next(iter(self.errors.values())).values())).shape[1]
        return np.arange(count) if self.sources is None else self.sources


def crossing(measurements: tuple[int, ...], means: Array, target: float) -> Array:
    """The number of measurements at which mean errors (…, m) fall to the target, straight between neighbours on logarithmic
    scales. Infinity where none reaches it; the fewest where these reach it already, so that as many or less are needed."""
    at, values = np.log(np.asarray(measurements, float)), np.log(np.maximum(means, 1e-12))
    values = np.minimum.accumulate(values, -1)  # a curve that wavers has reached what it reached
    below = values <= np.log(target)
    first = below.argmax(-1)
    right = np.minimum(np.maximum(first, 1), len(at) - 1)
    take = lambda where: np.take_along_axis(values, where[..., None], -1)[..., 0]  # noqa: E731
    high, low = take(np.maximum(right - 1, 0)), take(right)
    share = (high - np.log(target)) / np.maximum(high - low, 1e-12)
    between = np.exp(at[right - 1] + np.clip(share, 0, 1) * (at[right] - at[right - 1]))
    return np.where(below.any(-1), np.where(first > 0, between, float(measurements[0])), np.inf)


@dataclass(frozen=True, eq=False)
class Line:
    """Of one model and target: the number needed at each size (k,) with those of pictures drawn anew (times, k); and the straight
    line through them, which is a proportion where its intercept may be zero. `fewest` is the least that was measured with."""

    dims: tuple[int, ...]
    needed: Array
    again: Array
    fewest: float

    def ends(self, i: int) -> tuple[float, float]:
        """The interval of the number needed at one size; infinity where it reaches to what is never reached."""
        return boots.interval(self.again[:, i])

    @property
    def sound(self) -> Array:
        """The sizes (k,) whose number is known on both sides: the line goes through these alone."""
        ends = np.array([self.ends(i) for i in range(len(self.dims))])
        return np.isfinite(self.needed) & (ends[:, 0] > self.fewest) & np.isfinite(ends[:, 1])

    def fitted(self) -> tuple[Array, Array]:
        """Intercept and slope (2,), and those of pictures drawn anew (times, 2); NaN where fewer than three sizes are known."""
        known = self.sound
        if known.sum() < 3:
            return np.full(2, np.nan), np.full((len(self.again), 2), np.nan)
        design = np.column_stack([np.ones(known.sum()), np.asarray(self.dims, float)[known]])
        solve = np.linalg.pinv(design)
        rows = np.where(np.isinf(self.again[:, known]), np.nan, self.again[:, known])
        return solve @ self.needed[known], rows @ solve.T


def lines(made: Curves, target: float) -> dict[str, Line]:
    """The lines of all models for a target."""
    counts, out = boots.shares(made.shows), {}
    for name, sizes in made.errors.items():
        dims = tuple(sizes)
        whole = [float(crossing(made.measurements, sizes[d].mean(1), target)) for d in dims]
        again = [crossing(made.measurements, counts @ sizes[d].T, target) for d in dims]
        out[name] = Line(dims, np.array(whole), np.stack(again, 1), float(made.measurements[0]))
    return out


def flat(made: Curves, target: float) -> Line | None:
    """The same of the Gaussian prior, as of one size, zero; None where it was not measured."""
    if made.gaussian is None:
        return None
    whole = crossing(made.measurements, made.gaussian.mean(1), target)
    again = crossing(made.measurements, boots.shares(made.shows) @ made.gaussian.T, target)
    return Line((0,), np.array([float(whole)]), again[:, None], float(made.measurements[0]))


def times(control: Line, j: int, line: Line, i: int) -> tuple[float, float, float]:
    """How many times the measurements of one line another needs, with the interval; NaN where that is not known, infinity where
    only the one reaches the error, and zero where only the other does."""
    both = control.needed[j], line.needed[i]
    if np.isinf(both).all() or (np.array(both) <= control.fewest).all():
        return float("nan"), float("nan"), float("nan")
    with np.errstate(invalid="ignore"):
        return float(both[0] / both[1]), *boots.interval(control.again[:, j] / line.again[:, i])
