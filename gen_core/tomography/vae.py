"""The method `latent_map`: the slice that a decoder draws, and the code of which explains the data best.

It minimises |W (A decode(z) - y)|^2 / 2 + |z|^2 / 2 over the code z (Bora et al. 2017), from several starts at once; W knows that
no code draws a slice exactly. The likeliest of them is the answer. Around it, Langevin dynamics on the same function tells what
else the code could be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.tomography.priors import Problem, Progress, Solution, quiet

if TYPE_CHECKING:
    import torch

    from gen_core.tomography.recipe import Reconstruct
    from gen_core.tomography.vaenet import Vae

Array = np.ndarray
STARTS = 4
STEPS, CHAIN = 120, 20  # of the descent, and of the chain around its end
PACE = 0.3  # of the chain; 1 would forget where it was at each step
RATE = 0.08


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """A trained autoencoder; `misfit` is the deviation of a pixel of a slice about what its code draws."""

    net: Vae
    size: int
    misfit: float
    card: dict[str, Any]


def solve(problem: Problem, recipe: Reconstruct, progress: Progress = quiet) -> Solution:
    """The slice (size, size) of the likeliest code, and slices of codes around it. Raises RecipeError, CheckpointError."""
    from gen_core.tomography.modelfile import named, opened

    model: Autoencoder = opened(*named(recipe, "vae"), "vae")
    return explained(model, problem, recipe.posterior_samples, recipe.seed, progress)


def explained(model: Autoencoder, problem: Problem, n: int, seed: int, progress: Progress = quiet) -> Solution:
    """The same for a model; n slices around the answer."""
    import torch

    from gen_core.tomography import fbp
    from gen_core.tomography.diffusion import deviation

    if model.size != problem.size:
        raise RecipeError(
            f"size: the autoencoder {model.card.get('name')} knows slices of {model.size} x {model.size} pixels; "
            f"set size to {model.size}, or leave out latent_map."
        )
    generator = torch.Generator().manual_seed(seed)
    projection, y, spread = problem.torch()
    # a ray through pixels that are each off by `misfit`, independently
    ones = torch.ones(1, problem.size, problem.size)
    noise = (spread.square() + model.misfit**2 * projection.forward(ones)[0].clamp_min(1)).sqrt()

    def weighted(z: torch.Tensor) -> torch.Tensor:
        return (projection.forward(model.net.decode(z)[:, 0]) / noise).flatten(1)

    def energy(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        left = weighted(z) - (y / noise).flatten()
        return 0.5 * left.square().sum(1) + 0.5 * z.square().sum(1), left.square().mean(1).sqrt()

    rough = torch.from_numpy(np.maximum(fbp.solve(problem, window="hann").image, 0))[None, None].float()
    with torch.no_grad():
        first = model.net.posterior(rough)[0]
    latent = first.shape[1]
    z = torch.cat([first, 0.5 * torch.randn(STARTS - 1, latent, generator=generator)]).requires_grad_(True)
    adam = torch.optim.Adam([z], RATE)
    trace: dict[str, list[float]] = {"iteration": [], "residual": []}
    for i in range(STEPS):
        for group in adam.param_groups:
            group["lr"] = RATE * (0.1 + 0.9 * (1 - i / STEPS))
        adam.zero_grad()
        all_, left = energy(z)
        all_.sum().backward()
        adam.step()
        trace["iteration"].append(i + 1)
        trace["residual"].append(float(left.detach().min()))
        progress(0.8 * (i + 1) / STEPS, f"fitting the code, step {i + 1} of {STEPS}")
    with torch.no_grad():
        all_, left = energy(z)
        best = z[int(all_.argmin())].detach()
        image = model.net.decode(best[None])[0, 0].numpy()
    chain = []
    for i, codes in enumerate(_around(energy, weighted, best, max(n, 2), generator)):
        chain.append(codes)
        progress(0.8 + 0.2 * (i + 1) / CHAIN, f"codes around it, step {i + 1} of {CHAIN}")
    with torch.no_grad():
        samples = model.net.decode(chain[-1])[:, 0].numpy()
    told = f"the likeliest of {STARTS} starts"
    return Solution(image, np.sqrt(deviation(samples) ** 2 + model.misfit**2).astype(np.float32), samples, trace, True, told)


def _around(energy: Any, drawn: Any, best: torch.Tensor, n: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Codes (n, k) that Langevin dynamics reaches from the best, step by step.

    Its steps are scaled by the inverse of the energy's curvature there (Girolami & Calderhead 2011, with a constant metric):
    J^T J + 1, J (k, m) being how `drawn`, the weighted data of a code, answers to each of its numbers.
    """
    import torch

    eye, reach = torch.eye(len(best)), 0.02
    with torch.no_grad():
        j = torch.cat([(drawn(best + reach * e) - drawn(best - reach * e)) / (2 * reach) for e in eye.split(32)])
        half = torch.linalg.cholesky(torch.linalg.inv((j @ j.T + eye).double())).float()  # P = half half^T
    z = best + torch.randn(n, len(best), generator=generator) @ half.T
    for _ in range(CHAIN):
        z = z.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(energy(z)[0].sum(), z)
        fresh = torch.randn(z.shape, generator=generator) @ half.T
        z = z.detach() - PACE * (slope @ half) @ half.T + (2 * PACE) ** 0.5 * fresh
        yield z


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Autoencoder:
    """The autoencoder that was stored."""
    from gen_core.tomography.vaenet import Vae

    size = int(card["size"])
    net = Vae(size)
    net.load_state_dict({k.removeprefix("net."): v.float() for k, v in tensors.items() if k.startswith("net.")})
    return Autoencoder(net.train(False).requires_grad_(False), size, float(tensors["misfit"][0]), card)


def tensors_of(net: Vae, misfit: float) -> dict[str, torch.Tensor]:
    """The autoencoder as it is stored, in half precision."""
    import torch

    tensors = {f"net.{name}": value.half().contiguous() for name, value in net.state_dict().items()}
    return tensors | {"misfit": torch.tensor([misfit], dtype=torch.float32)}
