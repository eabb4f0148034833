"""The training of the denoiser: slices, noise of all levels, and what the Gaussian prior misses."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from gen_core.tomography.principal import Principal
from gen_core.tomography.slices import Slices

if TYPE_CHECKING:
    import torch

    from gen_core.tomography.denoiser import Gaussian

Array = np.ndarray
# Mean and spread of the logarithm of the noise levels, at first and then. First what edges look like; then also what a body
# looks like: the streaks of a missing wedge are faint in each pixel but large as a whole, and settle under much noise.
EDGES, BODIES, FIRST = (math.log(0.12), 1.3), (math.log(0.6), 1.8), 0.15


class DenoiserTask:
    """Rows are slices; each is met at one level of noise."""

    def __init__(self, slices: Slices, principal: Principal) -> None:
        self.slices, self.principal = slices, principal
        self.n_train, self.n_valid = slices.n_train, 0  # the levels change, and losses at other levels are not compared
        axes = hashlib.sha256(principal.axes.tobytes()).hexdigest()
        self.fingerprint = f"tomography denoiser 2 {slices.what} {axes}"

    def module(self) -> torch.nn.Module:
        """The untrained denoiser: the Gaussian prior's."""
        import torch

        from gen_core.tomography.denoiser import BLOCKS, WIDTHS, Denoiser

        net = Denoiser(gaussian(self.principal, self.slices.size), WIDTHS[self.slices.size], BLOCKS[self.slices.size])
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """The level of noise of each slice, and the noise."""
        import torch

        level = torch.randn(n, generator=generator)
        return level, torch.randn(n, 1, self.slices.size, self.slices.size, generator=generator)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Error (m,) of the denoised slices over that of the Gaussian prior."""
        import torch

        from gen_core.tomography import denoiser

        assert isinstance(module, denoiser.Denoiser)
        x = torch.from_numpy(self.slices.images[rows].astype(np.float32))[:, None].to(noise[0].device)
        mean, spread = EDGES if share < FIRST else BODIES
        level = (mean + spread * noise[0]).exp().clamp(*denoiser.SIGMA)
        return denoiser.loss(module, x, level, noise[1])


def gaussian(principal: Principal, size: int) -> Gaussian:
    """The Gaussian prior as a module."""
    import torch

    from gen_core.tomography.denoiser import Gaussian

    mean = torch.from_numpy(principal.mean).reshape(size, size)
    return Gaussian(mean, torch.from_numpy(principal.directions()), torch.from_numpy(principal.variances), principal.rest)
