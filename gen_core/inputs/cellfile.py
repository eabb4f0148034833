"""Open any file of single cells: which format it is, and the same three questions to each: cells, layers, matrix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gen_core.errors import InputError
from gen_core.inputs import head, sniff
from gen_core.inputs.anndata_file import AnndataFile
from gen_core.inputs.archive import gunzip_limited
from gen_core.inputs.hdf5 import SIGNATURE, open_hdf5
from gen_core.inputs.matrix import Matrix
from gen_core.inputs.mtx import HOW, open_mtx
from gen_core.inputs.table import Table
from gen_core.inputs.tenx import TenxFile, is_tenx

_MARKET = b"%%MatrixMarket"
_EXPECTED = "an .h5ad file, a CellRanger .h5, or a zip of matrix.mtx, barcodes.tsv and features.tsv was expected"
_OTHER = {
    "empty": f"This file is empty; {_EXPECTED}.",
    "csv": "This is a table of text: read it with anndata.read_csv (transposed where its lines are genes), add the labels of the "
    "cells to .obs, and save it as .h5ad.",
    "zarr": "This is a Zarr store; save it as one file: anndata.read_zarr(folder).write_h5ad('cells.h5ad').",
    "folder": f"This is a folder; {_EXPECTED}.",
}
_RDS = (
    "This may be an R object (.rds): save it from R as .h5ad, for example with zellkonverter::writeH5AD or sceasy::convertFormat."
)


class CellFile(Protocol):
    """A file of cells."""

    obs: Table
    """What is known of each cell."""
    layers: list[str]
    """The matrices that can be had besides the main one; "raw" is that of `.raw`."""

    def matrix(self, layer: str | None) -> tuple[Matrix, Table]:
        """The matrix `layer` (None: the main one) and the table of its genes; InputError where there is none."""


@contextmanager
def open_cells(path: str | Path) -> Iterator[CellFile]:
    """The file of cells at `path`; raises InputError where it is of no known format or damaged."""
    kind = sniff(path)
    if kind == "hdf5":
        with open_hdf5(path) as file:
            yield TenxFile(file) if is_tenx(file) else AnndataFile(file)
    elif kind == "zip":
        with open_mtx(path) as market:
            yield market
    else:
        raise InputError(_refusal(path, kind))


def _refusal(path: str | Path, kind: str) -> str:
    if kind in _OTHER:
        return _OTHER[kind]
    start = gunzip_limited(path, 64, cut=True) if kind == "gzip" else head(path, 64)
    if start.startswith(_MARKET):
        return f"This is a matrix without the names of its cells and genes: {HOW}."
    if kind == "gzip" and start.startswith(SIGNATURE):
        return "This is a gzip-compressed HDF5 file: unpack it first (gunzip)."
    if kind == "gzip" and start.startswith((b"RDX", b"X\n", b"A\n", b"B\n")):
        return _RDS
    return f"This is no file of single cells that is known here; {_EXPECTED}."
