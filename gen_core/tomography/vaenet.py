"""A variational autoencoder of slices (Kingma & Welling 2014), whose decoder reconstructs: numbers that explain data.

    encode  slice (n, 1, s, s) -> mean and log variance (n, k) of its code
    decode  code (n, k) -> slice

A pixel is normal around what is drawn, with deviation NOISE: about what `k` numbers leave open.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    import numpy as np

    from gen_core.tomography.slices import Slices

LATENT = 128
NOISE = 0.1  # attenuation over that of water
WIDTHS = {32: (24, 48, 96), 64: (24, 48, 96, 128), 128: (16, 32, 64, 96, 128)}  # channels at a half, a quarter, … of the side
GROUPS = 4


class Vae(nn.Module):
    """Convolutions that halve the side down to 4 pixels, one linear layer to the code, and as much back."""

    def __init__(self, size: int, latent: int = LATENT) -> None:
        super().__init__()
        widths = WIDTHS[size]
        flat, last = widths[-1] * 16, widths[-1]
        down: list[nn.Module] = []
        for n_in, n_out in pairwise((1, *widths)):
            down += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.GroupNorm(GROUPS, n_out), nn.SiLU()]
        self.down = nn.Sequential(*down, nn.Flatten())
        self.to_code = nn.Linear(flat, 2 * latent)
        self.from_code = nn.Sequential(nn.Linear(latent, flat), nn.Unflatten(1, (last, 4, 4)))
        up: list[nn.Module] = []
        for n_in, n_out in pairwise((*widths[::-1], widths[0])):
            up += [nn.GroupNorm(GROUPS, n_in), nn.SiLU(), nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)]
        up += [nn.GroupNorm(GROUPS, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 1, 3, padding=1)]
        self.up = nn.Sequential(*up)
        with torch.no_grad():
            self.to_code.bias[latent:].fill_(-4.0)

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and log variances (n, k) of the codes of slices (n, 1, s, s), attenuation over that of water."""
        mean, spread = self.to_code(self.down(x - 0.5)).chunk(2, dim=1)
        return mean, spread.clamp(-14, 2)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Slices (n, 1, s, s) at codes (n, k)."""
        return torch.as_tensor(self.up(self.from_code(z)))


class VaeTask:
    """The training: rows are slices, the last ones watch."""

    def __init__(self, slices: Slices) -> None:
        self.slices, self.n_train, self.n_valid = slices, slices.n_train, slices.n_valid
        self.fingerprint = f"tomography vae 1 {slices.what}"

    def module(self) -> nn.Module:
        """The untrained network."""
        return Vae(self.slices.size).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each code is taken."""
        return (torch.randn(n, LATENT, generator=generator),)

    def loss(self, module: nn.Module, rows: np.ndarray, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Minus the evidence bound (m,) without its constant, in nats per pixel; the divergence warms up in the first fifth."""
        assert isinstance(module, Vae)
        x = torch.from_numpy(self.slices.images[rows].astype("float32"))[:, None].to(noise[0].device)
        mean, spread = module.posterior(x)
        drawn = module.decode(mean + (spread / 2).exp() * noise[0]).float()
        misfit = (drawn - x).square().flatten(1).sum(1) / (2 * NOISE**2)
        divergence = 0.5 * (mean.square() + spread.exp() - 1 - spread).sum(1)
        return (misfit + min(1.0, 5 * share) * divergence) / x[0].numel()
