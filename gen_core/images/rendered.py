"""The training on rendered micrographs: pairs whose mixes are known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.images import render
from gen_core.images.render import FACTORS, GROUPS, SIZE

if TYPE_CHECKING:
    import torch

Array = np.ndarray
FIRST = 1_000_000  # training seeds start here, so that the seeds people type are pictures the model never saw
PAIRS, VALIDATED = 4096, 48  # pairs in an epoch, and pairs that watch the training
# Cells a side that the whole content map shows: a little more than the smallest grains let a picture see.
WHOLE = tuple(SIZE / 2 / 0.95 / float(side) for side in render.spacing(render.HIGH[:1]) / np.sqrt([1.0, render.HIGH[1]]))
HEADS, ZOOM = 0.1, 3.0  # weights of the known factors and of the known window in the loss


class RenderedTask:
    """Rows are pairs of pictures; each draws both mixes of a pair, with groups of styles switched at random."""

    def __init__(self, family: str, pairs: int, seed: int) -> None:
        self.family, self.n_train, self.n_valid = family, pairs, min(VALIDATED, max(pairs // 16, 4))
        self.first = FIRST + 10 * PAIRS * (seed % 1000)
        self.fingerprint = f"images rendered 3 {family} {pairs} {self.first}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        from gen_core.images.model import ImageNet

        return channels_last(ImageNet(tuple(sum(f.group == g for f in FACTORS) for g in GROUPS)))  # type: ignore[arg-type]

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each code is taken, and which groups are switched."""
        import torch

        from gen_core.images.model import CHANNELS, MAP, STYLE

        draw = lambda *shape: torch.randn(n, 2, *shape, generator=generator)  # noqa: E731
        switched = torch.rand(n, 3, generator=generator) < 0.5
        return draw(CHANNELS, MAP, MAP), draw(3, STYLE), switched

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Misfit (m,) of the drawn mixes to the rendered ones, the divergence, and what the styles should tell of the factors."""
        import torch

        from gen_core.images import model as m

        assert isinstance(module, m.ImageNet)
        eps_content, eps_style, switched = noise
        seeds = self.first + np.stack([2 * rows, 2 * rows + 1])  # (2, m)
        values = np.stack([render.factors(seeds[0]), render.factors(seeds[1])])  # (2, m, F)
        mixes = [render.mixed(values[i], values[1 - i], switched.cpu().numpy()) for i in range(2)]
        device = switched.device
        given = to_tensor(render.render(seeds.ravel(), values.reshape(-1, len(FACTORS)), self.family), device)
        wanted = to_tensor(render.render(seeds.ravel(), np.concatenate(mixes), self.family), device)
        means, spreads = module.posterior(given)
        flat = lambda e: e.transpose(0, 1).flatten(0, 1)  # noqa: E731
        content, styles = m.sampled(means, spreads, (flat(eps_content), flat(eps_style)))
        half = len(rows)
        other = torch.cat([styles[half:], styles[:half]])
        drawn = module.decode(content, torch.where(switched.repeat(2, 1)[..., None], other, styles))
        loss = m.misfit(drawn.float(), wanted) + m.divergence(means, spreads)
        known = values.reshape(-1, len(FACTORS))
        told = torch.from_numpy(render.scaled(known)).to(device, torch.float32)
        loss = loss + HEADS * (module.read(means[1]) - told).square().sum(1)
        seen = torch.from_numpy(windows(known)).to(device, torch.float32)
        loss = loss + ZOOM * (torch.stack(module.zoom(means[1][:, 0]), 1).log() - seen).square().sum(1)
        loss = loss + HEADS * (module.wave(means[1][:, 1]) / render.PIXEL - _period(known, device)).square() / 4
        return (loss[:half] + loss[half:]) / 2


def windows(values: Array) -> Array:
    """Logarithm (n, 2) of the width and height of the window that a picture of these factors is on the whole content map."""
    return np.log(np.stack([SIZE / 2 / whole / scale for whole, scale in zip(WHOLE, render.scales(values), strict=True)], 1))


def _period(values: Array, device: torch.device) -> torch.Tensor:
    import torch

    pixels = values[:, render.NAMES.index("lamella_period")] / render.PIXEL
    return torch.from_numpy(pixels / render.PIXEL).to(device, torch.float32)


def to_tensor(images: Array, device: torch.device | str = "cpu") -> torch.Tensor:
    """Pictures (n, h, w, 3) as a tensor (n, 3, h, w), stored as they are."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(device)


def channels_last(module: torch.nn.Module) -> torch.nn.Module:
    """The module with its weights stored the way a CPU convolves fastest."""
    import torch

    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
