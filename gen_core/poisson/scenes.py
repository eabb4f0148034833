"""Scenes with known charges: one to six Gaussian charges, half of the scenes with smooth values on the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gen_core.poisson import grid
from gen_core.poisson.spectrum import WIDTHS

Array = np.ndarray
MOST = 6  # charges in a scene
WAVES = 4  # of the values on the edges, around the square
EDGE = 0.15  # how large the values on the edges are
TRAIN_FROM, TEST_FROM = 1_000_000, 300_000_000  # seeds


@dataclass(frozen=True, eq=False)
class Scene:
    """Charges (n, 4), each x, y, total charge and width; `waves` of the values on the edges (2 WAVES + 1,), or None for zero."""

    charges: Array
    waves: Array | None


def scene(seed: int) -> Scene:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 71])
    count = int(rng.integers(1, MOST + 1))
    place = rng.uniform(0.12, 0.88, (count, 2))
    total = rng.choice([-1.0, 1.0], count) * rng.uniform(0.5, 1.5, count)
    width = rng.uniform(*WIDTHS, count)
    charges = np.column_stack([place, total, width])
    waves = None
    if rng.random() < 0.5:
        over = np.concatenate([[1.0], np.repeat(1.0 / np.arange(1, WAVES + 1), 2)])
        waves = EDGE * rng.normal(size=2 * WAVES + 1) * over
    return Scene(charges, waves)


def density(charges: Array | Sequence[Sequence[float]], size: int, boundary: str = "dirichlet", whole: bool = False) -> Array:
    """The charge density (size, size) of charges (n, 4): x, y, total charge, width.

    A width below half a node's distance is a point charge: it is shared by the four nodes around it so that its total and its
    place are kept. On a periodic square a charge goes on beyond the edge. Elsewhere it is cut there and what lies beyond is lost,
    unless it is kept `whole`: then what is in the square is as much more.
    """
    at, h = grid.nodes(size, boundary), grid.spacing(size, boundary)
    out = np.zeros((size, size))
    for x, y, total, width in np.asarray(charges, np.float64).reshape(-1, 4):
        if width < h / 2:
            along, up = (_hat(at, place, h, boundary) for place in (x, y))
            out += total * np.outer(up, along) / h**2
        else:
            along, up = (_bell(at, place, width, boundary) for place in (x, y))
            out += total / (inside(x, y, width, size, boundary) if whole else 1.0) * np.outer(up, along)
    return out


def inside(x: float, y: float, width: float, size: int, boundary: str = "dirichlet") -> float:
    """The share of a charge that lies in the square, as the grid sees it."""
    at, h = grid.nodes(size, boundary), grid.spacing(size, boundary)
    if width < h / 2:
        return 1.0
    along = np.full(size, h)
    if boundary != "periodic":
        along[[0, -1]] /= 2
    return float(np.prod([along @ _bell(at, place, width, boundary) for place in (x, y)]))


def _hat(at: Array, place: float, h: float, boundary: str) -> Array:
    apart = np.abs(at - place)
    if boundary == "periodic":
        apart = np.minimum(apart, 1 - apart)
    return np.asarray(np.clip(1 - apart / h, 0, None))


def _bell(at: Array, place: float, width: float, boundary: str) -> Array:
    images = (-1, 0, 1) if boundary == "periodic" else (0,)
    apart = np.stack([at - place + image for image in images])
    return np.asarray(np.exp(-((apart / width) ** 2) / 2).sum(0) / (width * np.sqrt(2 * np.pi)))


def edges(waves: Array | None, size: int) -> Array:
    """Values on the edges (4, size) in the order of `grid.EDGES`: a Fourier series once around the square."""
    if waves is None:
        return np.zeros((4, size))
    at = np.linspace(0, 1, size)
    around = np.stack([4 - at, 1 + at, at, 3 - at]) / 4  # left, right, bottom, top: one turn from the lower left corner
    out = np.full(around.shape, float(waves[0]))
    for m in range(1, (len(waves) - 1) // 2 + 1):
        turn = 2 * np.pi * m * around
        out += waves[2 * m - 1] * np.cos(turn) + waves[2 * m] * np.sin(turn)
    return out


def batch(seeds: Sequence[int] | Array, size: int) -> tuple[Array, Array]:
    """Charge densities (n, size, size) and edges (n, 4, size) of many scenes, float32."""
    rho = np.empty((len(seeds), size, size), np.float32)
    values = np.empty((len(seeds), 4, size), np.float32)
    for i, seed in enumerate(seeds):
        found = scene(int(seed))
        rho[i], values[i] = density(found.charges, size), edges(found.waves, size)
    return rho, values


def random_field(seed: int, size: int) -> Array:
    """A charge density (size, size) drawn from the Gaussian prior of `spectrum`, zero on the edges."""
    from gen_core.poisson import spectrum

    # drawn by wave number from low to high, so that a finer grid shows the same field with more detail
    rng, n = np.random.default_rng([seed, 72]), size - 2
    order = np.argsort(np.add.outer(np.arange(n) ** 2, np.arange(n) ** 2), axis=None, kind="stable")
    drawn = np.empty(n * n)
    drawn[order] = rng.normal(size=n * n)
    return grid.framed(spectrum.transform(drawn.reshape(n, n) * spectrum.charge(n)))
