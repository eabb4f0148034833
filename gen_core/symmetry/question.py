"""What the symmetry page asks before a result is made: which models are there, and whether pictures are usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gen_core import checkpoint, scores
from gen_core.errors import RecipeError, UserError
from gen_core.recipe import DIGEST
from gen_core.symmetry import curves, modelfile, needed_reading, pictures
from gen_core.symmetry.fewer import told
from gen_core.symmetry.lines import Curves
from gen_core.symmetry.recipe import DIMS, KINDS, Fewer


def check_pictures(digest: str) -> None:
    """Raise InputError where this content is no zip of pictures that could be learned from."""
    pictures.own(digest)


def known(dim: int) -> list[str]:
    """The kinds whose weights with codes of so many numbers are bundled."""
    return [kind for kind in KINDS if modelfile.there(kind, dim)]


def sizes(kind: str) -> list[int]:
    """The numbers in a code with which a kind is bundled."""
    return [dim for dim in DIMS if modelfile.there(kind, dim)]


def warm() -> None:
    """Do once what the first view needs: the bundled models read."""
    for kind in known(20):
        modelfile.opened(kind, 20)


def own() -> dict[str, str]:
    """The models trained here: what each is called, by its digest."""
    found = {name: card for name, card in checkpoint.known("symmetry").items() if DIGEST.fullmatch(name)}
    return {name: str(card.get("title") or _titled(name, card)) for name, card in found.items()}


def _titled(name: str, card: Mapping[str, Any]) -> str:
    kind = scores.METHODS.get(str(card.get("kind")))
    return f"Yours ({name.removeprefix('sha256:')[:8]}): {kind}, {card.get('dim')} numbers"


def title_of(name: str) -> str:
    """What a trained model is called."""
    gone = f"A model that is not on this machine ({name.removeprefix('sha256:')[:8]})"
    return own().get(name) or (gone if DIGEST.fullmatch(name) else name)


def learned_from(models: Sequence[str], dim: int) -> str | None:
    """The pictures that all of these models learned from; None where they learned from several, or one is not there."""
    try:
        found = {modelfile.learned_from(name, dim) for name in models}
    except UserError:
        return None
    return found.pop() if len(found) == 1 else None


def marks(made: Curves, numbers: Mapping[str, Any]) -> dict[str, str]:
    """What stands before a number of measurements in a table ("≤ " where the fewest do already), or in the place of none."""
    return needed_reading.marks(made, numbers)


def examples(recipe: Fewer) -> dict[str, Any] | None:
    """Errors after fewer examples (k, 3) by model, measured before: of a recipe that asks no more than what is bundled; else
    None."""
    _, _, asked, made = curves.bundled()
    alike = recipe.replace(models=asked.models, counts=asked.counts) == asked
    if not alike or not set(recipe.models) <= set(asked.models) or not set(recipe.counts) <= set(made.counts):
        return None
    rows = [made.counts.index(count) for count in sorted(recipe.counts)]
    return {name: values[rows] for name, values in told(made).items() if name in recipe.models}


def targets(text: str) -> tuple[float, ...]:
    """Errors that are written with commas between them. Raises RecipeError, one sentence, where one is no such thing."""
    try:
        found = tuple(float(word) for word in text.replace(";", ",").split(",") if word.strip())
    except ValueError:
        found = ()
    if not found or not all(0 < value < 1 for value in found):
        raise RecipeError("Write errors between 0 and 1 with commas between them, such as 0.06, 0.04, 0.03.")
    return found


def ends(numbers: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The ends of a number's interval; None where it has none."""
    low, high = (numbers.get(f"{name}_{end}") for end in ("low", "high"))
    return (float(low), float(high)) if isinstance(low, int | float) and isinstance(high, int | float) else None


def intervals(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[float, float]]]:
    """The intervals that the numbers of some rows have."""
    return {row: {name: found for name in values if (found := ends(values, name))} for row, values in rows.items()}
