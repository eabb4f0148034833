"""What the styles do, layer by layer: the mean and the deviation that each gives its channels."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gen_core.images.model import GROUPS
from gen_core.images.space import Array, Space, split
from gen_core.nets.adain import Styled, statistics

LAYERS = (("d16a", "coarse"), ("d16b", "coarse"), ("d32a", "middle"), ("d32b", "middle"), ("d64a", "fine"), ("d64b", "fine"))


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the decoder: its group, and of n latent vectors the mean and deviation (n, c) of its channels."""

    name: str
    group: str
    mean: Array
    deviation: Array


def layers(space: Space, z: Array) -> list[Layer]:
    """What latent vectors z (n, 2096) ask of each layer, coarse to fine."""
    styles = split(z)[1]
    found = []
    with torch.no_grad():
        for name, group in LAYERS:
            mean, deviation = getattr(space.net, name).wanted(styles[:, GROUPS.index(group)])
            found.append(Layer(name, group, mean.flatten(1).numpy(), deviation.flatten(1).numpy()))
    return found


def measured(space: Space, z: Array) -> list[Layer]:
    """The same as it is in the feature maps while z (n, 2096) is drawn: AdaIN keeps what it promises where these agree."""
    seen: dict[str, tuple[Array, Array]] = {}

    def look(name: str) -> object:
        def before(module: Styled, given: tuple[torch.Tensor, torch.Tensor]) -> None:
            from gen_core.nets.adain import adain

            x, style = given
            mean, deviation = statistics(adain(module.conv(x), *module.wanted(style)))
            seen[name] = (mean.flatten(1).numpy(), deviation.flatten(1).numpy())

        return getattr(space.net, name).register_forward_pre_hook(before)

    hooks = [look(name) for name, _ in LAYERS]
    try:
        with torch.no_grad():
            space.net.decode(*split(z))
    finally:
        for hook in hooks:
            hook.remove()  # type: ignore[attr-defined]
    return [Layer(name, group, *seen[name]) for name, group in LAYERS]
