"""Learn the autoencoder of slices."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gen_core import checkpoint, training
from gen_core.device import pick
from gen_core.tomography.recipe import Train
from gen_core.training import Settings, Step

if TYPE_CHECKING:
    from gen_core.tomography.vaenet import Vae

Array = np.ndarray
EPOCHS = 4
SAMPLES = 4  # around the answer, in the card's scores


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, as `train.steps` says; broken off, it goes on from its last checkpoint."""
    from gen_core.tomography import evaluate, slices, vae
    from gen_core.tomography.train import card_of, family
    from gen_core.tomography.vaenet import LATENT, VaeTask

    epochs = recipe.epochs or EPOCHS
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used, kind = pick(device), family(recipe)
    training.begin(folder, recipe)
    yield Step(0, epochs, text=f"drawing {recipe.slices:,} slices")
    drawn = slices.synthetic(kind, recipe.slices, recipe.size, recipe.seed)
    settings = Settings(epochs, 16, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed)
    work, last = training.train(VaeTask(drawn), settings, folder, used), Step(0, epochs)
    try:
        while True:
            last = next(work)
            yield last
    except StopIteration as end:
        net = cast("Vae", end.value)
    finally:
        work.close()
    yield Step(epochs, epochs, last.metrics, "measuring it beside the other methods")
    tensors = vae.tensors_of(net, misfit(net, drawn.images[drawn.n_train :]))
    card = card_of(recipe, used, last, kind, recipe.slices, False) | {
        "components": LATENT,
        "summary": f"{LATENT} numbers for {recipe.size} x {recipe.size} pixels, learned from {recipe.slices:,} slices ({kind}): "
        "the slice whose code explains the data.",
        "slices_seen": recipe.slices * last.done,
    }
    made = vae.made_of(tensors, card)
    scores = yield from evaluate.compared(
        lambda problem, seed: vae.explained(made, problem, SAMPLES, seed), {}, kind, recipe.size, recipe.seed
    )
    checkpoint.put(folder, tensors, card | scores, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(epochs, epochs, last.metrics, "done")


def misfit(net: Vae, images: Array) -> float:
    """The deviation of a pixel of slices (n, s, s) about what their own codes draw."""
    import torch

    x = torch.from_numpy(images.astype(np.float32))[:, None]
    with torch.no_grad():
        return float((net.decode(net.posterior(x)[0]) - x).square().mean().sqrt())
