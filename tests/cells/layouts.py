"""Small files of cells in the layouts that programs have written over the years."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.io import mmwrite

TEXT = h5py.string_dtype()
CELLS, GENES = 60, 40


def counts(n: int = CELLS, genes: int = GENES, seed: int = 0) -> sparse.csr_matrix:
    """Counts with a few empty genes and very unequal depths."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, 2.0, genes) * (rng.random(genes) > 0.1)
    return sparse.csr_matrix(rng.poisson(rates * rng.gamma(2.0, 1.0, (n, 1))).astype(np.float32))


def table(n: int = CELLS, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    obs = pd.DataFrame(index=[f"CELL{i}-1" for i in range(n)])
    obs["condition"] = pd.Categorical(rng.choice(["ctrl", "stim"], n), categories=["stim", "ctrl", "never"])
    obs["cell_type"] = pd.Categorical(rng.choice(["T", "B <i>", "NK", None], n, p=[0.4, 0.3, 0.2, 0.1]))
    obs["donor"] = rng.choice(["d1", "d2"], n)
    obs["dose"] = rng.choice([0.0, 0.5, 10.0], n)
    obs["cluster"] = rng.integers(0, 12, n)
    obs["n_counts"] = rng.random(n)
    obs["flag"] = rng.random(n) > 0.5
    obs["maybe"] = pd.array(rng.choice([1, 2], n), dtype="Int64")
    obs.loc[obs.index[3], "maybe"] = pd.NA
    return obs


def annotated(X: object = None, n: int = CELLS) -> anndata.AnnData:
    X = counts(n) if X is None else X
    return anndata.AnnData(X, obs=table(n), var=pd.DataFrame(index=[f"GENE{i}" for i in range(X.shape[1])]))  # type: ignore[attr-defined]


def csr(path: Path) -> None:
    annotated().write_h5ad(path)


def csr_packed(path: Path) -> None:
    annotated().write_h5ad(path, compression="gzip")


def csr_lzf(path: Path) -> None:
    annotated().write_h5ad(path, compression="lzf")


def csc(path: Path) -> None:
    annotated(sparse.csc_matrix(counts())).write_h5ad(path, compression="gzip")


def dense(path: Path) -> None:
    annotated(counts().toarray()).write_h5ad(path)


def dense_whole_numbers(path: Path) -> None:
    annotated(counts().toarray().astype(np.int64)).write_h5ad(path)


def dense_gene_by_gene(path: Path) -> None:
    csr(path)
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", data=counts().toarray(), chunks=(CELLS, 1), compression="gzip")
        file["X"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


def unsorted(path: Path) -> None:
    """Genes of a cell in any order, and some values stored in two parts, as sums of files leave them."""
    csr(path)
    with h5py.File(path, "a") as file:
        X = counts()
        data, indices = X.data.copy(), X.indices.copy()
        for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True):
            data[a:b], indices[a:b] = data[a:b][::-1], indices[a:b][::-1]
        first = X.indptr[1] - 1
        data[first] -= 1  # the last value of the first cell, now 1 less and 1 more
        file["X/data"][:] = data
        file["X/indices"][:] = indices
        for name, extra in (("data", 1), ("indices", indices[first])):
            old = file["X"][name][()]
            del file["X"][name]
            file["X"][name] = np.insert(old, first, extra)
        starts = file["X/indptr"][()]
        starts[1:] += 1
        file["X/indptr"][:] = starts


def wide_positions(path: Path) -> None:
    csr(path)
    with h5py.File(path, "a") as file:
        for name in ("indices", "indptr"):
            values = file["X"][name][()].astype(np.int64)
            del file["X"][name]
            file["X"][name] = values


def in_raw(path: Path) -> None:
    adata = annotated()
    adata.raw = adata.copy()
    adata = adata[:, ::2].copy()
    adata.X = np.asarray(adata.X.todense()) - 1.0
    adata.layers["counts"] = adata.raw.X[:, ::2]
    adata.write_h5ad(path)


def old_records(path: Path) -> None:
    """anndata 0.6: tables of records, categories in uns, sparse matrices with h5sparse attributes."""
    obs, X = table(), counts()
    with h5py.File(path, "w") as file:
        group = file.create_group("X")
        group.attrs["h5sparse_format"], group.attrs["h5sparse_shape"] = np.bytes_("csr"), np.array(X.shape)
        group["data"], group["indices"], group["indptr"] = X.data, X.indices, X.indptr
        kinds = [
            ("index", "S12"),
            ("condition", "i1"),
            ("cell_type", "i1"),
            ("donor", "S4"),
            ("dose", "f4"),
            ("cluster", "i4"),
            ("flag", "?"),
        ]
        records = np.zeros(len(obs), dtype=kinds)
        records["index"] = obs.index.to_numpy(dtype="S12")
        for name in ("condition", "cell_type"):
            records[name] = obs[name].cat.codes
            file[f"uns/{name}_categories"] = obs[name].cat.categories.to_numpy(dtype="S12")
        for name in ("donor", "dose", "cluster", "flag"):
            records[name] = obs[name].to_numpy()
        file["obs"] = records
        file["var"] = np.array([(f"GENE{i}".encode(), i) for i in range(X.shape[1])], dtype=[("index", "S12"), ("n", "i4")])


def old_references(path: Path) -> None:
    """anndata 0.7: a group for each table, categories in __categories and found by a reference."""
    obs, X = table(), counts()
    with h5py.File(path, "w") as file:
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array(X.shape)})
        group["data"], group["indices"], group["indptr"] = X.data, X.indices, X.indptr
        for name, index in (("obs", obs.index), ("var", [f"GENE{i}" for i in range(X.shape[1])])):
            group = file.create_group(name)
            columns = ["condition", "cell_type", "donor", "dose", "cluster", "flag"] if name == "obs" else []
            group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.1.0", "_index": "index"})
            group.attrs["column-order"] = np.array(columns, dtype=TEXT)
            group.create_dataset("index", data=np.array(index, dtype=object), dtype=TEXT)
            for column in columns:
                values = obs[column]
                if column in ("condition", "cell_type"):
                    group[column] = values.cat.codes.to_numpy()
                    levels = group.create_dataset(
                        f"__categories/{column}", data=values.cat.categories.to_numpy(dtype=object), dtype=TEXT
                    )
                    levels.attrs["ordered"] = False
                    group[column].attrs["categories"] = levels.ref
                else:
                    group[column] = values.to_numpy(dtype=object) if column == "donor" else values.to_numpy()


