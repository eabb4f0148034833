"""The training of a network that draws pictures from codes: pictures, and how far a drawn one is off."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from gen_core.result import Notice
    from gen_core.symmetry.recipe import Kind

Array = np.ndarray


class PictureTask:
    """Rows are pictures, each as often as it is turned, so that all kinds do the same work; the last ones watch the training."""

    def __init__(
        self, kind: Kind, d: int, images: Array, watched: Array, rows: int, notices: tuple[Notice, ...] = (), data: str = ""
    ) -> None:
        self.kind, self.d, self.notices = kind, d, notices
        self.images, self.watched = images, watched
        self.n_train, self.n_valid = rows, len(watched)
        digest = hashlib.sha256(images.tobytes()).hexdigest()
        self.fingerprint = f"symmetry 1 {kind} {d} {rows} {data} {digest}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        from gen_core.symmetry.model import Learning

        return Learning(self.kind, self.d)

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each code is taken."""
        import torch

        return (torch.randn(n, self.d - (self.kind == "orbit"), generator=generator),)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Minus the evidence bound (m,) in nats per pixel, its constants left out."""
        import torch

        from gen_core.symmetry.model import NOISE, Learning

        assert isinstance(module, Learning)
        chosen = np.where(
            (rows < self.n_train)[:, None, None],
            self.images[rows % len(self.images)],
            self.watched[(rows - self.n_train) % self.n_valid],
        )
        x = torch.from_numpy(chosen).to(noise[0].device)
        mean, spread = module.encoder(x)
        z = mean + (spread / 2).exp() * noise[0]
        decoder = module.decoder
        draw = decoder.get_buffer("draw")
        drawn = draw @ decoder.knots(z) @ draw.T  # of an orbit: at the angle zero, in which it sees its pictures
        misfit = (drawn - x).square().flatten(1).sum(1) / (2 * NOISE**2)
        divergence = 0.5 * (mean.square() + spread.exp() - 1 - spread).sum(1)
        return (misfit + divergence) / x[0].numel()
