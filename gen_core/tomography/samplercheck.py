"""Samplers put to the test where the answer is known: with the score of a Gaussian prior, on the very scanner and noise.

The exact posterior is normal. Its mean solves one linear system, and so does its variance in a pixel; a sampler's draws are held
against both. Draws that are exact by construction, as many of them, show what chance alone makes of these numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography import bayes, metrics, quick
from gen_core.tomography.chain import Chain, Watch
from gen_core.tomography.modelfile import named, opened
from gen_core.tomography.priors import Problem, Progress, quiet
from gen_core.tomography.recipe import Reconstruct

if TYPE_CHECKING:
    from gen_core.tomography.denoiser import Gaussian

Array = np.ndarray
DRAWS, PIXELS = 8, 48
NAMES = ("exact", "langevin", "dds", "dps")
GOOD = 0.1  # that a ratio may be away from 1, and a mean off, where chance alone would leave less
_EXACT = Memo(8 << 20, lambda made: 1 << 17)
_ROWS = Memo(64 << 20, lambda made: 1 << 21)


@dataclass(frozen=True)
class Exact:
    """The posterior's mean and deviation at some pixels (p,) inside the field of view."""

    pixels: Array
    mean: Array
    deviation: Array


@dataclass(frozen=True, eq=False)
class Row:
    """What a sampler did. `off`: root mean square of its mean less the exact one, in exact deviations; `by_chance`: what as many
    exact draws are off by. `ratio`: its deviation over the exact one, with the standard error `plus_minus`."""

    name: str
    off: float
    by_chance: float
    ratio: float
    plus_minus: float
    draws: int
    chain: Chain | None = None

    @property
    def good(self) -> bool:
        """Whether chance explains what is amiss, or it is less than a tenth."""
        wide, off = abs(self.ratio - 1), self.off - self.by_chance
        return wide <= max(GOOD, 2 * self.plus_minus) and off <= max(GOOD, self.by_chance / 2)


def prior_of(recipe: Reconstruct) -> tuple[Gaussian, str]:
    """The Gaussian prior that the samplers are tested with, and what tells it from others: the one beneath the diffusion prior
    where that has this size, else the page's."""
    if bayes.can_diffuse(recipe):
        found: Any = opened(*named(recipe, "diffusion"), "diffusion")
        return found.net.gaussian, str(found.card.get("sha256"))
    prior = opened(*named(recipe, "gaussian"), "gaussian")
    return bayes.gaussian_of(recipe, recipe.size), f"{prior.name}/{recipe.size}"


def exact(prior: Gaussian, problem: Problem, count: int = PIXELS, progress: Progress = quiet) -> Exact:
    """The exact posterior at `count` pixels spread over the field of view, by conjugate gradients."""
    import torch

    from gen_core.tomography.diffusion import Data
    from gen_core.tomography.guided import WIDE, Agreement

    inside = np.flatnonzero(metrics.disc(problem.size))
    pixels = inside[np.linspace(0, len(inside) - 1, min(count, len(inside))).round().astype(int)]
    both = Agreement(prior, Data(problem))
    mean = both.solve(prior.mean.clone(), WIDE, prior.mean.clone(), 1e-4, 80)[0]
    variance = []
    for i, some in enumerate(np.array_split(pixels, max(1, len(pixels) // 12))):
        at = torch.zeros(len(some), prior.n_values)
        at[torch.arange(len(some)), torch.from_numpy(some)] = 1
        zero = torch.zeros_like(at)
        found = both.solve(zero, WIDE, zero, 1e-2, 60, towards=at)  # an error of this size counts twice: 1e-4 of the variance
        variance.append((found * at).sum(1).double().numpy())
        progress((i + 1) * 12 / len(pixels), "the exact posterior")
    return Exact(pixels, mean[torch.from_numpy(pixels)].double().numpy(), np.sqrt(np.concatenate(variance)))


def judged(name: str, samples: Array, known: Exact, chain: Chain | None = None) -> Row:
    """Draws (n, d) held against the exact posterior."""
    there = (samples[:, known.pixels].astype(np.float64) - known.mean) / known.deviation  # (n, p), standard normal if exact
    n = len(there)
    off = float(np.sqrt(np.mean(there.mean(0) ** 2)))
    ratio = lambda some: float(np.sqrt(np.mean(some.var(0, ddof=1))))  # noqa: E731
    left_out = np.array([ratio(np.delete(there, i, 0)) for i in range(n)])  # jackknife: pixels are not independent
    error = float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))
    return Row(name, off, ratio(there) / np.sqrt(n), ratio(there), error, n, chain)


def draws(
    name: str, prior: Gaussian, problem: Problem, steps: int, n: int = DRAWS, progress: Progress = quiet
) -> tuple[Array, Chain | None]:
    """n draws (n, d) by the sampler of this name with the Gaussian prior's own score, and its chain; `exact` needs no steps."""
    import torch

    from gen_core.tomography.diffusion import Data
    from gen_core.tomography.guided import SAMPLERS, Agreement

    data, generator = Data(problem), torch.Generator().manual_seed(0)
    if name == "exact":
        return Agreement(prior, data).draw(n, generator).numpy(), None
    draw: Any = SAMPLERS[name]
    watch, samples = Watch(prior, data, steps), np.zeros((n, prior.n_values), np.float32)
    for i, frame in enumerate(watch.over(draw(prior.denoise, prior, data, n, steps, generator))):
        samples = frame.clean.flatten(1).numpy()
        progress(min((i + 1) / steps, 1.0), f"step {i + 1} of {steps}")
    return samples, watch.chain()


def check(recipe: Reconstruct, name: str, progress: Progress = quiet) -> Row:
    """One sampler's row, kept by scanner, noise, prior and steps."""
    prior, digest = prior_of(recipe)
    problem = quick.scan(recipe).problem

    def make() -> Row:
        known: Exact = _EXACT.get(_key(digest, problem), lambda: exact(prior, problem, PIXELS, progress))
        samples, chain = draws(name, prior, problem, steps_of(recipe, name), DRAWS, progress)
        return judged(name, samples, known, chain)

    found: Row = _ROWS.get((*_key(digest, problem), name, steps_of(recipe, name)), make)
    return found


def ready(recipe: Reconstruct, name: str) -> Row | None:
    """The row, where it was computed already."""
    digest = prior_of(recipe)[1]
    key = (*_key(digest, quick.scan(recipe).problem), name, steps_of(recipe, name))
    return check(recipe, name) if _ROWS.has(key) else None


def steps_of(recipe: Reconstruct, name: str) -> int:
    """How many steps a sampler takes."""
    from gen_core.tomography.diffusion import STEPS

    return recipe.sampler_steps or STEPS.get(name, 0)


def _key(digest: str, problem: Problem) -> tuple[Any, ...]:
    spread = np.round(np.log10(problem.spread[::7, ::7]), 2)  # noise that differs by a few percent is the same
    return digest, problem.geometry, hashlib.sha256(spread.tobytes()).hexdigest()
