"""Results for the page: the last ones are kept, so that a way back costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass

import numpy as np

from gen_core.defects import infer, sample
from gen_core.defects.recipe import Infer, Sample
from gen_core.memo import Memo
from gen_core.result import Result

Progress = Callable[[float, str], None]


def _weight(made: object) -> int:
    """Bytes of the arrays in a result's content, as far as they lie in it."""
    if isinstance(made, np.ndarray):
        return int(made.nbytes)
    inside = made.values() if isinstance(made, dict) else made if isinstance(made, list | tuple) else ()
    return sum(_weight(one) for one in (vars(made).values() if is_dataclass(made) else inside))


_RUNS = Memo(256 << 20, lambda result: _weight(result.content))


def ready(recipe: Infer | Sample) -> bool:
    """Whether the result is there already."""
    return _RUNS.has(recipe.sha256)


def run(recipe: Infer | Sample, progress: Progress = lambda share, text: None) -> Result:
    """`defects.infer` or `defects.sample`, computed once. Raises what these do."""
    work = lambda: infer.run(recipe, progress) if isinstance(recipe, Infer) else sample.run(recipe, progress)  # noqa: E731
    found: Result = _RUNS.get(recipe.sha256, work)
    return found


def warm() -> None:
    """Load what the first view loads."""
    run(Infer())
