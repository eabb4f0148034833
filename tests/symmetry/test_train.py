"""Training: what is learned from, whatever interrupts it, what its card says; and pictures of the user's own."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gen_core
from gen_core import catalog, checkpoint, training
from gen_core.errors import CheckpointError, InputError, OutputError, RecipeError
from gen_core.symmetry import fewer, modelfile, pictures, scenes, train
from gen_core.symmetry.recipe import Train
from tests.trained import taken_up, trained

SMALL = {"pictures": 32, "turns": 2, "epochs": 2, "dim": 5}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("kind", ["plain", "c8", "orbit"])
def test_a_training_is_a_model_that_turns_and_survives_being_broken_off(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "TOLD_EVERY", 0.0)
    recipe = Train.read({"kind": kind, **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "a")
    taken_up(train.steps, recipe, tmp_path / "b", folder)
    card = json.loads((folder / checkpoint.CARD).read_text())
    assert {"floor_turned", "floor_upright", "error_50", "equivariance_db_90", "relative_error_45"} <= card["metrics"].keys()
    assert card["baselines"]["lasso"]["error_50"] > 0
    assert card["parameters"] > 0
    assert card["command"].startswith("python -m gen_core train symmetry")
    result = gen_core.run("symmetry.rotate", model=str(folder), angle=90, codes=2)
    if kind != "plain":
        assert result.metrics["equivariance_db"] > 100
    told = gen_core.run("symmetry.recover", models=[catalog.adopt_model(folder)], measurements=[20], images=4, starts=8)
    assert np.isfinite(list(told.metrics.values())).all()
    with pytest.raises(OutputError, match="not empty"):
        next(train.steps(recipe.replace(seed=1), folder, "cpu"))


def test_what_learns_from_turned_pictures_sees_each_as_often_as_what_learns_from_upright_ones() -> None:
    tasks = {kind: train.task_of(Train.read({"kind": kind, **SMALL})) for kind in ("plain", "augmented", "c8", "orbit")}
    assert {task.n_train for task in tasks.values()} == {64}
    upright = scenes.pictures(scenes.TRAIN_FROM + np.arange(32))
    for kind in ("plain", "orbit"):
        assert np.array_equal(tasks[kind].images, upright)
    assert np.array_equal(tasks["augmented"].images, tasks["c8"].images)
    assert not np.array_equal(tasks["augmented"].images[:32], upright)


def packed(path: Path, values: list[np.ndarray]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for i, value in enumerate(values):
            stream = io.BytesIO()
            Image.fromarray(value).save(stream, "PNG")
            archive.writestr(zipfile.ZipInfo(f"{i:03}.png"), stream.getvalue())
    return path


def test_own_pictures_of_any_shape_are_learned_from_and_tested_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = [rng.integers(0, 255, (40 + 4 * (i % 3), 50), dtype=np.uint8) for i in range(24)]
    values += [np.full((40, 40), 128, np.uint8)] * 2
    digest = catalog.adopt(packed(tmp_path / "own.zip", values))
    recipe = Train.read({"kind": "c4", "data": digest, **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "m")
    card = json.loads((folder / checkpoint.CARD).read_text())
    assert card["synthetic"] is False
    assert any("2 of 26" in text for text in card["notices"])
    assert str(tmp_path) not in json.dumps(card)
    told = gen_core.run(
        "symmetry.recover", data=digest, models=[catalog.adopt_model(folder)], measurements=[30], images=50, starts=8
    )
    assert "few_samples" in {w.code for w in told.warnings}
    assert any("Only 4 different pictures" in w.text for w in told.warnings)
    assert card["n_test"] == 4
    name = catalog.adopt_model(folder)
    assert not any(name in w.text for w in told.warnings)  # no raw digest in a sentence
    turned = gen_core.run("symmetry.rotate", model=name, codes=2)
    assert not turned.baselines  # the bundled ones draw galaxies
    assert "other_pictures" in {w.code for w in turned.warnings}
    curves = gen_core.run("symmetry.needed", data=digest, models=[name, "c8"], measurements=[5, 30], images=8, starts=8, dims=[5])
    assert f"{name}.needed.0.06.5" in curves.metrics
    assert "gaussian.needed.0.06" in curves.metrics
    assert any("not compared" in w.text and "c8" in w.text for w in curves.warnings)
    own = pictures.own(digest)
    for seed in (0, 1, 5):  # one split, whatever the seed of a recipe
        learned = pictures.learned(digest, 100, 1, False, seed)[0]
        tested = pictures.tested(digest, 4, False, seed)
        assert len(learned) == own.learned == 20
        assert {one.tobytes() for one in learned} == {one.tobytes() for one in own.images[:20]}
        assert not {one.tobytes() for one in learned} & {one.tobytes() for one in tested.images}
    many = pictures.tested(digest, 50, True, 5)
    assert len(many.images) == 50
    assert len(np.unique(many.sources)) == 4
    with pytest.raises(InputError, match="64 is more than the 20 of these pictures") as error:
        gen_core.run("symmetry.fewer", data=digest, counts=[16, 64], batches=10, images=4)
    assert "choose up to 20" in str(error.value)
    corners = own.images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert not corners.any()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([np.full((40, 40), 90, np.uint8)] * 30, "one grey"),
        ([np.eye(40, dtype=np.uint8) * 255] * 5, "at least 20"),
        ([], "no PNG, JPEG or TIFF|no picture"),
    ],
)
def test_own_pictures_that_do_not_do_are_one_sentence(values: list[np.ndarray], said: str, tmp_path: Path) -> None:
    digest = catalog.adopt(packed(tmp_path / "own.zip", values))
    with pytest.raises(InputError, match=said) as error:
        next(train.steps(Train.read({"data": digest, **SMALL}), tmp_path / "m", "cpu"))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "m").exists()


def test_fewer_examples_are_a_curve_with_intervals() -> None:
    asked = {"models": ["augmented", "c8", "orbit"], "counts": [16, 8], "batches": 12, "images": 6, "dim": 5}
    result = gen_core.run("symmetry.fewer", **asked)
    made: fewer.Examples = result.content
    assert made.counts == (8, 16)
    for name in asked["models"]:
        assert made.errors[name].shape == (2, 6)
        low, value, high = (result.metrics[f"{name}.error_after.16{end}"] for end in ("_low", "", "_high"))
        assert low <= value <= high
    assert "told_the_angle" in {w.code for w in result.warnings}
    with pytest.raises(RecipeError, match="once"):
        gen_core.run("symmetry.fewer", counts=[16, 16])


def test_damaged_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    tensors, card = checkpoint.load(checkpoint.find("symmetry-c8-20"))
    checkpoint.save(tmp_path / "cut", {k: v for k, v in tensors.items() if "lift" not in k}, card)
    with pytest.raises(CheckpointError, match="draws no pictures"):
        modelfile.read(tmp_path / "cut")
    with pytest.raises(CheckpointError, match="not of symmetry"):
        modelfile.opened("poisson-fno-32", 20)
    with pytest.raises(CheckpointError, match="other weights"):
        modelfile.opened("c8", 20, {"c8": "0" * 64})
