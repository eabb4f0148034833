"""Codes that draw a picture better than the encoder's first guess: a few steps down what the decoder misses of it.

Semi-amortized inference (Kim et al. 2018). The encoder decides what a picture's styles are and where its structure lies; the
steps put the structure where it lies exactly.
"""

from __future__ import annotations

import torch

from gen_core.images.model import ImageNet, misfit
from gen_core.nets.adain import normalise

STEPS, RATE = 10, 0.1  # for every picture that is looked at: as many as a page can wait for
PULL = 2e-4  # weight of the styles' squared distance from where the encoder put them: keeps codes where edits work

Codes = tuple[torch.Tensor, torch.Tensor]


def refined(net: ImageNet, x: torch.Tensor, codes: Codes, steps: int = STEPS, rate: float = RATE, styles: bool = False) -> Codes:
    """The best codes seen in `steps` of Adam from `codes` towards drawing x (n, 3, 64, 64); the styles stay unless `styles`.

    Each picture goes its own way, whatever others are with it.
    """
    content, style = (part.clone().requires_grad_() for part in codes)
    start, best = codes[1], torch.full((len(x),), torch.inf)
    found = [part.clone() for part in codes]
    optimizer = torch.optim.Adam([content, style] if styles else [content], rate)
    for step in range(steps + 1):
        optimizer.param_groups[0]["lr"] = rate * (0.1 + 0.9 * (1 - step / (steps + 1)))
        miss = misfit(net.decode(normalise(content), style), x)
        better = miss.detach() < best
        best = torch.where(better, miss.detach(), best)
        for kept, now in zip(found, (normalise(content), style), strict=True):
            kept[better] = now.detach()[better]
        if step == steps:
            break
        loss = miss.sum() + PULL * (style - start).square().sum()
        gradients = torch.autograd.grad(loss, [content, style] if styles else [content])
        for part, gradient in zip((content, style), gradients, strict=False):
            part.grad = gradient
        optimizer.step()
    return found[0], found[1]
