"""Names of cells and genes: each once, as anndata makes them, and symbols where a file has them."""

from __future__ import annotations

import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gen_core.cells.data import describe, read_cells
from gen_core.inputs.table import unique_names
from tests.cells import layouts


def test_names_that_repeat_are_made_unique_as_anndata_does(tmp_path: Path) -> None:
    adata = layouts.annotated()
    adata.obs_names = ["a", "a-1", *["a"] * 28, *["b"] * 30]
    adata.var_names = ["G", "G-1", "G", "G", *[f"H{i % 5}" for i in range(36)]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_h5ad(path := tmp_path / "a.h5ad")
        adata.obs_names_make_unique()
        adata.var_names_make_unique()
    cells = read_cells(path, [], np.arange(5, 40))
    assert cells.names.tolist() == adata.obs_names[5:40].tolist()
    assert cells.genes.tolist() == adata.var_names.tolist()
    assert {"duplicate_gene_names", "duplicate_cell_names"} <= {n.code for n in cells.notices} & {
        n.code for n in describe(path).notices
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "a-1", "a-2", "a-1-1", "b-1", ""]), max_size=25))
def test_unique_names_are_those_of_anndata(names: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = anndata.utils.make_index_unique(pd.Index(names, dtype=object)).tolist()
    assert unique_names(np.array(names, dtype=object))[0].tolist() == expected


def test_symbols_take_the_place_of_ensembl_ids(tmp_path: Path) -> None:
    adata = layouts.annotated()
    adata.var_names = [f"ENSG{i:011d}.2" for i in range(layouts.GENES)]
    adata.write_h5ad(tmp_path / "ids.h5ad")
    assert "ensembl_versions" in {n.code for n in describe(tmp_path / "ids.h5ad").notices}
    adata.var["feature_name"] = pd.Categorical([f"S{i // 2}" for i in range(layouts.GENES)])
    adata.write_h5ad(tmp_path / "symbols.h5ad")
    cells = read_cells(tmp_path / "symbols.h5ad", [])
    assert cells.genes[:4].tolist() == ["S0", "S0-1", "S1", "S1-1"]
    assert {"gene_symbols", "duplicate_gene_names"} <= {n.code for n in cells.notices}
