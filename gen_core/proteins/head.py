"""What assay labels teach: a linear score on the sites and on what a family model says, with a chance to be functional.

One-hot sites beside one density feature are the strong baseline of Hsu 2022 (augmented models): logistic regression where
labels say functional or not, ridge regression where they are numbers. The density is the profile's score in bits: a profile
knows nothing of single sequences, so that a sequence the family model was trained on and one it never saw are scored alike.
The coupling energy is not: of training sequences it is lower by two standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gen_core.proteins.alphabet import Q, decode, ungapped
from gen_core.proteins.model import posterior

if TYPE_CHECKING:
    from gen_core.proteins.labels import Labelled
    from gen_core.proteins.modelfile import FamilyModel

Array = np.ndarray
Which = Literal["sites", "augmented", "augmented_latent"]
WHICH: tuple[Which, ...] = ("sites", "augmented", "augmented_latent")  # the simpler first
STRENGTH = 0.03  # inverse of the penalty on logistic weights; from .01 to .1 the AUC on the bundled family moves by .01
DENSITY = 2.0  # standard deviations that a density feature is spread over: it stands for all sites together
PENALTIES = 10 ** np.arange(0, 3.01, 0.5)  # of ridge regression, chosen by leaving one out


@dataclass(frozen=True, eq=False)
class Inputs:
    """codes (n, L), profile bits (n,) of the residues in the columns, latent means (n, k)."""

    codes: Array
    bits: Array
    latent: Array

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, some: Array) -> Inputs:
        """Some of them."""
        return Inputs(self.codes[some], self.bits[some], self.latent[some])

    def dense(self, which: Which) -> Array:
        """The features beside the sites (n, m)."""
        if which == "sites":
            return np.zeros((len(self), 0))
        return self.bits[:, None] if which == "augmented" else np.column_stack([self.bits, self.latent])


def inputs_of(codes: Array, model: FamilyModel, bits: Array | None = None) -> Inputs:
    """The inputs of sequences codes (n, L); bits (n,) where they are known."""
    if bits is None:
        bits = model.profile.bits([row.encode() or b"X" for row in ungapped(decode(codes))])
    return Inputs(codes, bits, posterior(model.net, codes)[0])


@dataclass(frozen=True, eq=False)
class Head:
    """A fitted score: weights of the sites (L, Q), of the dense features (m,) with their means and scales, and an intercept."""

    which: Which
    sites: Array
    dense: Array
    means: Array
    scales: Array
    intercept: float

    def score(self, inputs: Inputs) -> Array:
        """Score (n,): log odds where labels were yes or no, else the value itself."""
        found = np.full(len(inputs), self.intercept)
        for column, weights in zip(inputs.codes.T, self.sites, strict=True):
            found += weights[column]
        dense = inputs.dense(self.which)
        return found + (dense - self.means) / self.scales @ self.dense if dense.shape[1] else found


def fit(inputs: Inputs, labelled: Labelled, which: Which) -> Head:
    """A score fitted to labelled sequences, whose rows are those of the inputs."""
    n, length = inputs.codes.shape
    dense = inputs.dense(which)
    means, scales = dense.mean(0), (dense.std(0) + 1e-9) / DENSITY
    one_hot = (inputs.codes[:, :, None] == np.arange(Q, dtype=np.uint8)).reshape(n, -1)
    centre = one_hot.mean(0)
    design = np.column_stack([one_hot - centre, (dense - means) / scales])
    if labelled.functional is None:
        weights, intercept = _ridge(design, labelled.values)
    else:
        weights, intercept = _logistic(design, labelled.functional)
    sites = weights[: length * Q]
    return Head(which, sites.reshape(length, Q), weights[length * Q :], means, scales, float(intercept - sites @ centre))


def _logistic(design: Array, functional: Array) -> tuple[Array, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=STRENGTH, max_iter=500).fit(design, functional)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _ridge(design: Array, values: Array) -> tuple[Array, float]:
    """Ridge regression in its dual form; the penalty with the least error of leaving one out (Golub 1979)."""
    centre, mean = design.mean(0), values.mean()
    centred, target = design - centre, values - mean
    eigen, vectors = np.linalg.eigh(centred @ centred.T)
    eigen, seen = eigen.clip(0), vectors.T @ target
    errors = []
    for penalty in PENALTIES:
        share = eigen / (eigen + penalty)
        leverage = 1 / len(target) + vectors**2 @ share
        errors.append((((target - vectors @ (share * seen)) / np.maximum(1 - leverage, 1e-6)) ** 2).mean())
    weights = centred.T @ (vectors @ (seen / (eigen + PENALTIES[int(np.argmin(errors))])))
    return weights, float(mean - weights @ centre)


@dataclass(frozen=True)
class Calibration:
    """From a score to a chance: 1 / (1 + exp(-(slope * score + intercept))) (Platt 1999); a slope is never negative."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, scores: Array, functional: Array) -> Calibration:
        """From scores (n,) of sequences that their fit did not see."""
        from sklearn.linear_model import LogisticRegression

        spread, middle = float(scores.std()) or 1.0, float(scores.mean())
        if functional.all() or not functional.any():
            return cls(0.0, 20.0 if functional.all() else -20.0)
        fitted = LogisticRegression(C=100.0).fit(((scores - middle) / spread)[:, None], functional)
        slope, intercept = float(fitted.coef_[0, 0]) / spread, float(fitted.intercept_[0])
        if slope <= 0:
            share = functional.mean()
            return cls(0.0, float(np.log(share / (1 - share))))
        return cls(slope, intercept - slope * middle)

    def chance(self, scores: Array) -> Array:
        """Chances (n,) from 0 to 1."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.slope * scores + self.intercept, -50, 50))))
