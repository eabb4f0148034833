"""What the images page asks before a result is made: which pictures are usable, and which a recipe looks at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from gen_core.datasets import named, path_of
from gen_core.errors import InputError
from gen_core.images.recipe import Edit, Grid, Images, Interpolate, Invert, Mix, Stylize, Train
from gen_core.inputs.images import read_picture, read_pictures
from gen_core.memo import Memo

COUNTS = Memo(1 << 20, lambda count: 64)
PICTURES = Memo(1 << 20, lambda picture: picture.nbytes)


def fits(card: dict[str, Any]) -> bool:
    """Whether a model of this card does what the verbs ask: one with styles."""
    return card.get("kind", "styles") == "styles"


def check_picture(digest: str) -> None:
    """Raise InputError where this content is no picture that can be used."""
    read_picture(path_of(digest, "image"), 64)


def as_read(digest: str) -> np.ndarray:
    """A picture of the user's own (64, 64, 3) in [0, 1] as the models are given it."""
    found: np.ndarray = PICTURES.get(digest, lambda: read_picture(path_of(digest, "image"), 64)[0])
    return found


def check_pictures(digest: str) -> None:
    """Raise InputError where this content is no zip with pictures enough to learn from."""
    from gen_core.images.photos import LEAST

    n = count(Train(data=digest, cut="tiles"))
    if n < LEAST:
        raise InputError(f"There {'is' if n == 1 else 'are'} only {n} to learn from here; at least {LEAST} pictures are needed.")


def count(recipe: Train) -> int:
    """How many pictures an epoch of this training sees: those of a zip, whole or as tiles, or rendered ones."""
    if named(recipe.data) is not None:
        return 2 * recipe.pairs
    key = (recipe.data, recipe.cut)
    found: int = COUNTS.get(key, lambda: len(read_pictures(path_of(recipe.data), 64, recipe.cut == "tiles").images))
    return found


def first(recipe: Images) -> int | str | None:
    """The picture that a recipe looks at first; None where it looks at none."""
    if isinstance(recipe, Interpolate | Grid):
        return recipe.seeds[0]
    if isinstance(recipe, Mix):
        return recipe.content_seeds[0]
    if isinstance(recipe, Edit):
        return recipe.seed
    if isinstance(recipe, Invert):
        return recipe.image
    return recipe.content if isinstance(recipe, Stylize) else None


def with_first(recipe: Images, picture: int | str | None) -> Images:
    """The same recipe with another first picture; as it is where it looks at none."""
    if picture is None:
        return recipe
    if isinstance(recipe, Interpolate | Grid):
        return recipe.replace(seeds=(picture, *recipe.seeds[1:]))
    if isinstance(recipe, Mix):
        return recipe.replace(content_seeds=(picture, *recipe.content_seeds[1:]))
    if isinstance(recipe, Edit):
        return recipe.replace(seed=picture)
    if isinstance(recipe, Invert):
        return recipe.replace(image=picture)
    return recipe.replace(content=picture) if isinstance(recipe, Stylize) else recipe
