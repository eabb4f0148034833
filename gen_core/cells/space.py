"""The space in which a study's cells are looked at and moved: principal components, or what a model has learned.

Both give the same few things, so that maps, spots, arrows and the latent predictor are written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gen_core.latent.components import Components

if TYPE_CHECKING:
    from gen_core.cells.model import LatentModel

Array = np.ndarray


class Space(Protocol):
    """Codes are (n, k); the first of their axes are those along which cells spread most."""

    def encode(self, X: Any) -> Array:
        """Codes (n, k) of cells X (n, G), CSR or dense."""
        ...

    def decode(self, z: Array) -> Array:
        """Expression (n, G) at codes z (n, k), not below 0."""
        ...

    def change(self, z: Array, dz: Array) -> Array:
        """What a move from z (n, k) by dz, (k,) or (n, k), does to the expression: (n, G)."""
        ...

    def title(self, axis: int) -> str:
        """What an axis of a map is called."""
        ...


@dataclass(frozen=True, eq=False)
class Linear:
    """Principal components: a move changes every cell alike."""

    components: Components

    def encode(self, X: Any) -> Array:
        return self.components.encode(X)

    def decode(self, z: Array) -> Array:
        return np.maximum(self.components.decode(z), 0)

    def change(self, z: Array, dz: Array) -> Array:
        moved: Array = np.broadcast_to(dz, z.shape) @ self.components.axes.T
        return moved

    def title(self, axis: int) -> str:
        return f"Component {axis + 1} ({100 * self.components.explained[axis]:.1f} % of variance)"


@dataclass(frozen=True, eq=False)
class Learned:
    """A model's latent space, turned so that its first axes are those of the widest spread; one of two axes stays as it is.

    A turn changes no distance and no shift: what the model decodes is the same. centre (k,); turn (k, k) orthonormal;
    share (k,) of the codes' variance along each axis.
    """

    model: LatentModel
    centre: Array
    turn: Array
    share: Array

    @classmethod
    def of(cls, model: LatentModel) -> Learned:
        """Turned by the principal axes of the codes of the training cells."""
        k = model.latent_dim
        variance, axes = np.linalg.eigh(np.atleast_2d(np.cov(model.codes.T)))
        order = np.argsort(-variance, kind="stable")
        if k == 2:
            return cls(model, np.zeros(k), np.eye(k), np.diag(np.cov(model.codes.T)) / variance.sum())
        axes = axes[:, order]
        axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(k)])  # so that a map is never mirrored from run to run
        return cls(model, model.codes.mean(0), axes, variance[order] / variance.sum())

    def encode(self, X: Any) -> Array:
        return self.turned(self.model.encode(X))

    def decode(self, z: Array) -> Array:
        return self.model.decode(self.plain(z))

    def change(self, z: Array, dz: Array) -> Array:
        return self.model.change(self.plain(z), dz @ self.turn.T)

    def title(self, axis: int) -> str:
        name = "z" + "₁₂"[axis] if len(self.centre) == 2 else f"Latent axis {axis + 1}"
        return f"{name} ({100 * self.share[axis]:.0f} % of spread)"

    def turned(self, z: Array) -> Array:
        """The model's own codes (n, k) as codes of this space."""
        return np.asarray((z - self.centre) @ self.turn, np.float32)

    def plain(self, z: Array) -> Array:
        """Codes (n, k) of this space as the model's own."""
        return np.asarray(z @ self.turn.T + self.centre, np.float32)

    @cached_property
    def codes(self) -> Array:
        """Codes (m, k) of the training cells."""
        return self.turned(self.model.codes)
