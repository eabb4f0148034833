"""Figures: each is made of what was found, in both themes, with named axes and honest scales."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import gen_core
from gen_core import palette
from gen_core.symmetry import lines, plots, question
from gen_core.symmetry.fewer import Examples
from gen_core.symmetry.fewer import told as means


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_finite_json(dark: bool) -> None:
    turned = gen_core.run("symmetry.rotate", angle=45, codes=2).content
    found = gen_core.run("symmetry.recover", measurements=[10, 40], images=4, models=["augmented", "c8"], starts=16).content
    rng = np.random.default_rng(0)
    sizes = {d: 0.05 * 3 * d / np.array([5, 20, 80, 200])[:, None] * rng.uniform(0.8, 1.2, (4, 9)) for d in (5, 10, 20)}
    floors = {"orbit": {d: np.zeros(9) for d in sizes}}
    curves = lines.Curves((5, 20, 80, 200), {"orbit": sizes}, floors, (0.05,), gaussian=sizes[10])
    figures = [
        *(plots.turned(turned, which, 0, dark) for which in ("pictures", "turned", "drawn", "difference")),
        plots.curve(turned, dark),
        plots.recovery(found, dark),
        plots.residuals(found, dark),
        plots.needed(curves, 0.05, dark),
        plots.fewer(means(Examples((16, 64), {"c8": rng.uniform(0.1, 1, (2, 5))})), (16, 64), dark),
    ]
    for figure in figures:
        told = json.loads(figure.to_json())
        assert told["data"]
    for figure in figures[4:]:
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text
    drawn = {trace.name: trace for trace in plots.recovery(found, dark).data if trace.name}
    assert drawn["C8"].line.color == palette.role("predicted", dark)
    for name in ("Gaussian prior", "Sparse cosines", "Plain, turned examples"):
        assert drawn[name].line.color == palette.role("control", dark)


def test_every_model_has_a_line_and_a_marker_of_its_own_in_its_colour() -> None:
    assert len(set(plots.LOOKS.values())) == len(plots.LOOKS)
    for part in (1, 2):
        looks = [(look[0], look[part]) for look in plots.LOOKS.values()]
        assert len(set(looks)) == len(looks)


def test_a_dim_picture_is_drawn_on_a_scale_that_fits() -> None:
    made = gen_core.run("symmetry.rotate", angle=45, codes=2).content
    assert plots.turned(made, "pictures").data[0].zmax == 1
    dim = replace(made, pictures=made.pictures / 50, turned=made.turned / 50, drawn=made.drawn / 50)
    assert np.isclose(plots.turned(dim, "pictures").data[0].zmax, plots.white(dim))
    assert plots.white(dim) < 0.05


def test_the_page_knows_which_models_there_are() -> None:
    assert {"augmented", "c8", "orbit"} <= set(question.known(20))
    assert question.sizes("orbit") == [5, 10, 20, 40]
    question.warm()
