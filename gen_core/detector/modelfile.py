"""Generators of events as they are stored, and which of them a recipe means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint
from gen_core.detector.model import Shape
from gen_core.detector.recipe import KINDS, Kind
from gen_core.detector.simulate import World
from gen_core.errors import CheckpointError
from gen_core.memo import Memo

if TYPE_CHECKING:
    import torch

_KEPT = Memo(256 << 20, lambda made: 16 << 20)
UNLEARNED = ("independent", "simulator")


class Learned:
    """A trained network, its kind, the shape of its events, and its card."""

    def __init__(self, net: torch.nn.Module, kind: Kind, shape: Shape, card: dict[str, Any]) -> None:
        self.net, self.kind, self.shape, self.card = net, kind, shape, card


def stored(name: str) -> str:
    """The name under which a model's folder is known: the bundled ones are called by their kind."""
    return f"detector-{name}" if name in KINDS else name


def there(kind: str) -> bool:
    """Whether a model of this kind is part of this version."""
    return (checkpoint.BUNDLED / stored(kind) / checkpoint.CARD).is_file()


def open_card(name: str) -> dict[str, Any]:
    """The card of a model of this system. Raises CheckpointError where there is none, or of another system."""
    return checkpoint.card_of(stored(name), "detector")


def opened(name: str, expected: str | None = None) -> Learned:
    """The model of this name, kept while it is used. Raises CheckpointError where it is missing, damaged, no generator of
    events, or not of the weights that are expected."""
    folder, digest = checkpoint.find(stored(name), "detector"), str(open_card(name).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    found: Learned = _KEPT.get((str(folder), digest), lambda: read(folder, expected))
    return found


def read(folder: Path, expected: str | None = None) -> Learned:
    """The model in a folder. Raises CheckpointError as above."""
    tensors, card = checkpoint.load(folder, expected)
    try:
        if card.get("kind") not in KINDS:
            raise ValueError(f"it is of the kind {str(card.get('kind'))[:20]}")
        return made_of(tensors, card)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"The model {folder.name!r} is no generator of events ({str(error)[:80]}).") from None


def tensors_of(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The network as it is stored: in half precision."""
    return {name: value.half().contiguous() for name, value in net.state_dict().items()}


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Learned:
    """The network that was stored."""
    from gen_core.detector.model import net_of

    shape = Shape(*(int(side) for side in card["shape"]))
    net = net_of(card["kind"], shape)
    net.load_state_dict({name: value.float() for name, value in tensors.items()})
    return Learned(net.train(False).requires_grad_(False), card["kind"], shape, card)


def world_of(card: dict[str, Any]) -> World | None:
    """The tracker that a model has learned; None where it learned from own events."""
    told: dict[str, Any] | None = card.get("world")
    return None if told is None else World(**(told | {"dead": tuple(told["dead"])}))
