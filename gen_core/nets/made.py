"""A masked autoencoder that is autoregressive (MADE, Germain et al. 2015), drawn from at the price of one pass.

What goes in: bits (m, n). What comes out: for each bit the logit of a 1 given the bits before it. Each hidden unit has a degree d
and sees bits 0 ... d alone, so once these are drawn it never changes: while bits are drawn one after the other each unit is
worked out once, and all of them together cost one pass, not n.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Made(nn.Module):
    """Two hidden layers of `per` units a degree, and a straight way from bits to logits."""

    def __init__(self, n: int, per: int = 6) -> None:
        super().__init__()
        self.n, self.per = n, per
        hidden = (n - 1) * per
        self.first, self.second, self.last = nn.Linear(n, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, n)
        self.straight = nn.Parameter(torch.zeros(n, n))
        bit, degree = torch.arange(n), torch.arange(n - 1).repeat_interleave(per)
        for name, mask in {
            "see": bit <= degree[:, None],  # bits 0 ... d
            "pass_on": degree <= degree[:, None],
            "say": degree < bit[:, None],  # bit i hears degrees 0 ... i - 1
            "before": bit < bit[:, None],
        }.items():
            self.register_buffer(name, mask, persistent=False)

    def weights(self) -> tuple[torch.Tensor, ...]:
        """The four matrices with what must not be seen set to zero."""
        masks = self.get_buffer("see"), self.get_buffer("pass_on"), self.get_buffer("say"), self.get_buffer("before")
        own = self.first.weight, self.second.weight, self.last.weight, self.straight
        return tuple(weight * mask for weight, mask in zip(own, masks, strict=True))

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """bits (m, n) float: logits (m, n)."""
        first, second, last, straight = self.weights()
        h = F.relu(F.linear(bits, first, self.first.bias))
        h = F.relu(F.linear(h, second, self.second.bias))
        return F.linear(h, last, self.last.bias) + F.linear(bits, straight)

    def log_likelihood(self, hits: torch.Tensor) -> torch.Tensor:
        """Nats (m,) of patterns (m, ...) of n bits."""
        bits = hits.reshape(len(hits), -1).float()
        return -F.binary_cross_entropy_with_logits(self(bits), bits, reduction="none").sum(1)

    def draw(self, chance: torch.Tensor, temperature: float = 1.0, cached: bool = True) -> torch.Tensor:
        """Bits (m, n), uint8, one after the other, from uniform numbers (m, n); without `cached` a whole pass for each."""
        m, n, per = len(chance), self.n, self.per
        bits = torch.zeros(m, n)
        if not cached:
            for i in range(n):
                bits[:, i] = (chance[:, i] < (self(bits)[:, i] / temperature).sigmoid()).float()
            return bits.to(torch.uint8)
        first, second, last, straight = (weight.contiguous() for weight in self.weights())
        one, two = torch.zeros((n - 1) * per, m), torch.zeros((n - 1) * per, m)  # units first: what is read lies together
        drawn, even = torch.zeros(n, m), chance.T.contiguous()
        for i in range(n):
            logit = torch.mv(two[: i * per].T, last[i, : i * per]) + torch.mv(drawn[:i].T, straight[i, :i]) + self.last.bias[i]
            drawn[i] = (even[i] < (logit / temperature).sigmoid()).float()
            if i < n - 1:
                new = slice(i * per, (i + 1) * per)
                one[new] = torch.addmm(self.first.bias[new, None], first[new, : i + 1], drawn[: i + 1]).relu_()
                two[new] = torch.addmm(self.second.bias[new, None], second[new, : (i + 1) * per], one[: (i + 1) * per]).relu_()
        return drawn.T.contiguous().to(torch.uint8)
