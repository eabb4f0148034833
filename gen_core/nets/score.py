"""Time-conditioned scores: s(x, t) of a configuration blurred by noise of level sigma, as a denoiser.

    D(x; sigma, t) = E[x0 | x0 + sigma n = x],   s = (D - x) / sigma^2   (Tweedie; Karras et al. 2022)

What a normal distribution of the right mean and covariance says is known in closed form; the network adds the rest, in units
of what that leaves. Configurations are (n, N, d): the network for single particles sees place, time and noise; that for
interacting ones adds for each pair a push along the line between them, and so keeps every symmetry of the law.
"""

from __future__ import annotations

import torch
from torch import nn

from gen_core.nets.mlp import tower

WAVES = 3  # of the time, beside the time itself


class ScoreNet(nn.Module):
    """The denoiser. mean (T, d) and spread (T, d, d) of the blurless particles at `times` (T,) from 0 to 1, in units of the data.

    `charges` (N,) where particles have signs; `pairs` whether they interact.
    """

    def __init__(
        self, mean: torch.Tensor, spread: torch.Tensor, width: int, pairs: bool, charges: torch.Tensor | None = None
    ) -> None:
        super().__init__()
        d = mean.shape[1]
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.register_buffer("charges", charges if charges is not None else torch.zeros(0))
        self.mean: torch.Tensor
        self.spread: torch.Tensor
        self.charges: torch.Tensor
        known = 2 + 2 * WAVES  # time, its waves, noise
        self.alone = tower(d + known, width, width, width)
        self.out = nn.Linear(width, d)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.pairs = pairs
        if pairs:
            self.between = tower(2 + known, width // 2, width // 2)
            self.push = nn.Linear(width // 2, 1)
            nn.init.zeros_(self.push.weight)
            nn.init.zeros_(self.push.bias)

    def forward(self, x: torch.Tensor, t: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """D (n, N, d) for x (n, N, d), times (n,) from 0 to 1, noise levels (n,)."""
        first, left, rest = self.parts(x, t, sigma)
        return first + left * rest

    def score(self, x: torch.Tensor, t: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """s (n, N, d) of the blurred density."""
        return (self(x, t, sigma) - x) / sigma[:, None, None].square()

    def parts(self, x: torch.Tensor, t: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The normal's answer, the deviation (n, 1, 1) that it leaves, and what the network adds, in units of that."""
        mean, spread = self.normal(t)
        noise = sigma[:, None, None].square()
        d = x.shape[-1]
        gain = torch.linalg.solve(spread + noise * torch.eye(d, dtype=x.dtype, device=x.device), spread)  # (n, d, d)
        first = mean[:, None] + (x - mean[:, None]) @ gain
        size = spread.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
        left = (size * noise / (size + noise)).sqrt()
        return first, left, self.rest(x, t, sigma)

    def normal(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean (n, d) and covariance (n, d, d) at times (n,): cubic Hermite splines through those of the snapshots."""
        return _between(self.mean, t), _between(self.spread, t)

    def rest(self, x: torch.Tensor, t: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """What the network adds (n, N, d)."""
        n, N, _ = x.shape
        k = torch.arange(1, WAVES + 1, dtype=x.dtype, device=x.device) * torch.pi
        told = torch.cat([t[:, None], (k * t[:, None]).sin(), (k * t[:, None]).cos(), sigma.log()[:, None] / 2], 1)
        out = self.out(self.alone(torch.cat([x, told[:, None].expand(n, N, -1)], 2)))
        if self.pairs:
            apart = x[:, :, None] - x[:, None]  # (n, N, N, d)
            soft = apart.square().sum(-1) + 1e-6
            kind = torch.zeros_like(soft)
            if len(self.charges):
                kind = kind + self.charges[:, None] * self.charges
            seen = torch.cat([soft.sqrt()[..., None], kind[..., None], told[:, None, None].expand(n, N, N, -1)], 3)
            out = out + (self.push(self.between(seen)) * apart / soft.sqrt()[..., None]).sum(2)
        return torch.as_tensor(out)


def loss(net: ScoreNet, x: torch.Tensor, t: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Squared error (n,) of the denoised configurations, in units of what the normal leaves: 1 is as good as that."""
    first, left, rest = net.parts(x + sigma[:, None, None] * noise, t, sigma)
    return ((x - first) / left - rest).square().flatten(1).mean(1)


def _between(values: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Values (T, ...) at evenly spaced times from 0 to 1, at times t (n,): cubic Hermite with the slopes of differences."""
    last = len(values) - 1
    place = (t * last).clamp(0, last)
    low = place.floor().clamp(max=last - 1).long()
    slopes = torch.gradient(values, dim=0)[0]
    u = (place - low).reshape(-1, *[1] * (values.ndim - 1))
    a, b, p, q = values[low], values[low + 1], slopes[low], slopes[low + 1]
    rise = (3 - 2 * u) * u * u
    return a + rise * (b - a) + u * (1 - u) ** 2 * p - u * u * (1 - u) * q
