"""A trained latent space of cells on disk: weights, genes and training codes in one safetensors file, and its card."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.cells.model import NETS, LatentModel
from gen_core.device import pick
from gen_core.errors import CheckpointError
from gen_core.recipe import Recipe

NET = "net."


def write_model(folder: Path, model: LatentModel, card: dict[str, Any], recipe: Recipe) -> str:
    """Write the model into `folder`, the card after the weights: a card means a whole model. Returns the weights' sha256.

    Weights and codes are kept as float16: what that rounds is a thousandth of what a cell's counts leave open.
    """
    types = list(card["types"])
    tensors = {f"{NET}{name}": value.half() for name, value in model.net.state_dict().items()}
    tensors |= {
        "genes": torch.from_numpy(np.frombuffer("\n".join(map(str, model.genes)).encode(), np.uint8).copy()),
        "codes": torch.from_numpy(model.codes).half(),
        "code_type": torch.tensor([types.index(t) for t in model.code_type.tolist()], dtype=torch.int16),
        "code_perturbed": torch.from_numpy(model.code_perturbed.astype(np.uint8)),
        "seen": torch.from_numpy(model.seen.view(np.int32)),
    }
    return checkpoint.put(folder, tensors, card, {"recipe.json": recipe.json(indent=1) + "\n"})


def open_model(name: str, expected: str | None = None) -> LatentModel:
    """The model of a recipe: a bundled one by its name, one trained here by its weights. Raises CheckpointError."""
    pick("cpu")  # one thread: two on busy cores are many times slower
    return read_model(checkpoint.find(name, "cells"), expected)


def read_model(folder: Path, expected: str | None = None) -> LatentModel:
    """The model in a folder. Raises CheckpointError where it is missing, damaged, or no latent space of cells."""
    tensors, card = checkpoint.load(folder, expected)
    checkpoint.check_system(card, "cells", folder.name)
    try:
        genes = np.array(tensors["genes"].numpy().tobytes().decode().split("\n"))
        types = np.array(card["types"], str)
        _told(card)
        state = {name.removeprefix(NET): value.float() for name, value in tensors.items() if name.startswith(NET)}
        kind = NETS[card.get("likelihood", "gaussian")]  # older cards know no other
        net = kind(len(genes), int(card["latent_dim"]), max(len(card["batches"]), 1), variance=float(card["variance"]))
        net.load_state_dict(state)
        codes = tensors["codes"].float().numpy()
        code_type, code_perturbed = types[tensors["code_type"].numpy()], tensors["code_perturbed"].numpy().astype(bool)
        seen = tensors["seen"].numpy().view(np.uint32) if "seen" in tensors else _marks_in(card)
        if codes.shape != (len(code_type), net.latent_dim) or len(code_perturbed) != len(codes):
            raise ValueError("codes and their labels differ in number")
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"The model {folder.name!r} cannot be used: its weights and its card do not fit together ({type(error).__name__})."
        ) from None
    return LatentModel(net.train(False).requires_grad_(False), genes, codes, code_type, code_perturbed, card, seen)


def _told(card: dict[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError where the card lacks what a prediction asks of it."""
    for name in ("data", "target", "control", "perturbed"):
        if not isinstance(card[name], str):
            raise TypeError(name)
    check = card.get("check")
    if check is not None:
        str(check["type"])
        for name in ("kept", "left_out"):
            float("nan" if check["pearson_delta_all"][name] is None else check["pearson_delta_all"][name])


def _marks_in(card: dict[str, Any]) -> np.ndarray:
    """The marks of the training cells as older cards hold them, which a million cells would make too large."""
    return np.frombuffer(base64.b64decode(str(card.get("cells", "")), validate=True), np.uint32)
