"""What the learned solvers say of a problem, in one signature: any can stand for any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.poisson import exact, grid, spectrum
from gen_core.poisson.problem import Problem

if TYPE_CHECKING:
    import torch

    from gen_core.poisson.modelfile import Learned

Array = np.ndarray
MOST = 64  # samples drawn at once


def answers(model: Learned, problem: Problem, steps: int = 10, samples: int = 1, seed: int = 0) -> Array:
    """Potentials (k, size, size): k samples of the flow, one answer of the others.

    A problem on another grid than the model's is solved on the model's: sine coefficients are cut off or filled up with zeros.
    The Fourier operator works on any grid as it is.
    """
    if model.kind == "fno":
        return operator(model, problem)[None]
    scale = float(np.sqrt((problem.inner**2).mean()))
    lift = exact.lift(problem.edges)
    if scale == 0:  # nothing to generate: the lift is the answer
        return np.repeat(lift[None], samples if model.kind == "flow" else 1, 0)
    rho = resized(problem.inner / scale, model.size - 2)
    images = regression(model, rho) if model.kind == "regression" else flow(model, rho, steps, samples, seed)
    inner = resized(spectrum.potential_of(images), problem.size - 2)
    return np.stack([lift + scale * grid.framed(one) for one in inner])


def regression(model: Learned, rho: Array) -> Array:
    """The whitened image (1, n, n) of a density (n, n) whose mean square is 1."""
    import torch

    with torch.no_grad():
        return model.net(torch.from_numpy(rho.astype(np.float32))[None]).numpy().astype(np.float64)


def flow(model: Learned, rho: Array, steps: int, samples: int, seed: int) -> Array:
    """Samples (samples, n, n) of the whitened image: noise is followed to what it most likely was, in equal steps (Euler)."""
    import torch

    from gen_core.poisson.model import KNOWN

    generator, n = torch.Generator().manual_seed(seed), rho.shape[-1]
    start = torch.randn(samples, n, n, generator=generator)
    known = torch.from_numpy(rho.astype(np.float32))
    out = []
    with torch.no_grad():
        for x in start.split(MOST):
            kind = torch.full((len(x),), KNOWN)
            for i in range(steps):
                t = i / steps
                clean = model.net(x, torch.full((len(x),), t), known.expand_as(x), kind)
                x = clean if i == steps - 1 else x + (clean - x) / (steps - i)
            out.append(x.numpy())
    return np.concatenate(out).astype(np.float64)


def operator(model: Learned, problem: Problem) -> Array:
    """The potential (size, size) that the Fourier operator says, edges and all."""
    import torch

    from gen_core.poisson.tasks import scale_of

    border = grid.ring(problem.edges)
    scale = float(scale_of(problem.rho, border))
    if scale <= 1e-100:
        return np.zeros_like(problem.rho)
    maps: list[torch.Tensor] = [torch.from_numpy((m / scale).astype(np.float32))[None] for m in (problem.rho, border)]
    with torch.no_grad():
        return scale * model.net(*maps)[0].numpy().astype(np.float64)


def resized(inner: Array, n: int) -> Array:
    """Inner nodes (..., m, m) as (..., n, n) of another grid, by their sine series."""
    m = inner.shape[-1]
    if m == n:
        return inner
    kept = min(m, n)
    out = np.zeros((*inner.shape[:-2], n, n))
    out[..., :kept, :kept] = spectrum.transform(inner)[..., :kept, :kept] * (n + 1) / (m + 1)
    return spectrum.transform(out)


def warm(model: Learned) -> None:
    """One pass over nothing in particular."""
    rho = np.zeros((model.size, model.size))
    rho[model.size // 2, model.size // 2] = 1.0
    answers(model, Problem(rho, "dirichlet", np.zeros((4, model.size))), 1)


def is_new(model: Learned, problem: Problem) -> bool:
    """Whether the grid is another than the model has learned."""
    return model.size != problem.size
