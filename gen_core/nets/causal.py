"""A causal transformer over the hits of a detector, a few channels a token, with its keys and values kept while it draws.

What goes in: patterns (m, layers, channels) of 0 and 1. What comes out: for each token, layer by layer from the vertex, the
log-probabilities of its 2^width patterns given all tokens before it. Each position sees, beside what attention brings it, the
token before and its neighbours in the three layers before: what a track did there.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

BACK = 3  # layers before that are seen without attention


class Block(nn.Module):
    """Attention to the positions before, then a small network; both added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.told = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries, keys and values (m, heads, T, width / heads) of x (m, T, width)."""
        m, t, width = x.shape
        q, k, v = self.asked(self.first(x)).view(m, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return q, k, v

    def finish(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """x (m, T, width) and what attention brought (m, heads, T, width / heads)."""
        x = x + self.told(seen.transpose(1, 2).reshape(x.shape))
        return torch.as_tensor(x + self.narrow(F.gelu(self.wide(self.second(x)), approximate="tanh")))


class Causal(nn.Module):
    """The transformer; `token` channels are one token."""

    near: torch.Tensor

    def __init__(self, layers: int, channels: int, token: int = 4, width: int = 64, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        if channels % token:
            raise ValueError(f"{channels} channels are no multiple of {token}")
        self.shape, self.token, self.groups = (layers, channels), token, channels // token
        self.length, self.heads = layers * self.groups, heads
        self.register_buffer("near", neighbours(layers, self.groups), persistent=False)
        self.register_buffer("bits", patterns(token), persistent=False)
        self.seen, self.felt = nn.Linear(self.near.shape[1] * token, 2 * width), nn.Linear(2 * width, width)
        self.place = nn.Parameter(0.02 * torch.randn(self.length, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.last, self.said = nn.LayerNorm(width), nn.Linear(width, 2**token)

    bits: torch.Tensor

    def tokens(self, hits: torch.Tensor) -> torch.Tensor:
        """Patterns (m, layers, channels) as bits (m, T, token)."""
        return hits.reshape(len(hits), self.length, self.token)

    def codes(self, hits: torch.Tensor) -> torch.Tensor:
        """The number (m, T) of the pattern of each token."""
        places = 2 ** torch.arange(self.token, device=hits.device)
        return (self.tokens(hits).long() * places).sum(-1)

    def start(self, around: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """What positions begin with, from the bits around them (m, T, near * token)."""
        return torch.as_tensor(self.felt(F.gelu(self.seen(around), approximate="tanh")) + place)

    def forward(self, hits: torch.Tensor) -> torch.Tensor:
        """hits (m, layers, channels) float: log-probabilities (m, T, 2^token)."""
        bits = F.pad(self.tokens(hits), (0, 0, 0, 1))  # the last one is the nothing beyond the edge
        x = self.start(bits[:, self.near].flatten(2), self.place)
        for block in self.blocks:
            x = block.finish(x, F.scaled_dot_product_attention(*block.split(x), is_causal=True))  # type: ignore[operator, misc]
        return self.said(self.last(x)).float().log_softmax(-1)

    def log_likelihood(self, hits: torch.Tensor) -> torch.Tensor:
        """Nats (m,) of patterns (m, layers, channels)."""
        return self(hits.float()).gather(2, self.codes(hits)[:, :, None])[:, :, 0].sum(1)

    def draw(self, chance: torch.Tensor, temperature: float = 1.0, cached: bool = True) -> torch.Tensor:
        """Patterns (m, layers, channels), uint8, one token after the other, from uniform numbers (m, T).

        With `cached` keys and values are kept from token to token; without it all is worked out anew for each, to check that.
        """
        m, bits = len(chance), torch.zeros(len(chance), self.length + 1, self.token)
        kept: list[list[torch.Tensor]] = [[] for _ in self.blocks]
        if cached:
            size = m, self.heads, self.length, self.place.shape[1] // self.heads
            kept = [[torch.empty(size) for _ in range(2)] for _ in self.blocks]
        for t in range(self.length):
            if cached:
                x = self.start(bits[:, self.near[t]].flatten(1)[:, None], self.place[t])
                for block, (keys, values) in zip(self.blocks, kept, strict=True):
                    q, keys[:, :, t : t + 1], values[:, :, t : t + 1] = block.split(x)  # type: ignore[operator]
                    seen = F.scaled_dot_product_attention(q, keys[:, :, : t + 1], values[:, :, : t + 1])
                    x = block.finish(x, seen)  # type: ignore[operator]
                logits = self.said(self.last(x))[:, 0]
            else:
                logits = self(bits[:, :-1].reshape(m, *self.shape))[:, t]
            bits[:, t] = self.bits[picked(logits / temperature, chance[:, t])]
        return bits[:, :-1].reshape(m, *self.shape).to(torch.uint8)


def picked(logits: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """Which of the patterns (m,) uniform numbers (m,) choose, by the inverse of the cumulated probabilities (m, patterns)."""
    below = logits.softmax(-1).cumsum(-1) < chance[:, None]
    return below.sum(-1).clamp(max=logits.shape[-1] - 1)


def patterns(token: int) -> torch.Tensor:
    """All bits (2^token, token), the first bit the lowest."""
    return ((torch.arange(2**token)[:, None] >> torch.arange(token)) & 1).float()


def neighbours(layers: int, groups: int) -> torch.Tensor:
    """For each token the tokens before it that it sees at once (T, k); one past the last where there is none."""
    none = layers * groups
    rows = []
    for layer in range(layers):
        for group in range(groups):
            own = layer * groups + group
            found = [own - 1 if own else none, own - 2 if group > 1 else none]
            for back in range(1, BACK + 1):
                for beside in (-1, 0, 1):
                    there = layer >= back and 0 <= group + beside < groups
                    found.append((layer - back) * groups + group + beside if there else none)
            rows.append(found)
    return torch.tensor(rows)
