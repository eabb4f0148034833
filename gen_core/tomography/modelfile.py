"""Priors as they are stored: what a model's card says it is, and the prior that its weights make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint
from gen_core.errors import CheckpointError
from gen_core.memo import Memo
from gen_core.tomography.gaussian import Gaussian

if TYPE_CHECKING:
    from gen_core.tomography.recipe import Reconstruct

BUNDLED = {  # by the kind of the prior
    "gaussian": "tomography-gaussian-128",
    "diffusion": "tomography-diffusion-128",
    "vae": "tomography-vae-128",
}
KIND = {"gaussian": "gaussian", "posterior": "diffusion", "langevin": "diffusion", "latent_map": "vae"}  # of the method's prior
_KEPT = Memo(512 << 20, lambda made: made.parts.nbytes)


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


def open_gaussian(name: str, expected: str | None = None) -> Gaussian:
    """The Gaussian prior of this name. Raises CheckpointError where it is missing, damaged or of another kind."""
    folder = checkpoint.find(name)
    digest = str(open_card(name).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    made: Gaussian = _KEPT.get((str(folder), digest), lambda: _read(folder, expected))
    return made


def _read(folder: Path, expected: str | None) -> Gaussian:
    from gen_core.tomography.gaussian_train import prior_of

    tensors, card = checkpoint.load(folder, expected)
    try:
        if card.get("prior") != "gaussian":
            raise ValueError("prior")
        return prior_of(tensors, str(card["sha256"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"The model {folder.name!r} is no Gaussian prior of slices ({error}).") from None
