"""How good a predicted response is, and the test that ranks its genes.

All on natural log1p expression. mu_s, mu_c, mu_p are the mean expression of real perturbed, control and predicted cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats

from gen_core.cells.moved import Moved

Array = np.ndarray
TOP = 100
NAMES = (
    "r2_mean_all",
    "r2_mean_top100",
    "r2_mean_top100_up",
    "pearson_delta_all",
    "pearson_delta_top100",
    "mse_top100",
    "e_distance",
    "e_distance_relative",
    "r2_variance",
)
EPSILON = 1e-9  # scanpy's, inside the logarithm of its fold change
PSEUDO = 0.05  # counts per 10,000: below this a mean of a few hundred cells is a handful of counts


def pearson(a: Array, b: Array) -> Array:
    """Pearson correlation along the last axis; NaN where one side does not vary."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    norm = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norm > 1e-12, (a * b).sum(-1) / norm, np.nan)


def log2_fold_change(mean: Array, reference: Array, pseudo: float = EPSILON) -> Array:
    """log2 fold change of two means of log1p expression, as scanpy's rank_genes_groups defines it.

    It is near 30 where the reference has no count at all; with a larger `pseudo` (counts per 10,000) it stays in bounds.
    """
    return np.log2((np.expm1(mean) + pseudo) / (np.expm1(reference) + pseudo))


def e_distance(a: Array, b: Array) -> float:
    """Energy distance 2 E|x-y|^2 - E|x-x'|^2 - E|y-y'|^2 (different cells) between codes a (n, k) and b (m, k).

    With squared distances the pairs need not be visited: it is 2 |mean a - mean b|^2 less what two finite samples of one
    distribution differ by, so it is 0 on average where there is no difference (and may be a little negative).
    """
    if min(len(a), len(b)) < 2:
        return float("nan")
    gap = a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)
    noise = a.var(0, ddof=1, dtype=np.float64).sum() / len(a) + b.var(0, ddof=1, dtype=np.float64).sum() / len(b)
    return float(2 * (gap @ gap - noise))


@dataclass(frozen=True)
class RankSum:
    """Wilcoxon rank-sum of every gene, first group against second.

    score (G,): the normal score without tie correction, as scanpy's default; p (G,): two-sided, corrected for ties, as
    scipy's mannwhitneyu without continuity correction.
    """

    score: Array
    p: Array

    @property
    def p_adjusted(self) -> Array:
        """Benjamini-Hochberg over all genes."""
        return stats.false_discovery_control(self.p)


