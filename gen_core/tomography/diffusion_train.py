"""Learn the diffusion prior of slices."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.tomography.recipe import Train
from gen_core.training import Step

if TYPE_CHECKING:
    from gen_core.tomography.denoiser import Denoiser
    from gen_core.tomography.denoisertask import DenoiserTask
    from gen_core.tomography.slices import Slices
    from gen_core.tomography.train import Learned

Array = np.ndarray
COMPONENTS = 400
EPOCHS, BATCH = 10, 8
LEVELS = np.geomspace(0.004, 20, 14)
SAMPLES = 4  # of the posterior, in the card's scores
ASKED = 48  # slices that tell how much better than the Gaussian prior the network is


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, as `train.steps` says."""
    from gen_core.tomography import principal, train
    from gen_core.tomography.denoisertask import DenoiserTask

    task = lambda drawn: DenoiserTask(drawn, principal.fit(drawn, COMPONENTS))  # noqa: E731
    yield from train.network(recipe, folder, device, EPOCHS, BATCH, task, learned)


def learned(net: Denoiser, task: DenoiserTask, card: dict[str, Any]) -> Learned:
    """The trained denoiser as a prior, beside the Gaussian prior that it started from."""
    from gen_core.tomography import diffusion, gaussian
    from gen_core.tomography.train import Learned

    base, size = task.principal, task.slices.size
    shares = shares_of(net, task.slices)
    tensors = diffusion.tensors_of(net, base, LEVELS, shares)
    made = diffusion.made_of(tensors, card)
    beyond = np.maximum(base.variances.astype(np.float64) - base.rest, 1e-3 * base.rest)
    beneath = gaussian.Gaussian(size, base.mean, base.directions(), beyond, base.rest, "beneath the diffusion prior")
    return Learned(
        tensors,
        {
            "components": COMPONENTS,
            "summary": f"A denoiser of {size} x {size} pixels, learned from {card['learned']}: posterior samples by diffusion.",
            "shares": [round(float(share), 4) for share in shares],
        },
        lambda problem, seed: diffusion.drawn(made, problem, "dds", SAMPLES, seed),
        {"gaussian": lambda problem: gaussian.solve(problem, beneath).image},
    )


def shares_of(net: Denoiser, drawn: Slices) -> Array:
    """The squared error of the network over that of the Gaussian prior at each of LEVELS, on slices it did not learn from."""
    import torch

    x = torch.from_numpy(drawn.images[drawn.n_train :][:ASKED].astype(np.float32))[:, None]
    generator = torch.Generator().manual_seed(0)
    out = []
    with torch.no_grad():
        for level in LEVELS:
            sigma = torch.full((len(x),), float(level))
            y = x + float(level) * torch.randn(x.shape, generator=generator)
            error = (net(y, sigma) - x).square().mean()
            out.append(float(error / (net.gaussian.denoise(y, sigma) - x).square().mean()))
    return np.clip(out, 0.02, 1.0)
