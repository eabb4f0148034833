"""Files of cells in every layout give the cells that anndata and scanpy give, whole or in parts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scanpy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy import sparse

from gen_core.cells import simulate
from gen_core.cells.data import describe, read_cells, read_obs, scanpy_pbmc
from gen_core.errors import InputError
from gen_core.inputs import matrix as matrices
from tests.cells import layouts

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LATENT_DATA", ROOT / "../shared/data"))


def oracle(adata: anndata.AnnData) -> np.ndarray:
    """Natural log1p of counts per 10,000 by scanpy, dense."""
    X = sparse.csr_matrix(adata.X, dtype=np.float64)
    X.sum_duplicates()
    adata = anndata.AnnData(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cells without counts
        scanpy.pp.normalize_total(adata, target_sum=1e4)
        scanpy.pp.log1p(adata)
    return adata.X.toarray()


def same(read: sparse.csr_matrix, expected: np.ndarray) -> None:
    assert read.dtype == np.float32
    assert read.shape == expected.shape
    assert read.has_sorted_indices
    np.testing.assert_allclose(read.toarray(), expected, rtol=2e-6, atol=2e-6)


def old(path: Path) -> anndata.AnnData:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anndata.read_h5ad(path)


@pytest.mark.parametrize("layout", layouts.H5AD)
def test_every_layout_reads_as_anndata_and_scanpy_do(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    layout(path := tmp_path / "a.h5ad")
    adata = old(path)
    columns = ["condition", "donor", "dose", "cluster", "flag"]
    cells = read_cells(path, columns)
    same(cells.X, oracle(adata))
    assert cells.genes.tolist() == adata.var_names.tolist()
    assert cells.names.tolist() == adata.obs_names.tolist()
    for name in columns:
        expected = adata.obs[name].astype(float if name == "dose" else str).tolist()
        assert cells.obs[name].tolist() == expected, name
    found = describe(path)
    assert (found.n_cells, found.n_genes) == adata.shape
    assert found.state.kind == "counts"
    assert [column.name for column in found.columns] == adata.obs.columns.tolist()


@pytest.mark.parametrize("layout", layouts.H5AD)
def test_a_part_reads_as_the_whole_sliced(
    tmp_path: Path, layout: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(path := tmp_path / "a.h5ad")
    whole = read_cells(path, ["condition"])
    monkeypatch.setattr(matrices, "BLOCK", 50)  # several blocks even in so small a file
    monkeypatch.setattr(matrices, "GAP", 20)
    monkeypatch.setattr(matrices, "DENSE_BLOCK", 2000)
    rng = np.random.default_rng(0)
    for size in (0, 1, 5, 30, layouts.CELLS):
        rows = np.sort(rng.choice(layouts.CELLS, size, replace=False))
        part = read_cells(path, ["condition"], rows)
        assert (whole.X[rows] != part.X).nnz == 0
        assert part.names.tolist() == whole.names[rows].tolist()
        assert part.obs.equals(whole.obs.iloc[rows])
        assert part.state == whole.state


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(10, 40), st.integers(1, 30)),
    density=st.floats(0.02, 0.9),
    seed=st.integers(0, 1000),
    form=st.sampled_from(["csr", "csc", "dense"]),
    block=st.integers(1, 200),
    gap=st.integers(0, 50),
    packed=st.booleans(),
)
@example(shape=(10, 11), density=0.5, seed=0, form="dense", block=1, gap=0, packed=False)  # one stretch, rows beyond a block
def test_any_matrix_any_rows_any_block(
    tmp_path: Path, shape: tuple[int, int], density: float, seed: int, form: str, block: int, gap: int, packed: bool
) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.poisson(3, shape) * (rng.random(shape) < density)
    dense[0, 0] = 1
    X = dense.astype(np.float32) if form == "dense" else getattr(sparse, f"{form}_matrix")(dense.astype(np.float32))
    path = tmp_path / "h.h5ad"
    anndata.AnnData(X).write_h5ad(path, compression="gzip" if packed else None)
    rows = np.flatnonzero(rng.random(shape[0]) < 0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrices, "BLOCK", block)
        patch.setattr(matrices, "GAP", gap)
        patch.setattr(matrices, "DENSE_BLOCK", block * 40)
        same(read_cells(path, [], rows).X, oracle(anndata.AnnData(sparse.csr_matrix(dense)))[rows])


def test_missing_labels_leave_cells_out_and_say_so(tmp_path: Path) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    obs = layouts.table()
    missing = obs.cell_type.isna().to_numpy()
    cells = read_cells(path, ["cell_type"])
    assert cells.names.tolist() == obs.index[~missing].tolist()
    assert (cells.rows == np.flatnonzero(~missing)).all()
    assert cells.X.shape[0] == (~missing).sum()
    assert f"{missing.sum()} cells" in next(n.text for n in cells.notices if n.code == "missing_labels")
    everyone = read_obs(path, ["cell_type", "dose", "maybe"])
    assert everyone.cell_type.isna().to_numpy().tolist() == missing.tolist()
    assert everyone.dose.dtype == float
    assert everyone.maybe.isna().sum() == 1
    assert set(everyone.maybe.dropna()) == {"1", "2"}
    column = next(c for c in describe(path).columns if c.name == "condition")
    assert column.levels == ("ctrl", "stim")
    assert sum(column.counts) == layouts.CELLS


def test_raw_and_layers_are_offered_and_a_scaled_matrix_is_refused(tmp_path: Path) -> None:
    layouts.in_raw(path := tmp_path / "a.h5ad")
    found = describe(path)
    assert found.layers == ("raw", "counts")
    assert found.state.kind == "scaled"
    assert "raw (counts), counts (counts)" in found.state.text
    with pytest.raises(InputError, match=r"Choose another layer: raw \(counts\), counts \(counts\)"):
        read_cells(path, [])
    same(read_cells(path, [], layer="raw").X, oracle(layouts.annotated()))
    assert read_cells(path, [], layer="counts").genes.tolist() == [f"GENE{i}" for i in range(0, layouts.GENES, 2)]
    with pytest.raises(InputError, match="no matrix 'absent'"):
        describe(path, "absent")


def test_columns_of_text_with_gaps(tmp_path: Path) -> None:
    """As pandas 3 and anndata 0.12 write text: values and a mask, for the index too."""
    adata = layouts.annotated()
    adata.obs["word"] = pd.array(["x", None, "y"] * 20, dtype="string")
    adata.obs["sure"] = pd.array([True, None] * 30, dtype="boolean")
    adata.obs.index = pd.Index(adata.obs.index, dtype="string")
    with anndata.settings.override(allow_write_nullable_strings=True):
        adata.write_h5ad(path := tmp_path / "a.h5ad")
    with h5py.File(path) as file:
        assert isinstance(file["obs/word"], h5py.Group)
    obs = read_obs(path, ["word", "sure"])
    assert obs["word"].tolist()[:3] == ["x", None, "y"]
    assert obs["sure"].tolist()[:2] == ["True", None]
    assert obs.index.tolist() == layouts.table().index.tolist()


@pytest.mark.parametrize("version", [2, 3])
def test_cellranger_files(tmp_path: Path, version: int) -> None:
    layouts.tenx(path := tmp_path / "a.h5", version)
    adata = scanpy.read_10x_h5(path, gex_only=True) if version == 3 else layouts.annotated()
    cells = read_cells(path, ["sample"])
    same(cells.X, oracle(adata))
    assert cells.genes.tolist() == adata.var_names.tolist()
    assert set(cells.obs["sample"]) == {"1", "2"}
    assert ("features_left_out" in {n.code for n in cells.notices}) == (version == 3)
    layouts.tenx(tmp_path / "one.h5", version, wells=1)
    found = describe(tmp_path / "one.h5")
    assert found.columns == ()
    assert "no_labels" in {n.code for n in found.notices}


def test_numbers_beyond_float32_and_nan_are_counted_and_refused(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf, 1e300):
        X = layouts.counts().toarray().astype(np.float64)
        X[3, 5:8] = bad
        layouts.annotated(X).write_h5ad(path := tmp_path / f"{bad}.h5ad")
        assert describe(path).state.kind == "unknown"
        with pytest.raises(InputError, match="3 values that are not numbers"):
            read_cells(path, [])


def test_what_the_sample_missed_is_still_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_core.cells.data.SAMPLE", 10)
    for bad in (np.nan, -1.0):
        X = layouts.counts(3000)
        X.data[X.indptr[1000]] = bad
        layouts.annotated(X, 3000).write_h5ad(path := tmp_path / f"{bad}.h5ad")
        assert describe(path).state.kind == "counts"
        with pytest.raises(InputError, match=r"1 (values that are not|negative)"):
            read_cells(path, [])
        assert read_cells(path, [], np.arange(900)).X.shape[0] == 900


def test_a_large_file_takes_the_memory_of_the_cells_asked_for(tmp_path: Path) -> None:
    """A matrix of 400 MB, 500 of whose 50,000 cells are read, in a process of its own, by 150 MiB."""
    path, per, n = tmp_path / "large.h5ad", 1000, 50_000
    layouts.annotated().write_h5ad(path)
    with h5py.File(path, "a") as file:
        for name in ("X", "obs", "var"):
            del file[name]
        anndata.io.write_elem(file, "obs", pd.DataFrame(index=[f"c{i}" for i in range(n)]))
        anndata.io.write_elem(file, "var", pd.DataFrame(index=[f"g{i}" for i in range(20_000)]))
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array([n, 20_000])})
        group["indptr"] = np.arange(n + 1, dtype=np.int64) * per
        for name, one in (("data", np.ones(per, np.float32)), ("indices", np.arange(0, 20_000, 20, dtype=np.int32))):
            dataset = group.create_dataset(name, (n * per,), one.dtype)
            for first in range(0, n, 1000):
                dataset[first * per : (first + 1000) * per] = np.tile(one, 1000)
    script = f"""
