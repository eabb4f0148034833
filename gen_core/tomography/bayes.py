"""Bayes' rule in three groups of pictures: what the prior expects, what fits the data without it, and what both allow.

The data count with a `weight` from 0 to 1: p(x) p(y|x)^weight. At 0 the posterior is the prior, and as all groups start from the
same random numbers the same pictures stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography import quick
from gen_core.tomography.modelfile import named, opened
from gen_core.tomography.operator import filtered, half_plane
from gen_core.tomography.priors import Problem, Progress, Solution, quiet
from gen_core.tomography.recipe import Reconstruct, narrowed

if TYPE_CHECKING:
    from gen_core.tomography.denoiser import Gaussian
    from gen_core.tomography.guided import Agreement

Array = np.ndarray
COUNT = 2  # pictures in each group
SEED = 17
CLOSE, MOST = 2e-3, 60  # of conjugate gradients
_PRIORS = Memo(256 << 20, lambda made: made.axes.nbytes)
_AGREEMENTS = Memo(64 << 20, lambda made: made.block.nbytes + made.towards.nbytes)
_PICTURES = Memo(64 << 20, lambda made: made.nbytes)
_DRAWN = Memo(64 << 20, lambda made: made.samples.nbytes + (made.chain.nbytes if made.chain else 0))


def gaussian_of(recipe: Reconstruct, size: int) -> Gaussian:
    """The Gaussian prior that a recipe means, with orthonormal axes, at `size` pixels. Raises RecipeError where it has no such
    size, and CheckpointError where it is missing."""
    prior = opened(*named(recipe, "gaussian"), "gaussian").at(size)
    found: Gaussian = _PRIORS.get((prior.name, size), lambda: orthonormal(prior))
    return found


def orthonormal(prior: Any) -> Gaussian:
    """The same normal distribution with principal axes: U diag(v) U^T + rest, taken apart."""
    import torch

    from gen_core.tomography.denoiser import Gaussian

    root = np.sqrt(prior.variance)[:, None]
    gram = (prior.parts @ prior.parts.T).astype(np.float64)
    values, vectors = np.linalg.eigh(root * gram * root.T)
    values, vectors = np.maximum(values[::-1], 1e-12), vectors[:, ::-1]
    axes = (vectors.T * root.T / np.sqrt(values)[:, None]).astype(np.float32) @ prior.parts
    mean = torch.from_numpy(prior.mean.reshape(prior.size, prior.size))
    return Gaussian(mean, torch.from_numpy(axes), torch.from_numpy(values + prior.rest), prior.rest)


def agreement(recipe: Reconstruct, weight: float) -> Agreement:
    """The Gaussian prior and the recipe's data, which count by `weight`; what it needs of the scanner is computed once."""
    from gen_core.tomography.diffusion import Data
    from gen_core.tomography.guided import Agreement

    problem = quick.scan(recipe).problem
    make = lambda: Agreement(gaussian_of(recipe, problem.size), Data(problem), weight)  # noqa: E731
    if not weight:
        return make()
    found: Agreement = _AGREEMENTS.get((_key(recipe), round(weight, 4)), make)
    return found


def posterior(recipe: Reconstruct, weight: float, count: int = COUNT) -> Array:
    """Draws (count, size, size) of the Gaussian prior's posterior in closed form; at weight 0 of the prior."""
    import torch

    def make() -> Array:
        generator = torch.Generator().manual_seed(SEED)
        drawn = agreement(recipe, weight).draw(count, generator, MOST, CLOSE)
        return drawn.reshape(count, recipe.size, recipe.size).numpy()

    found: Array = _PICTURES.get((_key(recipe), round(weight, 4), count), make)
    return found


def fitting(recipe: Reconstruct, count: int = COUNT) -> Array:
    """Pictures (count, size, size) that fit the data without any knowledge of slices: draws of the posterior whose prior knows
    how much pixels differ, and takes each for independent of all others."""
    prior = gaussian_of(recipe, recipe.size)
    spread = float(((prior.variances.sum() + prior.rest * (prior.n_values - len(prior.variances))) / prior.n_values).sqrt())
    make = lambda: free(quick.scan(recipe).problem, spread, count)  # noqa: E731
    found: Array = _PICTURES.get((_key(recipe), "free", count), make)
    return found


def free(problem: Problem, spread: float, count: int = COUNT, seed: int = SEED) -> Array:
    """The same for a problem: the least-norm picture, and noise of the deviation `spread` in all that no view has measured."""
    from gen_core.tomography.gaussian import solved

    a, n = problem.operator, problem.size
    rng = np.random.default_rng([seed, 43])
    w = 1 / problem.spread.astype(np.float32)
    start = (spread * rng.standard_normal((count, n * n))).astype(np.float32)
    noisy = problem.data[None] + rng.standard_normal((count, *w.shape)) * problem.spread
    left = noisy.astype(np.float32) - a.forward(start.reshape(-1, n, n)).reshape(count, *w.shape)
    weight = float(np.median(w.astype(np.float64) ** 2))
    shape = half_plane(1 / (1 / spread**2 + weight * a.wide_response))

    def system(x: Array) -> Array:
        seen = a.forward(x.reshape(-1, n, n)).reshape(-1, *w.shape)
        return a.adjoint(w * w * seen).reshape(-1, n * n) + x / np.float32(spread**2)

    def condition(r: Array) -> Array:
        return np.stack([filtered(one, shape) for one in r.reshape(-1, n, n)]).reshape(r.shape)

    step, _ = solved(system, condition, a.adjoint(w * w * left).reshape(count, n * n))
    return np.asarray((start + step).reshape(count, n, n))


def residual(problem: Problem, pictures: Array) -> Array:
    """How far pictures (k, s, s) miss the data: root of the mean square (k,) over the noise, 1 expected."""
    seen = problem.operator.forward(pictures).reshape(len(pictures), *problem.geometry.shape)
    return np.sqrt(np.mean(((seen - problem.data) / problem.spread) ** 2, axis=(1, 2)))


def can_diffuse(recipe: Reconstruct) -> bool:
    """Whether there is a diffusion prior of this size."""
    from gen_core.errors import UserError
    from gen_core.tomography.modelfile import open_card

    try:
        return int(open_card(named(recipe, "diffusion")[0]).get("size", 0)) == recipe.size
    except UserError:
        return False


def denoised(recipe: Reconstruct, sampler: str, weight: float, progress: Progress = quiet) -> Solution:
    """Draws with the diffusion prior by a sampler, at any weight of the data, with the chain that led to them; kept."""
    from gen_core.tomography.diffusion import Diffusion, drawn

    def make() -> Solution:
        model: Diffusion = opened(*named(recipe, "diffusion"), "diffusion")
        problem = quick.scan(recipe).problem
        return drawn(model, problem, sampler, COUNT, recipe.seed, recipe.sampler_steps, weight, progress)

    found: Solution = _DRAWN.get(_drawn_key(recipe, sampler, weight), make)
    return found


def is_denoised(recipe: Reconstruct, sampler: str, weight: float) -> bool:
    """Whether these draws are there already."""
    return _DRAWN.has(_drawn_key(recipe, sampler, weight))


def _drawn_key(recipe: Reconstruct, sampler: str, weight: float) -> tuple[Any, ...]:
    scan = quick.key(recipe) if weight else recipe.size  # without data nothing but the prior tells
    return (*named(recipe, "diffusion"), scan, sampler, recipe.sampler_steps, recipe.seed, round(weight, 4))


def _key(recipe: Reconstruct) -> str:
    return narrowed(recipe.replace(weights=None), "gaussian").replace(posterior_samples=0).sha256
