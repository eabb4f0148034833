"""Score networks as they are stored: what a card says one learned from, and the score that its weights make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.defects.data import Snapshots
from gen_core.defects.network import NetScore, ScoreTask
from gen_core.errors import CheckpointError, RecipeError
from gen_core.memo import Memo
from gen_core.nets.score import ScoreNet
from gen_core.recipe import Recipe

BUNDLED = {"double_well": "defects-double-well", "pairs": "defects-pairs"}  # by the data that they learned
_KEPT = Memo(64 << 20, lambda found: 4 << 20)


def write(folder: Path, net: ScoreNet, card: dict[str, Any], recipe: Recipe) -> str:
    """Write the network into `folder`, the card after the weights. Returns the weights' sha256."""
    return checkpoint.put(folder, dict(net.state_dict()), card, {"recipe.json": recipe.json(indent=1) + "\n"})


def known_of(task: ScoreTask, snapshots: Snapshots) -> dict[str, Any]:
    """What a card must say for the network to be built again."""
    return {
        "width": task.width,
        "pairs": task.pairs,
        "particles": snapshots.particles,
        "dimensions": snapshots.d,
        "centre": [round(float(value), 9) for value in snapshots.centre],
        "scale": round(snapshots.scale, 9),
        "first": float(snapshots.times[0]),
        "span": float(snapshots.times[-1] - snapshots.times[0]),
    }


def named(model: str | None, data: str) -> str:
    """The model that a recipe means: its own, else the bundled one of its data. Raises RecipeError where there is none."""
    if model is not None:
        return model
    if data in BUNDLED and (checkpoint.BUNDLED / BUNDLED[data] / checkpoint.CARD).is_file():
        return BUNDLED[data]
    raise RecipeError("model: there is no bundled score network of these snapshots; train one on them and name it here.")


def score_of(name: str, expected: str | None = None) -> NetScore:
    """The score network of this name or digest, kept while it is used. Raises CheckpointError where it is missing, damaged, of
    another system, or not of the weights that are expected."""
    folder, card = checkpoint.find(name, "defects"), checkpoint.card_of(name, "defects")
    found: NetScore = _KEPT.get((str(folder), card.get("sha256"), expected), lambda: read(folder, expected))
    return found


def opened(name: str, expected: str | None, snapshots: Snapshots) -> tuple[NetScore, str]:
    """The network for these snapshots, and its weights' sha256. Raises CheckpointError as above, RecipeError where it learned
    configurations of another kind or other times."""
    found = score_of(name, expected)
    if (found.card["particles"], found.card["dimensions"]) != (snapshots.particles, snapshots.d):
        raise RecipeError(
            f"model: it learned replicas of {found.card['particles']} particles in {found.card['dimensions']} dimensions, and "
            f"here there are {snapshots.particles} in {snapshots.d}; train one on these snapshots."
        )
    slack = 1e-6 * found.span
    other = np.linalg.norm(np.array(found.centre) - snapshots.centre) > 0.3 * found.scale
    if other or snapshots.times[0] < found.first - slack or snapshots.times[-1] > found.first + found.span + slack:
        raise RecipeError("model: it learned snapshots of another place or of other times; train one on these.")
    return found, str(found.card["sha256"])


def read(folder: Path, expected: str | None = None) -> NetScore:
    """The network in a folder. Raises CheckpointError as above."""
    tensors, card = checkpoint.load(folder, expected)
    try:
        charges = tensors["charges"] if len(tensors["charges"]) else None
        net = ScoreNet(tensors["mean"], tensors["spread"], int(card["width"]), bool(card["pairs"]), charges)
        net.load_state_dict(tensors)
        return score_from(net, card)
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"The model {folder.name!r} is no score network of snapshots ({error}).") from None


def score_from(net: ScoreNet, card: dict[str, Any]) -> NetScore:
    """A network and what its card says as a score."""
    net = net.to(torch.float64).train(False).requires_grad_(False)
    return NetScore(net, np.array(card["centre"], float), float(card["scale"]), float(card["first"]), float(card["span"]), card)
