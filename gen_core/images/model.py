"""Structure and style of a picture apart: a content map without channel statistics, and three style vectors.

    encode  picture (n, 3, 64, 64) -> content (n, 8, 16, 16), styles (n, 3, 16): coarse, middle, fine
    decode  content, styles -> picture: AdaIN by the coarse style at 16 x 16, the middle one at 32, the fine one at 64

The content map lies in a frame of its own, in which structures have one size: the coarse style also says through how large
a window the picture sees it (`nets.window`), so that "larger grains" moves what is there instead of inventing it anew. The
middle style also gives the period of plane waves, which the decoder lets through where the content says so.

Trained on exact swap targets: of two pictures whose factors are known, the content of one with any groups of styles of the
other is rendered, and the decoder must draw that (L1, squares and L1 of gradients; a small divergence keeps the codes near
a normal distribution, Kingma & Welling 2014).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from gen_core.nets.adain import Styled, normalise
from gen_core.nets.window import waves, window

SIDE = 64  # pixels
MAP, CHANNELS = 16, 8  # the content map's side and channels
STYLE = 16  # numbers in each style vector
GROUPS = ("coarse", "middle", "fine")
WIDTH, HALF, FULL = 64, 32, 16  # channels at 16, 32 and 64 pixels
STRETCH = 0.9  # the window's width and height are 1 to e^-STRETCH times the whole
PERIOD = (5.0, 13.0)  # pixels, shortest and longest
BETA_CONTENT, BETA_STYLE = 1e-6, 5e-5  # weights of the divergence, per nat and picture
SQUARES, GRADIENTS = 10.0, 0.5  # weights beside L1

Codes = tuple[torch.Tensor, torch.Tensor]


def conv(n_in: int, n_out: int, stride: int = 1) -> nn.Sequential:
    """A convolution with GroupNorm and SiLU; stride 2 halves the side."""
    size = 4 if stride == 2 else 3
    return nn.Sequential(nn.Conv2d(n_in, n_out, size, stride, 1), nn.GroupNorm(4, n_out), nn.SiLU())


class ImageNet(nn.Module):
    """The encoder, the decoder, and the linear heads that read known factors off the styles (`factors` of them by group)."""

    def __init__(self, factors: tuple[int, int, int] = (0, 0, 0)) -> None:
        super().__init__()
        self.e32 = nn.Sequential(nn.Conv2d(5, 16, 4, 2, 1), nn.SiLU(), conv(16, 24))
        self.e16 = nn.Sequential(conv(24, 48, 2), conv(48, 48))
        self.e8 = nn.Sequential(conv(48, 64, 2), conv(64, 64))
        pooled = (2 * 64 + 2 * 48, 2 * 48 + 2 * 24, 2 * 24 + 12)
        self.to_style = nn.ModuleList(nn.Sequential(nn.Linear(n, 96), nn.SiLU(), nn.Linear(96, 2 * STYLE)) for n in pooled)
        self.to_content = nn.Sequential(conv(49, WIDTH), conv(WIDTH, WIDTH), nn.Conv2d(WIDTH, 2 * CHANNELS, 3, 1, 1))
        self.scale = nn.Linear(STYLE, 2)
        self.period = nn.Linear(STYLE, 1)
        self.heads = nn.ModuleList(nn.Linear(STYLE, n) if n else nn.Identity() for n in factors)
        self.d0 = conv(CHANNELS, WIDTH)
        self.d16a, self.d16b = Styled(WIDTH, WIDTH, STYLE), Styled(WIDTH, WIDTH, STYLE)
        self.narrow = nn.Conv2d(WIDTH, HALF, 1)
        self.gate = nn.Conv2d(HALF, 4, 1)
        self.d32a, self.d32b = Styled(HALF, HALF, STYLE), Styled(HALF + 4, HALF, STYLE)
        self.narrower = nn.Conv2d(HALF + 4, FULL, 3, 1, 1)
        self.d64a, self.d64b = Styled(FULL + 2, FULL, STYLE), Styled(FULL, FULL, STYLE)
        self.rgb = nn.Conv2d(FULL, 3, 1)
        with torch.no_grad():
            for head in self.to_style:
                head[2].bias[STYLE:].fill_(-4.0)  # type: ignore[index]
            self.to_content[2].bias[CHANNELS:].fill_(-4.0)  # type: ignore[index]
            self.rgb.weight.mul_(0.3)

    def posterior(self, x: torch.Tensor) -> tuple[Codes, Codes]:
        """Means and log variances of the codes of pictures x (n, 3, 64, 64) in [0, 1]."""
        y32 = self.e32(torch.cat([2 * x - 1, _places(x)], 1))
        y16 = self.e16(y32)
        y8 = self.e8(y16)
        low, lower = _pool(y32), _pool(y16)
        found = (torch.cat([_pool(y8), lower], 1), torch.cat([lower, low], 1), torch.cat([low, _colours(x)], 1))
        styles = torch.stack([head(part) for head, part in zip(self.to_style, found, strict=True)], 1)
        mean, spread = styles[..., :STYLE], styles[..., STYLE:].clamp(-8, 2)
        # Seen from the frame of the content the picture is a window: outside it nothing is known.
        wide, high = self.zoom(mean[:, 0])
        seen = window(torch.cat([y16, torch.ones_like(y16[:, :1])], 1), 1 / wide, 1 / high, MAP)
        content, doubt = self.to_content(seen).chunk(2, dim=1)
        return (normalise(content), mean), (doubt.clamp(-8, 2), spread)

    def encode(self, x: torch.Tensor) -> Codes:
        """Content (n, 8, 16, 16) and styles (n, 3, 16) of pictures: the means of their posteriors."""
        return self.posterior(x)[0]

    def zoom(self, coarse: torch.Tensor) -> Codes:
        """Width and height (n,), (n,) of the window through which the picture sees the content map, 1 for all of it."""
        wide, high = torch.exp(-STRETCH * torch.sigmoid(2 * self.scale(coarse))).unbind(1)
        return wide, high

    def decode(self, content: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, 64, 64) in [0, 1]."""
        coarse, middle, fine = styles.unbind(1)
        y = window(self.d0(content), *self.zoom(coarse), MAP)
        y = y + self.d16a(y, coarse)
        y = y + self.d16b(y, coarse)
        y = self.d32a(_larger(self.narrow(y)), middle)
        wave = waves(self.wave(middle), SIDE // 2, SIDE).to(y.dtype)
        y = torch.cat([y, torch.sigmoid(self.gate(y)) * wave], 1)
        y = y[:, :HALF] + self.d32b(y, middle)
        y = torch.cat([y, torch.sigmoid(self.gate(y)) * wave], 1)
        y = _larger(self.narrower(y))
        y = self.d64a(torch.cat([y, _places(y)], 1), fine)
        return torch.sigmoid(self.rgb(self.d64b(y, fine)))

    @property
    def styled(self) -> dict[str, tuple[Styled, ...]]:
        """The layers that read each group's style."""
        layers = (self.d16a, self.d16b), (self.d32a, self.d32b), (self.d64a, self.d64b)
        return dict(zip(GROUPS, layers, strict=True))

    def wave(self, middle: torch.Tensor) -> torch.Tensor:
        """Period (n,) in pixels of the plane waves."""
        short, long = PERIOD
        return short + (long - short) * torch.sigmoid(2 * self.period(middle)[:, 0])

    def read(self, styles: torch.Tensor) -> torch.Tensor:
        """Known factors (n, F), scaled to -1 … 1, as the heads read them off styles (n, 3, 16)."""
        return torch.cat([head(styles[:, i]) for i, head in enumerate(self.heads)], 1)


def sampled(means: Codes, spreads: Codes, noise: Codes) -> Codes:
    """Codes drawn from the posteriors."""
    content, styles = (m + (s / 2).exp() * e for m, s, e in zip(means, spreads, noise, strict=True))
    return content, styles


def divergence(means: Codes, spreads: Codes) -> torch.Tensor:
    """Weighted divergence (n,) of the posteriors from the prior."""
    parts = [(0.5 * (m**2 + s.exp() - 1 - s)).flatten(1).sum(1) for m, s in zip(means, spreads, strict=True)]
    return BETA_CONTENT * parts[0] + BETA_STYLE * parts[1]


def misfit(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1, squares and L1 of the gradients (n,) between pictures (n, 3, h, w)."""
    gap = drawn - wanted
    down, across = gap[:, :, 1:] - gap[:, :, :-1], gap[..., 1:] - gap[..., :-1]
    gradient = down.abs().flatten(1).mean(1) + across.abs().flatten(1).mean(1)
    return gap.abs().flatten(1).mean(1) + SQUARES * gap.square().flatten(1).mean(1) + GRADIENTS * gradient


def _larger(y: torch.Tensor) -> torch.Tensor:
    return F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)


def _pool(y: torch.Tensor) -> torch.Tensor:
    variance, mean = torch.var_mean(y, (2, 3), correction=0)
    return torch.cat([mean, (variance + 1e-5).sqrt()], 1)


def _places(x: torch.Tensor) -> torch.Tensor:
    """Two channels (n, 2, h, w): how far right and how far down each pixel lies, -1 to 1."""
    at = torch.linspace(-1, 1, x.shape[-1], device=x.device, dtype=x.dtype)
    return torch.stack([at[None, :].expand(len(at), -1), at[:, None].expand(-1, len(at))]).expand(len(x), -1, -1, -1)


def _colours(x: torch.Tensor) -> torch.Tensor:
    """Mean, deviation and slopes of the colours (n, 12): what the light and the palette show in."""
    slopes = torch.einsum("nchw,ndhw->ncd", x, _places(x)).flatten(1) / (x.shape[-1] ** 2)
    return torch.cat([_pool(x), 4 * slopes], 1)


def count(net: nn.Module) -> int:
    """Numbers in a network."""
    return sum(p.numel() for p in net.parameters())


def arrays(codes: Codes) -> Any:
    """Codes as one NumPy array (n, 8 * 16 * 16 + 3 * 16): content first."""
    return torch.cat([codes[0].flatten(1), codes[1].flatten(1)], 1).numpy()
