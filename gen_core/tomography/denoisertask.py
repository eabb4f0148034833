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

Array = np.ndarray
LOG_MEAN, LOG_SPREAD = math.log(0.12), 1.3  # of the noise levels trained on: where the network knows better than the Gaussian


class DenoiserTask:
    """Rows are slices; each is met at one level of noise."""

    def __init__(self, slices: Slices, principal: Principal) -> None:
        self.slices, self.principal = slices, principal
        self.n_train, self.n_valid = slices.n_train, slices.n_valid
        axes = hashlib.sha256(principal.axes.tobytes()).hexdigest()
        self.fingerprint = f"tomography denoiser 1 {slices.what} {axes}"

    def module(self) -> torch.nn.Module:
        """The untrained denoiser: the Gaussian prior's."""
        import torch

        from gen_core.tomography.denoiser import BLOCKS, WIDTHS, Denoiser

        net = Denoiser(gaussian(self.principal, self.slices.size), WIDTHS[self.slices.size], BLOCKS[self.slices.size])
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """The level of noise of each slice, and the noise."""
        import torch

        from gen_core.tomography.denoiser import SIGMA

        level = (LOG_MEAN + LOG_SPREAD * torch.randn(n, generator=generator)).exp().clamp(*SIGMA)
        return level, torch.randn(n, 1, self.slices.size, self.slices.size, generator=generator)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Error (m,) of the denoised slices over that of the Gaussian prior."""
        import torch

        from gen_core.tomography import denoiser

        assert isinstance(module, denoiser.Denoiser)
        x = torch.from_numpy(self.slices.images[rows].astype(np.float32))[:, None].to(noise[0].device)
        return denoiser.loss(module, x, *noise)


def gaussian(principal: Principal, size: int) -> torch.nn.Module:
    """The Gaussian prior as a module."""
    import torch

    from gen_core.tomography.denoiser import Gaussian

    axes = torch.from_numpy(principal.axes.astype(np.float32) * principal.scales[:, None])
    mean = torch.from_numpy(principal.mean).reshape(size, size)
    return Gaussian(mean, axes, torch.from_numpy(principal.variances), principal.rest)
