"""Files of cells that are broken, empty, or meant to do harm end in one sentence, never in a crash."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gen_core.cells.data import describe, read_cells, read_obs
from gen_core.errors import InputError, UserError
from tests.cells import layouts

COLUMNS = ["condition", "cell_type", "donor"]


def refused(path: Path, columns: list[str] | None = None) -> str:
    """The sentence of read_cells; describe must not fail otherwise either."""
    with pytest.raises(InputError) as caught:
        read_cells(path, COLUMNS if columns is None else columns)
    try:
        describe(path)
    except UserError:
        pass
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", ".)"))
    assert len(text) < 400
    return text


def replaced(file: h5py.File, name: str, values: object) -> None:
    """Put other values in the place of a data set, with its attributes."""
    attributes = dict(file[name].attrs)
    del file[name]
    file[name] = values
    file[name].attrs.update(attributes)


def starts_fall(file: h5py.File) -> None:
    starts = file["X/indptr"][()]
    starts[10] = starts[30]
    file["X/indptr"][:] = starts


def starts_negative(file: h5py.File) -> None:
    file["X/indptr"][5] = -3


def starts_too_far(file: h5py.File) -> None:
    file["X/indptr"][-1] += 1000


def starts_not_zero(file: h5py.File) -> None:
    file["X/indptr"][0] = 1


def starts_unsigned_huge(file: h5py.File) -> None:
    replaced(file, "X/indptr", np.array([0] + [2**63 + 5] * layouts.CELLS, dtype=np.uint64))


def positions_beyond(file: h5py.File) -> None:
    file["X/indices"][7] = layouts.GENES


def positions_negative(file: h5py.File) -> None:
    file["X/indices"][7] = -1


def positions_short(file: h5py.File) -> None:
    replaced(file, "X/indices", file["X/indices"][:-5])


def positions_text(file: h5py.File) -> None:
    replaced(file, "X/indices", np.array([b"x"] * len(file["X/indices"])))


def one_cell_holds_all(file: h5py.File) -> None:
    starts = file["X/indptr"][()]
    starts[1:] = starts[-1]
    file["X/indptr"][:] = starts


def no_data(file: h5py.File) -> None:
    del file["X/data"]


def no_matrix(file: h5py.File) -> None:
    del file["X"]


def matrix_of_text(file: h5py.File) -> None:
    replaced(file, "X/data", np.array([b"<b>1</b>"] * len(file["X/data"])))


def matrix_in_three_dimensions(file: h5py.File) -> None:
    del file["X"]
    file["X"] = np.zeros((layouts.CELLS, layouts.GENES, 2))


def one_gene_in_a_line(file: h5py.File) -> None:
    del file["X"]
    file["X"] = np.zeros(layouts.CELLS)


def dense_of_other_shape(file: h5py.File) -> None:
    del file["X"]
    file["X"] = np.zeros((layouts.CELLS, layouts.GENES + 1))


def unknown_form(file: h5py.File) -> None:
    file["X"].attrs["encoding-type"] = "bsr_matrix"


def shape_lies(file: h5py.File) -> None:
    file["X"].attrs["shape"] = np.array([10**12, 10**12])


def no_obs(file: h5py.File) -> None:
    del file["obs"]


def no_index(file: h5py.File) -> None:
    del file["obs/_index"]


def index_named_nowhere(file: h5py.File) -> None:
    file["obs"].attrs["_index"] = "/uns"


def index_short(file: h5py.File) -> None:
    replaced(file, "obs/_index", np.array([f"c{i}" for i in range(50)], dtype=layouts.TEXT))


def column_short(file: h5py.File) -> None:
    replaced(file, "obs/condition/codes", np.zeros(50, np.int8))


def codes_beyond(file: h5py.File) -> None:
    file["obs/condition/codes"][3] = 99


def codes_below(file: h5py.File) -> None:
    file["obs/condition/codes"][3] = -2


def codes_with_fractions(file: h5py.File) -> None:
    replaced(file, "obs/condition/codes", np.full(layouts.CELLS, 0.5))


def codes_square(file: h5py.File) -> None:
    replaced(file, "obs/condition/codes", np.zeros((layouts.CELLS, 2), np.int8))


def genes_short(file: h5py.File) -> None:
    replaced(file, "var/_index", np.array(["g"], dtype=layouts.TEXT))


def genes_are_records(file: h5py.File) -> None:
    replaced(file, "var/_index", np.array([(1, 2.0)] * layouts.GENES, "i4,f4"))


def categories_are_records(file: h5py.File) -> None:
    replaced(file, "obs/condition/categories", np.array([(1, 2.0)] * 3, "i4,f4"))


def genes_are_complex(file: h5py.File) -> None:
    replaced(file, "var/_index", np.zeros(layouts.GENES, complex))


def form_is_an_array(file: h5py.File) -> None:
    file["X"].attrs["encoding-type"] = np.zeros(5)


BROKEN = [
    *(genes_are_records, categories_are_records, genes_are_complex, form_is_an_array),
    *(starts_fall, starts_negative, starts_too_far, starts_not_zero, starts_unsigned_huge),
    *(positions_beyond, positions_negative, positions_short, positions_text, one_cell_holds_all, no_data, no_matrix),
    *(matrix_of_text, matrix_in_three_dimensions, one_gene_in_a_line, dense_of_other_shape, unknown_form, shape_lies),
    *(no_obs, no_index, index_named_nowhere, index_short, column_short, genes_short),
    *(codes_beyond, codes_below, codes_with_fractions, codes_square),
]


@pytest.mark.parametrize("change", BROKEN)
def test_a_broken_file_is_refused_in_a_sentence(tmp_path: Path, change: Callable[[h5py.File], None]) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        change(file)
    refused(path)


@pytest.mark.parametrize("shape", [[np.nan, np.inf], [[60, 40]], "60 x 40", [1e300, 40]])
def test_a_shape_of_another_kind_is_not_looked_at(tmp_path: Path, shape: object) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = shape
    assert read_cells(path, COLUMNS).X.shape[1] == layouts.GENES


@pytest.mark.parametrize("sides", [[np.nan, np.inf], ["a", "b"], [True, False]])
def test_nor_is_that_of_cellranger(tmp_path: Path, sides: list[object]) -> None:
    layouts.tenx(path := tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        replaced(file, "matrix/shape", sides)
    assert describe(path).n_cells == layouts.CELLS


@pytest.mark.parametrize("name", ["obs/_index", "obs/donor/categories", "obs/donor"])
def test_one_long_name_costs_no_more_than_itself(tmp_path: Path, name: str) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        if name == "obs/donor":
            del file[name]
            file[name] = np.array(["d1", "d2"] * (layouts.CELLS // 2), dtype=layouts.TEXT)
        names = file[name][()]
        names[0] = b"x" * 4_000_000
        replaced(file, name, names)
    tracemalloc.start()
    assert read_cells(path, ["donor"]).X.shape[0] == layouts.CELLS
    describe(path)
    assert tracemalloc.get_traced_memory()[1] < 200 << 20  # sixty of one width would take a gigabyte
    tracemalloc.stop()


@pytest.mark.parametrize("change", [starts_fall, positions_negative, one_cell_holds_all])
def test_so_is_a_broken_matrix_stored_by_genes(tmp_path: Path, change: Callable[[h5py.File], None]) -> None:
    adata = layouts.annotated(sparse.csc_matrix(layouts.counts()))
    adata.write_h5ad(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        change(file)
    refused(path)


@pytest.mark.parametrize(
    "layout", [layouts.csr, layouts.csc, layouts.dense, layouts.old_records, layouts.old_references, layouts.tenx]
)
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    layout(tmp_path / "whole")
    whole, path = (tmp_path / "whole").read_bytes(), tmp_path / "cut"
    for length in range(0, len(whole), len(whole) // 25):
        path.write_bytes(whole[:length])
        refused(path, [])


def test_bytes_changed_at_random_give_cells_or_a_sentence(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "a.h5ad"
    for layout in (layouts.csr_packed, layouts.old_references):
        layout(tmp_path / "whole")
        whole = np.frombuffer((tmp_path / "whole").read_bytes(), dtype=np.uint8)
        for _ in range(60):
            content = whole.copy()
            places = rng.integers(0, len(content), rng.choice([1, 4, 30]))
            content[places] = rng.choice([0, 255, 7], len(places))
            path.write_bytes(content.tobytes())
            try:
                describe(path)
                read_cells(path, COLUMNS)
            except UserError:
                pass


@pytest.mark.parametrize(("n", "genes"), [(0, 5), (1, 5), (9, 5), (20, 0)])
def test_too_few_cells_or_genes(tmp_path: Path, n: int, genes: int) -> None:
    adata = anndata.AnnData(sparse.csr_matrix((n, genes), dtype=np.float32), obs=pd.DataFrame(index=[f"c{i}" for i in range(n)]))
    adata.write_h5ad(path := tmp_path / "a.h5ad")
    assert (f"{n} cells; at least 10" if n < 10 else "no genes") in refused(path, [])
    with pytest.raises(InputError):
        describe(path)


def test_a_matrix_of_zeros(tmp_path: Path) -> None:
    layouts.annotated(sparse.csr_matrix((layouts.CELLS, layouts.GENES), dtype=np.float32)).write_h5ad(path := tmp_path / "a.h5ad")
    assert "only zeros" in describe(path).state.text
    assert "only zeros" in refused(path)


def test_a_hundred_thousand_columns(tmp_path: Path) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        obs = file["obs"].id
        for i in range(100_000):  # one text column under a hundred thousand names
            obs.links.create_hard(f"c{i}".encode(), obs, b"_index")
    assert "more than 20,000" in refused(path)


def test_markup_in_names_is_kept_as_text(tmp_path: Path) -> None:
    adata = layouts.annotated()
    adata.obs["<script>"] = ["<img src=x onerror=alert(1)>"] * 30 + ["=cmd()"] * 30
    adata.var_names = [f"<b>{i}</b>" for i in range(layouts.GENES)]
    adata.write_h5ad(path := tmp_path / "a.h5ad")
    cells = read_cells(path, ["<script>"])
    assert set(cells.obs["<script>"]) == {"<img src=x onerror=alert(1)>", "=cmd()"}
    assert cells.genes[0] == "<b>0</b>"
    assert describe(path).columns[-1].levels == ("<img src=x onerror=alert(1)>", "=cmd()")


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    layouts.csr(path := tmp_path / "a.h5ad")
    for read in (read_cells, read_obs):
        with pytest.raises(InputError, match="no column 'conditon'; it has 'condition'"):
            read(path, ["conditon"])
    for name in ("../X", "/X", "condition/codes", "", "_index", "__categories"):
        with pytest.raises(InputError, match="no column"):
            read_obs(path, [name])
    with pytest.raises(InputError, match="no matrix"):
        describe(path, "../obs")


def test_other_formats_are_told_apart(tmp_path: Path) -> None:
    def said(name: str, fill: Callable[[h5py.File], object]) -> str:
        with h5py.File(tmp_path / name, "w") as file:
            fill(file)
        return refused(tmp_path / name, [])

    assert "MuData" in said("mudata", lambda file: file.create_group("mod/rna"))
    assert "loom" in said("loom", lambda file: (file.create_group("row_attrs"), file.create_group("col_attrs")))
    assert "Seurat" in said("seurat", lambda file: file.create_group("assays"))
    assert "no obs and no var" in said("other", lambda file: file.create_group("x"))
    for name, content, word in (
        ("text", b"hello", "no file of single cells"),
        ("csv", b"a,b\n1,2\n3,4\n", "table of text"),
        ("empty", b"", "empty"),
    ):
        (tmp_path / name).write_bytes(content)
        assert word in refused(tmp_path / name, [])
    (tmp_path / "store.zarr").mkdir()
    (tmp_path / "store.zarr" / ".zgroup").write_text("{}")
    assert "Zarr" in refused(tmp_path / "store.zarr", [])