def rank_sum(first: Moved, second: Moved) -> RankSum:
    """Rank-sum test of each gene between two groups of cells (n, G), (m, G).

    Cells without a count of a gene all share one value there, so they enter as one value with a weight, and the cost is
    that of sorting the non-zeros.
    """
    n, m, genes = len(first), len(second), len(first.base)
    groups = [_entries(cells) for cells in (first, second)]
    runs = np.sort(np.concatenate([keys for group in groups for keys in group[:2]]))
    runs = runs[np.r_[True, runs[1:] != runs[:-1]]]  # one for each gene and distinct value, in order
    of_first, of_second = (_count(runs, *group) for group in groups)
    gene, tied = runs >> 32, of_first + of_second
    before = np.cumsum(tied) - tied - gene * (n + m)  # every gene has n + m cells in all
    ranks = np.bincount(gene, of_first * (before + (tied + 1) / 2), genes)
    score = (ranks - n * (n + m + 1) / 2) / np.sqrt(n * m / 12 * (n + m + 1))
    correction = 1 - np.bincount(gene, tied**3 - tied, genes) / max((n + m) ** 3 - (n + m), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(correction > 0, score / np.sqrt(correction), 0.0)
    return RankSum(score, 2 * stats.norm.sf(np.abs(z)))


def _entries(cells: Moved) -> tuple[Array, Array, Array]:
    """Sorted keys of all stored values; per gene the key of the cells that store none, and their number.

    A key sorts by gene, then value: a float32 that is not negative sorts like its own bits, so both fit one integer,
    which sorts many times faster than two columns do.
    """
    extra, genes = cells.extra, np.arange(len(cells.base), dtype=np.int64)
    stored = _key(extra.indices.astype(np.int64), extra.data + cells.base[extra.indices])
    stored.sort()
    return stored, _key(genes, cells.base), len(cells) - np.bincount(extra.indices, minlength=len(genes))


def _key(gene: Array, value: Array) -> Array:
    positive = value.astype(np.float32) + np.float32(0)  # -0.0 has other bits than 0.0
    return gene << 32 | positive.view(np.uint32)


def _count(runs: Array, stored: Array, rest: Array, weight: Array) -> Array:
    """How many cells of a group have each gene and value of `runs`."""
    counts = np.bincount(np.searchsorted(runs, stored), minlength=len(runs)).astype(float)
    counts[np.searchsorted(runs, rest)] += weight
    return counts


@dataclass(frozen=True, eq=False)
class Truth:
    """What the held-out cell type really did, and what the scores are measured against.

    control (G,) is the mean of the half of its control cells that no prediction starts from.
    """

    perturbed: Array  # (G,) mean
    control: Array  # (G,) mean
    variance: Array  # (G,) of the perturbed cells
    codes: Array  # (n, k) perturbed cells in the latent space
    reference_distance: float  # energy distance of the untouched control cells
    top: Array  # indices of the TOP genes of largest |Wilcoxon score|
    top_up: Array  # and of the TOP highest scores

    def against(self, perturbed: Array, variance: Array, codes: Array) -> Truth:
        """The same question with other perturbed cells as the answer."""
        return replace(self, perturbed=perturbed, variance=variance, codes=codes)


def truth_of(
    perturbed: sparse.csr_matrix, control: sparse.csr_matrix, reference: Array, codes: Array, control_codes: Array
) -> Truth:
    """Truth from the real cells of the held-out type: perturbed (n, G), control (m, G) all, reference (G,) half mean."""
    real = Moved.still(perturbed)
    score = rank_sum(real, Moved.still(control)).score
    return Truth(
        perturbed=real.mean(),
        control=reference,
        variance=real.variance(),
        codes=codes,
        reference_distance=e_distance(control_codes, codes),
        top=np.argsort(-np.abs(score), kind="stable")[:TOP],
        top_up=np.argsort(-score, kind="stable")[:TOP],
    )


def score_means(mean: Array, truth: Truth, perturbed: Array | None = None, control: Array | None = None) -> dict[str, Array]:
    """The scores that need means only, for one mean (G,) or a bootstrap's (B, G); perturbed and control likewise."""
    mu_s = truth.perturbed if perturbed is None else perturbed
    mu_c = truth.control if control is None else control
    top, up = truth.top, truth.top_up
    return {
        "r2_mean_all": pearson(mean, mu_s) ** 2,
        "r2_mean_top100": pearson(mean[..., top], mu_s[..., top]) ** 2,
        "r2_mean_top100_up": pearson(mean[..., up], mu_s[..., up]) ** 2,
        "pearson_delta_all": pearson(mean - mu_c, mu_s - mu_c),
        "pearson_delta_top100": pearson((mean - mu_c)[..., top], (mu_s - mu_c)[..., top]),
        "mse_top100": ((mean - mu_s)[..., top] ** 2).mean(-1),
    }


def score(mean: Array, variance: Array, codes: Array, truth: Truth) -> dict[str, float]:
    """Every score of a prediction: mean (G,), variance (G,) and latent codes (n, k) of its cells."""
    distance = e_distance(codes, truth.codes)
    scores = {name: float(value) for name, value in score_means(mean, truth).items()}
    scores["e_distance"] = distance
    scores["e_distance_relative"] = distance / truth.reference_distance if truth.reference_distance > 0 else float("nan")
    scores["r2_variance"] = float(pearson(variance, truth.variance) ** 2)
    return scores


def skill(value: float, best_baseline: float, ceiling: float) -> float:
    """Share of the way from the best baseline to the ceiling; NaN where the two are closer than scores can tell (.01)."""
    return (value - best_baseline) / (ceiling - best_baseline) if abs(ceiling - best_baseline) >= 0.01 else float("nan")
