"""Read values from a file that `open_hdf5` has checked, with the memory they will take known beforehand."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t

from gen_core.errors import InputError
from gen_core.inputs.hdf5 import shown

LIMIT = 1 << 30  # bytes that one element (a column, the gene names) may take
MAX_LENGTH = 20_000_000  # entries of a column: of text each takes some 60 bytes more in Python


def attribute(node: h5py.Group | h5py.Dataset, name: str, default: Any = None) -> Any:
    """A small attribute as Python text, number or NumPy array; `default` where it is missing or of another kind.

    Lists of text are not read: HDF5 does not say how long such texts are before it has read them all.
    """
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


def attribute_texts(node: h5py.Group, name: str) -> list[str]:
    """An attribute that is a list of text; empty where it is missing, of another kind, or in too large a file.

    How long the texts are is not to be seen before they are read, and each may refer to the same one, as long as the file.
    """
    try:
        found = h5a.open(node.id, name.encode()) if name in node.attrs else None
        if found is None or found.get_type().get_class() != h5t.STRING or len(found.shape) != 1:
            return []
        if found.shape[0] * int(node.file.id.get_filesize()) > 8 * LIMIT:
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
    if _texts(kind):
        _check_texts(dataset, kind, name)
    values = dataset[field] if field is not None else dataset[()]
    values = np.asarray(values)
    if values.ndim != 1:
        raise InputError(f"{shown(name)} should hold one value for each entry; remove the column or export the file again.")
    return _decoded(values) if values.dtype.kind in "SOU" else values


def read_text(dataset: Any, name: str) -> np.ndarray:
    """A one-dimensional data set as an `object` array of str, whatever it holds. Raises InputError as `read_values` does."""
    values = read_values(dataset, name)
    return values if values.dtype == object else values.astype(str).astype(object)


def _decoded(values: np.ndarray) -> np.ndarray:
    """Bytes as text; what is not UTF-8 is replaced, since a strange letter in a name is no reason to refuse a file."""
    out = np.empty(len(values), dtype=object)
    out[:] = [v.decode("utf8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist()]
    return out


def _texts(kind: Any, at: int = 0) -> list[int]:
    """Byte positions, inside one element, of the texts of varying length."""
    if kind.get_class() == h5t.STRING:
        return [at] if kind.is_variable_str() else []
    if kind.get_class() != h5t.COMPOUND:
        return []
    return [p for i in range(kind.get_nmembers()) for p in _texts(kind.get_member_type(i), at + kind.get_member_offset(i))]


def _check_texts(dataset: Any, kind: Any, name: str) -> None:
    """Refuse texts that together take more than `LIMIT` once read.

    Each entry refers to its text by length and place, and a million entries may refer to one long text: a file of
    megabytes would fill any memory. So the lengths are summed before HDF5 follows the references.
    """
    width, positions = kind.get_size(), _texts(kind)
    raw = _references(dataset, width)
    total = 0
    if raw is None:  # no way to see the lengths: each may be as long as the file
        total = dataset.size * len(positions) * int(dataset.file.id.get_filesize())
    else:
        table = np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
        for position in positions:
            total += int(np.ascontiguousarray(table[:, position : position + 4]).view("<u4").sum(dtype=np.int64))
    if total > LIMIT:
        raise InputError(
            f"The texts in {shown(name)} take more than {LIMIT >> 30} GiB: the file is damaged or was made to mislead."
        )


def _references(dataset: Any, width: int) -> bytes | None:
    """The bytes that stand in the file for a data set of texts: 4 of length, 12 of place for each."""
    node = dataset.id
    plist = node.get_create_plist()
    if plist.get_layout() == h5d.CONTIGUOUS:
        if not node.get_storage_size() or node.get_offset() is None:
            return b""
        with open(dataset.file.filename, "rb") as stream:
            stream.seek(node.get_offset())
            return stream.read(dataset.size * width)
    if plist.get_layout() != h5d.CHUNKED:
        return None
    # A second data set in memory, of plain bytes and with the same filters, takes the packed chunks as they are and
    # gives them back unpacked: so every filter that HDF5 has is covered.
    copy = h5p.create(h5p.DATASET_CREATE)
    copy.set_chunk(plist.get_chunk())
    for i in range(plist.get_nfilters()):
        code, flags, options, _ = plist.get_filter(i)
        copy.set_filter(code, flags, options)
    with h5py.File("texts", "w", driver="core", backing_store=False) as memory:
        twin = h5d.create(memory.id, b"texts", h5t.create(h5t.OPAQUE, width), h5s.create_simple(dataset.shape), copy)
        for i in range(node.get_num_chunks()):
            place = node.get_chunk_info(i).chunk_offset
            mask, packed = node.read_direct_chunk(place)
            twin.write_direct_chunk(place, packed, mask)
        out = np.zeros(dataset.shape, dtype=f"V{width}")
        twin.read(h5s.ALL, h5s.ALL, out)
    return out.tobytes()
