"""The training of plain autoencoders, on the very pictures that the model of styles learns from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gen_core.result import Notice

if TYPE_CHECKING:
    import torch

    from gen_core.images.photos import PhotoTask
    from gen_core.images.rendered import RenderedTask

Array = np.ndarray
VALIDATED = 96  # rendered pictures that watch the training
NOT_SEEN = 300  # rendered pictures that score it
STRUCTURE = 8  # the seed of the structure that all rendered pictures of the lecture have


class PlainTask:
    """Rows are pictures (n, 64, 64, 3) 8 bit, the last ones to validate; every network learns from each of them.

    The pictures, and those to validate, are the ones of `source`, the task that the model of styles would have. Of rendered
    pictures the lecture takes the looks and puts them all on one structure: of many, two numbers would leave a blur.
    """

    def __init__(self, source: RenderedTask | PhotoTask, kind: str, betas: tuple[float, ...]) -> None:
        from gen_core.images import render
        from gen_core.images.files import eight_bit
        from gen_core.images.rendered import RenderedTask

        self.source, self.kind, self.betas = source, kind, betas
        self.family = source.family if isinstance(source, RenderedTask) else None
        if isinstance(source, RenderedTask):
            self.n_train, self.n_valid = 2 * source.n_train, min(VALIDATED, source.n_train)
            seeds = source.first + np.arange(self.n_train + self.n_valid)
            self.images = np.empty((len(seeds), render.SIZE, render.SIZE, 3), np.uint8)
            for i in range(0, len(seeds), 128):
                self.images[i : i + 128] = eight_bit(pictures(seeds[i : i + 128], source.family, kind))
            what = f"{source.family} {source.first} {self.n_train}"
        else:
            self.n_train, self.n_valid, self.images = source.n_train, source.n_valid, source.images
            what = hashlib.sha256(self.images.tobytes()).hexdigest()
        self.notices: tuple[Notice, ...] = getattr(source, "notices", ())
        self.fingerprint = f"images plain 2 {kind} {betas} {what}"

    def module(self) -> torch.nn.Module:
        """The untrained networks."""
        from gen_core.images.plain import Several
        from gen_core.images.rendered import channels_last

        return channels_last(Several(self.betas, self.kind))

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each code is taken: the same for every network."""
        import torch

        from gen_core.images.plain import LATENT

        return (torch.randn(n, LATENT[self.kind], generator=generator),)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Sum (m,) of the losses of all networks, which share no weight."""
        import torch

        from gen_core.images import plain
        from gen_core.images.rendered import to_tensor

        assert isinstance(module, plain.Several)
        x = to_tensor(self.images[rows].astype(np.float32) / 255, noise[0].device)
        nets = zip(module.nets, module.betas, strict=True)
        return torch.stack([plain.loss(net, x, noise[0], beta) for net, beta in nets]).sum(0)  # type: ignore[arg-type]


def pictures(seeds: Array, family: str, kind: str) -> Array:
    """The rendered pictures (n, 64, 64, 3) of these seeds that a kind of model learns from."""
    from gen_core.images import render

    content = np.full(len(seeds), STRUCTURE) if kind == "lecture" else seeds
    return render.render(content, render.factors(seeds), family)
