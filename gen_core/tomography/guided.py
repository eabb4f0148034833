"""Samplers of p(x | y): all take the same arguments, so that any swaps for any other.

    y = A x + noise,  noise independent in every ray with deviation `noise`

`dds` denoises, then moves the answer to where prior and data agree, by conjugate gradients on the data term (Chung et al. 2024),
with the posterior covariance of x0 in place of the identity (Boys et al. 2024, Peng et al. 2024). Its steps draw x0 from that
normal distribution: stepping from the mean alone makes samples too alike (Bao et al. 2022). Where the prior is Gaussian it is
exact however few its steps. `langevin` is annealed Langevin dynamics (Song & Ermon 2019) on the same score. Neither takes a
gradient through the network. `dps` takes the gradient of the data term through the denoiser (Chung et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from gen_core.tomography.denoiser import SIGMA, Gaussian

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Share = Callable[[float], float]
START = 5.0  # noise at which a sampler begins: more than any part of a body shows
WIDE = 1e4  # noise under which nothing is seen: what is then left of the prior is the prior


class Measured(Protocol):
    """Data and how they came about. Pictures are (n, d), data (n, m)."""

    y: torch.Tensor  # (m,)
    noise: torch.Tensor  # (m,) deviation of the noise of each ray
    response: torch.Tensor  # (s, s) what A^T A does to each frequency, see operator.Operator.response
    norm: float  # the largest singular value of A

    def forward(self, x: torch.Tensor) -> torch.Tensor: ...

    def adjoint(self, r: torch.Tensor) -> torch.Tensor: ...

    def seen(self, prior: Gaussian) -> torch.Tensor: ...  # (k, d) A^T N^-1 A of each axis of a prior


@dataclass(frozen=True)
class Frame:
    """A step of a sampler: the noise level, the noisy pictures, and the clean ones they stand for, (n, 1, s, s)."""

    sigma: float
    noisy: torch.Tensor
    clean: torch.Tensor


def levels(steps: int, low: float = SIGMA[0], high: float = START, rho: float = 7.0) -> list[float]:
    """Noise levels from high to low (Karras et al. 2022, eq. 5)."""
    ends = high ** (1 / rho), low ** (1 / rho)
    return [(ends[0] + i / max(steps - 1, 1) * (ends[1] - ends[0])) ** rho for i in range(steps)]


def whole(sigma: float) -> float:
    """The share of a denoiser that is no better than the Gaussian prior's."""
    return 1.0