def tenx(path: Path, version: int = 3, wells: int = 2) -> None:
    """CellRanger's .h5; antibodies at the end in version 3."""
    X = counts()
    barcodes = np.array([f"ACGT{i:04d}-{i % wells + 1}" for i in range(X.shape[0])], dtype="S18")
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        group["barcodes"], group["shape"] = barcodes, np.array(X.shape[::-1])
        group["data"], group["indices"], group["indptr"] = (
            X.data.astype(np.int32),
            X.indices.astype(np.int64),
            X.indptr.astype(np.int64),
        )
        names, ids = [np.array([f"{what}{i}" for i in range(X.shape[1])], dtype="S20") for what in ("GENE", "ENSG0000000000")]
        if version == 3:
            group["features/name"], group["features/id"] = names, ids
            group["features/feature_type"] = np.array(
                ["Gene Expression"] * (X.shape[1] - 3) + ["Antibody Capture"] * 3, dtype="S20"
            )
            group["features/genome"] = np.array(["GRCh38"] * X.shape[1], dtype="S20")
        else:
            group["gene_names"], group["genes"] = names, ids


def market(path: Path, change: Callable[[dict[str, bytes]], object] = lambda members: None, transposed: bool = False) -> None:
    """A zip as made of CellRanger's folder with a table of labels; `change` may alter its members before they are packed."""
    X, obs = counts(), table()
    text = io.BytesIO()
    mmwrite(text, sparse.coo_matrix(X if transposed else X.T).astype(np.int64))
    genes = "".join(f"ENSG{i}\tGENE{i}\tGene Expression\n" for i in range(X.shape[1]))
    members = {
        "sample/matrix.mtx.gz": gzip.compress(text.getvalue(), mtime=0),
        "sample/barcodes.tsv.gz": gzip.compress("\n".join(obs.index).encode(), mtime=0),
        "sample/features.tsv.gz": gzip.compress(genes.encode(), mtime=0),
        "metadata.csv": obs.iloc[::-1].to_csv().encode(),
    }
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


H5AD = [
    csr,
    csr_packed,
    csr_lzf,
    csc,
    dense,
    dense_whole_numbers,
    dense_gene_by_gene,
    unsorted,
    wide_positions,
    old_records,
    old_references,
]
