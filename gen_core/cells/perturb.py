"""Predict how a cell type responds: control cells plus a shift learned from the other types, scored where the truth is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gen_core import checkpoint
from gen_core.cells import explore, files, folds, genesets, heldout, intervals, metrics, simulate, transfer
from gen_core.cells.folds import Fold, Folds
from gen_core.cells.moved import AnyMoved, Moved, column_mean
from gen_core.cells.opening import open_study
from gen_core.cells.recipe import FREE, Perturb
from gen_core.cells.shift import BASELINES, Shift
from gen_core.cells.study import FEW, Study
from gen_core.cells.warn import warnings_of
from gen_core.datasets import path_of
from gen_core.memo import Memo
from gen_core.result import Result

Array = np.ndarray
KEPT = Memo(512 << 20, lambda made: made.moved.nbytes * 2 + (1 << 20))
GENE_COLUMNS = (
    *("gene", "control_mean", "predicted_mean", "observed_mean", "log2fc_predicted", "log2fc_observed", "p_adjusted", "rank"),
    *("log2fc_low", "log2fc_high", "sign_agreement", "p_adjusted_observed"),
)
PLACED = 1_500  # predicted cells drawn on the map
TESTED = 2_000  # cells a side in a rank-sum test; p-values of moved cells are set by cell number anyway


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer to one question about cells. `fold` scores it where the target's perturbed cells were measured."""

    recipe: Perturb  # filled in; `predictor` as asked
    study: Study
    folds: Folds
    predictor: str  # the one used
    shift: Shift
    moved: AnyMoved  # every control cell of the target, moved
    fold: Fold | None

    @cached_property
    def control_mean(self) -> Array:
        """Mean expression (G,) of the target's control cells."""
        return column_mean(self.study.X[self.study.asked])

    @cached_property
    def predicted_mean(self) -> Array:
        """Mean expression (G,) of the predicted cells."""
        return self.moved.mean()

    @cached_property
    def observed(self) -> Array:
        """Rows of the target's real perturbed cells (at this dose); empty where there are none."""
        return np.array([], int) if self.fold is None else folds.rows_at(self.study, self.study.target, self.recipe.dose)

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """90 % interval of each score that needs means only, see `intervals.span`; empty where nothing was observed."""
        if self.fold is None:
            return {}
        moved, truth = self.fold.moved(self.predictor), self.fold.truth
        own = metrics.score_means(moved.mean(), truth)
        draws = intervals.resampled(self.study, self.study.target, self.recipe.dose).scores(moved, truth)
        return {name: intervals.span(float(own[name]), values) for name, values in draws.items()}

    @cached_property
    def codes(self) -> Array:
        """Coordinates (n, k) of the predicted cells on the components."""
        return self.moved.project(self.study.latent.axes, self.study.latent.centre)

    @cached_property
    def places(self) -> Array:
        """Codes (m, k) in the latent space of the predicted cells, at most PLACED of them, evenly spread."""
        study = self.study
        some = np.unique(np.linspace(0, len(self.moved) - 1, min(len(self.moved), PLACED)).astype(int))
        if study.model is None:
            return self.codes[some]
        if isinstance(self.shift, transfer.LatentMove):
            z = study.places[study.asked[some]]
            return np.asarray(z + self.shift.dz(z))
        return study.space.encode(self.moved.rows(some))

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Means (G,), (G,) between which a new type's mean lies in 90 % of genes, by what the folds needed."""
        half = self.folds.widening(self.predictor) * folds.widened(self.shift)
        return np.maximum(self.predicted_mean - half, 0), self.predicted_mean + half

    @property
    def ranked(self) -> Array:
        """Places (G,) in `study.genes` of the rows of `genes`."""
        return np.asarray(self.genes.attrs["places"])

    @cached_property
    def genes(self) -> pd.DataFrame:
        """One row a gene, the surest change first: by the smallest log2 fold change that its interval allows, never by p.

        For the order alone both means get `PSEUDO` more, or genes without a count in control, whose fold change has no
        bound, would all come first.
        """
        control, predicted = self.control_mean, self.predicted_mean
        change = metrics.log2_fold_change
        low, high = (change(bound, control) for bound in self.bounds)
        frame = pd.DataFrame(
            {
                "gene": self.study.genes,
                "control_mean": control,
                "predicted_mean": predicted,
                "observed_mean": np.nan if self.fold is None else self.fold.truth.perturbed,
                "log2fc_predicted": change(predicted, control),
                "log2fc_low": low,
                "log2fc_high": high,
                "log2fc_observed": np.nan if self.fold is None else change(self.fold.truth.perturbed, control),
                "sign_agreement": self.shift.agreement,
            }
        )
        low, high = (change(bound, control, metrics.PSEUDO) for bound in self.bounds)
        surest = np.maximum(np.maximum(low, -high), 0)
        order = np.lexsort((-np.abs(predicted - control), -surest))
        frame["rank"] = np.argsort(order, kind="stable") + 1
        frame = frame.iloc[order].reset_index(drop=True)
        frame.attrs["places"] = order
        return frame

    @cached_property
    def tested(self) -> pd.DataFrame:
        """`genes` with p_adjusted (predicted against control cells) and p_adjusted_observed (real against control)."""
        rng = np.random.default_rng(self.recipe.seed)
        some = lambda n: np.sort(rng.permutation(n)[:TESTED])  # noqa: E731
        rows = some(len(self.moved))
        control = Moved.still(self.study.X[self.study.asked[some(len(self.moved))]])
        predicted = metrics.rank_sum(self.moved.some(rows), control).p_adjusted
        real = np.full(len(predicted), np.nan)
        if len(self.observed):
            real = metrics.rank_sum(Moved.still(self.study.X[self.observed[some(len(self.observed))]]), control).p_adjusted
        p = pd.DataFrame({"gene": self.study.genes, "p_adjusted": predicted, "p_adjusted_observed": real})
        return self.genes.merge(p, on="gene", sort=False)[[*GENE_COLUMNS]]

    @cached_property
    def held_out(self) -> pd.DataFrame:
        """The table of scores, see `heldout.table`."""
        return heldout.table(self)

    @cached_property
    def gene_sets(self) -> pd.DataFrame | None:
        """Change of each gene set, see `genesets.changes`; None where the recipe names none."""
        if self.recipe.gene_sets is None:
            return None
        sets = genesets.read_gmt(path_of(self.recipe.gene_sets, "gene_sets"))
        observed = None if self.fold is None else self.fold.truth.perturbed
        return genesets.changes(sets, self.study.genes, self.control_mean, self.predicted_mean, observed)

    @cached_property
    def spot(self) -> explore.Spot | None:
        """What the recipe's place on the map decodes to; None where it names none."""
        study, at = self.study, self.recipe.spot
        if at is None:
            return None
        groups, reference = study.cell_type, self.control_mean
        return explore.spot_at(at, study.map_axes, study.places, groups, study.space, study.genes, reference)

    @cached_property
    def likeness(self) -> transfer.Likeness:
        """How alike the types respond, see `transfer.Likeness`."""
        return transfer.Likeness.of(self.study, self.folds.dose)

    @cached_property
    def off_manifold(self) -> float:
        """How unlike the training cells the predicted ones are: the median percentile of their distance to neighbours."""
        some = np.random.default_rng(self.recipe.seed).permutation(len(self.places))[:300]
        return float(np.median(self.study.density.percentile(self.places[some])))


