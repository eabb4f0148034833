"""Learn a generator of events, and measure it beside the truth and the simple methods."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gen_core import checkpoint, training
from gen_core.datasets import path_of
from gen_core.detector.recipe import Train
from gen_core.detector.simulate import simulate
from gen_core.detector.truth import watching
from gen_core.device import Device, pick
from gen_core.errors import RecipeError
from gen_core.inputs.hits import read_hits
from gen_core.training import Settings, Step

Array = np.ndarray
TRAIN_SEED = 1_000_000_007  # of simulated events that are learned from: no recipe's truth is drawn from it
EPOCHS = {"ar": 4, "made": 6, "vae": 10, "masked": 10, "middle": 10, "student": 10}
BATCH = 256
RATE = {"ar": 3e-3, "made": 2e-3, "vae": 2e-3, "masked": 2e-3, "middle": 2e-3, "student": 2e-3}
AVERAGING = 0.998
SUMMARIES = {
    "ar": "A causal transformer over tokens of four channels, from the vertex outwards, with its keys and values kept",
    "made": "A masked autoencoder that draws channel by channel, each hidden unit worked out once",
    "vae": "A variational autoencoder with a code of 32 numbers: all channels at once, each on its own once the code is fixed",
    "masked": "A masked network that draws in any order, from all channels at once to one by one",
    "middle": "A code of 32 numbers with a learned prior, and a masked decoder that draws in two to eight steps",
    "student": "A code of 32 numbers with a learned prior and all channels at once, learned from events of the transformer",
}


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    OutputError where the folder holds something else, InputError where the own events cannot be used.
    """
    from gen_core.detector import evaluate, modelfile
    from gen_core.detector.tasks import HitsTask

    settings = settings_of(recipe)
    epochs = settings.epochs
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used = pick(device)
    hits = hits_of(recipe)
    training.begin(folder, recipe)
    net, last = yield from training.followed(HitsTask(recipe.kind, hits), settings, folder, used)
    yield Step(epochs, epochs, last.metrics, "measuring it beside the truth")
    card = card_of(recipe, hits, last, used)
    tensors = modelfile.tensors_of(net)
    scores = evaluate.scores(modelfile.made_of(tensors, card), recipe)
    checkpoint.put(
        folder,
        tensors,
        card | scores | {"parameters": sum(t.numel() for t in tensors.values())},
        {"recipe.json": recipe.json(indent=1) + "\n"},
    )
    training.forget(folder)
    yield Step(epochs, epochs, last.metrics, "done")


def settings_of(recipe: Train) -> Settings:
    """How this recipe trains."""
    kind = recipe.kind
    epochs, most = recipe.epochs or EPOCHS[kind], recipe.max_seconds
    return Settings(epochs, BATCH, RATE[kind], averaging=AVERAGING, max_seconds=most, seed=recipe.seed)


def hits_of(recipe: Train) -> Array:
    """What is learned from, and in its last rows what watches the training (n, layers, channels)."""
    if recipe.data is not None:
        hits = read_hits(path_of(recipe.data))
        learn = len(hits) - watching(len(hits))
        return np.concatenate([hits[: min(learn, recipe.events)], hits[learn:]])
    if recipe.kind == "student":
        return taught(recipe)
    return simulate(recipe.world(), recipe.events, TRAIN_SEED).hits


def taught(recipe: Train) -> Array:
    """Events that the teacher draws. Raises RecipeError where the teacher is no autoregressive model."""
    from gen_core.detector.draw import BLOCK, source_of

    source = source_of(recipe.teacher or "ar", recipe.world())
    if source.name not in ("ar", "made"):
        raise RecipeError(f"teacher: {recipe.teacher!r} draws no token after another; name an ar or a made model.")
    if (source.shape.layers, source.shape.channels) != (recipe.layers, recipe.channels):
        raise RecipeError(
            f"teacher: it draws {source.shape.layers} layers of {source.shape.channels} channels; set layers and channels so."
        )
    return source.all(recipe.events, BLOCK, TRAIN_SEED)


def card_of(recipe: Train, hits: Array, last: Step, device: Device) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    own = recipe.data is not None
    sums = hits.sum((1, 2))
    world = None if own else asdict(recipe.world())
    said = f"{hits.shape[1]} layers of {hits.shape[2]} channels"
    teacher = {"teacher": recipe.teacher or "ar"} if recipe.kind == "student" else {}
    return training.told(recipe, last, device) | teacher | {
        "name": f"detector-{recipe.kind}",
        "system": "detector",
        "kind": recipe.kind,
        "shape": list(hits.shape[1:]),
        "world": world,
        "content": recipe.data,
        "multiplicity": [int(sums.min()), int(sums.max())],
        "summary": f"{SUMMARIES[recipe.kind]}; learned from {len(hits):,} {'own events' if own else 'simulated events'}, {said}.",
        "data": "own hit patterns" if own else "events of the toy tracker (synthetic)",
        "source": "the user's own data" if own else "made by this project",
        "synthetic": not own,
        "licence": "as the data's" if own else "MIT",
    }  # fmt: skip
