"""The same question asked of cell types whose answer is known: each is left out in turn and predicted from the others.

From these folds come: which predictor `auto` takes, the table of scores beside their baselines and the ceiling, how wide
an interval must be to cover what a new type does, and how many of the genes called up are really up.

The components are those of the study throughout; only the shift is estimated anew in each fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from gen_core.cells import metrics, transfer
from gen_core.cells.metrics import Truth
from gen_core.cells.moved import AnyMoved, Moved, column_mean
from gen_core.cells.shift import BASELINES, IN_COMPONENTS, PREDICTORS, Shift
from gen_core.cells.study import FEW, Study
from gen_core.memo import Memo

Array = np.ndarray
COVER = 0.9  # nominal coverage of every interval
SAME = 0.01  # scores closer than this are not told apart
EXPRESSED = 0.05  # mean log1p expression below which a fold change is noise over noise
CALLED_UP = 1.0  # log2 fold change from which a gene is called up
KEPT = Memo(2 << 30, lambda folds: folds.study.nbytes)
TRUTHS = Memo(1 << 30, lambda kept: 8 << 20)
Scores = dict[str, float]


@dataclass(frozen=True, eq=False)
class Fold:
    """One type left out: what it really did, and the shifts that were predicted for it from the others.

    Predictions move one half of its control cells and are compared with the other half. `best` are the scores of the
    ceiling. Scores are made when they are asked for: a page that follows a slider shows one number before it needs all.
    """

    study: Study
    name: str
    truth: Truth
    best: Scores
    shifts: Mapping[str, Shift]

    @property
    def n_control(self) -> int:
        """Control cells of the type, both halves."""
        return len(self.study.rows(self.name, False))

    @property
    def n_perturbed(self) -> int:
        """Its real perturbed cells."""
        return len(self.truth.codes)

    @cached_property
    def start(self) -> sparse.csr_matrix:
        """The half of the control cells (n, G) that predictions move."""
        return self.study.X[self.study.halves(self.name)[0]]

    def moved(self, predictor: str) -> AnyMoved:
        """These cells as a predictor moves them."""
        if predictor not in self._moved:
            self._moved[predictor] = self.shifts[predictor].move(self.start)
        return self._moved[predictor]

    @cached_property
    def _moved(self) -> dict[str, AnyMoved]:
        return {}

    def correlation(self, predictor: str) -> float:
        """`pearson_delta_all` of a predictor, alone."""
        return float(
            metrics.pearson(self.moved(predictor).mean() - self.truth.control, self.truth.perturbed - self.truth.control)
        )

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """Every score of every predictor, and of the ceiling."""
        return {p: score_moved(self.study, self.moved(p), self.truth) for p in self.shifts} | {"ceiling": self.best}


class Folds:
    """All types with a response, each left out in turn; the target only to be scored, never to choose or to calibrate."""

    def __init__(self, study: Study, how: str, dose: float) -> None:
        self.study, self.how, self.dose = study, how, dose

    @cached_property
    def folds(self) -> dict[str, Fold]:
        """One fold for each type whose response is known, the target aside, that has a source to be predicted from."""
        study = self.study
        names = [name for name in study.others if len(rows_at(study, name, self.dose)) >= FEW and set(study.sources) - {name}]
        return {name: self.fold(name) for name in names}

    def fold(self, name: str) -> Fold:
        """One type left out and predicted from the others."""
        study = self.study
        others = [other for other in study.sources if other != name]
        shifts = transfer.shifts(study, self.how, others, study.rows(name, False), self.dose)
        return fold_of(study, name, shifts, self.dose)

    @cached_property
    def auto(self) -> str:
        """The predictor with the highest mean `pearson_delta_all` over the folds; of those within .01 the simplest.

        A trained model has seen the responses that the folds leave out. So it is taken only if it also leads where it had not
        seen them: on the type that its check left out.
        """
        if not self.folds:
            return "weighted_shift"
        return self.rival if self.flattered else self._best(PREDICTORS)

    @cached_property
    def rival(self) -> str:
        """What would be chosen among the predictors in genes, whose scores nothing flatters."""
        return self._best([p for p in BASELINES if p not in IN_COMPONENTS]) if self.folds else "weighted_shift"

    @property
    def flattered(self) -> bool:
        """Whether a trained latent shift was not seen to be better than its rival on a type whose response it had not seen."""
        check = self.study.check
        if self.study.model is None:
            return False
        return check is None or not check.left_out > check.baselines[self.rival] + SAME

    def _best(self, among: Sequence[str]) -> str:
        mean = {p: float(np.nanmean([fold.correlation(p) for fold in self.folds.values()])) for p in among}
        best = max(mean.values())
        return next(p for p in among if mean[p] >= best - SAME)

    def mean(self, predictor: str, metric: str) -> float:
        """Mean of a score over the folds; NaN where there are none."""
        values = [fold.scores[predictor][metric] for fold in self.folds.values() if predictor in fold.scores]
        return float(np.nanmean(values)) if values and not np.all(np.isnan(values)) else float("nan")

    def widening(self, predictor: str, without: str | None = None) -> float:
        """How many of its own spreads a shift must be widened by to cover 90 % of what the left-out types did.

        From all folds but `without`. 1.64 (a normal distribution's) where there are too few folds to tell.
        """
        ratios = [self._ratios(fold, predictor) for name, fold in self.folds.items() if name != without]
        return float(np.quantile(np.concatenate(ratios), COVER)) if ratios else 1.645

    def _ratios(self, fold: Fold, predictor: str) -> Array:
        shift = fold.shifts[predictor]
        genes = np.flatnonzero(np.maximum(fold.truth.control, fold.truth.perturbed) > EXPRESSED)
        error = np.abs(fold.truth.perturbed - fold.moved(predictor).mean())
        return (error / widened(shift))[genes]

    @cached_property
    def trust(self) -> dict[str, dict[str, float]]:
        """By predictor, over the folds: `coverage90`, the share of genes whose change lies within its interval (widened
        by the other folds); `up_precision`, of the genes called up (log2 fold change >= 1) the share that went up;
        `up_by_chance`, the share of all expressed genes that went up; `called_up`, genes called up a fold.
        """
        return {predictor: self._trust(predictor) for predictor in PREDICTORS if self.folds}

    def _trust(self, predictor: str) -> dict[str, float]:
        covered, precise, chance, called = [], [], [], []
        for name, fold in self.folds.items():
            if len(self.folds) >= 3:
                covered.append((self._ratios(fold, predictor) <= self.widening(predictor, name)).mean())
            truth = fold.truth
            expressed = np.maximum(truth.control, truth.perturbed) > EXPRESSED
            rises = truth.perturbed > truth.control
            rise = metrics.log2_fold_change(fold.moved(predictor).mean(), truth.control)
            up = expressed & (rise >= CALLED_UP)
            called.append(up.sum())
            chance.append(rises[expressed].mean())
            if up.any():
                precise.append(rises[up].mean())
        mean = lambda values: float(np.mean(values)) if values else float("nan")  # noqa: E731
        return {
            "coverage90": mean(covered),
            "up_precision": mean(precise),
            "up_by_chance": mean(chance),
            "called_up": mean(called),
        }


def widened(shift: Shift) -> Array:
    """A shift's spread with a floor: a gene that hardly varies among a few types may well do so in the next."""
    positive = shift.spread[shift.spread > 0]
    floor = np.quantile(positive, 0.25) if len(positive) else 1e-3
    return np.sqrt(shift.spread**2 + floor**2)


def open_folds(study: Study, how: str, dose: float) -> Folds:
    """The folds of a study at the measured dose nearest to `dose`, kept between the moves of a control."""
    nearest = float(study.doses[np.abs(np.log(study.doses / max(dose, 1e-12))).argmin()]) if study.dose is not None else 1.0
    return KEPT.get((study.id, how, nearest), lambda: Folds(study, how, nearest))


def fold_of(study: Study, name: str, shifts: Mapping[str, Shift], dose: float) -> Fold:
    """The fold that scores these shifts for one type. What the type did is kept: it does not depend on a prediction."""
    dose = dose if study.dose is not None else 1.0
    truth, best = TRUTHS.get((study.key, name, dose), lambda: _truth(study, name, dose))
    return Fold(study, name, truth, best, shifts)


def rows_at(study: Study, name: str, dose: float) -> Array:
    """Perturbed cells of a type measured at this dose; all of them where there is no dose column."""
    rows = study.rows(name, True)
    return rows if study.dose is None else rows[np.isclose(study.dose[rows], dose)]


def _truth(study: Study, name: str, dose: float) -> tuple[Truth, Scores]:
    """What a type really did (see `metrics.truth_of`) and the ceiling of its scores; neither depends on a prediction."""
    perturbed = rows_at(study, name, dose)
    start, reference = study.halves(name)
    X, codes = study.X, study.codes
    control = np.concatenate([start, reference])
    truth = metrics.truth_of(X[perturbed], X[control], column_mean(X[reference]), codes[perturbed], codes[start])
    return truth, ceiling(study, name, perturbed, truth)


def score_moved(study: Study, moved: AnyMoved, truth: Truth) -> Scores:
    """Every score of moved cells."""
    return metrics.score(moved.mean(), moved.variance(), moved.project(study.latent.axes, study.latent.centre), truth)


def ceiling(study: Study, name: str, perturbed: Array, truth: Truth) -> Scores:
    """How well half of the real perturbed cells predicts the other half: what the noise of so few cells allows.

    It is no strict bound: a predictor that learned from more cells may lie above it.
    """
    if len(perturbed) < 4:
        return dict.fromkeys(metrics.NAMES, float("nan"))
    mixed = np.random.default_rng([study.recipe.seed, *name.encode()]).permutation(perturbed)
    first, second = np.sort(mixed[: len(mixed) // 2]), np.sort(mixed[len(mixed) // 2 :])
    half, other = Moved.still(study.X[first]), Moved.still(study.X[second])
    return metrics.score(
        half.mean(), half.variance(), study.codes[first], truth.against(other.mean(), other.variance(), study.codes[second])
    )
