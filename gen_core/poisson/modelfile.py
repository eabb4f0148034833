"""Learned solvers as they are stored, and which of them a recipe means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint
from gen_core.errors import CheckpointError, RecipeError
from gen_core.memo import Memo
from gen_core.poisson.recipe import KINDS, Kind, Solver

if TYPE_CHECKING:
    import torch

_KEPT = Memo(256 << 20, lambda made: 8 << 20)


class Learned:
    """A trained network, its kind, the nodes a side that it has learned, and its card."""

    def __init__(self, net: torch.nn.Module, kind: Kind, size: int, card: dict[str, Any]) -> None:
        self.net, self.kind, self.size, self.card = net, kind, size, card


def bundled(kind: str) -> str:
    """The name of the bundled model of a kind."""
    return f"poisson-{kind}-32"


def there(kind: str) -> bool:
    """Whether a model of this kind is part of this version."""
    return (checkpoint.BUNDLED / bundled(kind) / checkpoint.CARD).is_file()


def open_card(name: str) -> dict[str, Any]:
    """The card of a model of this system. Raises CheckpointError where there is none, or of another system."""
    return checkpoint.card_of(name, "poisson")


def named(recipe: Solver, kind: Kind) -> tuple[str, str | None]:
    """Which model of a kind a recipe means, its own where that is of the kind, else the bundled one; and its weights' sha256."""
    own = recipe.model is not None and open_card(recipe.model).get("kind") == kind
    return str(recipe.model) if own else bundled(kind), (recipe.weights or {}).get(kind)


def checked(recipe: Solver) -> None:
    """Raise RecipeError where the recipe names a model of another kind than its solver."""
    if recipe.model is not None and recipe.solver != "exact":
        kind = open_card(recipe.model).get("kind")
        if kind != recipe.solver:
            raise RecipeError(f"model: {recipe.model[:30]!r} is of the kind {kind}; set solver to {kind}, or name another model.")


def with_weights(recipe: Any, kinds: Sequence[Kind]) -> Any:
    """The recipe with the sha256 of the weights of every model that is used."""
    weights = dict(recipe.weights or {})
    for kind in kinds:
        weights.setdefault(kind, open_card(named(recipe, kind)[0])["sha256"])
    return recipe.replace(weights=weights) if weights else recipe


def opened(name: str, expected: str | None, kind: Kind) -> Learned:
    """The model of this name, kept while it is used. Raises CheckpointError where it is missing, damaged, of another kind, or
    not of the weights that are expected."""
    folder = checkpoint.find(name, "poisson")
    digest = str(open_card(name).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    found: Learned = _KEPT.get((str(folder), digest, kind), lambda: read(folder, expected, kind))
    return found


def read(folder: Path, expected: str | None, kind: Kind) -> Learned:
    """The model in a folder. Raises CheckpointError as above."""
    tensors, card = checkpoint.load(folder, expected)
    try:
        if card.get("kind") != kind or kind not in KINDS:
            raise ValueError(f"it is of the kind {str(card.get('kind'))[:20]}")
        return made_of(tensors, card)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"The model {folder.name!r} is no solver of the kind {kind} ({str(error)[:80]}).") from None


def tensors_of(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The network as it is stored: in half precision."""
    return {name: value.half().contiguous() for name, value in net.state_dict().items()}


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Learned:
    """The network that was stored."""
    import torch

    from gen_core.poisson import learned
    from gen_core.poisson.model import NETS

    kind: Kind = card["kind"]
    net = NETS[kind]()
    net.load_state_dict({name: value.float() for name, value in tensors.items()})
    if kind != "fno":
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    made = Learned(net.train(False).requires_grad_(False), kind, int(card["size"]), card)
    learned.warm(made)  # the first pass of a network prepares its kernels: no solve is timed with that
    return made
