"""Recovery under a Gaussian prior in closed form: the mean and the covariance of turned pictures are all that it learned.

The prior is N(mean, covariance), the data are y = A x + noise. The posterior mean is mean + C A' (A C A' + v)^-1 (y - A mean), v
the variance of the noise: the best that is linear in the data (Wiener 1949). Of turned pictures the covariance knows which look
alike at every angle, so that this is the simple control of a symmetry; and it has no floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.memo import Memo
from gen_core.symmetry import pictures, scenes

Array = np.ndarray
LEARNED = 1_024  # pictures that it learns from, each turned four times, or more often where there are fewer
COPIES = 4
MOST = 64  # times that each of few own pictures is turned: the covariance is then that of all angles
LEAST = 1e-9  # variance of the noise over that of a measurement: without noise the equations are still solved
_KEPT = Memo(64 << 20, lambda made: made.mean.nbytes + made.covariance.nbytes)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The mean (1024,) and the covariance (1024, 1024) of pictures, of the pixels' own scale."""

    mean: Array
    covariance: Array

    def recovered(self, y: Array, rows: Array, deviation: float) -> Array:
        """The posterior means (n, 32, 32) of measurements (n, m) by a matrix (m, 1024) with noise of this deviation."""
        across = rows @ self.covariance  # (m, 1024)
        seen = across @ rows.T
        variance = max(deviation**2, LEAST * float(np.trace(seen)) / len(seen))
        towards = np.linalg.solve(seen + variance * np.eye(len(seen)), (y - rows @ self.mean).T)
        made = self.mean + towards.T @ across
        return np.asarray(made.reshape(-1, scenes.SIZE, scenes.SIZE))


def of(data: str, turned: bool = True) -> Gaussian:
    """The prior of pictures of a kind, turned or upright; of the user's own those that may be learned from. Kept."""

    def make() -> Gaussian:
        few = LEARNED if data in scenes.KINDS else min(pictures.own(data).learned, LEARNED)
        copies = min(max(LEARNED * COPIES // few, COPIES), MOST)
        rows = pictures.learned(data, LEARNED, copies, turned, 0)[0]
        flat = rows.reshape(len(rows), -1).astype(np.float64)
        return Gaussian(flat.mean(0), np.cov(flat.T))

    found: Gaussian = _KEPT.get((data, turned), make)
    return found
