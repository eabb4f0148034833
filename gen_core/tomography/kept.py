"""Reconstructions for a page: one method after the other, each kept, so that what is ready can be seen while the rest is made."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from gen_core.memo import Memo
from gen_core.recipe import DIGEST
from gen_core.result import Result
from gen_core.tomography import methods, quick, reconstruct
from gen_core.tomography.priors import Problem, Progress, Solution, quiet
from gen_core.tomography.recipe import Reconstruct, narrowed


def _size(made: tuple[Solution, float]) -> int:
    found = made[0]
    return sum(int(part.nbytes) for part in (found.image, found.deviation, found.samples, found.chain) if part is not None)


def _weight(made: Result) -> int:
    content = made.content
    parts = [content.images, content.measured, content.invented, content.projections, content.deviations, content.samples]
    return sum(int(array.nbytes) for group in parts for array in group.values())


_SOLUTIONS = Memo(256 << 20, _size)
_RESULTS = Memo(512 << 20, _weight)


def missing(recipe: Reconstruct) -> list[str]:
    """The methods of a recipe that were not computed yet, in its order."""
    return [name for name in recipe.methods if not _SOLUTIONS.has(_key(name, recipe))]


def solution(name: str, recipe: Reconstruct, progress: Progress = quiet) -> Solution:
    """What a method makes of a recipe's scan, computed once. Raises what `reconstruct.run` does."""
    return _solved(name, quick.scan(recipe).problem, recipe, progress)


def ready(recipe: Reconstruct) -> bool:
    """Whether the whole result is there already."""
    return bool(_RESULTS.has(recipe.sha256))


def result(recipe: Reconstruct, progress: Progress = quiet) -> Result:
    """The result of `tomography.reconstruct`, computed once; a method's seconds are those it took then."""
    methods.check(recipe)
    found: Result = _RESULTS.get(recipe.sha256, lambda: _made(recipe, progress))
    return found


def warm() -> None:
    """Do once what the first view needs: the reconstruction that the page opens on."""
    result(Reconstruct())


def _made(recipe: Reconstruct, progress: Progress) -> Result:
    made = reconstruct.run(recipe, progress, quick.scan, _solved)
    seconds: dict[str, float] = {str(name): _SOLUTIONS.get(_key(name, recipe), lambda: (None, 0.0))[1] for name in recipe.methods}
    numbers: dict[str, Any] = dict(made.metrics) | {f"{name}.seconds": value for name, value in seconds.items()}
    return replace(made, metrics=numbers, seconds={**made.seconds, **seconds})


def _solved(name: str, problem: Problem, recipe: Reconstruct, progress: Progress) -> Solution:
    def make() -> tuple[Solution, float]:
        began = time.perf_counter()
        return methods.solve(name, problem, recipe, progress), time.perf_counter() - began

    found: tuple[Solution, float] = _SOLUTIONS.get(_key(name, recipe), make)
    return found[0]


def _key(name: str, recipe: Reconstruct) -> str:
    """What a method's image depends on."""
    own = recipe.model if DIGEST.fullmatch(recipe.model or "") else None  # a bundled model is what none means
    return narrowed(recipe.replace(model=own, weights=None), name).sha256  # type: ignore[arg-type]
