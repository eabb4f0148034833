"""The layout of .h5ad files, from the first anndata releases to today's, read one column and one block at a time.

`anndata.read_h5ad` reads everything, follows references and takes a second to import; a page needs a few columns of a
checked file at once. Layouts: tables as groups (anndata >= 0.7) or as records with categories in `uns` (before);
sparse matrices with `encoding-type` (>= 0.7) or `h5sparse_format` (before); raw as `raw/X` or `raw.X`.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.hdf5_texts import shown
from gen_core.inputs.hdf5_values import as_text, attribute, attribute_texts, attribute_word, length, read_text, read_values
from gen_core.inputs.matrix import Compressed, Dense, Matrix
from gen_core.inputs.table import Labels, Table, labels, tidy


class AnndataFile:
    """An .h5ad file: its cells (`obs`), its matrices by name, and the genes of each."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file
        if "obs" not in file or "var" not in file:
            raise InputError(_other_format(file))
        self.obs = read_table(file, "obs")
        self.layers = [name for name in _members(file.get("layers")) if _is_matrix(file["layers"][name])]
        raw = next((pair for pair in (("raw/X", "raw/var"), ("raw.X", "raw.var")) if pair[0] in file and pair[1] in file), None)
        self._raw = raw
        if raw and "raw" not in self.layers:
            self.layers.insert(0, "raw")
        self.has_x = "X" in file and _is_matrix(file["X"])

    def matrix(self, layer: str | None) -> tuple[Matrix, Table]:
        """The matrix `layer` (None or "X": the main one; "raw": that of .raw) and the table of its genes."""
        if layer in (None, "X"):
            path, table = "X", "var"
        elif layer == "raw" and self._raw and "layers/raw" not in self.file:
            path, table = self._raw
        else:
            path, table = f"layers/{layer}", "var"
        if path not in self.file or not (self.has_x if path == "X" else layer in self.layers):
            offer = (
                f"choose one of its layers: {', '.join(map(shown, self.layers))}"
                if self.layers
                else "and it has no layers either"
            )
            raise InputError(f"The file has no matrix {shown(layer or 'X')}; {offer}.")
        genes = read_table(self.file, table)
        return read_matrix(self.file[path], path, (len(self.obs.names), len(genes.names))), genes


def read_matrix(node: Any, name: str, expected: tuple[int, int]) -> Matrix:
    """The matrix at `node`, checked to have `expected` cells and genes."""
    found: Matrix
    if isinstance(node, h5py.Dataset):
        if length(node) == expected[0] and expected[1] == 1:
            raise InputError(f"The matrix {shown(name)} holds a single gene; a matrix of cells x genes was expected.")
        found, shape = (dense := Dense(node, name)), dense.shape
        _same_shape(name, shape, expected)
        return found
    kind = attribute_word(node, "encoding-type") or attribute_word(node, "h5sparse_format")
    stated = attribute(node, "shape", attribute(node, "h5sparse_shape"))
    if kind[:3] not in ("csr", "csc"):
        raise InputError(f"The matrix {shown(name)} is stored in an unknown way ({shown(kind)}); dense, CSR or CSC was expected.")
    if np.shape(stated) == (2,) and np.asarray(stated).dtype.kind in "iu":
        _same_shape(name, (int(stated[0]), int(stated[1])), expected)
    return Compressed(node, expected, kind.startswith("csr"), name)


def _same_shape(name: str, found: tuple[int, int], expected: tuple[int, int]) -> None:
    if found != expected:
        raise InputError(
            f"The file does not fit together: {shown(name)} is {found[0]:,} x {found[1]:,}, but there are "
            f"{expected[0]:,} cells and {expected[1]:,} genes; write it again."
        )


def read_table(file: h5py.File, name: str) -> Table:
    """The table `obs`, `var` or `raw/var` in whichever layout it has."""
    node = file[name]
    if isinstance(node, h5py.Dataset):
        return RecordTable(node, name, file.get("uns"))
    return GroupTable(node, name)


class GroupTable:
    """A table since anndata 0.7: a group with one member for each column."""

    def __init__(self, group: h5py.Group, name: str) -> None:
        self.group, self.name = group, name
        index = attribute(group, "_index", "_index")
        if not isinstance(index, str) or not isinstance(group.get(index), h5py.Dataset | h5py.Group):
            raise InputError(f"The table {shown(name)} has no index: the names of its lines are missing; write the file again.")
        self.names = _names(group[index], f"{name}/{index}")
        found = [key for key in _columns(group) if key != index]
        place = {key: i for i, key in enumerate(attribute_texts(group, "column-order"))}
        self.columns = sorted(found, key=lambda key: place.get(key, len(place)))  # otherwise by name, as HDF5 lists them

    def column(self, name: str) -> Labels | np.ndarray:
        return _fitting(_column(self.group, name, f"{self.name}/{name}"), name, self.name, len(self.names))


class RecordTable:
    """A table before anndata 0.7: one data set of records, with the categories of column C in `uns/C_categories`."""

    def __init__(self, dataset: h5py.Dataset, name: str, uns: Any) -> None:
        if dataset.dtype.names is None or length(dataset) < 0:
            raise InputError(f"The table {shown(name)} should hold records (a column each); write the file again.")
        self.dataset, self.name, self.uns = dataset, name, uns
        fields = list(dataset.dtype.names)
        index = attribute_word(dataset, "_index") or next((field for field in ("index", "_index") if field in fields), fields[0])
        if index not in fields:
            raise InputError(f"The table {shown(name)} has no index: the names of its lines are missing; write the file again.")
        self.names = as_text(read_values(dataset, name, index))
        self.columns = [field for field in fields if field != index and field.isprintable() and dataset.dtype[field].shape == ()]

    def column(self, name: str) -> Labels | np.ndarray:
        values = read_values(self.dataset, f"{self.name}/{name}", name)
        levels = self.uns.get(f"{name}_categories") if isinstance(self.uns, h5py.Group) else None
        if self.name == "obs" and isinstance(levels, h5py.Dataset) and values.dtype.kind in "iu":
            return tidy(values.astype(np.int64), list(read_text(levels, f"uns/{name}_categories")))
        return _plain(values)


