"""The prior as a denoiser: what a picture most likely was before noise of a known level was added.

    D(x; sigma) = E[x0 | x0 + sigma n = x],   score(x; sigma) = (D(x; sigma) - x) / sigma^2   (Tweedie; Karras et al. 2022)

For a Gaussian prior D is known in closed form (Wiener's filter). The network learns only what that misses: its target is the
rest x0 - G(x; sigma), divided by the deviation that the Gaussian prior itself says the rest has. So an untrained network is the
Gaussian prior, and every step of the training leads away from it for a reason.
"""

from __future__ import annotations

import torch
from torch import nn

from gen_core.nets.unet import UNet

WIDTHS = {32: (16, 32, 48), 64: (32, 64, 96), 128: (32, 64, 96, 128)}  # channels at a half, a quarter, … of the side
BLOCKS = {32: 1, 64: 2, 128: 1}
SIGMA = (0.004, 20.0)  # smallest and largest noise of a pixel, in units of the attenuation of water


class Gaussian(nn.Module):
    """Normal with mean (s, s), principal axes (k, s * s) with variances (k,), and variance `rest` in all other directions.

    Variances along the axes hold the rest too. Pictures are (n, 1, s, s), noise levels (n,).
    """

    def __init__(self, mean: torch.Tensor, axes: torch.Tensor, variances: torch.Tensor, rest: float) -> None:
        super().__init__()
        self.size, self.n_values = mean.shape[-1], mean.numel()
        self.register_buffer("mean", mean.reshape(1, -1).float(), persistent=False)
        self.register_buffer("axes", axes.float(), persistent=False)
        self.register_buffer("variances", variances.float(), persistent=False)
        self.register_buffer("rest", torch.tensor(float(rest)), persistent=False)
        self.mean: torch.Tensor
        self.axes: torch.Tensor
        self.variances: torch.Tensor
        self.rest: torch.Tensor

    def scaled(self, x: torch.Tensor, along: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
        """Deviations x (n, d) with their parts along the axes times `along` (n, k), and the rest times `across` (n, 1)."""
        return across * x + ((along - across) * (x @ self.axes.T)) @ self.axes

    def denoise(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Wiener's filter: v / (v + sigma^2) in each direction."""
        noise = sigma[:, None].square()
        away = x.flatten(1) - self.mean
        found = self.scaled(away, self.variances / (self.variances + noise), self.rest / (self.rest + noise))
        return (self.mean + found).reshape(x.shape)

    def left(self, sigma: torch.Tensor) -> torch.Tensor:
        """Deviation (n,) of a pixel about the denoised picture, over all pixels: sqrt of mean v sigma^2 / (v + sigma^2)."""
        return self._mean(sigma, lambda v, noise: v * noise / (v + noise)).sqrt()

    def moved(self, sigma: torch.Tensor) -> torch.Tensor:
        """How far (n,) denoising moves a pixel, over all pixels: sqrt of mean sigma^4 / (v + sigma^2)."""
        return self._mean(sigma, lambda v, noise: noise.square() / (v + noise)).sqrt()

    def draw(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Pictures (n, 1, s, s) from the prior."""
        white = torch.randn(n, self.n_values, generator=generator)
        drawn = self.mean + self.scaled(white, self.variances.sqrt()[None], self.rest.sqrt().reshape(1, 1))
        return drawn.reshape(n, 1, self.size, self.size)

    def _mean(self, sigma: torch.Tensor, of: object) -> torch.Tensor:
        noise = sigma[:, None].square()
        along = of(self.variances[None], noise).sum(1)  # type: ignore[operator]
        across = of(self.rest.reshape(1, 1), noise)[:, 0]  # type: ignore[operator]
        return torch.as_tensor((along + (self.n_values - len(self.variances)) * across) / self.n_values)


class Denoiser(nn.Module):
    """The Gaussian prior's denoiser and the network that knows better."""

    def __init__(self, gaussian: Gaussian, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.gaussian = gaussian
        self.net = UNet(2, 1, widths, blocks)
        spread = (gaussian.variances.sum() + gaussian.rest * (gaussian.n_values - len(gaussian.variances))) / gaussian.n_values
        self.register_buffer("spread", spread.sqrt(), persistent=False)
        self.spread: torch.Tensor

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """D(x; sigma) (n, 1, s, s) for noisy pictures x and noise levels (n,)."""
        first, left, rest = self.parts(x, sigma)
        return first + left * rest

    def parts(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The Gaussian's answer, the deviation (n, 1, 1, 1) that it leaves, and what the network adds, in units of that."""
        with torch.autocast(x.device.type, enabled=False):  # half precision is coarser than the faintest noise
            first = self.gaussian.denoise(x, sigma)
            moved = (x - first) / self.gaussian.moved(sigma)[:, None, None, None]
            left = self.gaussian.left(sigma)[:, None, None, None]
        seen = torch.cat([(first - self.gaussian.mean.reshape(x.shape[1:])) / self.spread, moved], 1)
        return first, left, self.net(seen, sigma.log() / 4)


def loss(net: Denoiser, x: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Squared error (n,) of the denoised pictures, in units of what the Gaussian prior leaves: 1 is as good as that."""
    first, left, rest = net.parts(x + sigma[:, None, None, None] * noise, sigma)
    return ((x - first) / left - rest).square().flatten(1).mean(1)
