"""The diffusion prior: its weights, and the posterior samples that it draws (method `posterior`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.tomography.chain import Watch
from gen_core.tomography.priors import Problem, Progress, Solution, quiet

if TYPE_CHECKING:
    import torch

    from gen_core.tomography.denoiser import Denoiser, Gaussian
    from gen_core.tomography.guided import Frame
    from gen_core.tomography.principal import Principal
    from gen_core.tomography.recipe import Reconstruct

Array = np.ndarray
STEPS = {"dds": 30, "dps": 100, "langevin": 45}  # evaluations of the network
KEPT = ("mean", "axes", "variances")
SMOOTH = 1.0  # pixels over which the variance of a few samples is averaged


@dataclass(frozen=True, eq=False)
class Diffusion:
    """A trained denoiser; `levels` (m,) of noise and the `shares` (m,) of the Gaussian prior's error that it leaves there."""

    net: Denoiser
    levels: Array
    shares: Array
    card: dict[str, Any]

    @property
    def size(self) -> int:
        """Pixels along a side of its slices."""
        return self.net.gaussian.size

    def share(self, sigma: float) -> float:
        """The share at any level of noise."""
        return float(np.interp(np.log(sigma), np.log(self.levels), self.shares))

    def denoise(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """What noisy slices (n, 1, s, s) most likely were."""
        return self.net(x, sigma)


class Data:
    """A problem as the samplers want it: slices (n, d), data (n, m)."""

    def __init__(self, problem: Problem) -> None:
        import torch

        self.projection, y, spread = problem.torch()
        self.y, self.noise = y.flatten(), spread.flatten()
        self.shape, self.side, self.geometry = problem.geometry.shape, problem.size, problem.geometry
        self.response = torch.from_numpy(problem.operator.response).float()
        self.norm = problem.operator.norm

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A x."""
        return self.projection.forward(x.reshape(-1, self.side, self.side)).flatten(1)

    def adjoint(self, r: torch.Tensor) -> torch.Tensor:
        """A^T r."""
        return self.projection.adjoint(r.reshape(-1, *self.shape)).flatten(1)

    def seen(self, prior: Gaussian) -> torch.Tensor:
        """A^T N^-1 A (k, d) of each axis of a prior, kept by scanner, noise and axes: it is the costly part of a sampler."""
        import torch

        told = hashlib.sha256(self.noise.numpy().tobytes())
        for part in (prior.axes[:: max(1, len(prior.axes) // 8)], prior.variances, prior.mean):
            told.update(part.numpy().tobytes())
        again = lambda x: self.adjoint(self.forward(x) / self.noise.square())  # noqa: E731
        make = lambda: torch.cat([again(part) for part in prior.axes.split(64)])  # noqa: E731
        found: torch.Tensor = _SEEN.get((self.geometry, told.hexdigest()), make)
        return found


_SEEN = Memo(256 << 20, lambda made: made.nbytes)


def solve(problem: Problem, recipe: Reconstruct, progress: Progress = quiet) -> Solution:
    """Samples of the posterior, their mean, and the deviation about it (size, size). Raises RecipeError, CheckpointError."""
    return sampled(problem, recipe, recipe.sampler, progress)


def sampled(problem: Problem, recipe: Reconstruct, sampler: str, progress: Progress = quiet) -> Solution:
    """The same by the sampler of this name."""
    from gen_core.tomography.modelfile import named, opened

    model: Diffusion = opened(*named(recipe, "diffusion"), "diffusion")
    samples = max(recipe.posterior_samples, 2)
    return drawn(model, problem, sampler, samples, recipe.seed, recipe.sampler_steps, recipe.data_weight, progress)


def drawn(
    model: Diffusion, problem: Problem, sampler: str, n: int, seed: int, steps: int | None = None, weight: float = 1.0,
    progress: Progress = quiet,
) -> Solution:  # fmt: skip
    """n samples of the posterior, and the chain that led to them; the trace tells how their residual fell with the noise."""
    steps = steps or STEPS[sampler]
    watch = Watch(model.net.gaussian, Data(problem), steps, weight)
    samples = np.zeros((n, problem.size, problem.size), np.float32)
    for i, frame in enumerate(watch.over(frames(model, problem, sampler, n, steps, seed, weight))):
        samples = frame.clean[:, 0].numpy()
        progress(min((i + 1) / steps, 1.0), f"denoising, step {i + 1} of {steps}")
    chain = watch.chain()
    trace = {"noise": [float(level) for level in chain.levels], "residual": watch.residual}
    told = f"{len(chain.levels)} steps of {sampler.upper()}"
    return Solution(samples.mean(0), deviation(samples), samples, trace, True, told, chain)


def frames(
    model: Diffusion, problem: Problem, sampler: str, n: int, steps: int, seed: int, weight: float = 1.0
) -> Iterator[Frame]:
    """The steps of a sampler: what its film is made of. Raises RecipeError where the slice has another size than the prior's."""
    import torch

    from gen_core.tomography.guided import SAMPLERS

    if model.size != problem.size:
        raise RecipeError(
            f"size: the diffusion prior {model.card.get('name')} knows slices of {model.size} x {model.size} pixels; "
            f"set size to {model.size}, or leave out its methods."
        )
    generator = torch.Generator().manual_seed(seed)
    draw: Any = SAMPLERS[sampler]
    yield from draw(model.denoise, model.net.gaussian, Data(problem), n, steps, generator, weight=weight, share=model.share)


def deviation(samples: Array) -> Array:
    """The deviation (s, s) of the truth about the mean of k samples (k, s, s): their variance, averaged over near pixels since a
    few samples tell it badly, and a k-th more because the mean itself is a guess."""
    from scipy.ndimage import gaussian_filter

    variance = gaussian_filter(samples.var(0, ddof=1), SMOOTH, mode="nearest")
    return np.sqrt(variance * (1 + 1 / len(samples))).astype(np.float32)


def tensors_of(net: Denoiser, principal: Principal, levels: Array, shares: Array) -> dict[str, torch.Tensor]:
    """The prior as it is stored: axes in bytes, the network in half precision."""
    import torch

    tensors = {f"net.{name}": value.half().contiguous() for name, value in net.net.state_dict().items()}
    tensors |= {name: torch.from_numpy(np.asarray(getattr(principal, name))) for name in KEPT}
    tensors["rest"] = torch.tensor([principal.rest], dtype=torch.float32)
    return tensors | {name: torch.from_numpy(np.asarray(x, np.float32)) for name, x in (("levels", levels), ("shares", shares))}


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Diffusion:
    """The prior that was stored. Raises ValueError, KeyError and the like where the tensors are of something else."""
    import torch

    from gen_core.tomography.denoiser import BLOCKS, WIDTHS, Denoiser
    from gen_core.tomography.denoisertask import gaussian
    from gen_core.tomography.principal import Principal

    found = {name: tensors[name].numpy() for name in (*KEPT, "rest", "levels", "shares")}
    size = round(found["mean"].size ** 0.5)
    if found["axes"].dtype != np.int8 or found["axes"].shape != (len(found["variances"]), size * size):
        raise ValueError("axes")
    if not (found["variances"].min() > 0 and found["rest"].min() > 0 and found["shares"].min() > 0 and found["levels"].min() > 0):
        raise ValueError("variances")
    principal = Principal(found["mean"], found["axes"], found["variances"], float(found["rest"][0]))
    net = Denoiser(gaussian(principal, size), WIDTHS[size], BLOCKS[size])
    net.net.load_state_dict({k.removeprefix("net."): v.float() for k, v in tensors.items() if k.startswith("net.")})
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Diffusion(net.train(False).requires_grad_(False), found["levels"], found["shares"], card)
