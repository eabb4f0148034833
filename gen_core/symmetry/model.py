"""The networks that draw pictures from codes, of equal cost: a plain one, those for C4, C8 and C16, and the orbit of a plain one.

    decode    codes (n, d) -> pictures (n, 32, 32), not bounded
    turned    codes (n, d), angles (n,) in degrees -> the codes of the turned pictures, as far as the network has such a motion

All are the same four layers with the same channels, so that a picture costs the same multiplications in each. The group networks
learn one filter for all elements of the group and so have N times fewer numbers to learn in most layers. After the last
nonlinearity all is linear: a field of 16 x 16 is projected to the knots of a cubic spline, and that is drawn on 32 x 32 pixels.

A code of a group network is a list of numbers that a turn leaves alone and of pairs that it turns once, twice or thrice as fast:
the regular representation of the group in its Fourier parts, so that any d is possible and the normal prior does not change.
The orbit (a plain network, and an angle as the last of its d numbers) draws its spline on turned pixels, whatever the angle.
"""

from __future__ import annotations

import math
from itertools import cycle, islice, pairwise

import torch
from torch import nn
from torch.nn import functional as F

from gen_core.nets.group_conv import FromCode, Lift, Linear, Project

ORDERS = {"plain": 1, "augmented": 1, "c4": 4, "c8": 8, "c16": 16, "orbit": 1}
KINDS_OF_GROUPS = ("c4", "c8", "c16")
CHANNELS, WIDTHS = 16, (128, 64)  # over all elements of the group
SIZE, GRID = 32, 16  # pixels, and places of the field
SPEEDS = (1, 2, 1, 3)  # how fast the pairs of a code turn
INVARIANT = 0.2  # share of a code that no turn changes
NOISE = 0.04  # deviation of a pixel around what is drawn


def speeds(d: int) -> list[int]:
    """How fast each number of a code turns: zeros, then each pair twice."""
    still = max(round(INVARIANT * d), 1)
    still += (d - still) % 2
    pairs = islice(cycle(SPEEDS), (d - still) // 2)
    return [0] * still + [speed for pair in pairs for speed in (pair, pair)]


def action(d: int, angles: torch.Tensor) -> torch.Tensor:
    """The matrices (n, d, d) by which codes of a group network turn, angles (n,) in radians."""
    told = speeds(d)
    still = told.count(0)
    out = torch.eye(d, dtype=angles.dtype).repeat(len(angles), 1, 1)
    for i in range(still, d, 2):
        c, s = (told[i] * angles).cos(), (told[i] * angles).sin()
        out[:, i, i], out[:, i, i + 1], out[:, i + 1, i], out[:, i + 1, i + 1] = c, -s, s, c
    return out


def spline(where: torch.Tensor, knots: int) -> torch.Tensor:
    """The weight (..., knots) of each knot of a uniform cubic spline at places in units of knots."""
    t = (where[..., None] - torch.arange(knots, dtype=where.dtype, device=where.device)).abs()
    near, far = (1 - t).clamp_(min=0), (2 - t).clamp_(min=0)  # the bell is the wide cubic less four of the narrow one
    return (far * far * far - 4 * near * near * near) / 6


def finer(n: int) -> torch.Tensor:
    """The matrix (2n, n) that draws a spline of n knots on 2n places."""
    return spline((torch.arange(2 * n, dtype=torch.float64) + 0.5) / 2 - 0.5, n).float()


class Decoder(nn.Module):
    """The plain network (order 1) and those of C_N."""

    def __init__(self, order: int, d: int) -> None:
        super().__init__()
        self.order, self.d, self.free = order, d, d  # free: numbers that a normal prior holds for
        turns = action(d, 2 * math.pi * torch.arange(order, dtype=torch.float64) / order).float()
        first, second, c = WIDTHS[0] // order, WIDTHS[1] // order, CHANNELS // order
        self.code, self.mix = FromCode(turns, first), Linear(first, second, order)
        self.lift, self.project = Lift(second, c, GRID, order), Project(c, order)
        self.register_buffer("draw", finer(GRID), persistent=False)

    def knots(self, z: torch.Tensor) -> torch.Tensor:
        """The knots (n, 16, 16) of the spline that is drawn."""
        f = self.lift(F.silu(self.mix(F.silu(self.code(z)))))
        return torch.as_tensor(self.project(F.silu(f))[:, 0])

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 32, 32) of codes (n, d)."""
        draw = self.get_buffer("draw")
        return draw @ self.knots(z) @ draw.T

    def turned(self, z: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
        """Codes (n, d) turned by angles (n,) in degrees, between the elements of the group by their Fourier parts."""
        return torch.einsum("nde,ne->nd", action(self.d, torch.deg2rad(angle.double())).to(z), z)

    @property
    def multiplications(self) -> int:
        """Multiplications for one picture: the same for each order."""
        first, second = WIDTHS
        fields = GRID**2 * CHANNELS
        return self.free * first + first * second + second * fields + 49 * fields + GRID**2 * SIZE + GRID * SIZE**2


class Orbit(Decoder):
    """A plain network and a turn after it: the last number of a code is the angle in radians."""

    def __init__(self, d: int) -> None:
        super().__init__(1, d - 1)
        self.d = d

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 32, 32) of codes (n, d), the spline drawn on turned pixels."""
        columns, rows = on_turned(z[:, -1])
        drawn = self.knots(z[:, :-1]).transpose(1, 2) @ rows.transpose(1, 2)  # (n, x, p): each column of knots at each pixel
        return (columns.transpose(1, 2) * drawn).sum(1).unflatten(1, (SIZE, SIZE))

    def turned(self, z: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
        """Codes (n, d) turned by angles (n,) in degrees: the angle is added."""
        return torch.cat([z[:, :-1], z[:, -1:] + torch.deg2rad(angle.to(z))[:, None]], 1)


def on_turned(theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights (n, 1024, 16) of the knots' columns and rows at the pixels of pictures turned by theta (n,) in radians."""
    at = torch.arange(SIZE, dtype=theta.dtype, device=theta.device) - (SIZE - 1) / 2
    y, x = (part.flatten() for part in torch.meshgrid(-at, at, indexing="ij"))
    c, s = theta.cos()[:, None], theta.sin()[:, None]
    middle, ratio = (GRID - 1) / 2, GRID / SIZE
    columns, rows = ratio * (c * x + s * y) + middle, middle - ratio * (c * y - s * x)
    return spline(columns, GRID), spline(rows, GRID)


class Encoder(nn.Module):
    """A picture to the mean and log variance of its code: the same plain one for all, needed in training alone."""

    def __init__(self, d: int) -> None:
        super().__init__()
        widths = (1, 16, 32, 64)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.SiLU()]
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 16, 2 * d))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and log variances (n, d) of pictures (n, 32, 32)."""
        mean, spread = self.net(4 * x[:, None]).chunk(2, 1)
        return mean, spread.clamp(-12, 2)


class Learning(nn.Module):
    """A decoder and the encoder it learns with: a variational autoencoder (Kingma & Welling 2014)."""

    def __init__(self, kind: str, d: int) -> None:
        super().__init__()
        self.decoder = made(kind, d)
        self.encoder = Encoder(self.decoder.free)


def made(kind: str, d: int) -> Decoder:
    """The untrained network of a kind for codes of d numbers."""
    return Orbit(d) if kind == "orbit" else Decoder(ORDERS[kind], d)
