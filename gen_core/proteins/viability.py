"""The chance of a sequence to be functional, learned from assay labels, and how far it can be trusted.

Which features are used is chosen by cross-validation inside each training part, so that the scores told are of the whole
procedure. Folds are drawn twice: at random, as published scores are, and by identity cluster, so that no relative of a
sequence is in the training part, which is how far designs are from what was measured. Chances are calibrated on the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gen_core.datasets import path_of
from gen_core.inputs.labels import read_labels
from gen_core.memo import Memo
from gen_core.proteins.agreement import auc, interval, percentiles, spearman
from gen_core.proteins.head import WHICH, Calibration, Head, Inputs, Which, fit, inputs_of
from gen_core.proteins.labels import LEAST, Labelled, open_labels
from gen_core.proteins.metrics import Numbers
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.recipe import _Labelled

Array = np.ndarray
FOLDS, INNER = 5, 3
SIMPLER = 0.01  # by which more features must score higher to be used
SIZES = (25, 50, 100, 200)
REPEATS = 10
CALIBRATIONS = 100
KEPT = Memo(256 << 20, lambda made: int(made.inputs.codes.nbytes * 8 + (1 << 20)))


@dataclass(frozen=True, eq=False)
class Viability:
    """A score learned from labels. `random` and `apart` (n,) are scores of the labelled sequences by fits that did not see them,
    with random folds and with folds by cluster (None where the labelled sequences are one cluster). Of mutants of one reference
    `sites_apart` (n,) are scores by fits that saw no change at one of their changed positions; None for other labels."""

    labelled: Labelled
    inputs: Inputs
    head: Head
    random: Array
    apart: Array | None
    sites: Array  # (n,) log likelihood of independent sites
    seed: int
    sites_apart: Array | None = None

    @property
    def name(self) -> str:
        """The measure: `auc`, or `spearman` where labels are numbers without a threshold."""
        return "spearman" if self.labelled.functional is None else "auc"

    @cached_property
    def functional(self) -> Array:
        """Who counts as functional (n,); without a threshold, the upper half."""
        found = self.labelled.functional
        return self.labelled.values > np.median(self.labelled.values) if found is None else found

    @property
    def honest(self) -> Array:
        """Scores (n,) of the labelled sequences by fits that saw neither them nor, where that can be, relatives of them, or
        changes where they are changed."""
        apart = self.sites_apart if self.apart is None else self.apart
        return self.random if apart is None else apart

    @cached_property
    def calibration(self) -> Calibration:
        return Calibration.fit(self.honest, self.functional)

    @cached_property
    def calibrations(self) -> list[Calibration]:
        """The calibration on resampled labels: clusters where there are several, else single ones."""
        rng = np.random.default_rng([self.seed, 25])
        groups = [np.flatnonzero(self.labelled.clusters == cluster) for cluster in range(int(self.labelled.clusters.max()) + 1)]
        if len(groups) == 1:
            groups = [np.array([row]) for row in range(len(self.labelled))]
        drawn = (np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]) for _ in range(CALIBRATIONS))
        return [Calibration.fit(self.honest[rows], self.functional[rows]) for rows in drawn]

    @cached_property
    def numbers(self) -> Numbers:
        """The measure of either kind of folds with its 90 % interval, and how many labels it is from."""
        found: Numbers = {
            "n_labels": len(self.labelled),
            "n_label_clusters": int(self.labelled.clusters.max()) + 1,
            "functional_fraction": float(self.functional.mean()),
            "viability_features": self.head.which,
        }
        found |= self._measured(f"viability_{self.name}", self.random)
        apart = f"viability_{self.name}_clusters"
        nothing: Numbers = {apart: None, f"{apart}_low": None, f"{apart}_high": None}
        found |= nothing if self.apart is None else self._measured(apart, self.apart)
        return found if self.sites_apart is None else found | self._measured(f"viability_{self.name}_positions", self.sites_apart)

    @cached_property
    def baselines(self) -> dict[str, Numbers]:
        """The same measure of scores that no labels are needed for, or fewer features."""
        told = {"independent_sites": self.sites, "profile": self.inputs.bits}
        name = f"viability_{self.name}"
        return {baseline: self._measured(name, scores) for baseline, scores in told.items()}

    def _measured(self, name: str, scores: Array) -> Numbers:
        low, high = interval(lambda rows: measured(scores[rows], self.labelled.rows(rows)), self.units, self.seed)
        return {name: measured(scores, self.labelled), f"{name}_low": low, f"{name}_high": high}

    @cached_property
    def units(self) -> Array:
        """What intervals are over (n,): clusters; where there is one, the first changed position of mutants, else single ones."""
        if int(self.labelled.clusters.max()) > 0:
            return self.labelled.clusters
        if self.labelled.changes is None:
            return np.arange(len(self.labelled))
        return np.where(self.labelled.changes.any(1), self.labelled.changes.argmax(1), -1)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What a reader must know of the labels."""
        told = list(self.labelled.notices)
        chance = 0.5 if self.name == "auc" else 0.0
        low = self.numbers[f"viability_{self.name}_low"]
        if not isinstance(low, float) or not low > chance:
            told.append(
                Notice(
                    "labels_say_nothing",
                    f"Your labels say nothing here: the interval of the cross-validated {_SPELLED[self.name]} does not lie above "
                    f"{chance:g}, which is chance. Viability is not to be trusted.",
                )
            )
        if self.apart is None:
            told.append(
                Notice(
                    "one_cluster",
                    "The labelled sequences are near relatives: no folds apart by identity can be made, and viability of "
                    "sequences unlike them is less sure than the score says."
                    + ("" if self.sites_apart is None else " Folds apart by changed position are made instead."),
                )
            )
        if self.sites_apart is not None and not self.numbers[f"viability_{self.name}_positions_low"] > chance:  # type: ignore[operator]
            told.append(
                Notice(
                    "positions_say_nothing",
                    "Your labels say nothing of positions that were not measured: with folds apart by position the interval of "
                    f"the {_SPELLED[self.name]} does not lie above {chance:g}, which is chance.",
                )
            )
        if self.labelled.functional is None:
            told.append(
                Notice(
                    "no_threshold",
                    "Without a value from which a sequence counts as functional, viability is the chance to be in the upper half "
                    "of the labels.",
                )
            )
        return tuple(told)

    def scores(self, codes: Array, model: FamilyModel, bits: Array | None = None) -> Array:
        """Scores (n,) of sequences codes (n, L); a labelled one has that of a fit that did not see it."""
        found = self.head.score(inputs_of(codes, model, bits))
        own = {row.tobytes(): score for row, score in zip(self.labelled.codes, self.honest, strict=True)}
        return np.array([own.get(row.tobytes(), score) for row, score in zip(codes, found, strict=True)])

    def chances(self, codes: Array, model: FamilyModel, bits: Array | None = None) -> Array:
        """Viability (n,) from 0 to 1, the calibrated scores."""
        return self.calibration.chance(self.scores(codes, model, bits))

    @cached_property
    def curve(self) -> pd.DataFrame:
        """Learning curve: the measure on the other labelled sequences after so many labels, mean and 90 % of the repeats."""
        rng = np.random.default_rng([self.seed, 22])
        lines = []
        for size in (s for s in SIZES if s <= 0.8 * len(self.labelled)):
            found = []
            for _ in range(REPEATS):
                some = sample_of_both(self.functional, size, rng)
                rest = np.setdiff1d(np.arange(len(self.labelled)), some)
                head = fit(self.inputs.rows(some), self.labelled.rows(some), self.head.which)
                found.append(measured(head.score(self.inputs.rows(rest)), self.labelled.rows(rest)))
            lines.append((size, float(np.nanmean(found)), *percentiles(np.array(found))))
        return pd.DataFrame(lines, columns=["labels", self.name, f"{self.name}_low", f"{self.name}_high"])

    @cached_property
    def backtest(self) -> pd.DataFrame:
        """How a plate of 96 chosen from a hidden half would have fared, see `backtest.backtest`."""
        from gen_core.proteins.backtest import backtest

        return backtest(self)


