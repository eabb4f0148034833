"""What a matrix holds is told from its values alone, and all that can be is brought to natural log1p per 10,000."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from gen_core.cells.data import describe, read_cells
from gen_core.cells.normalise import normalise
from gen_core.cells.state import State, recognise
from tests.cells import layouts

BASES = {"e": np.e, "2": 2.0, "10": 10.0}


def cells(n: int = 200, genes: int = 300, seed: int = 0) -> np.ndarray:
    """Counts of 500 to 50,000 per cell, most genes rare, as droplets give them."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.15, 1.0, genes) + 1e-3
    return rng.poisson(rates / rates.sum() * np.exp(rng.uniform(np.log(500), np.log(50_000), (n, 1)))).astype(np.float64)


def per_cell(counts: np.ndarray, total: float = 1e4) -> np.ndarray:
    return counts / counts.sum(1, keepdims=True) * total


def logged(plain: np.ndarray, base: float = np.e) -> np.ndarray:
    return np.log1p(plain) / np.log(base)


def state(X: np.ndarray) -> State:
    return recognise(sparse.csr_matrix(X.astype(np.float32)))


EXPECTED = np.log1p(per_cell(cells()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint16])
def test_counts(dtype: type) -> None:
    found = recognise(sparse.csr_matrix(cells().astype(dtype)))
    assert (found.kind, found.base, found.target_sum, found.whole) == ("counts", 0, None, True)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("total", [1.0, 1e3, 1e4, 1e6, 3217.4])
def test_log1p_of_any_base_and_total(base: str, total: float) -> None:
    found = state(logged(per_cell(cells(), total), BASES[base]))
    assert (found.kind, found.base) == ("log1p", BASES[base])
    assert found.target_sum == pytest.approx(total, rel=1e-3)


@pytest.mark.parametrize("base", BASES)
def test_log1p_of_a_part_of_the_genes(base: str) -> None:
    for keep in (30, 100, 250):
        found = state(logged(per_cell(cells()), BASES[base])[:, :keep])
        assert (found.kind, found.base, found.target_sum) == ("log1p_subset", BASES[base], None)


@pytest.mark.parametrize("base", BASES)
def test_log1p_of_raw_counts_gives_the_counts_back(base: str, tmp_path: Path) -> None:
    anndata.AnnData(sparse.csr_matrix(logged(cells(), BASES[base]).astype(np.float32))).write_h5ad(path := tmp_path / "a.h5ad")
    assert (describe(path).state.kind, describe(path).state.base) == ("counts", BASES[base])
    np.testing.assert_allclose(read_cells(path, []).X.toarray(), EXPECTED, atol=1e-5)


def test_normalised_without_logarithm() -> None:
    for total in (1.0, 1e4, 1e6):
        found = state(per_cell(cells(), total))
        assert (found.kind, found.base) == ("counts", 0)
        assert found.target_sum == pytest.approx(total, rel=1e-3)


def test_scaled_and_corrected() -> None:
    X = logged(per_cell(cells()))
    assert state((X - X.mean(0)) / (X.std(0) + 1e-9)).kind == "scaled"
    assert state(X - 0.01).kind == "scaled"


def test_counts_with_fractions_are_used_as_counts_and_that_is_said(tmp_path: Path) -> None:
    corrected = cells() * np.random.default_rng(0).choice([1.0, 0.93], (200, 300), p=[0.7, 0.3])
    found = state(corrected)
    assert found.kind == "counts"
    assert not found.whole
    assert found.target_sum is None
    anndata.AnnData(sparse.csr_matrix(corrected.astype(np.float32))).write_h5ad(path := tmp_path / "a.h5ad")
    assert "not_integers" in {n.code for n in describe(path).notices} & {n.code for n in read_cells(path, []).notices}
    np.testing.assert_allclose(read_cells(path, []).X.toarray(), np.log1p(per_cell(corrected)), atol=1e-5)


def test_what_is_neither_is_taken_as_it_stands_and_that_is_said(tmp_path: Path) -> None:
    smooth = np.random.default_rng(0).gamma(2.0, 0.5, (200, 300)).astype(np.float32)
    assert state(smooth).kind == "unknown"
    anndata.AnnData(smooth).write_h5ad(path := tmp_path / "a.h5ad")
    found = read_cells(path, [])
    assert "unknown_scale" in {n.code for n in found.notices} & {n.code for n in describe(path).notices}
    np.testing.assert_array_equal(found.X.toarray(), smooth)


def test_a_mark_in_uns_is_not_believed(tmp_path: Path) -> None:
    adata = layouts.annotated()
    adata.uns["log1p"] = {"base": 2}
    adata.write_h5ad(path := tmp_path / "a.h5ad")
    assert describe(path).state.kind == "counts"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_logarithms_are_brought_to_the_natural_one(base: str, form: str, tmp_path: Path) -> None:
    X = logged(per_cell(cells()), BASES[base]).astype(np.float32)
    anndata.AnnData(X if form == "dense" else getattr(sparse, f"{form}_matrix")(X)).write_h5ad(path := tmp_path / "a.h5ad")
    assert describe(path).state.kind == "log1p"
    np.testing.assert_allclose(read_cells(path, []).X.toarray(), EXPECTED, rtol=1e-5, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    genes=st.integers(50, 400),
    base=st.sampled_from(list(BASES)),
    what=st.sampled_from(["counts", "log1p"]),
)
def test_no_matrix_of_ordinary_cells_is_mistaken(seed: int, genes: int, base: str, what: str) -> None:
    counts = cells(120, genes, seed)
    counts = counts[counts.sum(1) > 0]
    found = state(counts if what == "counts" else logged(per_cell(counts), BASES[base]))
    assert found.kind == what
    assert what == "counts" or found.base == BASES[base]


def test_cells_without_counts_stay_zero_and_are_counted() -> None:
    counts = cells(20, 50)
    counts[[3, 7]] = 0
    X = sparse.csr_matrix(counts.astype(np.float32))
    assert normalise(X, state(counts)) == 2
    assert X[[3, 7]].nnz == 0
    np.testing.assert_allclose(np.expm1(X.toarray()).sum(1)[[0, 1, 2]], 1e4, rtol=1e-5)