def predict(recipe: Perturb) -> Prediction:
    """The prediction alone; what it is asked for it works out then and keeps. Raises as `open_study` does."""
    if recipe.model not in ("pca", "train"):
        checkpoint.find(recipe.model, "cells")  # one that was deleted is not answered from memory
    made: Prediction = KEPT.get(recipe.json(), lambda: _predict(recipe) if recipe.spot is None else _with_spot(recipe))
    return made


def _with_spot(recipe: Perturb) -> Prediction:
    """The same prediction, with what it has worked out so far, under the recipe that names a place on its map."""
    made = copy(predict(recipe.replace(spot=None)))
    object.__setattr__(made, "recipe", made.recipe.replace(spot=recipe.spot))
    made.__dict__.pop("spot", None)
    return made


def _predict(asked: Perturb) -> Prediction:
    study = open_study(asked)
    # the study was kept under the fields that decide what is read: the others are this recipe's own
    recipe = study.recipe.replace(**{name: getattr(asked, name) for name in FREE})
    held_out = folds.open_folds(study, recipe.shift, recipe.dose)
    predictor = held_out.auto if recipe.predictor == "auto" else recipe.predictor
    shifts = transfer.shifts(study, recipe.shift, study.sources, study.asked, recipe.dose)
    if recipe.second is not None:  # the sum was measured nowhere, and neither part of it scores it
        other = predict(asked.replace(perturbed=recipe.second, second=None, predictor=predictor, spot=None))
        shifts = {predictor: transfer.both(shifts[predictor], other.shift)}
    fold = None
    scored = not study.from_new_file and not study.saw_target and recipe.second is None
    if scored and len(folds.rows_at(study, study.target, recipe.dose)) >= FEW and len(study.asked) >= 2 * FEW:
        fold = folds.fold_of(study, study.target, shifts, recipe.dose)
    moved = shifts[predictor].move(study.X[study.asked])
    return Prediction(recipe, study, held_out, predictor, shifts[predictor], moved, fold)


