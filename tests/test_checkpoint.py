"""Weights: checked before they are used, and never half used."""

import json
from pathlib import Path

import pytest
import torch

from gen_core import checkpoint, device
from gen_core.errors import CheckpointError, RecipeError

CARD = {
    "name": "m",
    "system": "cells",
    "data": "d",
    "command": "c",
    "device": "cpu",
    "seconds": 1,
    "metrics": {},
    "baselines": {},
    "licence": "MIT",
}


def saved(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "m", {"w": torch.arange(6.0).reshape(2, 3)[:, ::2]}, CARD)
    return tmp_path / "m"


def test_round_trip(tmp_path: Path) -> None:
    tensors, card = checkpoint.load(saved(tmp_path))
    assert tensors["w"].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert card["sha256"] == checkpoint.sha256(tmp_path / "m" / checkpoint.WEIGHTS)
    assert checkpoint.load(tmp_path / "m", expected=card["sha256"])[1] == card


def test_any_changed_or_missing_byte_is_found(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    whole = (folder / checkpoint.WEIGHTS).read_bytes()
    for damaged in (whole[:-1], whole[:10], b"", whole[:-1] + bytes([whole[-1] ^ 1]), b"not weights"):
        (folder / checkpoint.WEIGHTS).write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            checkpoint.load(folder)
    (folder / checkpoint.WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match="has no"):
        checkpoint.load(folder)


def test_a_card_that_agrees_with_a_broken_file_does_not_help_it(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / checkpoint.WEIGHTS).write_bytes(b"\xff" * 64)
    (folder / checkpoint.CARD).write_text(json.dumps(CARD | {"sha256": checkpoint.sha256(folder / checkpoint.WEIGHTS)}))
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(folder)


def test_other_weights_than_the_recipe_names(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="other weights"):
        checkpoint.load(saved(tmp_path), expected="0" * 64)


def test_weights_that_are_not_numbers(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "nan", {"w": torch.tensor([1.0, float("nan")])}, CARD)
    with pytest.raises(CheckpointError, match="not numbers"):
        checkpoint.load(tmp_path / "nan")


def test_cards(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="licence missing"):
        checkpoint.save(tmp_path / "x", {}, {k: v for k, v in CARD.items() if k != "licence"})
    with pytest.raises(CheckpointError, match="no model"):
        checkpoint.load(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="cells-simulated") as error:
        checkpoint.find("nowhere", "cells")
    assert "proteins" not in str(error.value)  # of another system none would do
    folder = saved(tmp_path)
    for text in ("{", "[1]", '{"a":' * 60_000):
        (folder / checkpoint.CARD).write_text(text)
        with pytest.raises(CheckpointError, match="card of 'm' is damaged"):
            checkpoint.load(folder)


def test_device() -> None:
    assert device.pick("cpu").kind == "cpu"
    assert device.pick("cpu").torch == torch.device("cpu")
    assert torch.get_num_threads() == 1
    assert device.pick("auto").kind in ("cpu", "cuda", "mps")
    with pytest.raises(RecipeError, match="choose one of"):
        device.pick("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(RecipeError, match="no cuda device"):
            device.pick("cuda")
    assert device.likely()
