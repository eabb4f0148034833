"""What the page shows of labels: the tables, the learning curve, and what it asks."""

from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core.errors import InputError
from gen_core.proteins import question, table, viability_plots
from gen_core.proteins.recipe import BUNDLED, Sample
from gen_core.proteins.sample import Drawn, draw_samples
from tests.proteins.test_viability import assayed as assayed


@pytest.fixture(scope="module")
def made(assayed: str) -> Drawn:
    return draw_samples(Sample(labels=assayed, label_threshold=0.42, n=50))


def test_every_filter_that_could_be_used_has_its_worth(made: Drawn) -> None:
    assert made.viability is not None
    found = table.worths(made.viability, made.model, made.recipe.filters).set_index("Filter")
    assert {"Profile score", "GRAVY", "Instability", "Viability"} <= set(found.index)
    assert not found.loc["Instability", "On"]
    assert (found["Pass"] + found["Fail"] == len(made.viability.labelled)).all()
    assert found.loc["Low complexity", "Functional of those (%)"] == "–"  # nobody fails it


def test_a_plate_is_told_with_its_interval_and_made_once(made: Drawn) -> None:
    assert made.viability is not None
    assert made.viability.backtest is made.viability.backtest
    found = table.hits(made.viability).set_index("Chosen by")
    assert found.loc["Viability", "Functional"] > found.loc["Blindly", "Functional"]
    assert " to " in found.loc["Viability", "Functional per 96"]


def test_the_curve_stands_beside_what_needs_no_labels(made: Drawn) -> None:
    assert made.viability is not None
    figure = viability_plots.learning_curve(made.viability)
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert list(lines["Learned from labels"].x) == [25, 50, 100, 200]
    assert len(set(lines["Profile score"].y)) == 1
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert np.all(np.array(band.y[:4]) >= np.array(lines["Learned from labels"].y))


def test_viability_is_asked_only_with_labels(assayed: str, family_digest: str, model_digest: str) -> None:
    names = [{bound.name for row in question.in_rows(3, labelled) for bound in row} for labelled in (False, True)]
    assert names[1] - names[0] == {"min_viability"}
    asked = Sample(labels=assayed, label_threshold=0.42, filters={"min_viability": 0.5, "max_gravy": 0.2})
    other = question.for_model(asked, model_digest)
    assert isinstance(other, Sample)
    assert other.labels is None
    assert (other.filters.min_viability, other.filters.max_gravy) == (None, 0.2)
    assert question.for_model(other, BUNDLED).model == BUNDLED
    question.check_labels(assayed)
    with pytest.raises(InputError, match="no table of labels"):
        question.check_labels(family_digest)


def test_the_map_shows_the_labelled_by_their_values(model_digest: str, rows: list[str], tmp_path: Path) -> None:
    from gen_core.proteins import map_plots
    from gen_core.proteins.atlas import atlas_of

    path = tmp_path / "labels.csv"
    path.write_text("sequence,value\n" + "".join(f"{row},{i}\n" for i, row in enumerate(rows[:50])))
    made = gen_core.run("proteins.sample", model=model_digest, n=10, labels=str(path)).content
    atlas, learned = atlas_of(made.model), made.viability
    marks = map_plots.with_labelled(map_plots.marks_of(made), learned)
    figure = map_plots.family_map(atlas, marks, map_plots.LABELS, "bits")
    points = next(trace for trace in figure.data if trace.name == "labelled")
    order = np.argsort(learned.labelled.values, kind="stable")
    np.testing.assert_allclose(points.marker.color, learned.labelled.values[order])
    np.testing.assert_allclose(points.x, atlas.place(learned.inputs.latent[order])[:, 0], rtol=1e-5, atol=1e-5)
    assert not [trace for trace in figure.data if trace.type == "heatmap"]  # one scale of colours at a time
