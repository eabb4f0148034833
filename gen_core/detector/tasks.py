"""The training of the generators: events, kept a bit a channel, and what each kind of model loses on them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gen_core.detector.model import LOSSES, NOISES, Shape, net_of
from gen_core.detector.truth import watching

if TYPE_CHECKING:
    import torch

    from gen_core.detector.recipe import Kind

Array = np.ndarray


class HitsTask:
    """Rows are events; the last ones watch the training."""

    def __init__(self, kind: Kind, hits: Array) -> None:
        self.kind, self.shape = kind, Shape(*hits.shape[1:])
        self.n_valid = watching(len(hits))
        self.n_train = len(hits) - self.n_valid
        self.packed = np.packbits(hits.reshape(len(hits), -1), axis=1)
        self.fingerprint = f"detector 1 {kind} {hits.shape} {hashlib.sha256(self.packed.tobytes()).hexdigest()}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        return net_of(self.kind, self.shape)

    def rows(self, rows: Array) -> Array:
        """Events (m, layers, channels) by their numbers."""
        bits = np.unpackbits(self.packed[rows], axis=1, count=self.shape.size)
        return bits.reshape(len(rows), self.shape.layers, self.shape.channels)

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """What the kind's loss needs of chance."""
        return NOISES[self.kind](self.shape, n, generator)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Nats (m,): minus the log-likelihood, or a bound of it."""
        import torch

        hits = torch.from_numpy(self.rows(rows)).to(next(module.parameters()).device).float()
        return LOSSES[self.kind](module, hits, noise, share)
