"""A small U-Net for denoising on a CPU: a picture and its noise level in, a picture out.

(n, c_in, s, s), (n,) -> (n, c_out, s, s). The picture is folded once (each 2 x 2 pixels become channels), so that the widest
maps have half the side; every convolution is told the noise level by a scale and a shift of its channels.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

WAVES = 16  # frequencies in which a noise level is written
GROUPS = 4


class Block(nn.Module):
    """Two convolutions around what the noise level says, added to what came in (He et al. 2016)."""

    def __init__(self, n_in: int, n_out: int, told: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, n_in), nn.Conv2d(n_in, n_out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, n_out), nn.Conv2d(n_out, n_out, 3, padding=1)
        self.told = nn.Linear(told, 2 * n_out)
        self.past = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)
        with torch.no_grad():
            for last in (self.conv2, self.told):
                last.weight.zero_()  # at first a block does nothing
                last.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        return torch.as_tensor(self.past(x) + self.conv2(F.silu(h * (1 + scale) + shift)))


class UNet(nn.Module):
    """`widths` are the channels at a half, a quarter, … of the side, which must be divisible by 2 to their number."""

    def __init__(self, n_in: int, n_out: int, widths: tuple[int, ...], blocks: int = 1) -> None:
        super().__init__()
        told = 4 * WAVES
        self.register_buffer("waves", torch.exp(torch.linspace(0, math.log(64), WAVES)), persistent=False)
        self.level = nn.Sequential(nn.Linear(2 * WAVES, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU())
        self.first = nn.Conv2d(4 * n_in, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.ModuleList(Block(w, w, told) for _ in range(blocks)) for w in widths)
        self.halve = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.ModuleList(Block(w, w, told) for _ in range(blocks)) for w in widths)
        self.widen = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise(widths))
        self.join = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in widths[:-1])
        self.last = nn.Sequential(nn.GroupNorm(GROUPS, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 4 * n_out, 3, padding=1))
        with torch.no_grad():
            self.last[2].weight.zero_()  # type: ignore[operator]
            self.last[2].bias.zero_()  # type: ignore[operator]

    def forward(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """x (n, c_in, s, s); level (n,), of the order of 1."""
        at = level[:, None] * self.waves  # type: ignore[operator]
        told = self.level(torch.cat([at.sin(), at.cos()], 1))
        h = self.first(F.pixel_unshuffle(x, 2))
        passed = []
        for i, blocks in enumerate(self.down):
            h = self.halve[i - 1](h) if i else h
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h, told)
            passed.append(h)
        for i in range(len(self.up) - 1, -1, -1):
            if i < len(self.up) - 1:
                h = self.join[i](torch.cat([self.widen[i](h), passed[i]], 1))
            for block in self.up[i]:  # type: ignore[attr-defined]
                h = block(h, told)
        return F.pixel_shuffle(self.last(h), 2)