def run(recipe: Perturb, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `cells.perturb`. Raises InputError or RecipeError, each one sentence, where the file cannot answer the question."""
    started = time.perf_counter()
    if recipe.model == "train":
        from gen_core.cells.train import trained

        recipe = trained(recipe, progress)
    made = predict(recipe)
    predicted = time.perf_counter()
    numbers, baselines = _scores(made)
    _ = made.gene_sets  # a file that is no gene sets is said now, not when the table is saved
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.writers(made),
        metrics=numbers,
        baselines=baselines,
        warnings=warnings_of(made, numbers),
        seconds={"predict": predicted - started, "score": time.perf_counter() - predicted},
    )


def _scores(made: Prediction) -> tuple[dict[str, float | int | str | None], dict[str, dict[str, float | None]]]:
    """The numbers of a prediction, and the same numbers of each baseline."""
    study, held_out, used = made.study, made.folds, made.predictor
    numbers: dict[str, float | int | str | None] = {
        "predictor_used": used,
        "n_control": len(study.asked),
        "n_perturbed": len(made.observed),
    }
    baselines: dict[str, dict[str, float | None]] = {name: {} for name in (*BASELINES, "ceiling")}
    names = [*metrics.NAMES]
    if made.fold is None:
        numbers |= dict.fromkeys(names)
        baselines = {name: dict.fromkeys(names) for name in baselines}
    else:
        numbers |= made.fold.scores[used]
        baselines = {name: dict(made.fold.scores[name]) for name in baselines}
        for name, (low, high) in made.intervals.items():
            numbers |= {f"{name}_low": low, f"{name}_high": high}
        best = max(made.fold.scores[name]["pearson_delta_all"] for name in BASELINES if name != used)
        numbers["skill"] = metrics.skill(
            made.fold.scores[used]["pearson_delta_all"], best, made.fold.scores["ceiling"]["pearson_delta_all"]
        )
    numbers["pearson_delta_all_other_types"] = held_out.mean(used, "pearson_delta_all")
    for name in BASELINES:
        baselines[name]["pearson_delta_all_other_types"] = held_out.mean(name, "pearson_delta_all")
    for name, value in held_out.trust.get(used, {}).items():
        numbers[f"genes_{name}"] = value
    numbers["off_manifold_percentile"] = made.off_manifold
    if study.check is not None:
        numbers |= {"latent_check_kept": study.check.kept, "latent_check_left_out": study.check.left_out}
    numbers["shift_share_explained"] = made.likeness.share
    asked = study.recipe
    question = (asked.data, asked.condition_key, asked.control, asked.perturbed)
    simulated = question == ("simulated", "condition", "control", "treated")
    if simulated and made.recipe.dose == 1 and not asked.reverse and not study.from_new_file and not study.saw_target:
        numbers |= _against_known_truth(made)
    if study.dose is not None:
        numbers["pearson_delta_left_out_dose"] = left_out_dose(study)
    return numbers, baselines


def _against_known_truth(made: Prediction) -> dict[str, float]:
    """Scores that only simulated cells allow: against the known treated state of each cell, free of noise."""
    study = made.study
    truth = simulate.counterfactual(study.names[study.asked])
    real, predicted = truth - study.X[study.asked].toarray(), made.moved.rows(slice(None)) - study.X[study.asked].toarray()
    return {
        "pearson_delta_true": float(metrics.pearson(made.predicted_mean - made.control_mean, truth.mean(0) - made.control_mean)),
        "pearson_delta_true_per_cell": float(np.median(metrics.pearson(predicted, real))),
    }


def left_out_dose(study: Study) -> float:
    """Mean correlation, over types and inner doses, of a dose's change with that interpolated from its neighbours."""
    values = []
    for name in study.sources:
        response = study.responses[name]
        for dose in response.doses[1:-1]:
            values.append(float(metrics.pearson(response.without(dose).at(dose), response.at(dose))))
    return float(np.nanmean(values)) if values else float("nan")