_SPELLED = {"auc": "AUC", "spearman": "rank correlation"}


def assess(recipe: _Labelled, model: FamilyModel, source: str, beside: tuple[Array, Array] | None = None) -> Viability:
    """What the labels of a recipe teach about sequences of its model; raises what `labels.open_labels` does."""
    values = (recipe.labels, recipe.label_column, recipe.label_threshold, recipe.label_kind)
    asked = (*values, recipe.reference, recipe.reference_offset, recipe.seed)
    by_id = beside is not None and read_labels(path_of(str(recipe.labels), "labels"), recipe.label_column).kind == "id"
    key = (model.card.get("sha256"), source, asked, getattr(recipe, "sequences", None) if by_id else None)
    made: Viability = KEPT.get(key, lambda: learned(open_labels(recipe, model, source, beside), model, recipe.seed))
    return made


def learned(labelled: Labelled, model: FamilyModel, seed: int) -> Viability:
    """A score fitted to all labelled sequences, and cross-validated."""
    inputs = inputs_of(labelled.codes, model)
    random = crossed(inputs, labelled, folds(labelled, seed), seed)
    groups = grouped(labelled, seed)
    apart = None if groups is None else crossed(inputs, labelled, groups, seed)
    logs = np.log(np.maximum(model.moments.sites, 1e-3))
    sites = np.take_along_axis(logs[None], labelled.codes[:, :, None].astype(int), 2).sum((1, 2))
    by_position = positioned(labelled, seed) if groups is None else None
    sites_apart = None if by_position is None else crossed(inputs, labelled, by_position[0], seed, by_position[1])
    head = fit(inputs, labelled, select(inputs, labelled, seed))
    return Viability(labelled, inputs, head, random, apart, sites, seed, sites_apart)


