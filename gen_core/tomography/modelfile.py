"""Priors as they are stored: what a model's card says it is, and the prior that its weights make."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import checkpoint
from gen_core.errors import CheckpointError
from gen_core.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_core.tomography.priors import Problem
    from gen_core.tomography.recipe import Reconstruct

Array = np.ndarray

BUNDLED = {  # by the kind of the prior
    "gaussian": "tomography-gaussian-128",
    "diffusion": "tomography-diffusion-128",
    "vae": "tomography-vae-128",
}
SMALL = {  # the same for slices of 64 pixels
    "vae": "tomography-vae-64",
    "diffusion": "tomography-diffusion-64",
    "gaussian": "tomography-gaussian-64",
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
    return checkpoint.card_of(name, "tomography")


def named(recipe: Reconstruct, kind: str) -> tuple[str, str | None]:
    """Which prior of a kind a recipe means, its own where that is of the kind, else the bundled one; and its weights' sha256."""
    expected: str | None = (recipe.weights or {}).get(kind)  # type: ignore[call-overload]
    if recipe.model is not None and open_card(recipe.model).get("prior") == kind:
        return recipe.model, expected
    return bundled(kind, recipe.size, expected), expected


def bundled(kind: str, size: int, expected: str | None = None) -> str:
    """The bundled prior of a kind for slices of a size; that with the expected weights where it is the other one."""
    first, second = (SMALL, BUNDLED) if size == 64 else (BUNDLED, SMALL)
    names = [table[kind] for table in (first, second) if kind in table]
    if expected is not None:
        names.sort(key=lambda name: open_card(name).get("sha256") != expected)  # that of the digest first
    return names[0]


def judge(kind: str, size: int, seed: int) -> Callable[[Problem], Array] | None:
    """What the bundled prior of a kind makes of a problem of this size, to compare another with; None where it knows no such."""
    from gen_core.tomography import methods
    from gen_core.tomography.recipe import Reconstruct

    if size not in (64, 128):
        return None
    method = next(name for name, of in KIND.items() if of == kind)
    recipe = Reconstruct(size=size, methods=(method,), seed=seed)
    return lambda problem: methods.solve(method, problem, recipe).image


def opened(name: str, expected: str | None, kind: str) -> Any:
    """The prior of this name, kept while it is used. Raises CheckpointError where it is missing, damaged, of another kind, or
    not of the weights that are expected."""
    folder = checkpoint.find(name, "tomography")
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
