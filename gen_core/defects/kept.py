"""Results for the page: the last ones are kept, so that a way back costs nothing."""

from __future__ import annotations

from collections.abc import Callable

from gen_core.defects import infer, sample
from gen_core.defects.recipe import Infer, Sample
from gen_core.memo import Memo
from gen_core.result import Result

Progress = Callable[[float, str], None]
_RUNS = Memo(256 << 20, lambda result: 24 << 20)


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
