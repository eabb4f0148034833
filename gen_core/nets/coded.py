"""A variational autoencoder of bits whose prior may be learned, too: events in one pass, each bit on its own once z is fixed.

What goes in: bits (m, n). What comes out: a bound of their log-likelihood; or from normal numbers (m, z) the logits of bits.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from gen_core.nets.coupling import Prior
from gen_core.nets.masked import Masked


class Encoder(nn.Module):
    """Mean and log-deviation of the latent code of bits."""

    def __init__(self, n: int, z: int, width: int = 512) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2 * z))

    def forward(self, bits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """bits (m, n): mean and log-deviation, each (m, z)."""
        mean, log = self.net(bits).chunk(2, -1)
        return mean, 3 * torch.tanh(log / 3)


class Coded(nn.Module):
    """Encoder, prior and decoder; the decoder is a plain one, or one that also sees the bits drawn so far (`steps`)."""

    def __init__(self, n: int, z: int = 32, learned: bool = False, steps: bool = False) -> None:
        super().__init__()
        self.n, self.z = n, z
        self.encoder = Encoder(n, z)
        self.prior = Prior(z, 6, 64) if learned else None
        self.decoder: nn.Module
        if steps:
            self.decoder = Masked(n, z)
        else:
            self.decoder = nn.Sequential(nn.Linear(z, 384), nn.SiLU(), nn.Linear(384, 512), nn.SiLU(), nn.Linear(512, n))

    def encode(self, bits: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A code (m, z) of each of the bits (m, n), and its divergence from the prior in nats (m,)."""
        mean, log = self.encoder(bits)
        z = mean + log.exp() * noise
        if self.prior is None:
            return z, (0.5 * (mean.square() + (2 * log).exp() - 1) - log).sum(1)
        own = -(log + 0.5 * noise.square()).sum(1) - 0.5 * self.z * 1.8378770664093453
        return z, own - self.prior.log_density(z)

    def codes(self, normal: torch.Tensor) -> torch.Tensor:
        """Codes (m, z) of the prior from normal numbers (m, z)."""
        return normal if self.prior is None else self.prior.codes(normal)

    def loss(self, bits: torch.Tensor, noise: torch.Tensor, weight: float) -> torch.Tensor:
        """Nats (m,) of a plain decoder; `weight` is that of the divergence, 1 at the end."""
        z, apart = self.encode(bits, noise)
        return F.binary_cross_entropy_with_logits(self.decoder(z), bits, reduction="none").sum(1) + weight * apart
