"""The score network: near the exact score, the same when broken off, and what is drawn from it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ou

import gen_core
from gen_core import catalog, checkpoint
from gen_core.defects import data, metrics, modelfile, sample
from gen_core.defects.recipe import Sample, Train
from gen_core.errors import CheckpointError, RecipeError, UserError

SMALL = {"data": "rotating", "n": 1_500, "epochs": 12, "width": 48}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "m"
    list(catalog.steps(Train.read(SMALL), folder))
    return folder


def test_the_network_is_near_the_exact_score(trained: Path) -> None:
    found = data.opened(Train.read(SMALL))
    net = modelfile.read(trained)
    told = [
        (net.at(x[:500], float(t)), ou.Exact().at(x[:500], float(t))) for x, t in zip(found.positions, found.times, strict=True)
    ]
    assert metrics.relative(np.array([a for a, _ in told]), np.array([b for _, b in told])) < 0.2
    drawn = net.draw(2_000, 0.35, 1, 40, 0)[:, 0]
    mean, cov = ou.normal(0.35)
    assert np.allclose(drawn.mean(0), mean, atol=0.06)
    assert np.allclose(np.cov(drawn.T), cov, atol=0.05)


def test_broken_off_and_taken_up_again_it_is_the_same(trained: Path, tmp_path: Path) -> None:
    recipe = Train.read(SMALL | {"epochs": 2, "n": 500})
    whole, broken = tmp_path / "a", tmp_path / "b"
    list(catalog.steps(recipe, whole))
    work = catalog.steps(recipe, broken)
    next(work)
    work.close()
    list(catalog.steps(recipe, broken))
    assert checkpoint.sha256(whole / checkpoint.WEIGHTS) == checkpoint.sha256(broken / checkpoint.WEIGHTS)
    assert checkpoint.read_card(whole)["system"] == "defects"
    with pytest.raises(UserError, match="another model"):
        list(catalog.steps(recipe, trained))


def test_a_time_between_snapshots_is_compared_with_the_simulator_there() -> None:
    """A cloud that moves: the nearest snapshot is not where it is at the time that was asked."""
    asked = Sample(data="double_well", time=0.55, n=4_000)
    found = data.opened(asked.replace(n=None))
    truth = sample._simulated(asked, found)
    assert isinstance(truth, np.ndarray)
    assert sample._simulated(asked.replace(time=0.0), found).shape == truth.shape  # type: ignore[union-attr]
    cloud = lambda x: x.reshape(-1, 2)  # noqa: E731
    between = sample._neighbours(0.55, found)
    assert isinstance(between, float)
    assert sample._neighbours(0.5, found) is None
    far = metrics.w1(cloud(found.positions[0]), cloud(truth))
    assert metrics.w1(cloud(found.positions[5]), cloud(truth)) < between < far
    assert Sample(data="double_well").n == Sample(data="pairs").n == 500  # as documented, whatever is bundled


def test_a_trained_model_is_used_by_infer_and_sample(trained: Path) -> None:
    fields = {"data": "rotating", "n": 1_500, "model": str(trained), "bootstrap": 20, "held_out": False}
    recipe = catalog.make_recipe("defects.infer", fields)
    result = catalog.run(recipe)
    assert result.recipe.weights == checkpoint.read_card(trained)["sha256"]
    assert result.metrics["disagreement"] < 0.35
    drawn = catalog.run(catalog.make_recipe("defects.sample", {"data": "rotating", "model": str(trained), "n": 300, "time": 1.0}))
    assert drawn.content.positions.shape == (300, 1, 2)
    with pytest.raises(RecipeError, match="another place or of other times"):
        catalog.run(recipe.replace(data="double_well"))
    with pytest.raises(RecipeError, match="replicas of 1 particles"):
        catalog.run(recipe.replace(data="pairs", n=100, library="pair"))
    with pytest.raises(CheckpointError, match="other weights"):
        catalog.run(recipe.replace(weights="0" * 64))


def test_the_bundled_networks_draw_like_their_snapshots(tmp_path: Path) -> None:
    for name in modelfile.BUNDLED.values():
        card = checkpoint.read_card(checkpoint.find(name))
        assert card["metrics"]["denoising_error"] < 1
        assert card["metrics"]["sample_w1"] < card["baselines"]["normal"]["sample_w1"]
    result = gen_core.run("defects.sample", time=0.3, n=800)
    assert result.metrics["w1"] < 0.1
    result.save(tmp_path / "out")
    assert catalog.from_file(tmp_path / "out" / "samples.npz") == result.recipe
    again = catalog.run(result.recipe)
    assert np.array_equal(again.content.positions, result.content.positions)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"time": 7.0}, "knows times from 0 to 1"),
        ({"data": "rotating"}, "no bundled score network"),
        ({"model": "images-plain"}, "not of defects"),
        ({"model": "nothing-here"}, "There is no model"),
    ],
)
def test_samples_that_cannot_be_are_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        catalog.run(catalog.make_recipe("defects.sample", fields))


def test_a_damaged_network_is_refused(trained: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = Path(shutil.copytree(trained, tmp_path / "m"))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"width": 12}))
    with pytest.raises(CheckpointError, match="no score network"):
        modelfile.read(folder)
