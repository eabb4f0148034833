"""Results are computed once, and weigh what their arrays weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core import catalog, kept
from gen_core.poisson.recipe import Solve


@dataclass(frozen=True)
class Made:
    one: np.ndarray
    many: dict[str, list[np.ndarray]]
    name: str = "n"


def test_a_result_is_computed_once() -> None:
    asked = Solve(solver="exact", seed=41)
    assert not kept.ready(asked)
    first = kept.run(asked, lambda: catalog.run(asked))
    assert kept.ready(asked)
    assert kept.run(asked, lambda: catalog.run(asked)) is first


def test_it_is_found_by_the_recipe_it_came_to_as_well() -> None:
    asked = Solve(solver="regression", seed=42)
    found = kept.run(asked, lambda: catalog.run(asked))
    assert found.recipe != asked  # it names its weights
    assert kept.ready(found.recipe)


def test_arrays_are_weighed_wherever_they_lie() -> None:
    made = Made(np.zeros(10), {"a": [np.zeros(3, np.float32), np.zeros(1)]})
    assert kept.weight(made) == 80 + 12 + 8