def measured(scores: Array, labelled: Labelled) -> float:
    """AUC, or Spearman where there is no threshold."""
    if labelled.functional is None:
        return spearman(scores, labelled.values)
    return auc(scores, labelled.functional)


def select(inputs: Inputs, labelled: Labelled, seed: int) -> Which:
    """The features with the highest cross-validated measure; simpler ones where they are within .01 of it."""
    fold = folds(labelled, seed, INNER)
    found = []
    for which in WHICH:
        parts = [measured(head.score(inputs.rows(out)), labelled.rows(out)) for head, out in _fits(inputs, labelled, fold, which)]
        found.append(float(np.nanmean(parts)) if np.isfinite(parts).any() else 0.0)
    return next(which for which, score in zip(WHICH, found, strict=True) if score >= max(found) - SIMPLER)


def _fits(inputs: Inputs, labelled: Labelled, fold: Array, which: Which) -> Iterator[tuple[Head, Array]]:
    for k in range(int(fold.max()) + 1):
        yield fit(inputs.rows(fold != k), labelled.rows(fold != k), which), np.flatnonzero(fold == k)


def crossed(inputs: Inputs, labelled: Labelled, fold: Array, seed: int, training: Array | None = None) -> Array:
    """Scores (n,) by fits to the other folds, or to the rows of `training` (folds, n), features chosen anew in each."""
    scores = np.empty(len(labelled))
    for k in range(int(fold.max()) + 1):
        seen, out = fold != k if training is None else training[k], fold == k
        rest, part = inputs.rows(seen), labelled.rows(seen)
        scores[out] = fit(rest, part, select(rest, part, seed)).score(inputs.rows(out))
    return scores


def folds(labelled: Labelled, seed: int, count: int = FOLDS) -> Array:
    """Fold (n,) of each labelled sequence: random, each with its share of the functional ones, or of the value's range."""
    rng = np.random.default_rng([seed, 23])
    order = rng.permutation(len(labelled))
    by = labelled.values if labelled.functional is None else labelled.functional
    found = np.empty(len(labelled), int)
    found[order[np.argsort(by[order], kind="stable")]] = np.arange(len(labelled)) % count
    return found


def grouped(labelled: Labelled, seed: int) -> Array | None:
    """Fold (n,) of each labelled sequence, clusters kept together; None where one cluster is too large for that."""
    sizes = np.bincount(labelled.clusters)
    if len(sizes) < 2 * FOLDS or sizes.max() > len(labelled) / 2:
        return None
    rng = np.random.default_rng([seed, 24])
    load, of = np.zeros(FOLDS), np.zeros(len(sizes), int)
    for cluster in np.argsort(-(sizes + rng.random(len(sizes)) / 2), kind="stable"):  # the largest first, each to the emptiest
        of[cluster] = load.argmin()
        load[of[cluster]] += sizes[cluster]
    found: Array = of[labelled.clusters]
    if labelled.functional is not None:
        for k in range(FOLDS):
            rest = labelled.functional[found != k]
            if min(rest.sum(), (~rest).sum()) < INNER:
                return None
    return found


def positioned(labelled: Labelled, seed: int) -> tuple[Array, Array] | None:
    """Folds of mutants by changed position: fold (n,) in which each is judged, and who is learned from for each (folds, n).

    Every position belongs to one fold; a mutant is judged in that of one of its positions, drawn at random, by a fit to mutants
    that are changed at no position of that fold. None where the labelled are no
    mutants, or too little would be left to learn from.
    """
    if labelled.changes is None:
        return None
    rng = np.random.default_rng([seed, 26])
    used = np.flatnonzero(labelled.changes.any(0))
    if len(used) < 2 * FOLDS:
        return None
    of = np.full(labelled.changes.shape[1], -1)
    of[used[rng.permutation(len(used))]] = np.arange(len(used)) % FOLDS
    draws = np.where(labelled.changes, rng.random(labelled.changes.shape), -1.0)
    fold = np.where(labelled.changes.any(1), of[draws.argmax(1)], FOLDS)
    training = np.stack([~labelled.changes[:, of == k].any(1) for k in range(FOLDS)])
    fold = np.where(fold == FOLDS, rng.integers(0, FOLDS, len(fold)), fold)  # the reference itself, in any
    training &= fold != np.arange(FOLDS)[:, None]
    for seen in training:
        if seen.sum() < LEAST:
            return None
        if labelled.functional is not None:
            rest = labelled.functional[seen]
            if min(rest.sum(), (~rest).sum()) < INNER:
                return None
    return fold, training


def sample_of_both(functional: Array, size: int, rng: np.random.Generator) -> Array:
    """A random sample of rows with at least two of each kind, so that there is something to fit."""
    yes, no = (rng.permutation(np.flatnonzero(kind)) for kind in (functional, ~functional))
    first = np.concatenate([yes[:2], no[:2]])
    rest = rng.permutation(np.setdiff1d(np.arange(len(functional)), first))
    return np.concatenate([first, rest[: size - len(first)]])
