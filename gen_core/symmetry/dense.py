"""A frozen network as dense matrices, with its derivatives: what searching for the codes of many pictures at once is made of.

Between the nonlinearities all is linear, and a matrix product is the fastest thing there is. The derivative goes forward with the
value, one column for each number of the code, so that a step of Gauss and Newton costs a few products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from gen_core.symmetry.model import GRID, Decoder, Orbit, on_turned

if TYPE_CHECKING:
    from collections.abc import Callable

    Last = Callable[[torch.Tensor, torch.Tensor | None, torch.Tensor], tuple[torch.Tensor, torch.Tensor | None]]


class Dense:
    """What a network draws, as measured by a matrix (m, 1024); without one, all pixels.

    With all pixels a network that draws an upright spline is seen in an orthonormal basis of all such splines, which has 256
    numbers and the same distances; `seen` takes pictures to it.
    """

    def __init__(self, net: Decoder, measure: torch.Tensor | None) -> None:
        self.net, self.free, self.orbit = net, net.free, isinstance(net, Orbit)
        with torch.no_grad():
            self.first = (net.code.bank(), net.code.biases())
            self.second = (net.mix.bank(), net.mix.biases())
            biases = net.lift.biases()
            assert biases is not None
            self.third = (net.lift.bank(), biases.repeat_interleave(GRID * GRID))
            self.draw = net.get_buffer("draw")
            self.knots = _projection(net)
            self.measure = measure
            self.basis = torch.linalg.qr(self.draw)[0] if measure is None and not self.orbit else None
            if not self.orbit:  # the drawing is the same for all codes, and goes into the last matrix
                ends = self.draw if self.basis is None else self.basis.T @ self.draw
                last = (ends @ self.knots.unflatten(1, (GRID, GRID)) @ ends.T).flatten(1)
                self.last = last if measure is None else last @ measure.T

    def seen(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 32, 32) as this sees them: measured, or as numbers with the same distances between what can be drawn."""
        if self.measure is not None:
            return pictures.flatten(1) @ self.measure.T
        return pictures.flatten(1) if self.basis is None else (self.basis.T @ pictures @ self.basis).flatten(1)

    def value(self, z: torch.Tensor) -> torch.Tensor:
        """What is seen (n, m) of the pictures of codes (n, d)."""
        return self._all(z, False)[0]

    def both(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, and its derivatives (n, d, m)."""
        value, slope = self._all(z, True)
        assert slope is not None
        return value, slope

    def _all(self, z: torch.Tensor, slopes: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        with torch.no_grad():
            code = z[:, : self.free]
            u, rise = _silu(F.linear(code, *self.first))
            slope = self.first[0].T * rise[:, None] if slopes else None
            u, slope = _layer(u, slope, *self.second)
            u, slope = _layer(u, slope, *self.third)
            if self.orbit:
                return self._turned(z[:, -1], u, slope)
            return u @ self.last, None if slope is None else slope @ self.last

    def _turned(
        self, theta: torch.Tensor, u: torch.Tensor, slope: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The spline on turned pixels, and its derivatives by the code and by the angle."""
        knots = (u @ self.knots).unflatten(1, (GRID, GRID))[:, None]
        columns, rows = (w.transpose(1, 2).contiguous() for w in on_turned(theta))  # (n, 16, p)
        pictures = _drawn(knots, columns, rows)
        value = self._seen(pictures)[:, 0]
        if slope is None:
            return value, None
        by_code = _drawn((slope @ self.knots).unflatten(2, (GRID, GRID)), columns, rows)
        ahead = _drawn(knots, *(w.transpose(1, 2) for w in on_turned(theta + STEP)))
        by_angle = (ahead - pictures) / STEP
        return value, self._seen(torch.cat([by_code, by_angle], 1))

    def _seen(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures if self.measure is None else pictures @ self.measure.T


STEP = 2e-3  # radians, for the derivative by the angle: a spline of pixels is smooth over such a step


def _projection(net: Decoder) -> torch.Tensor:
    """The matrix (c * 16 * 16, 16 * 16) from the last field to the knots: each row is the turned-round filter around a place."""
    bank = net.project.bank()[0]
    channels, wide = bank.shape[0], bank.shape[-1]
    out = torch.zeros(channels, GRID, GRID, GRID, GRID)
    for i in range(wide):
        for j in range(wide):
            down, right = i - wide // 2, j - wide // 2  # knot (r, c) sees the field at (r + down, c + right)
            r = torch.arange(max(0, -down), GRID - max(0, down))
            c = torch.arange(max(0, -right), GRID - max(0, right))
            out[:, r[:, None] + down, c + right, r[:, None], c] = bank[:, i, j][:, None, None]
    return out.flatten(3).flatten(0, 2)


def _drawn(knots: torch.Tensor, columns: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Splines of knots (n, k, 16, 16) at the pixels of turned pictures (n, k, 1024); weights (n, 16, p)."""
    n, k = knots.shape[:2]
    out = knots.new_zeros(n, k, rows.shape[-1])
    for x in range(GRID):  # a column of knots at a time: what is in work stays small
        out.addcmul_(knots[..., x] @ rows, columns[:, x, None])
    return out


def _layer(
    u: torch.Tensor, slope: torch.Tensor | None, weight: torch.Tensor, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    u, rise = _silu(F.linear(u, weight, bias))
    return u, None if slope is None else (slope @ weight.T).mul_(rise[:, None])


def _silu(h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The nonlinearity and its derivative."""
    gate = torch.sigmoid(h)
    value = h * gate
    return value, gate * (1 + h - value)
