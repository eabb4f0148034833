"""The last results of a page, kept, so that a way back costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass

import numpy as np

from gen_core.memo import Memo
from gen_core.recipe import Recipe
from gen_core.result import Result


def weight(made: object) -> int:
    """Bytes of the arrays in a result's content, as far as they lie in it."""
    if isinstance(made, np.ndarray):
        return int(made.nbytes)
    inside = made.values() if isinstance(made, dict) else made if isinstance(made, list | tuple) else ()
    return sum(weight(one) for one in (vars(made).values() if is_dataclass(made) else inside))


# By the recipe's text, not its digest: it tells whether a result is of somebody's own file.
_RUNS = Memo(256 << 20, lambda result: weight(result.content))


def ready(recipe: Recipe) -> bool:
    """Whether the result is there already."""
    return _RUNS.has(recipe.json())


def run(recipe: Recipe, work: Callable[[], Result]) -> Result:
    """The result of a recipe, made by `work()` where it is not kept; an error is passed on and not kept.

    It is kept under its own recipe too, in which what was left open (the weights used) is filled in: that is what the page and
    its link go on with.
    """
    found: Result = _RUNS.get(recipe.json(), work)
    if found.recipe != recipe:
        _RUNS.get(found.recipe.json(), lambda: found)
    return found


def begun(recipe: Recipe, work: Callable[[], Result]) -> Result:
    """What of a result is shown before all of it is there, made by `work()` where it is not kept: what the rest is made of."""
    found: Result = _RUNS.get(("begun", recipe.json()), work)
    return found
