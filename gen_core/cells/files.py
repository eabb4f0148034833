"""A prediction as files of the field: AnnData for the cells, CSV tables for genes, scores and gene sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from gen_core.cells import data, question
from gen_core.cells.moved import AnyMoved
from gen_core.stamp import csv_column, safe_cell

if TYPE_CHECKING:
    from gen_core.cells.perturb import Prediction
    from gen_core.recipe import Recipe

Array = np.ndarray
DENSE = {"encoding-type": "array", "encoding-version": "0.2.0"}  # as anndata marks a dense matrix
BLOCK = 1_000  # cells written at once: what bounds the memory of a large prediction


def writers(made: Prediction) -> dict[str, Callable[[Path], None]]:
    """The files of `cells.perturb`, each made when it is asked for."""
    files = {
        "predicted.h5ad": lambda path: predicted(path, made),
        "genes.csv": lambda path: table(path, made.tested, made.recipe),
        "held_out.csv": lambda path: table(path, made.held_out, made.recipe),
    }
    if made.spot is not None:
        spot = made.spot
        files["spot.csv"] = lambda path: table(path, spot.genes, made.recipe)
    if made.recipe.gene_sets is not None:
        files["gene_sets.csv"] = lambda path: table(path, made.gene_sets, made.recipe)
    return files


def table(path: Path, frame: pd.DataFrame | None, recipe: Recipe) -> None:
    """A table as CSV with the recipe in its last column; numbers in six significant digits, names safe for spreadsheets."""
    assert frame is not None
    text = frame.select_dtypes(object)
    safe = frame.assign(**{name: text[name].map(lambda v: safe_cell(v) if isinstance(v, str) else v) for name in text})
    csv_column(safe, recipe).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def predicted(path: Path, made: Prediction) -> None:
    """Every control cell of the target as predicted: natural log1p of counts per 10,000, dense, written in blocks.

    obs holds the cell type, the condition predicted and the dose; obsm the components (`X_pca`); the names are those of
    the control cells. Of a study that holds a sample, all cells are read again and moved by the same shift.
    """
    import anndata
    import h5py

    cells = Asked.of(made)
    adata, latent = frame(made, cells), made.study.latent
    n, genes = adata.shape
    codes = np.zeros((n, latent.axes.shape[1]), np.float32)
    with h5py.File(path, "w") as file:
        del adata.X
        anndata.io.write_elem(file, "/", adata)
        X = file.create_dataset(
            "X",
            (n, genes),
            np.float32,
            chunks=(min(BLOCK, n), genes) if n else None,
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        X.attrs.update(DENSE)
        for first in range(0, n, BLOCK):
            block = slice(first, first + BLOCK)
            moved = cells.moved(block)
            X[block] = moved.rows(slice(None))
            codes[block] = moved.project(latent.axes, latent.centre)
        anndata.io.write_elem(file, "obsm/X_pca", codes)


def frame(made: Prediction, cells: Asked) -> Any:
    """The AnnData of a prediction with all but its expression: `X` is empty, and has no place in memory."""
    import anndata

    study, recipe = made.study, made.recipe
    obs = pd.DataFrame(
        {
            str(recipe.cell_type_key): study.target,
            str(recipe.condition_key): f"{study.label(study.end)} (predicted)",
            "dose": float(recipe.dose),
        },
        index=cells.names(),
    )
    for column in (str(recipe.cell_type_key), str(recipe.condition_key)):
        obs[column] = obs[column].astype("category")
    uns = {
        "recipe": recipe.json(),
        "predictor": made.predictor,
        "normalisation": "natural log1p of counts per 10,000; control cells plus a shift",
    }
    shape = (len(cells), len(study.genes))
    adata = anndata.AnnData(sparse.csr_matrix(shape, dtype=np.float32), obs, pd.DataFrame(index=study.genes), uns=uns)
    adata.var["control_mean"], adata.var["predicted_mean"] = (
        made.control_mean.astype(np.float32),
        made.predicted_mean.astype(np.float32),
    )
    return adata


@dataclass(frozen=True, eq=False)
class Asked:
    """All cells that a prediction is asked for, moved some at a time: those in memory, or in the file where the study holds only
    a sample of them (`source` and their `rows` there)."""

    made: Prediction
    source: Path | None
    rows: Array

    @classmethod
    def of(cls, made: Prediction) -> Asked:
        """The cells of a prediction."""
        return cls(made, *question.asked_rows(made.recipe)) if made.study.sampled else cls(made, None, made.study.asked)

    def __len__(self) -> int:
        return len(self.rows)

    def names(self) -> Array:
        """Their names (n,)."""
        if self.source is None:
            return self.made.study.names[self.rows]
        return data.read_obs(self.source, []).index.to_numpy()[self.rows]

    def moved(self, block: slice) -> AnyMoved:
        """Some of them, as predicted."""
        return self.made.moved.some(block) if self.source is None else self.made.shift.move(self._read(block))

    def blocks(self, first: int, stop: int, size: int) -> Iterator[AnyMoved]:
        """Those from `first` to `stop` - 1 as predicted, `size` at a time; what is in the file is read at once."""
        X = None if self.source is None else self._read(slice(first, stop))
        for start in range(first, stop, size):
            block = slice(start, min(start + size, stop))
            yield self.moved(block) if X is None else self.made.shift.move(X[block.start - first : block.stop - first])

    def _read(self, block: slice) -> sparse.csr_matrix:
        assert self.source is not None
        cells = data.read_cells(self.source, [], self.rows[block], self.made.recipe.layer)
        _, _, there = np.intersect1d(self.made.study.genes, cells.genes, return_indices=True)
        ours = np.argsort(np.argsort(self.made.study.genes))
        return cells.X[:, there[ours]]