import resource, numpy as np
from pathlib import Path
from gen_core.cells.data import describe, read_cells
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before = peak()
path = Path({str(path)!r})
assert describe(path).n_nonzero == 50_000_000
assert read_cells(path, [], np.arange(0, 50_000, 100)).X.nnz == 500_000
print(peak() - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 150
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


def test_the_real_file_is_described_and_read() -> None:
    path = DATA / "cells" / "kang2018_harmony_counts_2000x9015.h5ad"
    if not path.is_file():
        pytest.skip("real data missing: set LATENT_DATA to a folder with cells/kang2018_harmony_counts_2000x9015.h5ad")
    found = describe(path)
    assert (found.n_cells, found.n_genes, found.n_nonzero, found.state.kind) == (2000, 9015, 1_129_806, "counts")
    guess = found.guess
    assert (guess.condition_key, guess.control, guess.perturbed) == ("condition", "control", "stimulated")
    assert (guess.cell_type_key, guess.replicate_key, guess.dose_key) == ("cell_type_transferred", None, None)
    same(read_cells(path, ["condition", "cell_type_transferred"]).X, oracle(anndata.read_h5ad(path)))


def test_the_file_that_scanpy_ships() -> None:
    found = describe(scanpy_pbmc())
    assert found.state.kind == "scaled"
    assert found.layers == ("raw",)
    assert "raw" in found.state.text
    assert (found.guess.condition_key, found.guess.cell_type_key) == (None, "bulk_labels")
    cells = read_cells(scanpy_pbmc(), ["bulk_labels"], layer="raw")
    adata = old(scanpy_pbmc())
    np.testing.assert_array_equal(cells.X.toarray(), adata.raw.X.toarray())
    assert cells.obs["bulk_labels"].tolist() == adata.obs["bulk_labels"].astype(str).tolist()
    assert cells.state.kind == "log1p_subset"


def test_a_column_with_a_slash_in_its_name(tmp_path: Path) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        file["obs"].copy("condition", "CD4/CD8")
    assert "CD4/CD8" in [c.name for c in describe(path).columns]
    assert read_obs(path, ["CD4/CD8"])["CD4/CD8"].tolist() == layouts.table()["condition"].tolist()


def test_rows_out_of_order_are_a_fault_of_the_caller(tmp_path: Path) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    for rows in ([3, 2], [1, 1], [-1], [layouts.CELLS]):
        with pytest.raises(ValueError, match="rising"):
            read_cells(path, [], np.array(rows))


def test_progress_rises_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "BLOCK", 50)
    for layout in (layouts.csr, layouts.csc, layouts.dense):
        layout(path := tmp_path / "a.h5ad")
        seen: list[tuple[float, str]] = []
        read_cells(path, [], progress=lambda share, text, seen=seen: seen.append((share, text)))  # type: ignore[misc]
        shares = [share for share, _ in seen]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        path.unlink()


def test_many_readers_at_once() -> None:
    """Several people open one file in the same moment: each gets all of it."""
    path = simulate.single_dose()
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(lambda _: (describe(path).n_cells, len(read_obs(path, ["cell_type"]))), range(48)))
    assert looks == [(2400, 2400)] * 48
