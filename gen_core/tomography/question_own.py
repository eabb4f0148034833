"""What the page asks of the user's own slices before and after a prior is learned from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen_core import store
from gen_core.recipe import DIGEST
from gen_core.tomography import own
from gen_core.tomography.modelfile import KIND, open_card
from gen_core.tomography.recipe import Reconstruct, Train

EPOCHS = 5
TITLES = {"gaussian": "Gaussian", "vae": "autoencoder", "diffusion": "diffusion"}
# Seconds on one core, roughly: of a slice made ready, of one learned from once (at 128 pixels as the bundled cards tell), and of
# the scores; by size.
READY = {32: 0.003, 64: 0.004, 128: 0.012}
LEARNED = {"vae": {32: 0.005, 64: 0.005, 128: 0.039}, "diffusion": {32: 0.017, 64: 0.017, 128: 0.043}}
SCORED = {
    "gaussian": {32: 20, 64: 30, 128: 130},
    "vae": {32: 60, 64: 60, 128: 200},
    "diffusion": {32: 90, 64: 90, 128: 380},
}


def check_slices(digest: str) -> None:
    """Raise InputError where this content holds no slices, or too few, to learn a prior from."""
    own.opened(Train(data=digest, size=64))


def is_own(recipe: Train) -> bool:
    """Whether a training is of the user's slices."""
    return DIGEST.fullmatch(recipe.data) is not None


def settings(kind: str) -> dict[str, Any]:
    """How much is learned, and of what, where nothing else is asked for."""
    return {"slices": 1_500, "components": 400} if kind == "gaussian" else {"slices": 4_000}


def described(recipe: Train) -> str:
    """The slices in a few words, by the name of their file on this machine."""
    made = own.opened(recipe)
    count = len(made.fine)
    stacks = f" in {made.stacks:,} stacks" if made.stacks > 1 else ""
    return f"{count:,} slices{stacks} out of {store.name_of(recipe.data)}"


def notes(recipe: Train) -> list[str]:
    """What a user must know of the slices before they are learned from."""
    made = own.opened(recipe)
    found = own.notes_of(made, recipe)
    if len(made.learned) < 200:
        found.append("These are few slices: expect a prior of these very bodies, and read its numbers on the slices left out.")
    return found


def seconds(recipe: Train) -> float:
    """How long a training and its scores take on one quiet core, about."""
    work = READY[recipe.size] * recipe.slices + SCORED[recipe.prior][recipe.size]
    if recipe.prior == "gaussian":
        return work + 3e-10 * recipe.slices**3
    return work + LEARNED[recipe.prior][recipe.size] * recipe.slices * (recipe.epochs or EPOCHS)


def titled(card: dict[str, Any]) -> str:
    """What a prior learned here is called in a choice: its kind, its size, and the file by its name on this machine."""
    kind = TITLES.get(str(card.get("prior")), "prior")
    source = store.name_of(str(card["data"])) if DIGEST.fullmatch(str(card.get("data"))) else str(card.get("kind"))
    return f"{source}: {kind}, {card.get('size')} pixels"


def with_prior(recipe: Reconstruct, name: str | None) -> Reconstruct:
    """The same scan with another prior, at a size that it knows and with a method that uses it; None for the bundled ones."""
    if name is None:
        return recipe.replace(model=None, weights=None)
    card = open_card(name)
    method = next(method for method, kind in KIND.items() if kind == card.get("prior"))
    methods = recipe.methods if method in recipe.methods else (*recipe.methods, method)
    return recipe.replace(model=name, weights=None, methods=methods, size=max(int(card["size"]), 64))


def using(model: str, card: Mapping[str, Any]) -> Reconstruct:
    """The scan the page opens on, with a prior that was learned here."""
    return with_prior(Reconstruct(), model)
