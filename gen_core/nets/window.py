"""A map seen through a window of another width and height: how a structure is drawn at another scale."""

from __future__ import annotations

import torch


def window(x: torch.Tensor, wide: torch.Tensor, high: torch.Tensor, size: int) -> torch.Tensor:
    """(n, c, h, w) -> (n, c, size, size): the middle part of x, `wide` (n,) times its width and `high` (n,) times its height.

    Bilinear as in Jaderberg et al. 2015, and zero outside x; written as two products with matrices of weights, which also
    have a forward derivative. A window of a window is the window of the product, but for what bilinear sampling blurs.
    """
    rows, columns = _weights(high, size, x.shape[2]).to(x.dtype), _weights(wide, size, x.shape[3]).to(x.dtype)
    return rows[:, None] @ x @ columns[:, None].transpose(2, 3)


def mirrored(x: torch.Tensor, wide: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """x (n, c, h, w) with what lies outside its window (n,), (n,) in place of itself mirrored: a wider view of it then goes on
    as it is inside, instead of ending in nothing. One pixel around the window is kept, which the window's edge told of."""
    rows, columns = _mirror(high, x.shape[2]).to(x.dtype), _mirror(wide, x.shape[3]).to(x.dtype)
    return rows[:, None] @ x @ columns[:, None].transpose(2, 3)


def _mirror(share: torch.Tensor, length: int) -> torch.Tensor:
    """(n, length, length): which of `length` pixels each of them becomes."""
    at = ((torch.arange(length, device=share.device) + 0.5) * (2 / length) - 1).expand(len(share), -1)
    edge = share[:, None] + 2 / length
    inside = torch.where(at.abs() <= edge, at, at.sign() * (2 * edge - at.abs()))
    place = ((inside + 1) * length - 1) / 2
    return torch.relu(1 - (place[..., None] - torch.arange(length, device=share.device)).abs())


def _weights(share: torch.Tensor, size: int, length: int) -> torch.Tensor:
    """(n, size, length): how much each of `length` pixels counts in each of `size`, spread over a share (n,) of them."""
    at = ((torch.arange(size, device=share.device) + 0.5) * (2 / size) - 1) * share[:, None]  # -1 to 1 is all of it
    place = ((at + 1) * length - 1) / 2
    return torch.relu(1 - (place[..., None] - torch.arange(length, device=share.device)).abs())


def waves(period: torch.Tensor, size: int, side: int) -> torch.Tensor:
    """Plane waves (n, 4, size, size) of one period (n,) along four directions, 45 degrees apart, from the middle outwards.

    `period` is in pixels of a picture `side` pixels wide (the Fourier features of Karras et al. 2021).
    """
    at = ((torch.arange(size, device=period.device) + 0.5) / size - 0.5) * side
    turn = torch.arange(4, device=period.device) * (torch.pi / 4)
    across = turn.cos()[:, None, None] * at[None, None, :] + turn.sin()[:, None, None] * at[None, :, None]  # (4, size, size)
    return torch.cos(2 * torch.pi * across[None] / period[:, None, None, None])
