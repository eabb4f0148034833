"""Training on rendered and on the user's own pictures: what it leaves, taking up, and what it refuses."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gen_core
from gen_core import catalog, checkpoint, store, training
from gen_core.__main__ import main
from gen_core.errors import CheckpointError, InputError, OutputError
from gen_core.images import render, train
from gen_core.images.measure import steps_of
from gen_core.images.modelfile import read_space
from gen_core.images.photos import PhotoTask
from gen_core.images.recipe import Train
from gen_core.images.rendered import FIRST, RenderedTask
from gen_core.images.space import CONTENT, LATENT
from tests.trained import taken_up, trained

SHORT = Train(pairs=8, epochs=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two epochs."""
    return trained(train.steps, SHORT, tmp_path_factory.mktemp("model") / "m")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures."""
    made = tmp_path_factory.mktemp("own")
    for i, image in enumerate(render.pictures(np.arange(22), "cells")):
        Image.fromarray((255 * image).astype(np.uint8)).save(made / f"{i}.png")
    return made


def test_what_training_leaves_is_a_model_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "recipe.json", "weights.safetensors"]
    card = checkpoint.read_card(folder)
    assert card["pictures_seen"] == 32
    assert card["command"] == "python -m gen_core train images --set epochs=2 --set pairs=8 --out DIR"
    assert card["baselines"]["no_switch"].keys() < card["metrics"].keys()
    space = read_space(folder)
    assert space.decode(np.zeros((1, LATENT), np.float32)).shape == (1, 64, 64, 3)


def test_cancelled_and_called_again_it_makes_the_same_model(folder: Path, tmp_path: Path) -> None:
    taken_up(train.steps, SHORT, tmp_path, folder)


def test_a_folder_with_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another model"):
        next(train.steps(SHORT.replace(seed=1), folder, "cpu"))
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="something else"):
        next(train.steps(SHORT, tmp_path, "cpu"))


def test_it_learns(tmp_path: Path) -> None:
    task = RenderedTask("metal", 8, 0)
    losses = []
    for step in training.train(task, training.Settings(epochs=12, batch=2, learning_rate=2e-3, averaging=0.5)):
        losses += [step.metrics["valid_loss"]] if "valid_loss" in step.metrics else []  # none before the first epoch's end
    assert losses[-1] < 0.97 * losses[0]


def test_the_pictures_that_score_it_were_never_trained_on() -> None:
    for recipe in (SHORT, Train(), Train(pairs=65_536, epochs=1, seed=999)):
        task = train.task_of(recipe)
        assert isinstance(task, RenderedTask)
        assert task.first >= FIRST


def test_the_order_in_which_a_batch_is_cut_changes_nothing() -> None:
    import torch

    task = RenderedTask("metal", 8, 0)
    module = task.module()
    noise = task.noise(4, torch.Generator().manual_seed(0))
    rows = np.arange(4)
    with torch.no_grad():
        whole = task.loss(module, rows, noise, 0.5)
        parts = [task.loss(module, rows[i : i + 2], tuple(n[i : i + 2] for n in noise), 0.5) for i in (0, 2)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-4)


def test_directions_of_codes_that_are_linear_in_the_factors_are_found_exactly() -> None:
    rng = np.random.default_rng(0)
    values = render.factors(np.arange(300))
    own = np.repeat(np.arange(3), 16)[None, :] == render.GROUP_OF[:, None]
    true = rng.normal(size=(len(render.FACTORS), 48)) * own
    codes = np.concatenate([np.zeros((300, CONTENT)), values @ true + 3], 1)
    np.testing.assert_allclose(steps_of(codes, values), true, atol=1e-3)


def test_a_users_folder_becomes_a_model_that_every_operation_takes(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    assert main(["train", "images", "--set", f"data={own}", "--set", "epochs=1", "--out", str(out), "--device", "cpu"]) == 0
    card = checkpoint.read_card(out)
    assert card["family"] is None
    assert card["synthetic"] is False
    assert card["directions"] == []
    assert str(own) not in (out / "card.json").read_text()
    name = store.add_model(Path(shutil.copytree(out, tmp_path / "copy")))
    made = gen_core.run("images.mix", model=name, content_seeds=[0, str(own / "3.png")], style_seeds=[1])
    assert "swap_score" not in made.metrics
    assert gen_core.run("images.edit", model=name, directions={"pc1": 1}).content.images.shape == (2, 64, 64, 3)


def test_too_few_pictures_and_a_file_that_is_none(own: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Only 1 picture to learn from"):
        PhotoTask(np.zeros((1, 64, 64, 3), np.uint8), 0)
    recipe = catalog.make_recipe("images.train", {"data": str(own / "1.png")})
    with pytest.raises(InputError, match="not a zip"):
        next(catalog.steps(recipe, tmp_path / "m", "cpu"))
    assert not (tmp_path / "m").exists()
    assert main(["train", "images", "--set", "data=nowhere.zip", "--out", str(tmp_path / "m")]) == 2


@pytest.mark.parametrize("name", ["micrographs", "micrographs_cells"])
def test_bundled_data_is_a_zip_of_pictures_too(name: str) -> None:
    from gen_core.datasets import path_of
    from gen_core.inputs.images import read_pictures

    found = read_pictures(path_of(name), 64).images
    family = {"micrographs": "metal", "micrographs_cells": "cells"}[name]
    np.testing.assert_allclose(found[:2] / 255, render.pictures(np.arange(2), family), atol=0.003)


def test_damaged_models_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "m"))
    card = (copy / "card.json").read_text()
    (copy / "card.json").write_text(card.replace('"factors"', '"fectors"'))
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_space(copy)
    (copy / "card.json").write_text(card)
    (copy / "weights.safetensors").write_bytes((copy / "weights.safetensors").read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="damaged"):
        read_space(copy)
