"""CellRanger's own .h5 files: one group `matrix` (version 3 and later) or a group named after the genome (version 2)."""

from __future__ import annotations

import re

import h5py
import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.hdf5_texts import shown
from gen_core.inputs.hdf5_values import length, read_text, read_values
from gen_core.inputs.matrix import Compressed, Matrix
from gen_core.inputs.table import Labels, Table, labels

_WELL = re.compile(r"-(\d{1,4})$")


class PlainTable:
    """A table whose columns are at hand."""

    def __init__(self, names: np.ndarray, found: dict[str, Labels | np.ndarray]) -> None:
        self.names, self._found = names, found
        self.columns = list(found)

    def column(self, name: str) -> Labels | np.ndarray:
        return self._found[name]


class TenxFile:
    """A CellRanger .h5 file; stored genes x cells by cells, which is cells x genes by rows."""

    def __init__(self, file: h5py.File) -> None:
        self.layers: list[str] = []
        genomes = _genomes(file)
        if len(genomes) > 1:
            raise InputError(
                f"This CellRanger file holds several genomes ({', '.join(map(shown, genomes[:5]))}); save one of them as .h5ad."
            )
        self.group = file[genomes[0]]
        barcodes = read_text(self.group["barcodes"], "barcodes")
        self.obs: Table = PlainTable(barcodes, samples(barcodes))
        features = self.group["features"] if isinstance(self.group.get("features"), h5py.Group) else None
        places = {"name": "gene_names", "id": "genes", "feature_type": ""}
        found = {}
        for new, old in places.items():
            node = features.get(new) if features is not None else self.group.get(old) if old else None
            if length(node) >= 0:
                found[new] = read_text(node, new)
        if "name" not in found and "id" not in found:
            raise InputError("This CellRanger file names no genes (features/name); write it again.")
        columns: dict[str, Labels | np.ndarray] = (
            {"feature_types": labels(found["feature_type"])} if "feature_type" in found else {}
        )
        self._genes: Table = PlainTable(found["name" if "name" in found else "id"], columns)
        if any(len(part) != len(self._genes.names) for part in found.values()):
            raise InputError("The file does not fit together: its lists of genes differ in length; write it again.")

    def matrix(self, layer: str | None) -> tuple[Matrix, Table]:
        if layer not in (None, "X"):
            raise InputError(f"A CellRanger file has one matrix and no layer {shown(layer or '')}.")
        shape = (len(self.obs.names), len(self._genes.names))
        if length(self.group.get("shape")) == 2:
            sides = read_values(self.group["shape"], "shape")
            stated = tuple(sides.tolist()) if sides.dtype.kind in "iu" else shape[::-1]
            if stated != shape[::-1]:
                raise InputError(
                    f"The file does not fit together: it states {stated[0]:,} genes x {stated[1]:,} cells, but names "
                    f"{shape[1]:,} genes and {shape[0]:,} cells; write it again."
                )
        return Compressed(self.group, shape, True, "matrix"), self._genes


def is_tenx(file: h5py.File) -> bool:
    """Whether an HDF5 file has CellRanger's layout."""
    return "obs" not in file and bool(_genomes(file))


def samples(barcodes: np.ndarray) -> dict[str, Labels | np.ndarray]:
    """The column `sample` from the numbers at the barcodes' ends (AAAC-1, AAAC-2), where they tell several samples apart."""
    ends = [_WELL.search(barcode) for barcode in barcodes.tolist()]
    if not all(ends) or len({end[1] for end in ends if end}) < 2:
        return {}
    return {"sample": labels(np.array([end[1] if end else "" for end in ends], dtype=object))}


def _genomes(file: h5py.File) -> list[str]:
    needed = {"barcodes", "data", "indices", "indptr"}
    return [name for name in file if isinstance(file[name], h5py.Group) and needed <= set(file[name])]
