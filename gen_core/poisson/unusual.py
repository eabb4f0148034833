"""How unlike the scenes of the training a problem is: its charge by wave number, against that of scenes."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from gen_core.poisson import grid, scenes, spectrum
from gen_core.poisson.problem import Problem

Array = np.ndarray
BANDS = (0.0, 2.5, 4.5, 7.0, 10.0, 15.0, 100.0)  # edges, in half waves along the square
COMPARED = 512  # scenes
SIZE = 32
LIMIT = 0.97  # of the scenes are nearer to their middle
LEAST = 1e-6  # of all charge: what is fainter in a band is not told apart


def percentile(problem: Problem) -> float:
    """The share of training scenes that are nearer to their common middle than this problem, from 0 to 1; 0 without charge."""
    if not np.any(problem.inner):
        return 0.0
    middle, root, distances = _scenes()
    found = np.linalg.norm((_bands(problem.inner) - middle) @ root)
    return float((distances < found).mean())


@lru_cache(maxsize=1)
def _scenes() -> tuple[Array, Array, Array]:
    """Middle and whitening of the bands of scenes, and the distance of each from the middle."""
    rho, _ = scenes.batch(scenes.TRAIN_FROM + np.arange(COMPARED), SIZE)
    bands = np.stack([_bands(one) for one in grid.inside(rho).astype(np.float64)])
    middle = bands.mean(0)
    values, vectors = np.linalg.eigh(np.cov(bands.T) + 1e-3 * np.eye(bands.shape[1]))
    root = vectors / np.sqrt(values)
    return middle, root, np.linalg.norm((bands - middle) @ root, axis=1)


def _bands(inner: Array) -> Array:
    """The logarithm of the share of the charge's energy in each band of wave numbers."""
    n = inner.shape[-1]
    k = np.arange(1, n + 1)
    radius = np.hypot(k[:, None], k[None])
    power = spectrum.transform(inner) ** 2
    power = power / power.sum()
    sums = [power[(radius >= low) & (radius < high)].sum() for low, high in pairwise(BANDS)]
    return np.log10(np.maximum(sums, LEAST))
