"""The generators as networks: how each is built, what it loses on events, and what chance that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from gen_core.detector.recipe import Kind

    Noise = tuple[torch.Tensor, ...]

CODE = 32  # numbers in a latent code
MIDDLE_STEPS = (2, 8)  # fewest and most steps that the middle model has learned
WARM_UP = 0.1  # share of a training in which the divergence of the codes comes to its full weight


@dataclass(frozen=True)
class Shape:
    """Layers and channels of an event."""

    layers: int
    channels: int

    @property
    def size(self) -> int:
        """Channels of all layers together."""
        return self.layers * self.channels


def net_of(kind: Kind, shape: Shape) -> torch.nn.Module:
    """The untrained network of a kind."""
    from gen_core.nets.causal import Causal
    from gen_core.nets.coded import Coded
    from gen_core.nets.made import Made
    from gen_core.nets.masked import Masked

    if kind == "ar":
        token = next(width for width in (4, 3, 2, 1) if shape.channels % width == 0)
        return Causal(shape.layers, shape.channels, token)
    if kind == "made":
        return Made(shape.size)
    if kind == "masked":
        return Masked(shape.size)
    return Coded(shape.size, CODE, learned=kind != "vae", steps=kind == "middle")


def surprise(net: Any, hits: torch.Tensor, noise: Noise, share: float) -> torch.Tensor:
    """Minus the exact log-likelihood (m,)."""
    return -net.log_likelihood(hits)


def bound(net: Any, hits: torch.Tensor, noise: Noise, share: float) -> torch.Tensor:
    """Minus the evidence bound (m,) (Kingma & Welling 2014)."""
    return net.loss(hits.flatten(1), noise[0], min(1.0, share / WARM_UP))


def any_order(net: Any, hits: torch.Tensor, noise: Noise, share: float) -> torch.Tensor:
    """Minus the log-likelihood (m,) over orders of drawing (Uria et al. 2014): the start of one of several orders is known."""
    import torch
    from torch.nn import functional as F

    bits, (kind, length, scattered, box) = hits.flatten(1), noise
    layers, channels = hits.shape[1:]
    spread, raster = (rank.to(bits.device) for rank in ranks(layers, channels))
    far = torch.where(kind[:, None] < 0.5, spread, raster)
    known = torch.where(kind[:, None] < 0.65, far < length[:, None], scattered < length[:, None])
    low, high = box[:, :2].minimum(box[:, 2:]), box[:, :2].maximum(box[:, 2:])
    rows, columns = torch.arange(layers, device=bits.device) / layers, torch.arange(channels, device=bits.device) / channels
    inside = ((rows >= low[:, :1]) & (rows <= high[:, :1]))[:, :, None] & ((columns >= low[:, 1:]) & (columns <= high[:, 1:]))[
        :, None
    ]
    known = torch.where(kind[:, None] < 0.9, known, ~inside.flatten(1))
    missing = (~known).float()
    each = F.binary_cross_entropy_with_logits(net(bits, known.float()), bits, reduction="none") * missing
    return each.sum(1) * bits.shape[1] / missing.sum(1).clamp(min=1)


def stepwise(net: Any, hits: torch.Tensor, noise: Noise, share: float) -> torch.Tensor:
    """Minus the bound (m,) of drawing in K steps from a code, by one of the steps, weighed K-fold."""
    import torch
    from torch.nn import functional as F

    bits, (eps, count, step) = hits.flatten(1), noise
    n = bits.shape[1]
    rank = ranks(*hits.shape[1:])[0].to(bits.device) * n
    steps = (MIDDLE_STEPS[0] + count * (MIDDLE_STEPS[1] - MIDDLE_STEPS[0] + 1)).floor()
    at = (step * steps).floor()
    start, end = ((at + k) * n / steps for k in (0, 1))
    known, drawn = rank < start[:, None], rank < end[:, None]
    z, apart = net.encode(bits, eps)
    each = F.binary_cross_entropy_with_logits(net.decoder(bits, known.float(), z), bits, reduction="none")
    size = (drawn & ~known).sum(1).clamp(min=1)
    lost = torch.where(drawn & ~known, each, torch.zeros_like(each)).sum(1) * n / size
    return lost + min(1.0, share / WARM_UP) * apart


@lru_cache(maxsize=8)
def ranks(layers: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each channel stands (n,), from 0 to 1, in the order that is spread out and layer by layer."""
    import torch

    from gen_core.nets.masked import spread

    n = layers * channels
    return torch.argsort(spread(layers, channels)) / n, torch.arange(n) / n


def _nothing(shape: Shape, n: int, generator: torch.Generator) -> Noise:
    return ()


def _code(shape: Shape, n: int, generator: torch.Generator) -> Noise:
    import torch

    return (torch.randn(n, CODE, generator=generator),)


def _order(shape: Shape, n: int, generator: torch.Generator) -> Noise:
    import torch

    kind, length = torch.rand(n, generator=generator), torch.rand(n, generator=generator)
    return kind, length, torch.rand(n, shape.size, generator=generator), torch.rand(n, 4, generator=generator)


def _steps(shape: Shape, n: int, generator: torch.Generator) -> Noise:
    import torch

    return (*_code(shape, n, generator), torch.rand(n, generator=generator), torch.rand(n, generator=generator))


LOSSES: dict[str, Callable[[Any, torch.Tensor, Noise, float], torch.Tensor]] = {
    "ar": surprise,
    "made": surprise,
    "vae": bound,
    "student": bound,
    "masked": any_order,
    "middle": stepwise,
}
NOISES: dict[str, Callable[[Shape, int, torch.Generator], Noise]] = {
    "ar": _nothing,
    "made": _nothing,
    "vae": _code,
    "student": _code,
    "masked": _order,
    "middle": _steps,
}
