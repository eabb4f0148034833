"""The training on pictures of the user's, of which nothing is known but themselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gen_core.errors import InputError
from gen_core.result import Notice

if TYPE_CHECKING:
    import torch

Array = np.ndarray
LEAST = 20  # pictures without which there is nothing to learn
VALIDATED = 0.05


class PhotoTask:
    """Rows are pictures (n, 64, 64, 3) 8 bit in a seeded order, the last ones to validate; each is drawn from its own codes.

    Every other row is seen with its colours changed in a known way, and is drawn with the changed one's fine style: so the
    fine style learns to hold colour although no truth of a mix is known.
    """

    def __init__(self, images: Array, seed: int, notices: tuple[Notice, ...] = ()) -> None:
        if len(images) < LEAST:
            raise InputError(f"Only {len(images)} picture{'s' * (len(images) != 1)} to learn from; at least {LEAST} are needed.")
        self.notices = notices
        self.images = images[np.random.default_rng([seed, 7]).permutation(len(images))]
        self.n_valid = max(int(len(images) * VALIDATED), 1)
        self.n_train = len(images) - self.n_valid
        self.fingerprint = f"images photos 1 {hashlib.sha256(self.images.tobytes()).hexdigest()}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        from gen_core.images.model import ImageNet
        from gen_core.images.rendered import channels_last

        return channels_last(ImageNet())

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each code is taken, how the colours are changed, and whether a row is mirrored."""
        import torch

        from gen_core.images.model import CHANNELS, MAP, STYLE

        content = torch.randn(n, CHANNELS, MAP, MAP, generator=generator)
        return content, torch.randn(n, 3, STYLE, generator=generator), torch.rand(n, 8, generator=generator)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Misfit (m,) of what is drawn, and the divergence."""
        import torch

        from gen_core.images import model as m
        from gen_core.images.rendered import to_tensor

        assert isinstance(module, m.ImageNet)
        content_noise, style_noise, chance = noise
        given = to_tensor(self.images[rows].astype(np.float32) / 255, chance.device)
        given = torch.where(chance[:, 6, None, None, None] < 0.5, given.flip(3), given)
        tint = lambda c: (0.7 + 0.6 * c[:, :3, None, None]) * given + 0.2 * (c[:, 3:6, None, None] - 0.5)  # noqa: E731
        tinted = torch.where(chance[:, 7, None, None, None] < 0.5, tint(chance).clamp(0, 1), given)
        (content, styles), (doubt, spread) = module.posterior(given)
        (_, other), (_, other_spread) = module.posterior(tinted)
        mixed = torch.cat([styles[:, :2], other[:, 2:]], 1)
        mixed_spread = torch.cat([spread[:, :2], other_spread[:, 2:]], 1)
        codes = m.sampled((content, mixed), (doubt, mixed_spread), (content_noise, style_noise))
        return m.misfit(module.decode(*codes).float(), tinted) + m.divergence((content, mixed), (doubt, mixed_spread))
