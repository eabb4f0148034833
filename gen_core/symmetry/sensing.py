"""Random measurements of pictures, and their recovery as sparse cosine transforms: the classical way (Donoho 2006)."""

from __future__ import annotations

import numpy as np

from gen_core.memo import Memo
from gen_core.symmetry import scenes

Array = np.ndarray
PIXELS = scenes.SIZE**2
# Weights of the sparse term that are tried, over the largest that is not all zero: the more is measured, the smaller is best.
SHRINKS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
STEPS = 200
TUNED_ON = 24  # pictures that tell the best weight, none of them tested
_CHOSEN = Memo(1 << 16, lambda found: 64)


def matrix(m: int, seed: int) -> Array:
    """The rows (m, 1024) of m measurements: normal numbers of variance 1 / m. More measurements go on from fewer."""
    return np.asarray(np.random.default_rng([seed, 85]).normal(size=(m, PIXELS)) / np.sqrt(m))


def measured(images: Array, rows: Array, noise: float, seed: int) -> tuple[Array, float]:
    """Measurements (n, m) of pictures, and the deviation of their noise: a share of their root mean square."""
    clean = images.reshape(len(images), -1).astype(np.float64) @ rows.T
    deviation = noise * float(np.sqrt((clean**2).mean()))
    drawn = np.random.default_rng([seed, 86, len(rows)]).normal(size=clean.shape)
    return clean + deviation * drawn, deviation


def cosines(values: Array, back: bool = False) -> Array:
    """The orthonormal cosine transform of pictures (n, 32, 32), or back."""
    from scipy import fft

    return np.asarray((fft.idctn if back else fft.dctn)(values, axes=(-2, -1), norm="ortho"))


def lasso(y: Array, rows: Array, shrink: float, steps: int = STEPS) -> Array:
    """Pictures (n, 32, 32) whose cosine transform c minimises |A x - y|^2 / 2 + shrink * max |A' y| * |c|_1, the largest being
    taken in the transform of each picture: accelerated proximal steps (Beck & Teboulle 2009)."""
    side = scenes.SIZE
    in_cosines = cosines(rows.reshape(-1, side, side)).reshape(len(rows), -1).astype(np.float32)
    y = y.astype(np.float32)
    length = 1 / float(np.linalg.norm(in_cosines, 2)) ** 2
    cut = (length * shrink * np.abs(y @ in_cosines).max(1, keepdims=True)).astype(np.float32)
    c = ahead = np.zeros((len(y), in_cosines.shape[1]), np.float32)
    t = 1.0
    for _ in range(steps):
        moved = ahead - length * ((ahead @ in_cosines.T - y) @ in_cosines)
        new = np.sign(moved) * np.maximum(np.abs(moved) - cut, 0)
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = (new + np.float32((t - 1) / t_new) * (new - c)).astype(np.float32)
        c, t = new, t_new
    return cosines(c.reshape(-1, side, side).astype(np.float64), back=True)


def best_shrink(rows: Array, noise: float, tuning: Array, seed: int) -> float:
    """The weight of the sparse term that is best on pictures that are not tested: all that the classical way is told."""
    key = (rows.shape[0], seed, noise, tuning.tobytes())

    def choose() -> float:
        y, _ = measured(tuning, rows, noise, seed + 1)
        errors: list[float] = []
        for one in SHRINKS:
            errors.append(float(((lasso(y, rows, one, STEPS // 2) - tuning) ** 2).mean()))
            if len(errors) > 2 and errors[-1] > errors[-2] > errors[-3]:  # below the best weight each is worse than the last
                break
        return SHRINKS[int(np.argmin(errors))]

    found: float = _CHOSEN.get(key, choose)
    return found
