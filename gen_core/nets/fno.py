"""A Fourier neural operator (Li et al. 2021): convolutions whose kernels are as wide as the picture.

(n, c_in, s, s) -> (n, c_out, s, s). Each layer multiplies the lowest Fourier modes by learned matrices over the channels and adds
a 1 x 1 convolution; the weights do not depend on s.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Spectral(nn.Module):
    """Matrices for the lowest modes, kept as real and imaginary parts, so that they are stored as plain numbers."""

    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.randn(2, 2, width, width, modes, modes) / width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        m, seen = self.modes, torch.fft.rfft2(x.float(), norm="ortho")
        out = torch.zeros_like(seen)
        for side, rows in enumerate((slice(0, m), slice(-m, None))):  # low frequencies of both signs along the first axis
            matrix = torch.complex(self.weight[0, side], self.weight[1, side])
            out[:, :, rows, :m] = torch.einsum("nixy,ioxy->noxy", seen[:, :, rows, :m], matrix)
        return torch.fft.irfft2(out, s=x.shape[-2:], norm="ortho")


class FNO(nn.Module):
    """`width` channels in `layers` layers, `modes` Fourier modes along each axis."""

    def __init__(self, n_in: int, n_out: int, width: int = 20, modes: int = 8, layers: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, width, 1)
        self.wide = nn.ModuleList(Spectral(width, modes) for _ in range(layers))
        self.near = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(layers))
        self.last = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.GELU(), nn.Conv2d(2 * width, n_out, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x)
        for i, (wide, near) in enumerate(zip(self.wide, self.near, strict=True)):
            h = wide(h) + near(h)
            h = F.gelu(h) if i < len(self.wide) - 1 else h
        return torch.as_tensor(self.last(h))
