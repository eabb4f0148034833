"""Learn a solver from scenes of known charges, and measure it beside the exact one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint, training
from gen_core.device import Device, pick
from gen_core.poisson.recipe import Train
from gen_core.training import Settings, Step

if TYPE_CHECKING:
    pass

EPOCHS = {"flow": 20, "regression": 12, "fno": 12}
BATCH, RATE, AVERAGING = 16, 2e-3, 0.998
SUMMARIES = {
    "flow": "Samples of the potential by flow matching in whitened sine coefficients; with sensors, of what they leave open",
    "regression": "One answer in whitened sine coefficients: the network of the flow without its noise",
    "fno": "A Fourier neural operator on the nodes, edges and all",
}


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    OutputError where the folder holds something else.
    """
    from gen_core.poisson import evaluate, modelfile
    from gen_core.poisson.tasks import SolverTask

    epochs = recipe.epochs or EPOCHS[recipe.kind]
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used = pick(device)
    training.begin(folder, recipe)
    task = SolverTask(recipe)
    net, last = yield from training.followed(task, settings_of(recipe), folder, used)
    yield Step(epochs, epochs, last.metrics, "measuring it beside the exact solver")
    card = card_of(recipe, last, used)
    tensors = modelfile.tensors_of(net)
    scores = evaluate.scores(modelfile.made_of(tensors, card), recipe)
    checkpoint.put(folder, tensors, card | scores, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(epochs, epochs, last.metrics, "done")


def settings_of(recipe: Train) -> Settings:
    """How this recipe trains."""
    epochs = recipe.epochs or EPOCHS[recipe.kind]
    return Settings(epochs, BATCH, RATE, averaging=AVERAGING, max_seconds=recipe.max_seconds, seed=recipe.seed)


def card_of(recipe: Train, last: Step, device: Device) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    return training.told(recipe, last, device) | {
        "name": f"poisson-{recipe.kind}-{recipe.size}",
        "system": "poisson",
        "kind": recipe.kind,
        "size": recipe.size,
        "summary": f"{SUMMARIES[recipe.kind]}; learned from {recipe.scenes:,} scenes of one to six Gaussian charges, "
        f"{recipe.size} x {recipe.size} nodes.",
        "data": "scenes of Gaussian charges (synthetic)",
        "source": "made by this project",
        "synthetic": True,
        "licence": "MIT",
        "scenes_seen": recipe.scenes * last.done,
    }
