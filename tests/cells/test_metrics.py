"""Scores against independent oracles: scipy, scanpy, and the definition written out."""

import anndata as ad
import numpy as np
import pytest
import scanpy as sc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from gen_core.cells import metrics
from gen_core.cells.moved import Moved, column_mean, column_variance


def cells(seed: int, n: int, genes: int = 40, density: float = 0.3) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(2.0, (n, genes)) * (rng.random((n, genes)) < density)
    return sparse.csr_matrix(np.log1p(counts).astype(np.float32))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 40), scale=st.floats(-3, 3))
def test_moved_cells_are_the_dense_formula(seed: int, n: int, scale: float) -> None:
    X, shift = cells(seed, n), np.random.default_rng(seed + 1).normal(0, abs(scale) + 0.01, 40)
    dense = np.maximum(X.toarray() + shift, 0)
    moved = Moved.by(X, shift)
    axes, centre = np.linalg.qr(np.random.default_rng(seed).normal(size=(40, 3)))[0], np.full(40, 0.2)
    weights = np.random.default_rng(seed).dirichlet(np.ones(n), 5)
    np.testing.assert_allclose(moved.rows(slice(None)), dense, atol=1e-5)
    np.testing.assert_allclose(moved.mean(), dense.mean(0), atol=1e-5)
    np.testing.assert_allclose(moved.variance(), dense.var(0), atol=1e-4)
    np.testing.assert_allclose(moved.project(axes, centre), (dense - centre) @ axes, atol=1e-4)
    np.testing.assert_allclose(moved.means_of(weights), weights @ dense, atol=1e-4)
    np.testing.assert_allclose(moved.genes(np.array([3, 1])), dense[:, [3, 1]], atol=1e-5)


def test_no_shift_leaves_the_cells_as_they_are() -> None:
    X = cells(0, 20)
    assert (Moved.by(X, np.zeros(40)).rows(slice(None)) == X.toarray()).all()
    assert (Moved.still(X).rows(slice(None)) == X.toarray()).all()


def test_column_statistics() -> None:
    X = cells(3, 30)
    np.testing.assert_allclose(column_mean(X), X.toarray().mean(0), rtol=1e-6)
    np.testing.assert_allclose(column_variance(X), X.toarray().var(0), atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 40), m=st.integers(3, 40), shifted=st.booleans())
def test_rank_sum_is_mann_whitney(seed: int, n: int, m: int, shifted: bool) -> None:
    shift = np.random.default_rng(seed).normal(0, 1, 40) if shifted else np.zeros(40)
    first, second = Moved.by(cells(seed, n), shift), Moved.still(cells(seed + 1, m))
    ours = metrics.rank_sum(first, second)
    # float32 values can tie in one arithmetic and not in the other, so the oracle gets the very same numbers
    a, b = first.rows(slice(None)), second.rows(slice(None))
    tied = (a.std(0) == 0) & (b.std(0) == 0) & (a[0] == b[0])
    oracle = stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic")
    np.testing.assert_allclose(ours.p[~tied], oracle.pvalue[~tied], atol=2e-3)
    assert (ours.p[tied] == 1).all()


def test_rank_sum_scores_are_scanpys() -> None:
    a, b = cells(1, 60), cells(2, 50)
    adata = ad.AnnData(sparse.vstack([a, b]).tocsr())
    adata.obs["group"] = ["p"] * 60 + ["c"] * 50
    adata.obs["group"] = adata.obs["group"].astype("category")
    sc.tl.rank_genes_groups(adata, "group", groups=["p"], reference="c", method="wilcoxon")
    table = sc.get.rank_genes_groups_df(adata, "p").set_index("names").loc[adata.var_names]
    np.testing.assert_allclose(metrics.rank_sum(Moved.still(a), Moved.still(b)).score, table["scores"], atol=1e-4)
    change = metrics.log2_fold_change(column_mean(a), column_mean(b))
    np.testing.assert_allclose(change, table["logfoldchanges"], atol=1e-3)


def test_energy_distance_is_the_mean_over_pairs() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 5)), rng.normal(0.5, 1, size=(20, 5))
    squared = lambda x, y: ((x[:, None] - y[None]) ** 2).sum(-1)  # noqa: E731
    off = lambda d: d.sum() / (len(d) * (len(d) - 1))  # noqa: E731
    expected = 2 * squared(a, b).mean() - off(squared(a, a)) - off(squared(b, b))
    assert metrics.e_distance(a, b) == pytest.approx(expected)


def test_energy_distance_of_one_distribution_is_zero_on_average() -> None:
    rng = np.random.default_rng(1)
    values = [metrics.e_distance(rng.normal(size=(25, 10)), rng.normal(size=(25, 10))) for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_pearson_is_numpys_along_the_last_axis() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 30)), rng.normal(size=30)
    np.testing.assert_allclose(metrics.pearson(a, b), [np.corrcoef(row, b)[0, 1] for row in a])
    assert np.isnan(metrics.pearson(np.ones(5), np.arange(5.0)))


def test_skill_is_nan_where_ceiling_and_baseline_cannot_be_told_apart() -> None:
    assert metrics.skill(0.9, 0.8, 1.0) == pytest.approx(0.5)
    assert np.isnan(metrics.skill(0.9, 0.895, 0.9))
