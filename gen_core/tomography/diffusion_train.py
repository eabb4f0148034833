"""Learn the diffusion prior of slices."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gen_core import checkpoint, training
from gen_core.device import pick
from gen_core.tomography.recipe import Train
from gen_core.training import Settings, Step

if TYPE_CHECKING:
    from gen_core.tomography.denoiser import Denoiser
    from gen_core.tomography.slices import Slices

Array = np.ndarray
COMPONENTS = 400
EPOCHS = 5
LEVELS = np.geomspace(0.004, 20, 14)
SAMPLES = 4  # of the posterior, in the card's scores
ASKED = 48  # slices that tell how much better than the Gaussian prior the network is


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, as `train.steps` says; broken off, it goes on from its last checkpoint."""
    from gen_core.tomography import diffusion, evaluate, gaussian, principal, slices
    from gen_core.tomography.denoisertask import DenoiserTask
    from gen_core.tomography.train import card_of, family

    epochs = recipe.epochs or EPOCHS
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used, kind = pick(device), family(recipe)
    training.begin(folder, recipe)
    yield Step(0, epochs, text=f"drawing {recipe.slices:,} slices")
    drawn = slices.synthetic(kind, recipe.slices, recipe.size, recipe.seed)
    yield Step(0, epochs, text="finding the principal components")
    base = principal.fit(drawn, COMPONENTS)
    settings = Settings(epochs, 8, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed)
    work, last = training.train(DenoiserTask(drawn, base), settings, folder, used), Step(0, epochs)
    try:
        while True:
            last = next(work)
            yield last
    except StopIteration as end:
        net = cast("Denoiser", end.value)
    finally:
        work.close()
    yield Step(epochs, epochs, last.metrics, "measuring it beside the other methods")
    shares = shares_of(net, drawn)
    tensors = diffusion.tensors_of(net, base, LEVELS, shares)
    card = card_of(recipe, used, last, kind, recipe.slices, False) | {
        "components": COMPONENTS,
        "summary": f"A denoiser of {recipe.size} x {recipe.size} pixels, learned from {recipe.slices:,} slices ({kind}): "
        "posterior samples by diffusion.",
        "slices_seen": recipe.slices * last.done,
        "shares": [round(float(share), 4) for share in shares],
    }
    made = diffusion.made_of(tensors, card)
    normal = gaussian.Gaussian(  # the Gaussian prior that it started from, as a method of its own
        recipe.size, base.mean, base.directions(), base.variances.astype(np.float64) - base.rest, base.rest,
        "beneath the diffusion prior",
    )  # fmt: skip
    solve = lambda problem, seed: diffusion.drawn(made, problem, "dds", SAMPLES, seed)  # noqa: E731
    beside = {"gaussian": lambda problem: gaussian.solve(problem, normal).image}
    scores: dict[str, Any] = yield from evaluate.compared(solve, beside, kind, recipe.size, recipe.seed)
    checkpoint.put(folder, tensors, card | scores, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(epochs, epochs, last.metrics, "done")


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
