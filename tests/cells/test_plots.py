"""Figures: the same bytes for the same recipe, units on every axis, names from files harmless, colours by role."""

import anndata as ad
import pytest

import gen_core
from gen_core import palette
from gen_core.cells import heldout, maps, plots, simulate


@pytest.fixture(scope="module")
def made() -> object:
    return gen_core.run("cells.perturb", data="simulated", target="NK").content


def figures(made: object, dark: bool) -> dict:
    return {
        "map": maps.cell_map(made, dark),
        "changes": plots.changes(made, dark),
        "volcano": plots.volcano(made, dark),
        "violins": plots.violins(made, [str(g) for g in made.genes.gene[:3]], dark),
        "held_out": plots.held_out(heldout.reference(made), "NK", dark),
    }


@pytest.mark.parametrize("dark", [False, True])
def test_the_same_recipe_draws_the_same_bytes(made: object, dark: bool) -> None:
    again = gen_core.run("cells.perturb", data="simulated", target="NK").content
    for name, figure in figures(made, dark).items():
        assert figure.to_json() == figures(again, dark)[name].to_json(), name


def test_every_axis_says_what_it_shows(made: object) -> None:
    for name, figure in figures(made, False).items():
        assert figure.layout.yaxis.title.text or name == "held_out"
        assert figure.layout.xaxis.title.text or name == "violins"


def test_a_colour_means_one_thing(made: object) -> None:
    named = {t.name: t.marker.color for t in maps.cell_map(made).data}
    assert named["predicted"] == palette.role("predicted")
    assert named["observed"] == palette.role("observed")
    assert named["control"] == palette.role("control")


def test_names_from_a_file_are_text_and_never_markup(tmp_path: object) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    evil = "<img src=x onerror=alert(1)>"
    adata.obs["cell_type"] = adata.obs["cell_type"].astype(str).replace({"B": evil})
    adata.var_names = [f"<b>{g}</b>" for g in adata.var_names]
    adata.write_h5ad(tmp_path / "evil.h5ad")
    result = gen_core.run("cells.perturb", data=str(tmp_path / "evil.h5ad"), target="NK")
    for name, figure in figures(result.content, False).items():
        text = figure.to_json()
        assert "<img" not in text, name
        assert "\\u003cimg" not in text, name
        assert "<b>SHR" not in text, name
        assert "\\u003cb\\u003eSHR" not in text, name


def test_an_arrow_out_of_the_map_ends_at_its_edge() -> None:
    made = gen_core.run("cells.perturb", data="simulated", target="NK", dose=8).content
    arrow = next(a for a in maps.cell_map(made).layout.annotations if a.showarrow)
    for value, (low, high) in zip((arrow.ax, arrow.ay), maps.spans(made.study.codes, made.study.map_axes), strict=True):
        assert low - 1e-6 <= value <= high + 1e-6


def test_reverse_calls_the_cells_it_starts_from_what_they_are() -> None:
    made = gen_core.run("cells.perturb", data="simulated", target="NK", reverse=True).content
    assert {trace.name for trace in maps.cell_map(made).data} == {
        "other types",
        "perturbed",
        "predicted",
        "observed",
        "responses of types",
    }


def test_the_end_of_the_arrow_asks_for_its_own_dose() -> None:
    for model in ("pca", "cells-simulated-2d"):
        made = gen_core.run(
            "cells.perturb", data="simulated", target="T helper", model=model, predictor="latent", dose=0.6
        ).content
        for dose in (0.3, 0.6, 1.2):
            there = gen_core.run("cells.perturb", **made.recipe.replace(dose=dose).fields()).content
            end = there.places.mean(0)[list(made.study.map_axes)]
            assert maps.dose_at(made, (float(end[0]), float(end[1]))) == pytest.approx(dose, abs=0.06)
