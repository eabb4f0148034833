"""Networks that draw pictures from codes as they are stored, and which of them a recipe means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import checkpoint
from gen_core.errors import CheckpointError, RecipeError
from gen_core.memo import Memo
from gen_core.recipe import DIGEST
from gen_core.symmetry.recipe import KINDS, Kind

if TYPE_CHECKING:
    import torch

    from gen_core.symmetry.model import Decoder

Array = np.ndarray
BANK = 256  # codes of pictures learned from that go with a model
_KEPT = Memo(128 << 20, lambda made: 8 << 20)


class Prior:
    """A trained network, its kind, the numbers in its code, its card, and codes (n, d) of pictures that it learned from; of an
    orbit all at the angle zero."""

    def __init__(self, net: Decoder, kind: Kind, card: dict[str, Any], codes: Array) -> None:
        self.net, self.kind, self.d, self.card, self.codes = net, kind, net.d, card, codes


def bundled(kind: str, dim: int) -> str:
    """The name of the bundled model of a kind."""
    return f"symmetry-{kind}-{dim}"


def there(kind: str, dim: int) -> bool:
    """Whether a model of this kind and size is part of this version."""
    return (checkpoint.BUNDLED / bundled(kind, dim) / checkpoint.CARD).is_file()


def named(model: str, dim: int) -> str:
    """The model's own name: of a kind the bundled one. Raises RecipeError where that is not part of this version."""
    if model not in KINDS:
        if not DIGEST.fullmatch(model) and not (checkpoint.BUNDLED / model / checkpoint.CARD).is_file():
            raise RecipeError(f"{model[:30]!r} is no model here; choose of {', '.join(KINDS)}, or one that you trained.")
        return model
    if not there(model, dim):
        sizes = [str(d) for d in (5, 10, 20, 40) if there(model, d)]
        raise RecipeError(
            f"dim: {model} is bundled with codes of {', '.join(sizes) or 'no'} numbers; choose one of them, or train it."
        )
    return bundled(model, dim)


def called(model: str) -> str:
    """What a sentence calls a model: a kind as it is, one trained here by its kind, its size and the start of its digest."""
    if not DIGEST.fullmatch(model):
        return model
    kind, dim, digest = own_parts(model)
    return f"your network ({kind}, {dim} numbers, {digest})" if kind else f"a network that is not on this machine ({digest})"


def own_parts(model: str) -> tuple[str, int, str]:
    """Kind, numbers in a code and the start of the digest of a model that was trained here; no kind where it is not there."""
    digest = model.removeprefix("sha256:")[:8]
    try:
        card = open_card(model)
    except CheckpointError:
        return "", 0, digest
    return str(card.get("kind")), int(card.get("dim", 0)), digest


def learned_from(model: str, dim: int) -> str:
    """The pictures that a model learned from: a bundled name, or a digest; empty where its card does not say."""
    return str((open_card(named(model, dim)).get("recipe") or {}).get("data", ""))


def open_card(name: str) -> dict[str, Any]:
    """The card of a model of this system. Raises CheckpointError where there is none, or of another system."""
    return checkpoint.card_of(name, "symmetry")


def opened(model: str, dim: int, weights: Mapping[str, str] | None = None) -> Prior:
    """The model that a recipe means, kept while it is used. Raises CheckpointError where it is missing, damaged, or not of the
    weights that are expected, RecipeError where there is none of that size."""
    name = named(model, dim)
    folder, expected = checkpoint.find(name, "symmetry"), (weights or {}).get(model)
    digest = str(open_card(name).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    found: Prior = _KEPT.get((str(folder), digest), lambda: read(folder, expected))
    return found


def with_weights(recipe: Any, models: tuple[str, ...]) -> Any:
    """The recipe with the sha256 of the weights of every model that is used."""
    weights = dict(recipe.weights or {})
    for model in models:
        weights.setdefault(model, open_card(named(model, recipe.dim))["sha256"])
    return recipe.replace(weights=weights)


def read(folder: Path, expected: str | None = None) -> Prior:
    """The model in a folder. Raises CheckpointError as above."""
    tensors, card = checkpoint.load(folder, expected)
    checkpoint.check_system(card, "symmetry", folder.name)
    try:
        return made_of(tensors, card)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"The model {folder.name!r} draws no pictures from codes ({str(error)[:80]}).") from None


def tensors_of(net: torch.nn.Module, images: Array) -> dict[str, torch.Tensor]:
    """The decoder as it is stored, in half precision, with the codes of some of the pictures (n, 32, 32) it learned from."""
    import torch

    parts: Any = net
    with torch.no_grad():
        codes = parts.encoder(torch.from_numpy(images[:: max(len(images) // BANK, 1)][:BANK]))[0]
    stored: dict[str, torch.Tensor] = parts.decoder.state_dict() | {"codes": codes}
    return {name: value.half().contiguous() for name, value in stored.items()}


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Prior:
    """The network that was stored."""
    import torch

    from gen_core.symmetry.model import made

    kind: Kind = card["kind"]
    net = made(kind, int(card["dim"]))
    values = {name: value.float() for name, value in tensors.items()}
    codes = values.pop("codes")
    net.load_state_dict(values)
    if kind == "orbit":
        codes = torch.cat([codes, torch.zeros(len(codes), 1)], 1)
    if codes.ndim != 2 or codes.shape[1] != net.d:
        raise ValueError("its codes have another length")
    return Prior(net.train(False).requires_grad_(False), kind, card, codes.numpy())
