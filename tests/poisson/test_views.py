"""Figures: each is made of what was found, in both themes, with its scale shared where two are compared."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gen_core
from gen_core import catalog, palette
from gen_core.errors import RecipeError
from gen_core.poisson import drawn, plots, question
from gen_core.poisson.problem import problem_of
from gen_core.poisson.recipe import Solve
from gen_core.poisson.solved import Solved


@pytest.fixture(scope="module")
def solved() -> Solved:
    made: Solved = gen_core.run("poisson.solve", rho="synthetic:20", correction=2).content
    return made


@pytest.fixture(scope="module")
def sensed() -> Solved:
    made: Solved = gen_core.run("poisson.solve", sensors=15, samples=16, steps=4).content
    return made


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_finite_json_with_named_axes(solved: Solved, sensed: Solved, dark: bool) -> None:
    response = gen_core.run("poisson.green").content
    figures = [
        plots.charges(solved, dark),
        plots.potential(solved, "phi", dark),
        plots.potential(solved, "exact", dark),
        plots.error(solved, "phi", dark),
        plots.residual(solved, "phi", dark),
        plots.boundary(solved, "phi", dark),
        plots.field(solved, "exact", dark),
        plots.spread(solved, dark),
        plots.profile(solved, dark=dark),
        plots.times(solved, dark),
        *(plots.dial(solved, method, what, 2, dark) for method in ("cg", "two_grid") for what in ("error", "residual")),
        plots.response(response, "phi", dark),
        plots.response(response, "exact", dark),
        plots.radial(response, dark),
        plots.charges(sensed, dark),
        plots.profile(sensed, dark=dark),
        *(plots.posterior(sensed, which, whose, dark) for which in ("mean", "deviation") for whose in ("model", "exact")),
        plots.coverage(sensed, dark),
    ]
    for figure in figures:
        told = json.loads(figure.to_json())
        assert told["data"]
        assert figure.layout.xaxis.title.text


def test_maps_that_are_compared_share_a_scale(solved: Solved, sensed: Solved) -> None:
    top = {float(plots.potential(solved, name).data[0].zmax) for name in ("phi", "exact", *solved.others)}
    assert len(top) == 1
    assert len({float(plots.error(solved, name).data[0].zmax) for name in ("phi", *solved.others)}) == 1
    for which in ("mean", "deviation"):
        assert len({float(plots.posterior(sensed, which, whose).data[0].zmax) for whose in ("model", "exact")}) == 1
    marks = plots.posterior(sensed).data[1]
    assert np.allclose(np.column_stack([marks.x, marks.y]), sensed.data.places)  # type: ignore[union-attr]


def test_colours_say_who_speaks(solved: Solved) -> None:
    lines = {trace.name: trace.line.color for trace in plots.dial(solved).data}
    assert lines == {"from zero": palette.role("control"), "from model": palette.role("predicted")}
    lines = {trace.name: trace.line.color for trace in plots.profile(solved).data if trace.mode == "lines"}
    assert lines[plots.titled("exact")] == palette.role("observed")


def test_what_is_not_known_cannot_be_drawn(solved: Solved) -> None:
    unknown = gen_core.run(
        "poisson.solve", sensors=[[0.4, 0.5, 0.1], [0.6, 0.5, 0.2], [0.5, 0.2, 0.1]], samples=4, steps=2
    ).content
    with pytest.raises(ValueError, match="not known"):
        plots.error(unknown)
    with pytest.raises(ValueError, match="sensors"):
        plots.posterior(solved)
    assert plots.potential(unknown).data


def test_a_scene_can_be_drawn_on_and_an_empty_square_is_a_problem_too() -> None:
    recipe = Solve(rho="synthetic:20")
    found = question.scene(recipe)
    same = Solve.read(drawn.as_fields(found.charges, found.edges))
    assert same.rho is None
    a, b = (problem_of(one) for one in (recipe, same))
    assert np.abs(a.rho - b.rho).max() < 1e-2 * np.abs(a.rho).max()
    assert np.abs(a.edges - b.edges).max() < 0.05 * np.abs(a.edges).max()  # nine values on each edge
    assert question.scene(same) == found  # told again as it was drawn, however often
    blank = [[0.0] * drawn.PLACES for _ in range(4)]
    empty = Solve.read(drawn.as_fields([], blank))
    assert not problem_of(empty).rho.any()
    assert catalog.from_query(empty.query(), "poisson.solve") == empty
    assert question.scene(empty) == drawn.Drawn([], blank, None)
    mine = question.scene(Solve(rho="random_field:3", charges=((0.5, 0.5, 1.0, 0.1),)))
    assert mine.charges == [[0.5, 0.5, 1.0, 0.1]]
    assert mine.field is not None


@pytest.mark.parametrize(("text", "said"), [("", "Write down"), ("0.1, 0.2", "Line 1"), ("0.1 0.2 0.3\n\nx, 1, 2", "Line 3")])
def test_readings_that_are_none_are_said(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        question.readings(text)
    assert question.readings("0.1, 0.2, 0.3\n.4;.5;6e-1\n") == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


def test_the_page_knows_which_solvers_there_are() -> None:
    assert question.known()[-1] == "exact"
    assert "flow" in question.known()
    question.warm()
