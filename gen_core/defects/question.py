"""What a page asks before it makes a recipe: whether a file can be used, what is in it, which networks know these snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from gen_core import checkpoint, kept
from gen_core.datasets import path_of
from gen_core.defects import data
from gen_core.defects.recipe import BUNDLED, Infer, OfSnapshots, Sample, Train
from gen_core.errors import RecipeError
from gen_core.inputs.snapshots import read_snapshots
from gen_core.recipe import Recipe

SHARED = tuple(sorted(OfSnapshots.model_fields.keys() - Recipe.model_fields.keys() - {"data", "n"}))  # but the size
SECONDS = {
    "weak": 1.5,
    "propagated": 9.0,
    "strong": 0.3,
    "transport": 1.0,
}  # of 11 snapshots of 4,000 particles on one quiet core


@dataclass(frozen=True)
class Told:
    """What snapshots hold: times, the fewest replicas of one, particles in each, dimensions, whether particles have signs, and
    whether their number changes."""

    times: int
    replicas: int
    particles: int
    dimensions: int
    signed: bool
    number_changes: bool


def check_data(digest: str) -> None:
    """Raise InputError where this content is no snapshots that can be used (a periodic box may still have to be declared)."""
    data.checked(read_snapshots(path_of(digest)))


def told(recipe: OfSnapshots) -> Told:
    """What the snapshots of a recipe hold. Raises InputError and MissingContent as reading them does."""
    found = data.opened(recipe)
    return Told(len(found.times), found.n, found.particles, found.d, found.charges is not None, found.number_changes)


def libraries(recipe: OfSnapshots) -> tuple[str, ...]:
    """The libraries that make sense for these snapshots, the usual one first."""
    usual = BUNDLED.get(recipe.data)  # known without simulating them
    if usual[1] == "pair" if usual else told(recipe).particles > 1:
        return ("pair", "gradient", "full")
    return ("gradient", "full") if recipe.box is not None else ("gradient", "full", "additive")


def networks(recipe: OfSnapshots) -> dict[str, str]:
    """The score networks that learned these data, by name or digest, with their titles; bundled ones first."""
    cards = checkpoint.known("defects")
    return {name: str(card.get("title", name)) for name, card in cards.items() if card.get("data") == recipe.data}


def seconds(recipe: Infer) -> float:
    """How long it takes on one quiet core, about."""
    size = (recipe.n or 4_000) * recipe.snapshots / 44_000
    once = sum(SECONDS[name] for name in recipe.estimators) + 2.5
    return once * size * (4.0 if recipe.library == "pair" else 1.0)


def training_of(recipe: OfSnapshots) -> Train:
    """The training on just the snapshots that a page shows."""
    size = recipe.n if isinstance(recipe, Infer) else None  # of new configurations it is how many are drawn
    return Train.read({name: getattr(recipe, name) for name in ("data", *SHARED)} | {"n": size})


def span(recipe: Sample) -> tuple[float, float]:
    """The first and the last time of the snapshots."""
    found = data.opened(recipe.replace(n=None))
    return float(found.times[0]), float(found.times[-1])


def box(text: str) -> tuple[float, ...] | None:
    """A periodic box that is written as its lengths. Raises RecipeError where it is no such thing."""
    words = text.replace(",", " ").replace("x", " ").replace("×", " ").split()
    if not words:
        return None
    try:
        sides = tuple(float(word) for word in words)
    except ValueError:
        sides = ()
    if not sides or len(sides) > 3 or min(sides) <= 0:
        raise RecipeError(
            "The box is one to three lengths above zero, one for each coordinate, such as 10, 10; or leave it empty."
        )
    return sides


def warm() -> None:
    """Make what the first view shows."""
    from gen_core.defects import infer

    kept.run(Infer(), lambda: infer.run(Infer()))
