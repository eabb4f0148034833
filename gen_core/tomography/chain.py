"""What a sampler did on its way, kept small: pictures of one chain, and for every chain how likely data and picture became."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from gen_core.tomography.denoiser import Gaussian
    from gen_core.tomography.guided import Frame, Measured

Array = np.ndarray
PICTURES = 24  # of the first chain
LOW, HIGH = -0.4, 2.6  # attenuation that a picture of 8 bits shows
AXES = 8  # principal axes along which chains are compared
AGREE = 1.1  # split R-hat below which chains have forgotten where they began (Gelman et al. 2013)


@dataclass(frozen=True, eq=False)
class Chain:
    """The steps of a sampler. Pictures are those of the first chain, in bytes.

    levels (steps,): the noise. likelihood (steps, n): log p(y|x) of the picture that each chain stands for, less that of a
    picture which fits every ray exactly. prior (steps, n): log p(x) under the Gaussian prior, in nats. along (steps, n, k): the
    picture along the first principal axes, in deviations of the prior. noisy, clean (pictures, size, size), at steps `at`.
    `rays` is how many values the data have: a true slice stands near -rays / 2.
    """

    levels: Array
    likelihood: Array
    prior: Array
    along: Array
    noisy: Array
    clean: Array
    at: Array
    rays: int
    weight: float

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return sum(int(part.nbytes) for part in (self.likelihood, self.prior, self.along, self.noisy, self.clean))

    @property
    def last(self) -> slice:
        """The steps at the last level of noise."""
        return slice(int(np.argmax(self.levels == self.levels[-1])), len(self.levels))

    def mixing(self) -> dict[str, float]:
        """Split R-hat at the last level of log p(y|x), of log p(x) and, the largest of all, of the places along the axes.

        NaN where there are fewer than four steps or two chains.
        """
        some = self.last
        along = [split_rhat(self.along[some, :, k]) for k in range(self.along.shape[2])]
        return {
            "likelihood": split_rhat(self.likelihood[some]),
            "prior": split_rhat(self.prior[some]),
            "axes": max(along, default=float("nan")),
        }


def split_rhat(values: Array) -> float:
    """Gelman and Rubin's R-hat of chains (steps, n), each cut into halves (Gelman et al. 2013, eq. 11.4): near 1 where all halves
    look alike. NaN where it cannot be told."""
    half = len(values) // 2
    if half < 2 or values.shape[1] < 2:
        return float("nan")
    parts = np.concatenate([values[-2 * half : -half], values[-half:]], axis=1).astype(np.float64)  # (half, 2 n)
    within = float(parts.var(0, ddof=1).mean())
    between = float(parts.mean(0).var(ddof=1))
    if within <= 0:
        return 1.0 if between <= 0 else float("inf")
    return math.sqrt((half - 1) / half + between / within)


def log_prior(prior: Gaussian, x: torch.Tensor) -> torch.Tensor:
    """log p(x) (n,) of pictures x (n, d) under a Gaussian prior, double precision."""
    away = (x - prior.mean).double()
    along = away @ prior.axes.double().T  # (n, k)
    variances, rest = prior.variances.double(), prior.rest.double()
    beside = (away.square().sum(1) - along.square().sum(1)).clamp_min(0)
    d, k = prior.n_values, len(variances)
    scale = variances.log().sum() + (d - k) * rest.log() + d * math.log(2 * math.pi)
    return -0.5 * ((along.square() / variances).sum(1) + beside / rest + scale)


class Watch:
    """Looks on while a sampler runs, and passes its steps on."""

    def __init__(self, prior: Gaussian, data: Measured, steps: int, weight: float = 1.0) -> None:
        self.prior, self.data, self.steps, self.weight = prior, data, steps, weight
        self.keep = set(np.unique(np.linspace(0, steps - 1, min(PICTURES, steps)).round().astype(int)).tolist())
        self.rows: list[tuple[float, Array, Array, Array]] = []
        self.pictures: list[tuple[int, Array, Array]] = []
        self.residual: list[float] = []  # root of the chi-square per ray, over all chains

    def over(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same steps, seen."""
        for i, frame in enumerate(frames):
            x = frame.clean.flatten(1)
            left = ((self.data.forward(x) - self.data.y) / self.data.noise).double().square()  # (n, m)
            along = ((x - self.prior.mean) @ self.prior.axes[:AXES].T) / self.prior.variances[:AXES].sqrt()
            told = (-0.5 * left.sum(1), log_prior(self.prior, x), along)
            likelihood, prior, axes = (part.numpy().astype(np.float32) for part in told)
            self.rows.append((frame.sigma, likelihood, prior, axes))
            self.residual.append(float(left.mean().sqrt()))
            if i in self.keep:
                self.pictures.append((i, _bytes(frame.noisy[0, 0]), _bytes(frame.clean[0, 0])))
            yield frame

    def chain(self) -> Chain:
        """What was seen."""
        levels, likelihood, prior, along = (np.array([row[k] for row in self.rows]) for k in range(4))
        at, noisy, clean = (np.array([picture[k] for picture in self.pictures]) for k in range(3))
        return Chain(levels, likelihood, prior, along, noisy, clean, at, len(self.data.y), self.weight)


def _bytes(picture: Any) -> Array:
    return np.round(255 * np.clip((picture.numpy() - LOW) / (HIGH - LOW), 0, 1)).astype(np.uint8)


def attenuation(pictures: Array) -> Array:
    """Pictures of bytes as attenuation over that of water, float32."""
    return (LOW + (HIGH - LOW) / 255 * pictures).astype(np.float32)
