"""The plain variational autoencoder of pictures (Kingma & Welling 2014): one vector says all, nothing is told apart.

    encode  picture (n, 3, 64, 64) -> mean and log variance (n, k) of its code
    decode  code (n, k) -> picture

A pixel is taken for normal around what is drawn, with deviation NOISE in each colour: about what two numbers leave open.
So the reconstruction term is a log-density in nats per picture, and with a weight of 1 for the divergence (beta,
Higgins et al. 2017) the loss is the evidence bound of that likelihood, up to its sign. A picture is 12,288 values and its code
a few: at beta 1 the divergence counts little, and it takes a beta of hundreds to be seen.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from gen_core.images.model import conv

NOISE = 0.15
VALUES = 3 * 64 * 64
LOWEST = -14.0  # of the log variance, which without the divergence falls for ever
WIDTHS = {"plain": (28, 48, 68, 76), "lecture": (12, 24, 32, 48)}  # channels at 32, 16, 8 and 4 pixels
LATENT = {"plain": 48, "lecture": 2}
HIDDEN = 64  # units between a code and the first map of the decoder


class PlainNet(nn.Module):
    """Four convolutions that halve the side, one linear layer to the code, and as much back."""

    def __init__(self, latent: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        flat, last = widths[-1] * 4 * 4, widths[-1]
        down = [part for n_in, n_out in pairwise((3, *widths)) for part in conv(n_in, n_out, 2)]
        self.down = nn.Sequential(*down, nn.Flatten())
        self.to_code = nn.Linear(flat, 2 * latent)
        self.from_code = nn.Sequential(
            nn.Linear(latent, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, flat), nn.Unflatten(1, (last, 4, 4))
        )
        up: list[nn.Module] = []
        for n_in, n_out in pairwise((*widths[::-1], 3)):
            up += [nn.GroupNorm(4, n_in), nn.SiLU(), nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)]
        self.up = nn.Sequential(*up)
        with torch.no_grad():
            self.to_code.bias[latent:].fill_(-4.0)

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and log variances (n, k) of the codes of pictures x (n, 3, 64, 64) in [0, 1]."""
        mean, spread = self.to_code(self.down(2 * x - 1)).chunk(2, dim=1)
        return mean, spread.clamp(LOWEST, 2)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Codes (n, k): the means of their posteriors."""
        return self.posterior(x)[0]

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, 64, 64) in [0, 1]."""
        return torch.sigmoid(self.up(self.from_code(z)))


class Several(nn.Module):
    """One network for each weight of the divergence, all begun alike, so that nothing but the weight sets them apart."""

    def __init__(self, betas: tuple[float, ...], kind: str) -> None:
        super().__init__()
        self.betas = betas
        self.nets = nn.ModuleList(PlainNet(LATENT[kind], WIDTHS[kind]) for _ in betas)
        for net in self.nets:
            net.load_state_dict(self.nets[0].state_dict())


def sampled(mean: torch.Tensor, spread: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Codes drawn from the posteriors."""
    return mean + (spread / 2).exp() * noise


def likelihood(drawn: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """log p(x | z) (n,) in nats: x normal around what is drawn, with deviation NOISE in each of its values."""
    constant = VALUES * (math.log(NOISE) + 0.5 * math.log(2 * math.pi))
    return -(drawn - x).square().flatten(1).sum(1) / (2 * NOISE**2) - constant


def divergence(mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """KL(q(z | x) || p(z)) (n, k) in nats from the standard normal prior, for each number of the code."""
    return 0.5 * (mean.square() + spread.exp() - 1 - spread)


def loss(net: PlainNet, x: torch.Tensor, noise: torch.Tensor, beta: float) -> torch.Tensor:
    """Minus the evidence bound (n,) with beta times its divergence, in nats per value of the picture."""
    mean, spread = net.posterior(x)
    drawn = net.decode(sampled(mean, spread, noise)).float()
    return (beta * divergence(mean, spread).sum(1) - likelihood(drawn, x)) / VALUES
