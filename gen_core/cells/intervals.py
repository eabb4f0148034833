"""Intervals of scores, by resampling what was measured: donors where the recipe names them, else cells.

They say how far a score would move with other cells (or donors) of the left-out type; the shift itself is held fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from gen_core.cells import metrics
from gen_core.cells.folds import COVER, rows_at
from gen_core.cells.metrics import Truth
from gen_core.cells.moved import AnyMoved
from gen_core.cells.study import Study
from gen_core.memo import Memo

Array = np.ndarray
RESAMPLES = 100
NORMAL = float(stats.norm.ppf((1 + COVER) / 2))
KEPT = Memo(1 << 30, lambda resampled: resampled.nbytes)
METRICS = ("r2_mean_all", "r2_mean_top100", "r2_mean_top100_up", "pearson_delta_all", "pearson_delta_top100", "mse_top100")


@dataclass(frozen=True, eq=False)
class Resampled:
    """Resampled means of one type: weights (B, m) of the cells that predictions start from; perturbed, control (B, G)."""

    weights: Array
    perturbed: Array
    control: Array

    @property
    def nbytes(self) -> int:
        return int(self.weights.nbytes + self.perturbed.nbytes + self.control.nbytes)

    def scores(self, moved: AnyMoved, truth: Truth) -> dict[str, Array]:
        """Scores (B,) of moved cells against the resampled truth."""
        return metrics.score_means(moved.means_of(self.weights), truth, self.perturbed, self.control)


def span(value: float, draws: Array) -> tuple[float, float]:
    """90 % interval of a score from its resampled values (B,): the value and 1.64 of their standard deviation to each side.

    Not their percentiles: resampled means are noisier than the means themselves, so every resampled correlation is lower
    than the one that was measured, and their percentiles would not even hold it.
    """
    half = NORMAL * float(np.nanstd(draws, ddof=1)) if np.isfinite(draws).sum() > 1 else float("nan")
    return value - half, value + half


def resampled(study: Study, name: str, dose: float) -> Resampled:
    """Resampled means of a type, kept: they do not depend on the prediction."""
    return KEPT.get((study.key, name, dose if study.dose is not None else 1.0), lambda: _resample(study, name, dose))


def _resample(study: Study, name: str, dose: float) -> Resampled:
    # Donors are drawn alike for all types, since a donor gave cells of all; cells of unlike types are drawn apart.
    rng = np.random.default_rng([study.recipe.seed, 1, *(name.encode() if study.replicate is None else b"")])
    perturbed = rows_at(study, name, dose)
    start, reference = study.halves(name)
    draw = _Draw(study, np.concatenate([start, reference, perturbed]), rng)
    X = study.X
    return Resampled(draw.weights(start), draw.weights(perturbed) @ X[perturbed], draw.weights(reference) @ X[reference])


class _Draw:
    """One draw of donors serves all groups of a resample, since a donor's control and perturbed cells go together."""

    def __init__(self, study: Study, rows: Array, rng: np.random.Generator) -> None:
        self.replicate, self.rng = study.replicate, rng
        self.donors = np.unique(study.replicate[rows]) if study.replicate is not None else np.array([])

    @cached_property
    def times(self) -> Array:
        """How often each donor is drawn (B, donors)."""
        d = len(self.donors)
        return self.rng.multinomial(d, np.full(d, 1 / d), RESAMPLES)

    def weights(self, rows: Array) -> Array:
        """Weights (B, len(rows)) that sum to 1 in each resample."""
        if len(self.donors) >= 2 and self.replicate is not None:
            counts = self.times[:, np.searchsorted(self.donors, self.replicate[rows])].astype(np.float32)
            total = counts.sum(1, keepdims=True)
            # a draw of donors without any cell of this group says nothing about it: it keeps the whole group
            return np.where(total > 0, counts / np.maximum(total, 1), 1 / len(rows)).astype(np.float32)
        return (self.rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES) / len(rows)).astype(np.float32)