class Agreement:
    """Where prior and data agree: E[x0 | x, y] where x0 is normal about what x was denoised to, and y = A x0 + noise.

    The covariance C of x0 is what the Gaussian prior leaves at that level of noise, times the `share` of it that the network
    leaves; N is the noise, and w how much the data count. It solves

        (w A^T N^-1 A + C^-1) x0 = w A^T N^-1 y + C^-1 clean

    by conjugate gradients. The preconditioner has two levels: along the principal axes the matrix is inverted as it is, across
    them as if the scanner treated all pixels alike (`response`), once in between; what it needs of A is computed once.
    """

    def __init__(self, prior: Gaussian, data: Measured, weight: float = 1.0, share: Share = whole) -> None:
        self.prior, self.data, self.weight, self.share = prior, data, weight, share
        self.inverse = weight / data.noise.square()
        if weight:
            self.seen = weight * data.seen(prior)  # (k, d)
            self.block = self.seen @ prior.axes.T  # (k, k)
            self.towards = data.adjoint(self.inverse * data.y[None])

    def normal(self, x: torch.Tensor) -> torch.Tensor:
        """w A^T N^-1 A x, for x (n, d)."""
        return self.data.adjoint(self.inverse * self.data.forward(x))

    def solve(
        self, clean: torch.Tensor, sigma: float, start: torch.Tensor, tol: float = 1e-3, most: int = 8, least: int = 2,
        towards: torch.Tensor | None = None, share: float | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """x0 (n, d) for clean (n, d), from `start` to a relative residual `tol`, in `least` to `most` steps.

        A start near the solution is worth many steps: the answer at the last level of noise is one. `towards` is
        w A^T N^-1 y (n, d), where y is not the data.
        """
        if not self.weight:
            return clean
        prior, noise, side = self.prior, sigma**2, self.prior.size
        kept = self.share(sigma) if share is None else share
        along = kept * prior.variances * noise / (prior.variances + noise)
        across = kept * prior.rest * noise / (prior.rest + noise)
        block = self.block + torch.diag(1 / along)
        inverse = torch.linalg.inv(block.double()).float()
        seen = self.seen + prior.axes / along[:, None]  # what the matrix makes of each axis
        shape = 1 / (self.data.response * self.inverse.mean() + 1 / across)

        def precise(x: torch.Tensor) -> torch.Tensor:
            return prior.scaled(x, 1 / along[None], 1 / across.reshape(1, 1))

        def condition(r: torch.Tensor) -> torch.Tensor:
            first = (r @ prior.axes.T) @ inverse
            waves = torch.fft.fft2((r - first @ seen).reshape(-1, side, side))
            fine = torch.fft.ifft2(waves * shape).real.flatten(1)
            last = (r @ prior.axes.T - first @ block - fine @ seen.T) @ inverse
            return (first + last) @ prior.axes + fine

        b = (self.towards if towards is None else towards) + precise(clean)
        x, r = start, b - self.normal(start) - precise(start)
        z = condition(r)
        p, before = z, (r * z).sum(1)
        wanted, done = tol**2 * (b * condition(b)).sum(1), 0
        while done < most and (done < least or bool((before > wanted).any())):
            q = self.normal(p) + precise(p)
            step = before / (p * q).sum(1).clamp_min(1e-30)
            x, r = x + step[:, None] * p, r - step[:, None] * q
            z = condition(r)
            now = (r * z).sum(1)
            p, before, done = z + (now / before.clamp_min(1e-30))[:, None] * p, now, done + 1
        return x

    def both(
        self, clean: torch.Tensor, sigma: float, start: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """E[x0 | x, y] (n, d), as `solve` has it, and draws (n, d) of x0 about it, from the same conjugate gradients.

        A draw of C moved by what a draw of the noise asks of it has the covariance (w A^T N^-1 A + C^-1)^-1.
        """
        kept, noise, prior = self.share(sigma), sigma**2, self.prior
        along = (kept * prior.variances * noise / (prior.variances + noise)).sqrt()
        across = (kept * prior.rest * noise / (prior.rest + noise)).sqrt()
        about = prior.scaled(torch.randn(clean.shape, generator=generator), along[None], across.reshape(1, 1))
        if not self.weight:
            return clean, about
        ray = self.data.adjoint(self.inverse.sqrt() * torch.randn(len(clean), len(self.data.y), generator=generator))
        towards = torch.cat([self.towards.expand(len(clean), -1), ray])
        found = self.solve(torch.cat([clean, about]), sigma, torch.cat([start, about]), towards=towards)
        return found[: len(clean)], found[len(clean) :]

    def draw(self, n: int, generator: torch.Generator, most: int = 40, tol: float = 1e-4) -> torch.Tensor:
        """Draws (n, d) from the Gaussian prior's own posterior: prior draws, moved by what noisy copies of the data ask of them
        (Papandreou & Yuille 2010)."""
        drawn = self.prior.draw(n, generator).flatten(1)
        if not self.weight:
            return drawn
        noise = self.data.noise / self.weight**0.5
        y = self.data.y + noise * torch.randn(n, len(self.data.y), generator=generator)
        return self.solve(drawn, WIDE, drawn, tol, most, towards=self.data.adjoint(self.inverse * y), share=1.0)


def dds(
    denoise: Denoise, prior: Gaussian, data: Measured, n: int, steps: int, generator: torch.Generator, *,
    weight: float = 1.0, share: Share = whole, start: float = START, churn: float = 1.0,
) -> Iterator[Frame]:  # fmt: skip
    """n posterior samples, step by step. `churn` 0 renews no noise on the way, 1 all of it (eta of Song et al. 2021).

    The start is a draw from the Gaussian prior's posterior, made noisy.
    """
    agreement = Agreement(prior, data, weight, share)
    both = agreement.draw(n, generator)
    x = both + start * torch.randn(both.shape, generator=generator)
    schedule = levels(steps, high=start)
    for level, low in zip(schedule, [*schedule[1:], 0.0], strict=True):
        noisy = x.reshape(n, 1, prior.size, prior.size)
        clean = denoise(noisy, torch.full((n,), level))
        both, about = agreement.both(clean.flatten(1), level, both, generator)
        yield Frame(level, noisy, both.reshape(noisy.shape))
        fresh = churn * low * (1 - (low / level) ** 2) ** 0.5
        kept = (low**2 - fresh**2) ** 0.5 / level
        x = both + kept * (x - both) + churn * (1 - kept) * about + fresh * torch.randn(x.shape, generator=generator)


def langevin(
    denoise: Denoise, prior: Gaussian, data: Measured, n: int, steps: int, generator: torch.Generator, *,
    weight: float = 1.0, share: Share = whole, start: float = START, each: int = 3, step: float = 0.5,
    last: int = 8,
) -> Iterator[Frame]:  # fmt: skip
    """Chains of annealed Langevin dynamics: `each` steps at every level of noise, of `step` times its variance, and at least
    `last` at the last one, where the chains are compared, as far as there are so many.

    The score of the noisy pictures given the data is (E[x0 | x, y] - x) / sigma^2.
    """
    agreement = Agreement(prior, data, weight, share)
    both = agreement.draw(n, generator)
    x = both + start * torch.randn(both.shape, generator=generator)
    schedule = levels(max((steps - last) // each, 1) + 1, high=start)
    for level, low in zip(schedule, [*schedule[1:], 0.0], strict=True):
        for _ in range(each if low else max(steps - each * (len(schedule) - 1), 1)):
            noisy = x.reshape(n, 1, prior.size, prior.size)
            clean = denoise(noisy, torch.full((n,), level)).flatten(1)
            both = agreement.solve(clean, level, both)
            yield Frame(level, noisy, both.reshape(noisy.shape))
            # the exact step of the Ornstein-Uhlenbeck process about x0, which a plain Euler step would overshoot
            kept = (1 - step) ** 0.5 if step < 1 else 0.0
            x = both + kept * (x - both) + level * (1 - kept**2) ** 0.5 * torch.randn(x.shape, generator=generator)
        if low:  # to the next level as if x0 were drawn: its mean alone would leave the chains too close
            about = agreement.both(clean, level, both, generator)[1]
            x = both + low / level * (x - both) + (1 - low / level) * about


def dps(
    denoise: Denoise, prior: Gaussian, data: Measured, n: int, steps: int, generator: torch.Generator, *,
    weight: float = 1.0, share: Share = whole, start: float = 3.0, step: float = 1.0,
) -> Iterator[Frame]:  # fmt: skip
    """Diffusion posterior sampling (Chung et al. 2023): DDPM steps, each followed by a step down the gradient of the data term
    |y - A D(x)|^2 / 2 through the denoiser, of length `step` over the square of A's norm."""
    x = prior.draw(n, generator).flatten(1)
    x = x + start * torch.randn(x.shape, generator=generator)
    schedule = levels(steps, high=start)
    for level, low in zip(schedule, [*schedule[1:], 0.0], strict=True):
        noisy = x.reshape(n, 1, prior.size, prior.size).detach().requires_grad_(True)
        clean = denoise(noisy, torch.full((n,), level))
        misfit = 0.5 * (data.y - data.forward(clean.flatten(1))).square().sum()
        (slope,) = torch.autograd.grad(misfit, noisy)
        both, x = clean.detach().flatten(1), noisy.detach().flatten(1)
        yield Frame(level, noisy.detach(), clean.detach())
        fresh = low * (1 - (low / level) ** 2) ** 0.5
        x = both + (low**2 - fresh**2) ** 0.5 / level * (x - both) + fresh * torch.randn(x.shape, generator=generator)
        x = x - weight * step / data.norm**2 * slope.flatten(1)


SAMPLERS = {"dds": dds, "langevin": langevin, "dps": dps}
