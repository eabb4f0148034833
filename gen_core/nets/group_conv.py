"""Convolutions that turn what they say when what they see is turned (Cohen & Welling 2016), in plain torch.

The group is C_N, the turns by multiples of 360 / N degrees, counterclockwise. A field has for each channel one map per element
(n, channels * N, s, s); a turn by k steps turns each map and rolls the elements by k. A filter is learned once and laid out for
all elements: turned, its input elements rolled along. Quarter turns are exact (rot90), the turns between are bilinear within a
disc, so that nothing leaves the corners of a filter. Each filter is softened before it is turned: a rough one would be blurred by
the turns between, and by the quarter turns not. With N = 1 each layer is the plain one of the same size, softened alike.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import nn
from torch.nn import functional as F

SOFT = 1.0  # deviation of the softening, in pixels of a filter


def turning(size: int, order: int, soft: float = SOFT) -> torch.Tensor:
    """Matrices (order / 4, at least 1; s * s, s * s) that soften a filter and turn it by less than a quarter, within the disc."""
    at = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = torch.meshgrid(-at, at, indexing="ij")  # y points up
    disc = ((x.square() + y.square()).sqrt() <= size / 2 + 1e-9).double().flatten()
    out = []
    for step in range(max(order // 4, 1)):
        angle = 2 * math.pi * step / order
        c, s = math.cos(angle), math.sin(angle)
        column, row = c * x + s * y + (size - 1) / 2, (size - 1) / 2 - (c * y - s * x)  # where each place comes from
        places = torch.arange(size, dtype=torch.float64)
        hat = [(1 - (where.flatten()[:, None] - places).abs()).clamp(min=0) for where in (row, column)]
        matrix = (hat[0][:, :, None] * hat[1][:, None, :]).flatten(1)
        out.append(disc[:, None] * matrix @ softening(size, soft) * disc)
    return torch.stack(out).float()


def softening(size: int, soft: float) -> torch.Tensor:
    """The matrix (s * s, s * s) that spreads each pixel of a filter over its neighbours, its sum of squares kept."""
    at = torch.arange(size, dtype=torch.float64)
    bell = torch.exp(-0.5 * ((at[:, None] - at) / soft).square()) if soft > 0 else torch.eye(size, dtype=torch.float64)
    spread = torch.kron(bell, bell)
    return spread / spread.square().sum(1).sqrt()[:, None].mean()


class Layer(nn.Module, ABC):
    """A filter for C_N and the bank that it is laid out to: kept in eval mode, where it does not change."""

    def __init__(self, shape: tuple[int, ...], order: int, fan_in: int, size: int | None = None, out: int = 0) -> None:
        super().__init__()
        if order not in (1, 2) and order % 4:
            raise ValueError("the order of the group is 1, 2 or a multiple of 4.")
        self.order = order
        self.weight = nn.Parameter(torch.randn(shape) * math.sqrt(2.0 / fan_in))
        self.bias = nn.Parameter(torch.zeros(out)) if out else None
        if size is not None:
            self.register_buffer("matrices", turning(size, order), persistent=False)
        self._kept: tuple[int, torch.Tensor] | None = None

    @abstractmethod
    def laid_out(self) -> torch.Tensor:
        """The bank from the filter."""

    def bank(self) -> torch.Tensor:
        """The filters of all elements."""
        if self.training or (torch.is_grad_enabled() and self.weight.requires_grad):
            return self.laid_out()
        version = self.weight._version  # an average of weights changes in eval mode
        if self._kept is None or self._kept[0] != version or self._kept[1].device != self.weight.device:
            self._kept = (version, self.laid_out())
        return self._kept[1]

    def train(self, mode: bool = True) -> Layer:
        """As in torch; what was kept is forgotten."""
        self._kept = None
        super().train(mode)
        return self

    def turned(self, filters: torch.Tensor, step: int) -> torch.Tensor:
        """Filters (..., s, s) turned by so many steps."""
        side = filters.shape[-1]
        if self.order < 4:
            quarters, rest = step * 4 // self.order, 0
        else:
            quarters, rest = divmod(step, self.order // 4)
        matrix = self.get_buffer("matrices")[rest]
        between = (filters.flatten(-2) @ matrix.T).unflatten(-1, (side, side))
        return torch.rot90(between, quarters % 4, (-2, -1))

    def biases(self) -> torch.Tensor | None:
        """The biases (out * N,), the same for all elements of a channel."""
        return None if self.bias is None else self.bias.repeat_interleave(self.order)


class FromCode(Layer):
    """A code that turns by a matrix of its own to numbers that roll: each number sees the code turned back by its element."""

    def __init__(self, action: torch.Tensor, out: int) -> None:
        """action (N, d, d): the matrix of each element on the code."""
        order, d = action.shape[:2]
        super().__init__((out, d), order, d, out=out)
        self.register_buffer("action", action, persistent=False)

    def laid_out(self) -> torch.Tensor:
        """(out * N, d): w . rho(g)^-1 z, rho being orthogonal."""
        return torch.einsum("od,ged->oge", self.weight, self.get_buffer("action")).flatten(0, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Codes (n, d) to (n, out * N)."""
        return F.linear(z, self.bank(), self.biases())


class Linear(Layer):
    """Numbers that roll to numbers that roll."""

    def __init__(self, n_in: int, n_out: int, order: int) -> None:
        super().__init__((n_out, n_in, order), order, n_in * order, out=n_out)

    def laid_out(self) -> torch.Tensor:
        """(out * N, in * N), circulant in the elements."""
        return torch.stack([self.weight.roll(g, 2) for g in range(self.order)], 1).flatten(2).flatten(0, 1)

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """(n, in * N) to (n, out * N)."""
        return F.linear(u, self.bank(), self.biases())


class Lift(Layer):
    """Numbers that roll to a field that turns: each draws a picture of the field's own size."""

    def __init__(self, n_in: int, n_out: int, size: int, order: int) -> None:
        super().__init__((n_out, n_in, order, size, size), order, n_in * order, size, n_out)
        self.size = size

    def laid_out(self) -> torch.Tensor:
        """(out * N * s * s, in * N)."""
        turns = [self.turned(self.weight.roll(g, 2), g) for g in range(self.order)]
        return torch.stack(turns, 1).flatten(0, 1).flatten(1, 2).permute(0, 2, 3, 1).flatten(0, 2)

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """(n, in * N) to (n, out * N, s, s)."""
        field = F.linear(u, self.bank()).unflatten(1, (-1, self.size, self.size))
        biases = self.biases()
        return field if biases is None else field + biases[:, None, None]


class Project(Layer):
    """A field that turns to one picture that turns: all elements are added up."""

    def __init__(self, n_in: int, order: int, size: int = 7) -> None:
        super().__init__((n_in, size, size), order, 2 * n_in * order * size * size, size)

    def laid_out(self) -> torch.Tensor:
        """(1, in * N, s, s)."""
        return torch.stack([self.turned(self.weight, g) for g in range(self.order)], 1).flatten(0, 1)[None]

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        """(n, in * N, h, w) to (n, 1, h, w)."""
        return F.conv2d(f, self.bank(), padding=self.weight.shape[-1] // 2)