def _column(group: h5py.Group, key: str, name: str) -> Labels | np.ndarray:
    """One column in any of the encodings of a group."""
    node = group[key]
    if isinstance(node, h5py.Group):
        parts = set(node)
        if {"codes", "categories"} <= parts:
            codes, levels = read_values(node["codes"], name), read_text(_flat(node["categories"]), name)
            return _coded(codes, levels, name)
        if {"values", "mask"} <= parts:  # nullable integers, booleans and strings
            values, mask = read_values(_flat(node["values"]), name), read_values(node["mask"], name).astype(bool)
            if len(values) != len(mask):
                raise InputError(
                    f"The column {shown(name)} is damaged: {len(values):,} values and {len(mask):,} marks; write the file again."
                )
            if values.dtype.kind in "iuf":
                return np.where(mask, np.nan, values.astype(float)) if mask.any() else values
            words = as_text(values)
            words[mask] = ""
            return labels(words)
        if "values" in parts:
            return _column(node, "values", name)
        raise InputError(f"The column {shown(name)} is stored in an unknown way; save it as text, numbers or categories.")
    categories = group.get("__categories")
    if isinstance(categories, h5py.Group) and key in categories and node.dtype.kind in "iu":  # anndata 0.7
        return _coded(read_values(node, name), read_text(_flat(categories[key]), name), name)
    return _plain(read_values(node, name))


def _flat(node: Any) -> Any:
    """Categories may be a group of values and mask when their text is nullable."""
    return node["values"] if isinstance(node, h5py.Group) and "values" in node else node


def _coded(codes: np.ndarray, levels: np.ndarray, name: str) -> Labels:
    if codes.dtype.kind not in "iu":
        raise InputError(f"The column {shown(name)} is damaged: its codes are not whole numbers; write the file again.")
    codes = codes.astype(np.int64)
    if len(codes) and (codes.min() < -1 or codes.max() >= len(levels)):
        raise InputError(
            f"The column {shown(name)} is damaged: it refers to a category beyond its {len(levels):,}; write the file again."
        )
    return tidy(codes, list(levels))


def _plain(values: np.ndarray) -> Labels | np.ndarray:
    if values.dtype.kind in "iuf":
        return values
    return labels(as_text(values))


def _names(node: Any, name: str) -> np.ndarray:
    """An index as text, exactly as it stands (a gene may well be called NA)."""
    if isinstance(node, h5py.Dataset):
        return read_text(node, name)
    if "codes" in node and "categories" in node:
        codes, levels = read_values(node["codes"], name), read_text(_flat(node["categories"]), name)
        if len(codes) and (codes.dtype.kind not in "iu" or int(codes.min()) < 0 or int(codes.max()) >= len(levels)):
            raise InputError(f"The index {shown(name)} has missing or damaged names; write the file again.")
        return levels[codes]
    if "values" in node:
        return read_text(node["values"], name)
    raise InputError(f"The index {shown(name)} is stored in an unknown way; save it as text.")


def _fitting(column: Labels | np.ndarray, name: str, table: str, lines: int) -> Labels | np.ndarray:
    found = len(column.codes if isinstance(column, Labels) else column)
    if found != lines:
        raise InputError(f"The file does not fit together: {table} has {lines:,} lines, but column {shown(name)} has {found:,}.")
    return column


def _columns(group: h5py.Group, above: str = "") -> list[str]:
    """Names of the columns; one with a slash in its name (CD4/CD8) is stored as a group with a member."""
    found = []
    for key in group:
        node = group[key]
        if _is_column(node):
            found.append(above + key)
        elif isinstance(node, h5py.Group) and key != "__categories":
            found += _columns(node, f"{above}{key}/")
    return found


def _members(node: Any) -> list[str]:
    return list(node) if isinstance(node, h5py.Group) else []


def _is_matrix(node: Any) -> bool:
    if isinstance(node, h5py.Group):
        return {"data", "indices", "indptr"} <= set(node)
    return isinstance(node, h5py.Dataset) and node.shape is not None and len(node.shape) == 2


def _is_column(node: Any) -> bool:
    if isinstance(node, h5py.Group):
        return {"codes", "categories"} <= set(node) or "values" in node
    return length(node) >= 0 and node.dtype.names is None


def _other_format(file: h5py.File) -> str:
    """What an HDF5 file without obs and var may be, and how to make an .h5ad of it."""
    if "mod" in file:
        return "This is a MuData file of several modalities; save the RNA part alone: mdata.mod['rna'].write_h5ad('rna.h5ad')."
    if "row_attrs" in file and "col_attrs" in file:
        return "This is a loom file; turn it into .h5ad: anndata.read_loom('file.loom').write_h5ad('file.h5ad')."
    if "cell.names" in file or "assays" in file:
        return "This is a Seurat file (.h5Seurat); turn it into .h5ad, for example with SeuratDisk::Convert(file, dest = 'h5ad')."
    missing = [name for name in ("obs", "var") if name not in file]
    return f"This HDF5 file has no {' and no '.join(missing)}: an .h5ad file (cells x genes) or a CellRanger .h5 was expected."
