"""Training: what is learned from, whatever interrupts it, and what its card says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import gen_core
from gen_core import checkpoint, training
from gen_core.errors import OutputError
from gen_core.poisson import evaluate, grid, modelfile, spectrum, tasks, train
from gen_core.poisson.model import NETS
from gen_core.poisson.problem import problem_of
from gen_core.poisson.recipe import KINDS, Solve, Train
from tests.trained import taken_up, trained

SMALL = {"scenes": 64, "epochs": 2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_is_a_model_that_solves_and_survives_being_broken_off(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "TOLD_EVERY", 0.0)
    monkeypatch.setattr(evaluate, "SENSED", (8,))  # the posterior is measured on one problem, in few steps
    monkeypatch.setattr(evaluate, "STEPS", 2)
    recipe = Train.read({"kind": kind, **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "a")
    taken_up(train.steps, recipe, tmp_path / "b", folder)
    card = json.loads((folder / checkpoint.CARD).read_text())
    assert {"error_l2", "residual", "boundary_violation"} <= card["metrics"].keys()
    assert {"exact", "zero_start", "ridge"} <= card["baselines"].keys()
    assert card["command"].startswith("python -m gen_core train poisson")
    result = gen_core.run("poisson.solve", solver=kind, model=str(folder), rho="synthetic:1", steps=2, samples=1)
    assert np.isfinite(result.metrics["error_l2"])
    with pytest.raises(OutputError, match="not empty"):
        next(train.steps(recipe.replace(seed=1), folder, "cpu"))


def test_an_untrained_task_has_the_law_in_its_own_coordinates() -> None:
    task = tasks.SolverTask(Train(kind="regression", scenes=64))
    rho, image = (values.numpy().astype(np.float64) for values in task.maps)
    assert np.allclose((rho**2).mean((1, 2)), 1, atol=1e-3)
    phi = spectrum.potential_of(image)
    again = np.stack([grid.minus_laplacian(grid.framed(one)) for one in phi])
    assert np.abs(again - rho).max() < 1e-3 * np.abs(rho).max()


def test_the_loss_is_zero_for_the_exact_answer_and_one_for_none() -> None:
    task = tasks.SolverTask(Train(kind="regression", scenes=64))
    rho, image = task.maps
    assert torch.allclose(task.error(torch.zeros_like(image), image), torch.zeros(len(image)))
    assert torch.allclose(task.error(image, image), torch.full((len(image),), 1 + tasks.POTENTIAL))
    for turn in range(8):
        way = torch.full((len(rho),), turn)
        moved = spectrum.white(tasks.turned(rho, way).numpy().astype(np.float64))
        assert np.allclose(moved, tasks.turned(image, way).numpy(), atol=2e-3)  # turning commutes with the law


def test_the_untrained_flow_knows_the_gaussian_prior_already() -> None:
    torch.manual_seed(0)
    net = NETS["flow"]()
    x, t = torch.randn(5, 30, 30), torch.full((5,), 0.3)
    with torch.no_grad():
        said = net(x, t, torch.zeros_like(x), torch.ones(5))
    assert torch.allclose(said, 0.3 / (0.3**2 + 0.7**2) * x, atol=1e-5)


def test_damaged_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    from gen_core.errors import CheckpointError

    recipe = Train.read({"kind": "regression", **SMALL})
    folder = trained(train.steps, recipe, tmp_path / "m")
    tensors, card = checkpoint.load(folder)
    wrong = {name: value for name, value in tensors.items() if "first" not in name}
    checkpoint.save(tmp_path / "cut", wrong, card)
    with pytest.raises(CheckpointError, match="no solver of the kind"):
        modelfile.read(tmp_path / "cut", None, "regression")
    with pytest.raises(CheckpointError, match="no solver of the kind"):
        modelfile.read(folder, None, "flow")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if modelfile.there(kind)])
def test_the_bundled_cards_hold_what_they_promise(kind: str) -> None:
    folder = checkpoint.find(modelfile.bundled(kind))
    _, card = checkpoint.load(folder)
    assert (folder / checkpoint.WEIGHTS).stat().st_size < 2 << 20
    assert card["baselines"]["exact"]["error_l2"] == 0
    assert card["synthetic"] is True
    low, high = card["metrics"]["error_l2_low"], card["metrics"]["error_l2_high"]
    assert low <= card["metrics"]["error_l2"] <= high


def test_the_settings_of_a_recipe_are_those_it_trains_with() -> None:
    usual = train.settings_of(Train())
    assert usual.epochs == train.EPOCHS["flow"]
    assert train.settings_of(Train(epochs=3, max_seconds=9.0, seed=2)) == replace(usual, epochs=3, max_seconds=9.0, seed=2)
    assert problem_of(Solve()).size == 32
