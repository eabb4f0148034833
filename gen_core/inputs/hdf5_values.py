"""Read values from a file that `open_hdf5` has checked, with the memory they will take known beforehand."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5s, h5t

from gen_core.errors import InputError
from gen_core.inputs.hdf5_texts import shown

LIMIT = 1 << 30  # bytes that one element (a column, the gene names) may take
MAX_LENGTH = 20_000_000  # entries of a column: of text each takes some 60 bytes more in Python


def attribute(node: h5py.Group | h5py.Dataset, name: str, default: Any = None) -> Any:
    """A small attribute as Python text, number or array of up to 64 numbers; `default` where it is missing or of another kind."""
    try:
        if name not in node.attrs:
            return default
        found = h5a.open(node.id, name.encode())
        kind, space = found.get_type(), found.get_space()
        count = space.get_simple_extent_npoints() if space.get_simple_extent_type() != h5s.NULL else 0
        text = kind.get_class() == h5t.STRING
        if count < 1 or count > (1 if text else 64) or kind.get_class() not in (h5t.STRING, h5t.INTEGER, h5t.FLOAT, h5t.ENUM):
            return default
        value = node.attrs[name]
    except (OSError, RuntimeError, KeyError, TypeError, ValueError):
        return default
    if text:
        return _decoded(np.asarray(value, dtype=object).reshape(-1))[0]
    return value


def attribute_word(node: h5py.Group | h5py.Dataset, name: str) -> str:
    """An attribute that is one text; empty where it is missing or of another kind."""
    found = attribute(node, name)
    return found if isinstance(found, str) else ""


def attribute_texts(node: h5py.Group, name: str) -> list[str]:
    """An attribute that is a list of text; empty where it is missing or of another kind."""
    try:
        found = h5a.open(node.id, name.encode()) if name in node.attrs else None
        if found is None or found.get_type().get_class() != h5t.STRING or len(found.shape) != 1:
            return []
        return list(_decoded(np.asarray(node.attrs[name], dtype=object)))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError):
        return []


def length(node: Any) -> int:
    """Entries of a one-dimensional data set; -1 where `node` is not one."""
    return int(node.shape[0]) if isinstance(node, h5py.Dataset) and node.shape is not None and len(node.shape) == 1 else -1


def read_values(dataset: Any, name: str, field: str | None = None) -> np.ndarray:
    """A whole one-dimensional data set, or one field of a table of records: numbers as stored, text as `object` array of str.

    Raises InputError where it is not one-dimensional or would take more than 1 GiB.
    """
    if length(dataset) < 0:
        raise InputError(f"{shown(name)} should be a list of numbers or of text (one-dimensional); export the file again.")
    kind = dataset.id.get_type()
    if dataset.size > MAX_LENGTH:
        raise InputError(f"{shown(name)} has {dataset.size:,} entries; at most {MAX_LENGTH:,} are read.")
    if dataset.size * kind.get_size() > LIMIT:
        raise InputError(
            f"{shown(name)} takes more than {LIMIT >> 30} GiB, which is too large for a column; remove it from the file."
        )
    try:
        values = dataset[field] if field is not None else dataset[()]
    except ValueError:  # numbers of other widths than NumPy has, fields without a name
        raise InputError(f"{shown(name)} is damaged or of a type that cannot be read; export the file again.") from None
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "biufSOU":  # records, complex numbers, bytes of no kind
        raise InputError(f"{shown(name)} should hold one value for each entry; remove the column or export the file again.")
    return _decoded(values) if values.dtype.kind in "SOU" else values


def read_text(dataset: Any, name: str) -> np.ndarray:
    """A one-dimensional data set as an `object` array of str, whatever it holds. Raises InputError as `read_values` does."""
    return as_text(read_values(dataset, name))


def as_text(values: np.ndarray) -> np.ndarray:
    """Values as `read_values` gives them, as text. Text stays as it is: of one width, all would take as much as the longest."""
    return values if values.dtype == object else values.astype(str).astype(object)


def _decoded(values: np.ndarray) -> np.ndarray:
    """Bytes as text; what is not UTF-8 is replaced, since a strange letter in a name is no reason to refuse a file."""
    out = np.empty(len(values), dtype=object)
    out[:] = [v.decode("utf8", "replace") if isinstance(v, bytes) else _clean(str(v)) for v in values.tolist()]
    return out


def _clean(text: str) -> str:
    """Without the halves of characters that h5py makes of bytes that are not UTF-8: nothing can print those."""
    return text if text.isascii() else text.encode("utf8", "replace").decode("utf8")
