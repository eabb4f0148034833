"""Samplers of p(x | y): all take the same arguments, so that any swaps for any other.

    y = A x + noise,  noise independent in every bin with deviation `noise`

`dds` denoises, then moves the answer to where prior and data agree (conjugate gradients on the data term, Chung et al. 2024,
with the posterior covariance of x0 in place of the identity: Boys et al. 2024, Peng et al. 2024). No gradient goes through the
network, and where the prior is Gaussian its steps are exact. `dps` takes the gradient of the data term through the denoiser
(Chung et al. 2023). `langevin` is annealed Langevin dynamics on the posterior's score (Song & Ermon 2019), preconditioned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from gen_core.tomography.denoiser import SIGMA, Gaussian

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Measured(Protocol):
    """Data and how they came about. Pictures are (n, d), data (n, m)."""

    y: torch.Tensor  # (m,)
    noise: torch.Tensor  # (m,) deviation of the noise of each bin

    def forward(self, x: torch.Tensor) -> torch.Tensor: ...

    def adjoint(self, r: torch.Tensor) -> torch.Tensor: ...


@dataclass(frozen=True)
class Frame:
    """A step of a sampler: the noise level, the noisy pictures and what they are denoised to (n, 1, s, s)."""

    sigma: float
    noisy: torch.Tensor
    clean: torch.Tensor


def levels(steps: int, low: float = SIGMA[0], high: float = SIGMA[1], rho: float = 7.0) -> torch.Tensor:
    """Noise levels (steps,) from high to low (Karras et al. 2022, eq. 5)."""
    share = torch.linspace(0, 1, steps, dtype=torch.float64)
    return ((high ** (1 / rho) + share * (low ** (1 / rho) - high ** (1 / rho))) ** rho).float()


def towards(prior: Gaussian, data: Measured, clean: torch.Tensor, sigma: torch.Tensor, weight: float, tol: float, most: int) -> tuple[torch.Tensor, int]:
    """E[x0 | x, y] where x0 is normal about `clean` (n, d) with the covariance C the Gaussian prior leaves at noise `sigma`:

        clean + C^1/2 (1 + w C^1/2 A^T N^-1 A C^1/2)^-1 w C^1/2 A^T N^-1 (y - A clean)

    by conjugate gradients to a relative residual of `tol`, at most `most` steps. `weight` w is how much the data count.
    Returns the pictures and the steps taken.
    """
    if weight == 0:
        return clean, 0
    inverse = weight / data.noise.square()
    b = prior.root(data.adjoint(inverse * (data.y - data.forward(clean))), sigma)
    u, r = torch.zeros_like(b), b
    p, before = r, r.square().sum(1)
    wanted, done = tol**2 * before, 0
    while done < most and bool((before > wanted).any()):
        q = p + prior.root(data.adjoint(inverse * data.forward(prior.root(p, sigma))), sigma)
        step = before / (p * q).sum(1).clamp_min(1e-30)
        u, r = u + step[:, None] * p, r - step[:, None] * q
        now = r.square().sum(1)
        p, before, done = r + (now / before.clamp_min(1e-30))[:, None] * p, now, done + 1
    return clean + prior.root(u, sigma), done


def dds(
    denoise: Denoise, prior: Gaussian, data: Measured, n: int, steps: int, generator: torch.Generator, *,
    weight: float = 1.0, churn: float = 1.0, tol: float = 0.02, most: int = 30, start: float = SIGMA[1],
) -> Iterator[Frame]:  # fmt: skip
    """n posterior samples (n, 1, s, s), step by step. `churn` 0 is deterministic after the start, 1 fully stochastic (DDPM)."""
    side = prior.size
    high = torch.full((n,), start)
    mean = prior.mean.expand(n, -1)
    # The start is exact for the Gaussian prior: a draw from its posterior by perturbing and solving (Papandreou & Yuille 2010).
    drawn = prior.draw(n, generator).flatten(1)
    x = perturbed(prior, data, drawn, n, generator, weight, most)
    x = (x + start * torch.randn(x.shape, generator=generator)).reshape(n, 1, side, side)
    del mean, high
    schedule = levels(steps, high=start)
    for i, level in enumerate(schedule.tolist()):
        sigma = torch.full((n,), level)
        clean = denoise(x, sigma)
        both, _ = towards(prior, data, clean.flatten(1), sigma, weight, tol, most)
        both = both.reshape(x.shape)
        yield Frame(level, x, both)
        if i + 1 < steps:
            low = float(schedule[i + 1])
            # variance kept from the old noise and renewed: eta of Song et al. 2021 between DDIM and DDPM
            fresh = churn * low * (1 - (low / level) ** 2) ** 0.5
            old = (low**2 - fresh**2) ** 0.5
            x = both + old / level * (x - both) + fresh * torch.randn(x.shape, generator=generator)


def perturbed(prior: Gaussian, data: Measured, drawn: torch.Tensor, n: int, generator: torch.Generator, weight: float, most: int) -> torch.Tensor:
    """Draws (n, d) from the Gaussian posterior: prior draws, moved by what their noisy data lack."""
    if weight == 0:
        return drawn

    class Lacking:
        noise = data.noise
        y = data.y + data.noise / weight**0.5 * torch.randn(n, len(data.y), generator=generator)
        forward = staticmethod(data.forward)
        adjoint = staticmethod(data.adjoint)

    wide = torch.full((n,), 1e4)
    return towards(prior, Lacking(), drawn, wide, weight, 1e-3, 8 * most)[0]  # type: ignore[arg-type]
