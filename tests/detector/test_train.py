"""Training: whatever interrupts it, from whatever it learns, the folder is a model that draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core import catalog, checkpoint, store, training
from gen_core.detector import evaluate, measure, train
from gen_core.detector.recipe import KINDS, Generate, Train
from gen_core.detector.simulate import World, simulate
from gen_core.errors import UserError
from tests.trained import taken_up, trained

SMALL = {"layers": 3, "channels": 8, "events": 400, "epochs": 2}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TOLD_EVERY", 0.0)
    monkeypatch.setattr(measure, "EPOCHS", 1)
    monkeypatch.setattr(measure, "LEAST", 1)
    monkeypatch.setattr(measure, "JUDGED", 100)
    monkeypatch.setattr(evaluate, "CURVE", {"masked": (1, 24), "middle": (2,)})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "student"])
def test_a_training_is_a_model_that_draws_and_survives_being_broken_off(kind: str, tmp_path: Path) -> None:
    recipe = Train.read({"kind": kind, **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "a")
    taken_up(train.steps, recipe, tmp_path / "b", folder)
    card = json.loads((folder / checkpoint.CARD).read_text())
    assert {"corr_error", "auc_features", "auc_cnn", "events_per_second"} <= card["metrics"].keys()
    assert {"floor", "independent"} <= card["baselines"].keys()
    told = "--set layers=3 --set channels=8 " + f"--set kind={kind} " * (kind != "vae") + "--set events=400 --set epochs=2"
    assert card["command"] == f"python -m gen_core train detector {told} --out DIR"
    assert card["parameters"] > 1_000
    used = catalog.using(catalog.adopt_model(folder))
    assert isinstance(used, Generate)
    result = gen_core.run("detector.generate", **(used.fields() | {"n": 40, "batch": 40, "classifiers": False}))
    assert result.content.hits.shape == (40, 3, 8)


def test_a_student_learns_from_what_its_teacher_draws(tmp_path: Path) -> None:
    teacher = catalog.adopt_model(trained(train.steps, Train.read({"kind": "made", **SMALL}), tmp_path / "teacher"))
    recipe = Train.read({"kind": "student", "teacher": teacher, **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "student")
    assert checkpoint.read_card(folder)["teacher"] == teacher
    with pytest.raises(UserError, match="no token after another"):
        next(train.steps(Train(kind="student", teacher="independent"), tmp_path / "x", "cpu"))


def test_own_events_are_learned_and_their_last_ones_left_out(tmp_path: Path) -> None:
    hits = simulate(World(layers=3, channels=10), 800, 3).hits
    np.savez(tmp_path / "own.npz", hits=hits)
    recipe = Train.read({"kind": "ar", "data": store.add(tmp_path / "own.npz"), "events": 300, "epochs": 1})
    learned = train.hits_of(recipe)
    assert np.array_equal(learned[:300], hits[:300])
    assert np.array_equal(learned[300:], hits[700:])
    model = catalog.adopt_model(trained(train.steps, recipe, tmp_path / "model"))
    used = catalog.using(model)
    assert isinstance(used, Generate)
    result = gen_core.run("detector.generate", **(used.fields() | {"n": 40, "batch": 40, "classifiers": False}))
    assert result.content.truth.own
    assert result.content.hits.shape == (40, 3, 10)
    scored = gen_core.run("detector.score", model=model, n=50)
    assert set(scored.content.values) == {"usual", "dead_layer"}
    assert len(scored.content.values["usual"]) == 50
    with pytest.raises(UserError, match="have 3 of 10"):
        gen_core.run("detector.score", model="ar", data=recipe.data, n=50)
