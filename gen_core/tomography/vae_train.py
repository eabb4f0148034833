"""Learn the autoencoder of slices."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.tomography.recipe import Train
from gen_core.training import Step

if TYPE_CHECKING:
    from gen_core.tomography.train import Learned
    from gen_core.tomography.vaenet import Vae, VaeTask

Array = np.ndarray
EPOCHS, BATCH = 4, 16
SAMPLES = 4  # around the answer, in the card's scores


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, as `train.steps` says."""
    from gen_core.tomography import train
    from gen_core.tomography.vaenet import VaeTask

    yield from train.network(recipe, folder, device, EPOCHS, BATCH, VaeTask, learned)


def learned(net: Vae, task: VaeTask, card: dict[str, Any]) -> Learned:
    """The trained autoencoder as a prior."""
    from gen_core.tomography import vae
    from gen_core.tomography.train import Learned
    from gen_core.tomography.vaenet import LATENT

    drawn = task.slices
    tensors = vae.tensors_of(net, misfit(net, drawn.images[drawn.n_train :]))
    made = vae.made_of(tensors, card)
    summary = (
        f"{LATENT} numbers for {drawn.size} x {drawn.size} pixels, learned from {card['learned']}: "
        "the slice whose code explains the data."
    )
    return Learned(
        tensors,
        {"components": LATENT, "summary": summary},
        lambda problem, seed: vae.explained(made, problem, SAMPLES, seed),
        {},
    )


def misfit(net: Vae, images: Array) -> float:
    """The deviation of a pixel of slices (n, s, s) about what their own codes draw."""
    import torch

    x = torch.from_numpy(images.astype(np.float32))[:, None]
    with torch.no_grad():
        return float((net.decode(net.posterior(x)[0]) - x).square().mean().sqrt())
