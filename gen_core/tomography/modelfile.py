"""Priors as they are stored: what a model's card says it is, and the prior that its weights make."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint
from gen_core.errors import CheckpointError
from gen_core.memo import Memo

if TYPE_CHECKING:
    from gen_core.tomography.recipe import Reconstruct

BUNDLED = {  # by the kind of the prior
    "gaussian": "tomography-gaussian-128",
    "diffusion": "tomography-diffusion-128",
    "vae": "tomography-vae-128",
}
KIND = {"gaussian": "gaussian", "posterior": "diffusion", "langevin": "diffusion", "latent_map": "vae"}  # of the method's prior
MADE = {  # by the kind: the module whose `made_of(tensors, card)` makes it of its weights, and what it is called
    "gaussian": ("gen_core.tomography.gaussian_train", "Gaussian prior"),
    "diffusion": ("gen_core.tomography.diffusion", "diffusion prior"),
    "vae": ("gen_core.tomography.vae", "autoencoder"),
    "kinds": ("gen_core.tomography.kinds", "judge"),
}
_KEPT = Memo(512 << 20, lambda made: 64 << 20)


def open_card(name: str) -> dict[str, Any]:
    """The card of a model of this system, by its name or digest. Raises CheckpointError where there is none, or of another."""
    card = checkpoint.read_card(checkpoint.find(name))
    if card.get("system") != "tomography":
        raise CheckpointError(f"The model {name[:40]!r} is of {card.get('system')!r}, not of tomography.")
    return card


def named(recipe: Reconstruct, kind: str) -> tuple[str, str | None]:
    """Which prior of a kind a recipe means, its own where that is of the kind, else the bundled one; and its weights' sha256."""
    own = recipe.model is not None and open_card(recipe.model).get("prior") == kind
    return recipe.model if own and recipe.model else BUNDLED[kind], (recipe.weights or {}).get(kind)  # type: ignore[call-overload]


def opened(name: str, expected: str | None, kind: str) -> Any:
    """The prior of this name, kept while it is used. Raises CheckpointError where it is missing, damaged, of another kind, or
    not of the weights that are expected."""
    folder = checkpoint.find(name)
    digest = str(open_card(name).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    return _KEPT.get((str(folder), digest, kind), lambda: read(folder, expected, kind))


def read(folder: Path, expected: str | None, kind: str) -> Any:
    """The prior in a folder. Raises CheckpointError as above."""
    module, title = MADE[kind]
    tensors, card = checkpoint.load(folder, expected)
    try:
        if card.get("prior") != kind:
            raise ValueError(f"it is of the kind {str(card.get('prior'))[:20]}")
        return importlib.import_module(module).made_of(tensors, card)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"The model {folder.name!r} is no {title} of slices ({error}).") from None
