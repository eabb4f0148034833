"""How far the numbers of a code stand for one factor each: three measures from the literature.

All take codes (n, k) and factors (n, F). A code that tells every factor, but each with several of its numbers, scores low;
so does one that tells nothing, which is why the informativeness stands beside them.

On dSprites a plain autoencoder and its relatives of higher beta reach a gap (MIG) of about .1 to .2 (Locatello et al. 2019,
arXiv:1811.12359). That is another data set, with other factors: a band to have in mind, not one to be measured against.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from gen_core.images.render import FACTORS

Array = np.ndarray
BINS = 20
BAND = (0.1, 0.2)  # of the gap, see above
FITTED = 2_000  # rows from which importances are learned, at most
ROUNDS = 50  # trees for each factor


@dataclass(frozen=True)
class Disentangled:
    """Overall numbers, 1 the best and 0 the least, and some of them for each factor (F,)."""

    mig: float
    sap: float
    disentanglement: float
    completeness: float
    informativeness: float
    mig_of: Array
    sap_of: Array
    completeness_of: Array
    informativeness_of: Array

    def metrics(self, before: str = "") -> dict[str, float]:
        """As they stand in a card; `before` goes before the names where a part of a code was measured."""
        told = {"mig": self.mig, "sap": self.sap} | {
            f"dci_{name}": float(getattr(self, name)) for name in ("disentanglement", "completeness", "informativeness")
        }
        told |= {f"mig.{factor.name}": float(gap) for factor, gap in zip(FACTORS, self.mig_of, strict=False)}
        return {before + name: value for name, value in told.items()}


def measured(codes: Array, factors: Array, seed: int = 0) -> Disentangled:
    """All three measures of codes (n, k) and factors (n, F). What does not vary among the codes counts as telling nothing."""
    codes, factors = np.asarray(codes, float), np.asarray(factors, float)
    gaps, scores = mig(codes, factors), sap(codes, factors)
    weights, told = importances(codes, factors, seed)
    d, c = disentanglement(weights), completeness(weights)
    return Disentangled(float(gaps.mean()), float(scores.mean()), d, float(c.mean()), float(told.mean()), gaps, scores, c, told)


def mig(codes: Array, factors: Array, bins: int = BINS) -> Array:
    """Mutual information gap (F,) (Chen et al. 2018, arXiv:1802.04942, eq. 6): of each factor's information in single numbers of
    the code, how far the best leads the next one, as a share of the factor's entropy.

    Both are cut into `bins` equal parts of their range, as Locatello et al. do.
    """
    x = [_cut(column, bins) for column in codes.T]
    y = [_cut(column, bins) for column in factors.T]
    shared = np.array([[_information(a, b, bins) for b in y] for a in x])  # (k, F)
    entropy = np.array([_information(b, b, bins) for b in y])
    return _lead(shared) / np.maximum(entropy, 1e-12)


def sap(codes: Array, factors: Array) -> Array:
    """Separated attribute predictability (F,) (Kumar et al. 2018, arXiv:1711.00848, section 4): how far the best number of the
    code leads the next one in R^2 of a line fitted from it alone to the factor."""
    return _lead(_correlation(codes, factors) ** 2)


def importances(codes: Array, factors: Array, seed: int = 0) -> tuple[Array, Array]:
    """What each number of the code contributes to telling each factor (k, F), and how well all tell it: R^2 (F,), at least 0.

    Gradient boosting (scikit-learn) from all numbers to each factor, on some rows; R^2 on all others. The numbers are scaled
    first, so that a code of another scale is the same code.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    n = min(len(codes) * 3 // 4, FITTED)
    order = np.random.default_rng(seed).permutation(len(codes))
    fitted, rest = order[:n], order[n:]
    x = (codes - codes.mean(0)) / np.maximum(codes.std(0), 1e-12)
    weights, told = [], []
    for y in factors.T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees = GradientBoostingRegressor(n_estimators=ROUNDS, learning_rate=0.15, max_depth=3, random_state=seed)
            trees.fit(x[fitted], y[fitted])
        weights.append(trees.feature_importances_)
        miss = np.square(trees.predict(x[rest]) - y[rest]).mean() / max(float(y[rest].var()), 1e-12)
        told.append(max(0.0, 1.0 - miss))
    return np.array(weights).T, np.array(told)


def disentanglement(weights: Array) -> float:
    """D (Eastwood & Williams 2018, section 2) of importances (k, F): 1 where each number of the code serves one factor, numbers
    weighted by all they serve."""
    rows = weights.sum(1)
    if rows.sum() <= 0 or weights.shape[1] < 2:
        return 0.0
    return float((rows / rows.sum()) @ (1 - _spread(weights.T)))


def completeness(weights: Array) -> Array:
    """C (F,) (Eastwood & Williams 2018, section 2) of importances (k, F): 1 where a factor is told by one number of the code."""
    return 1 - _spread(weights) if len(weights) > 1 else np.ones(weights.shape[1])


def _spread(weights: Array) -> Array:
    """Entropy of each column of weights (m, n) over the largest that m rows allow, (n,); 1 for a column of zeros."""
    total = weights.sum(0)
    share = weights / np.maximum(total, 1e-300)
    entropy = -(share * np.log(np.maximum(share, 1e-300))).sum(0) / np.log(len(weights))
    return np.where(total > 0, entropy, 1.0)


def _lead(scores: Array) -> Array:
    """How far the highest of each column of scores (k, F) leads the second, (F,); the highest itself where there is one row."""
    if len(scores) == 1:
        return np.asarray(scores[0])
    top = np.partition(scores, -2, axis=0)
    return np.asarray(top[-1] - top[-2])


def _cut(values: Array, bins: int) -> Array:
    """Which of `bins` equal parts of their range values (n,) lie in; all in the first where they do not vary."""
    low, high = values.min(), values.max()
    return np.minimum((values - low) / max(high - low, 1e-12) * bins, bins - 1).astype(int)


def _information(a: Array, b: Array, bins: int) -> float:
    """Mutual information in nats of two cut columns (n,)."""
    joint = np.bincount(a * bins + b, minlength=bins * bins).reshape(bins, bins) / len(a)
    alone = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    held = joint > 0
    return float((joint[held] * np.log(joint[held] / alone[held])).sum())


def _correlation(codes: Array, factors: Array) -> Array:
    """Pearson correlations (k, F); 0 where a column does not vary."""
    x, y = codes - codes.mean(0), factors - factors.mean(0)
    norm = np.linalg.norm(x, axis=0)[:, None] * np.linalg.norm(y, axis=0)
    return np.where(norm > 1e-9, x.T @ y / np.maximum(norm, 1e-12), 0.0)
