"""Learn to draw pictures from codes by a network of a kind, and measure what its symmetry is worth."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from gen_core import checkpoint, training
from gen_core.device import Device, pick
from gen_core.recipe import DIGEST
from gen_core.symmetry.recipe import Train
from gen_core.training import Settings, Step

BATCH, RATE, AVERAGING = 64, 3e-3, 0.995
SUMMARIES = {
    "plain": "A plain network that saw upright pictures",
    "augmented": "A plain network that saw turned pictures",
    "c4": "A network with the quarter turns built in",
    "c8": "A network with eighth turns built in",
    "c16": "A network with sixteenth turns built in",
    "orbit": "A plain network that saw upright pictures, and a turn by any angle after it",
}


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    InputError where the pictures cannot be used, OutputError where the folder holds something else.
    """
    from gen_core.symmetry import evaluate, modelfile

    if training.trained(folder, recipe):
        yield Step(recipe.epochs, recipe.epochs, text="trained already")
        return
    used = pick(device)
    task = task_of(recipe)
    training.begin(folder, recipe)
    net, last = yield from training.followed(task, settings_of(recipe), folder, used)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "measuring what its symmetry is worth")
    tensors = modelfile.tensors_of(net, task.images)
    card = card_of(recipe, task, last, used)
    card |= evaluate.scores(modelfile.made_of(tensors, card), recipe)
    checkpoint.put(folder, tensors, card, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "done")


def task_of(recipe: Train, count: int | None = None) -> Any:
    """What is learned from, of `count` pictures where that is given. Raises InputError where it cannot be used."""
    from gen_core.symmetry import pictures
    from gen_core.symmetry.tasks import PictureTask

    turned = recipe.kind not in ("plain", "orbit")
    images, watched, notices = pictures.learned(recipe.data, count or recipe.pictures, recipe.turns, turned, recipe.seed)
    rows = len(images) * (1 if turned else recipe.turns)
    return PictureTask(recipe.kind, recipe.dim, images, watched, rows, notices, recipe.data)


def settings_of(recipe: Train) -> Settings:
    """How this recipe trains."""
    return Settings(recipe.epochs, BATCH, RATE, averaging=AVERAGING, max_seconds=recipe.max_seconds, seed=recipe.seed)


def card_of(recipe: Train, task: Any, last: Step, device: Device) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    from gen_core.symmetry.model import made

    net = made(recipe.kind, recipe.dim)
    count, mine = task.n_train // recipe.turns, DIGEST.fullmatch(recipe.data) is not None
    what = "own" if mine else recipe.data
    between = "" if recipe.data == "galaxies" else f"{what}-"
    return training.told(recipe, last, device) | {
        "name": f"symmetry-{between}{recipe.kind}-{recipe.dim}",
        "system": "symmetry",
        "kind": recipe.kind,
        "dim": recipe.dim,
        "summary": f"{SUMMARIES[recipe.kind]}; {recipe.dim} numbers a code; learned from {count:,} "
        f"{'pictures' if mine else what}, 32 x 32 pixels.",
        "data": recipe.data if mine else f"{what} (synthetic)",
        "source": "your pictures" if mine else "made by this project",
        "synthetic": not mine,
        "licence": "that of the pictures it was trained on" if mine else "MIT",
        "parameters": sum(p.numel() for p in net.parameters()),
        "multiplications": net.multiplications,
        "pictures_seen": task.n_train * last.done,
        "notices": [notice.text for notice in task.notices],
    }
