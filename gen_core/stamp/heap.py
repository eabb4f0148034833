"""The texts of an HDF5 file, read by hand: on a damaged list of them the HDF5 library may go round for ever.

HDF5 keeps texts of varying length in "global heap collections" (file format specification, III.E). A data set holds only
the address of the collection and the number of the text in it. The library (2.0 and before) walks a collection without
asking whether a step leads anywhere: one wrong byte makes it hang, with all of Python.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gen_core.inputs import opened
from gen_core.stamp.common import LIMIT, damaged

_SIGNATURE = b"GCOL\1\0\0\0"
_HEAD = 16  # bytes before a collection's first object, and before each object's content


def check_heaps(path: Path) -> None:
    """Walk every collection in the file. Raises InputError where one would make the library hang. Reads the whole file."""
    with opened(path) as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        left = len(data) // _HEAD  # objects that fit into the file: collections inside each other would hold more
        at = data.find(_SIGNATURE)
        while at >= 0:
            for _ in _objects(data, at, len(data)):
                left -= 1
                if left < 0:
                    raise damaged("HDF5 file")
            at = data.find(_SIGNATURE, at + 1)


def heap_text(path: Path, node: Any, base: int) -> bytes | None:
    """The text that a data set of one text holds (None: it was never written). `base` is where HDF5 begins in the file."""
    if node.id.get_storage_size() != 16 or node.id.get_offset() is None:
        return None
    with opened(path) as stream:
        reference = _bytes_at(stream, node.id.get_offset(), 16)
        length, address, number = struct.unpack("<IQI", reference)
        if not address:
            return None
        size = struct.unpack("<8xQ", _bytes_at(stream, base + address, _HEAD))[0]
        if size > LIMIT:
            raise damaged("HDF5 file")
        data = _bytes_at(stream, base + address, size)
    if not data.startswith(_SIGNATURE):
        raise damaged("HDF5 file")
    return next((content[:length] for found, content in _objects(data, 0, len(data)) if found == number), None)


def _bytes_at(stream: BinaryIO, at: int, size: int) -> bytes:
    if at + size > stream.seek(0, 2):
        raise damaged("HDF5 file")
    stream.seek(at)
    return stream.read(size)


def _objects(data: bytes | mmap.mmap, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Number and content of each object in the collection at `start`; number 0 is the free space. No step leads nowhere."""
    if start + _HEAD > end:
        raise damaged("HDF5 file")
    stop = start + struct.unpack_from("<8xQ", data, start)[0]
    if stop > end:
        raise damaged("HDF5 file")
    at = start + _HEAD
    while at + _HEAD <= stop:
        number, size = struct.unpack_from("<H6xQ", data, at)
        step = size if number == 0 else _HEAD + size + -size % 8
        if step < _HEAD or at + step > stop:
            raise damaged("HDF5 file")
        yield number, data[at + _HEAD : at + _HEAD + size] if number else b""
        at += step
