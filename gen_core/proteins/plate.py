"""Which sequences go onto a plate: the best by score, none too alike another, and how many of them should work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.proteins.agreement import percentiles

if TYPE_CHECKING:
    from gen_core.proteins.viability import Viability

Array = np.ndarray
WELLS = 96
ALIKE = 0.9  # identity above which two sequences are too alike for one plate
DRAWS = 10  # of each calibration


def picked(scores: Array, codes: Array, count: int, max_identity: float = 1.0) -> Array:
    """Rows (at most `count`) of sequences codes (n, L), the highest scores (n,) first: each is taken where no one taken before
    is more than `max_identity` identical to it. Equal scores keep their order."""
    chosen: list[int] = []
    for i in np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable"):
        if len(chosen) == count:
            break
        if not chosen or float((codes[chosen] == codes[i]).mean(1).max()) <= max_identity:
            chosen.append(int(i))
    return np.array(chosen, int)


def expected(made: Viability, chances: Array) -> tuple[float, float, float]:
    """How many of the sequences with these chances (m,) should be functional, and its 90 % interval: calibrated on resampled
    labels, then drawn. An extrapolation wherever the sequences are unlike the labelled ones."""
    rng = np.random.default_rng([made.seed, 27])
    if made.calibration.slope > 0:  # back to the scores that these are chances of
        inside = np.clip(chances, 1e-12, 1 - 1e-12)
        scores = (np.log(inside / (1 - inside)) - made.calibration.intercept) / made.calibration.slope
    else:
        scores = np.zeros(len(chances))
    drawn = (calibration.chance(scores) for calibration in made.calibrations for _ in range(DRAWS))
    mean = float(chances.sum())
    low, high = percentiles(np.array([float((rng.random(len(scores)) < each).sum()) for each in drawn]))
    return mean, min(low, mean), max(high, mean)
