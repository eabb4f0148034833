"""A network that says any bits from any others, and draws them in K steps: from all at once to one by one.

What goes in: bits (m, n), which of them are known (m, n), and a latent code (m, z) where it has one. What comes out: for each
bit the logit of a 1 given what is known. Bits of one step are drawn independently of each other: that is what few steps cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


class Masked(nn.Module):
    """One hidden layer and another added to it."""

    def __init__(self, n: int, z: int = 0, width: int = 768) -> None:
        super().__init__()
        self.n, self.z = n, z
        self.values, self.known = nn.Linear(n, width, bias=False), nn.Linear(n, width)
        self.code = nn.Linear(z, width, bias=False) if z else None
        self.middle, self.last = nn.Linear(width, width), nn.Linear(width, n)

    def forward(self, bits: torch.Tensor, known: torch.Tensor, z: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (m, n) from bits (m, n) and what is known of them (m, n), both float, and codes (m, z)."""
        sums = self.values(bits * known) + self.known(known)
        return self.said(sums if self.code is None else sums + self.code(z), slice(None))

    def said(self, sums: torch.Tensor, bits: slice | torch.Tensor) -> torch.Tensor:
        """Logits of some bits from what the hidden units sum up (m, width)."""
        h = F.relu(sums)
        h = h + F.relu(self.middle(h))
        return F.linear(h, self.last.weight[bits], self.last.bias[bits])

    def draw(
        self,
        groups: Sequence[torch.Tensor],
        chance: torch.Tensor,
        given: torch.Tensor,
        z: torch.Tensor | None = None,
        temperature: float = 1.0,
    ) -> torch.Tensor:
        """Bits (m, n), uint8: those of each group in turn, by uniform numbers (m, n); bits of no group are kept as given (m, n).

        What hidden units sum up only grows by the newly drawn bits, so a step costs little more than the middle layer.
        """
        bits = given.float()
        kept = torch.ones(self.n, dtype=torch.bool)
        kept[torch.cat(list(groups))] = False
        values, known = self.values.weight, self.known.weight
        sums = F.linear(bits[:, kept], values[:, kept], self.known.bias + known[:, kept].sum(1))
        if self.code is not None:
            sums = sums + self.code(z)
        for k, group in enumerate(groups):
            new = (chance[:, group] < (self.said(sums, group) / temperature).sigmoid()).float()
            bits[:, group] = new
            if k < len(groups) - 1:
                sums = torch.addmm(sums, new, values[:, group].T) + known[:, group].sum(1)
        return bits.to(torch.uint8)


def spread(layers: int, channels: int) -> torch.Tensor:
    """An order of all channels (n,) in which any stretch of it lies as far apart as can be: every eighth channel, shifted from
    layer to layer, then those between."""
    apart = (0, 4, 2, 6, 1, 5, 3, 7)
    key = [(apart.index((c + 3 * layer) % 8), (c // 8 + layer) % 3, layer, c) for layer in range(layers) for c in range(channels)]
    return torch.tensor(sorted(range(len(key)), key=key.__getitem__))


def parts(order: torch.Tensor, steps: int) -> list[torch.Tensor]:
    """An order (k,) cut into so many groups, their sizes as equal as can be; never more groups than there are bits."""
    return [part for part in torch.tensor_split(order, max(min(steps, len(order)), 1)) if len(part)]
