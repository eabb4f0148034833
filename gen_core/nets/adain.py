"""Style as channel statistics: instance normalisation takes them away, AdaIN puts others there (Huang & Belongie 2017).

AdaIN(x, y) = sigma(y) (x - mu(x)) / sigma(x) + mu(y),  mean and deviation per channel, over space
"""

from __future__ import annotations

import torch
from torch import nn

EPS = 1e-5


def statistics(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation (n, c, 1, 1) of each channel of x (n, c, h, w)."""
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return mean, (variance + EPS).sqrt()


def normalise(x: torch.Tensor) -> torch.Tensor:
    """x (n, c, h, w) with mean 0 and deviation 1 in each channel: what is left is where things are."""
    return nn.functional.group_norm(x, x.shape[1], eps=EPS)


def adain(x: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """x (n, c, h, w) with the channel statistics given, (n, c, 1, 1) each."""
    return torch.addcmul(mean, deviation, normalise(x))


class Styled(nn.Module):
    """A 3 x 3 convolution whose output has the channel statistics that a style vector (n, k) says, then SiLU."""

    def __init__(self, n_in: int, n_out: int, style: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)  # a bias would be normalised away
        self.style = nn.Linear(style, 2 * n_out)
        with torch.no_grad():
            self.style.weight.mul_(0.5)
            self.style.bias[:n_out].fill_(1.0)
            self.style.bias[n_out:].zero_()

    def wanted(self, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation (n, c, 1, 1) that this layer gives its channels for style (n, k)."""
        deviation, mean = self.style(style)[:, :, None, None].chunk(2, dim=1)
        return mean, deviation

    def forward(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """(n, n_in, h, w), (n, k) -> (n, n_out, h, w)."""
        return nn.functional.silu(adain(self.conv(x), *self.wanted(style)))
