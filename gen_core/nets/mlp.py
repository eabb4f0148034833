"""A plain tower of layers: vectors in, vectors out."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


def tower(*widths: int, dropout: float = 0.0) -> nn.Sequential:
    """(n, widths[0]) -> (n, widths[-1]): each layer linear, normalised over its units, then SiLU."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), *unit(n_out, dropout)]
    return nn.Sequential(*layers)


def unit(width: int, dropout: float = 0.0) -> list[nn.Module]:
    """What follows a linear layer of this width."""
    return [nn.LayerNorm(width), nn.SiLU(), *([nn.Dropout(dropout)] if dropout else [])]
