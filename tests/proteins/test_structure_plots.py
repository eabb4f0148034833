"""Pictures of structures say what their files hold, with or without 3Dmol.js."""

from __future__ import annotations

import numpy as np
import pytest

from gen_core.proteins import structure, structure_plots
from gen_core.proteins.recipe import Sample
from gen_core.proteins.sample import draw_samples


@pytest.fixture(scope="module")
def models() -> list[structure.Threaded]:
    made = draw_samples(Sample(n=3))
    return [structure.template_itself(made), *structure.models_of(made, np.array([0]))]


@pytest.fixture(scope="module")
def texts(models: list[structure.Threaded]) -> list[tuple[str, str]]:
    return [(model.caption, model.pdb()) for model in models]


def test_the_atoms_of_a_text_are_those_of_its_model(models: list[structure.Threaded], texts: list[tuple[str, str]]) -> None:
    for model, (_, text) in zip(models, texts, strict=True):
        places, values, names = structure_plots.alphas(text)
        np.testing.assert_allclose(places, model.backbone[:, 1], atol=1e-3)
        np.testing.assert_allclose(values, model.values, atol=0.006)
        assert len(names) == len(model.sequence)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("colour", list(structure.LEGENDS))
def test_traces_are_true_to_scale_and_broken_where_residues_are_missing(
    texts: list[tuple[str, str]], colour: structure.Colour, dark: bool
) -> None:
    legend = structure.LEGENDS[colour]
    for fig in (structure_plots.trace(texts, colour, dark), structure_plots.flat(texts, colour, dark)):
        assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (legend.low, legend.high)
        assert list(fig.layout.coloraxis.colorbar.ticktext) == [legend.low_said, legend.high_said]
    drawn = structure_plots.trace(texts, colour, dark).data[0]
    way = np.stack([drawn.x, drawn.y, drawn.z], 1)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps[np.isfinite(steps)], 3.8, atol=0.5)


def test_the_broad_side_is_seen(texts: list[tuple[str, str]]) -> None:
    from scipy.spatial.transform import Rotation

    places = structure_plots.alphas(texts[0][1])[0]
    turned = Rotation.from_quat(structure_plots.turn(texts)).apply(places)
    spread = turned.std(0)
    assert spread[0] > spread[1] > spread[2]


def test_a_notebook_gets_the_same_picture_from_its_own_copy_of_the_script(texts: list[tuple[str, str]]) -> None:
    view = structure_plots.view(texts, "conservation", js="3Dmol-min.js")
    page = view.write_html()
    assert "3Dmol-min.js" in page
    assert "https://" not in page
    assert page.count("addModel") == 2
