"""What a deep prior learns from: synthetic slices by the thousand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
FIRST = 1_000_000  # seeds of slices to learn from start here, so that those people type are ones no prior ever saw
VALIDATED = 128  # slices that watch a training


@dataclass(frozen=True, eq=False)
class Slices:
    """Slices (n, s, s), attenuation over that of water; the last n_valid of them are not trained on."""

    images: Array
    n_valid: int
    what: str  # names them: the same text, the same slices

    @property
    def n_train(self) -> int:
        return len(self.images) - self.n_valid

    @property
    def size(self) -> int:
        return int(self.images.shape[1])


def synthetic(kind: str, n: int, size: int, seed: int = 0) -> Slices:
    """n synthetic slices of a kind to learn from, and some more to watch with. float16: steps of half a Hounsfield unit."""
    from gen_core.tomography.phantoms import image, phantom

    n_valid = min(VALIDATED, max(n // 8, 4))
    first = FIRST * (1 + seed % 1000)
    images = np.empty((n + n_valid, size, size), np.float16)
    for i in range(len(images)):
        images[i] = image(phantom(kind, first + i), size)
    return Slices(images, n_valid, f"{kind} {first} {n} {size}")
