"""Check the texts of an HDF5 file before HDF5 follows its references to them.

A text of varying length is stored as a reference: its length, and where it lies in a "global heap". HDF5 believes both. A
million references to one long text fill any memory, a wrong length writes beyond a buffer, and a wrong size inside a heap makes
it loop for ever. So references and heaps are read here as plain bytes first, as the HDF5 File Format Specification 3.0 lays them
out (sections III.E global heap, IV.A object headers, IV.A.2.m attributes).
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5o, h5p, h5s, h5t

from gen_core.errors import InputError
from gen_core.inputs import human_size

LIMIT = 1 << 30  # bytes that the texts of one data set or attribute may take
MAX_COLLECTION = 1 << 30
MAX_BLOCKS = 10_000  # of one object header
REFERENCE = np.dtype([("length", "<u4"), ("place", "<u8"), ("index", "<u4")])
_COMPACT, _LAYOUT, _ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0, 0x08, 0x0C, 0x10, 0x15
_VLEN, _STRING = 9, 1  # class of a datatype, and its kind
_NOWHERE = b"\xff" * 8


class Texts:
    """The texts of one file; each heap is looked at once."""

    def __init__(self, stream: int, size: int) -> None:
        self._stream, self._size = stream, size
        self._sizes: dict[int, np.ndarray] = {}

    def check_attributes(self, node: Any, name: str) -> None:
        """Check all attributes of an object. Raises InputError where one of text cannot be read safely."""
        for kind, flags, body in self._messages(h5o.get_info(node).addr, name):
            if kind == _ATTRIBUTE_INFO and body[2 + 2 * (body[1] & 1) :][:8] != _NOWHERE:
                raise InputError(f"{shown(name)} stores its attributes in an unusual way; write the file again with anndata.")
            if kind == _ATTRIBUTE:
                references = _attribute_references(body, bool(flags & 2))
                if references is None:
                    raise InputError(
                        f"{shown(name)} has an attribute of a type that lies elsewhere; write the file again with anndata."
                    )
                self._check(references, 16, [0], name)

    def check_dataset(self, node: Any, name: str) -> None:
        """Check a data set if it holds texts of varying length. Raises InputError as `check_attributes` does."""
        width, positions = _layout(node.get_type())
        if positions and node.get_space().get_simple_extent_type() != h5s.NULL:
            self._check(self._references(node, width, name), width, positions, name)

    def _check(self, raw: bytes, width: int, positions: list[int], name: str) -> None:
        """Check the references at `positions` of elements of `width` bytes: that each leads to a text of its length."""
        damaged = InputError(
            f"This HDF5 file is damaged: the texts of {shown(name)} are not where they should be. Export it again."
        )
        table = np.frombuffer(raw, dtype=np.uint8)[: len(raw) // width * width].reshape(-1, width)
        for position in positions:
            found = np.ascontiguousarray(table[:, position : position + 16]).view(REFERENCE)[:, 0]
            found = found[(found["place"] != 0) | (found["length"] != 0)]
            if (total := int(found["length"].sum(dtype=np.int64))) > LIMIT:
                raise InputError(f"The texts of {shown(name)} take {human_size(total)}; at most {human_size(LIMIT)} are read.")
            found = found[np.argsort(found["place"], kind="stable")]
            edges = [0, *(np.flatnonzero(np.diff(found["place"])) + 1).tolist(), len(found)] if len(found) else []
            for a, b in pairwise(edges):
                sizes = self._heap(int(found["place"][a]))
                index, length = found["index"][a:b], found["length"][a:b]
                if sizes is None or index.max() >= len(sizes) or (sizes[index] != length).any():
                    raise damaged

    def _heap(self, place: int) -> np.ndarray | None:
        """Sizes by index of the texts in the heap at `place` (-1: none); None where it is damaged."""
        if place in self._sizes:
            return self._sizes[place]
        start = self._read(place, 16)
        length = int.from_bytes(start[8:], "little")
        if start[:8] != b"GCOL\1\0\0\0" or not 16 <= length <= min(MAX_COLLECTION, self._size - place):
            return None
        content, at, found = self._read(place, length), 16, {0: -1}
        while at + 16 <= length:
            index, size = struct.unpack_from("<H6xQ", content, at)
            step = 16 + (size + 7) // 8 * 8 if index else size  # index 0 is what is free; its size counts its own head
            if not 16 <= step <= length - at and not (index == 0 and step == length - at):
                return None
            if index:
                found[index] = size
            at += step
        sizes = np.full(max(found) + 1, -1, dtype=np.int64)
        sizes[list(found)] = list(found.values())
        self._sizes[place] = sizes
        return sizes

    def _references(self, node: Any, width: int, name: str) -> bytes:
        """The bytes that stand in the file for a data set of texts."""
        plist, count = node.get_create_plist(), int(node.get_space().get_simple_extent_npoints())
        if plist.get_layout() == h5d.CONTIGUOUS:
            stored = bool(node.get_storage_size()) and node.get_offset() is not None
            return self._read(node.get_offset(), count * width) if stored else b""
        if plist.get_layout() == h5d.CHUNKED:
            return _unpacked(node, plist, width)
        for kind, _, body in self._messages(h5o.get_info(node).addr, name):
            if kind == _LAYOUT and body[0] in (3, 4) and body[1] == _COMPACT:
                return body[4 : 4 + count * width]
        raise InputError(f"The texts of {shown(name)} are stored in an unusual way; write the file again with anndata.")

    def _messages(self, address: int, name: str) -> Iterator[tuple[int, int, bytes]]:
        """The messages of the object header at `address`: kind, flags, content."""
        start = self._read(address, 32)
        if start[:4] == b"OHDR":
            flags = start[5]
            at, width = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0), 1 << (flags & 3)
            blocks = [(address + at + width, int.from_bytes(self._read(address + at, width), "little"))]
            head, before, after = 6 if flags & 4 else 4, 4, 8  # later blocks have a signature and a checksum around them
        else:
            blocks, head, before, after = [(address + 16, int.from_bytes(start[8:12], "little"))], 8, 0, 0
        for place, length in blocks:  # grows while it is gone through
            content, at = self._read(place, length), 0
            while at + head <= len(content):
                kind, size, flags = struct.unpack_from("<HHB" if head == 8 else "<BHB", content, at)
                body = content[at + head : at + head + size]
                at += head + size
                if kind == _CONTINUATION and len(body) >= 16:
                    further, room = struct.unpack_from("<QQ", body)
                    blocks.append((further + before, room - after))
                elif len(body) == size and (kind != _ATTRIBUTE_INFO or size >= 10):
                    yield kind, flags, body
            if len(blocks) > MAX_BLOCKS:
                raise InputError(
                    f"This HDF5 file is damaged: the header of {shown(name)} goes round in circles. Export it again."
                )

    def _read(self, place: int, length: int) -> bytes:
        if place < 0 or length < 0 or place + length > self._size:
            if length == 32 and 0 <= place < self._size:  # the start of the last header may be shorter
                return os.pread(self._stream, self._size - place, place).ljust(32, b"\0")
            raise InputError("This HDF5 file is damaged: it refers to a place beyond its end. Copy or export it again.")
        return os.pread(self._stream, length, place)


def _layout(kind: Any) -> tuple[int, list[int]]:
    """Bytes of one element in the file, and where in it the texts of varying length stand.

    HDF5 describes types as in memory, where a text takes 8 bytes; in the file it takes the 16 of its reference.
    """
    offsets: list[int] = []

    def collect(part: Any, at: int) -> None:
        if part.get_class() == h5t.STRING and part.is_variable_str():
            offsets.append(at)
        elif part.get_class() == h5t.COMPOUND:
            for i in range(part.get_nmembers()):
                collect(part.get_member_type(i), at + part.get_member_offset(i))

    collect(kind, 0)
    grown = REFERENCE.itemsize - 8
    return kind.get_size() + grown * len(offsets), [at + grown * i for i, at in enumerate(sorted(offsets))]


def _attribute_references(body: bytes, shared: bool) -> bytes | None:
    """The references of an attribute of text, nothing for other attributes, None where its type lies elsewhere."""
    version = body[0] if body else 0
    if shared or len(body) < 9 or version not in (1, 2, 3) or (version > 1 and body[1] & 1):
        return None
    lengths = struct.unpack_from("<HHH", body, 2)
    name, kind, space = ((n + 7) // 8 * 8 for n in lengths) if version == 1 else lengths
    at = (9 if version == 3 else 8) + name
    if len(body) < at + 2 or body[at] & 15 != _VLEN or body[at + 1] & 15 != _STRING:
        return b""
    return body[at + kind + space :]


def _unpacked(node: Any, plist: Any, width: int) -> bytes:
    """References stored in packed pieces: a second data set in memory, of plain bytes and with the same filters, takes the
    pieces as they are and gives them back unpacked, so that every filter that HDF5 has is covered."""
    copy = h5p.create(h5p.DATASET_CREATE)
    copy.set_chunk(plist.get_chunk())
    for i in range(plist.get_nfilters()):
        code, flags, options, _ = plist.get_filter(i)
        copy.set_filter(code, flags, options)
    name = f"texts-{secrets.token_hex(8)}"  # HDF5 knows open files by name, also those in memory: each thread needs its own
    with h5py.File(name, "w", driver="core", backing_store=False) as memory:
        twin = h5d.create(memory.id, b"texts", h5t.create(h5t.OPAQUE, width), h5s.create_simple(node.shape), copy)
        for i in range(node.get_num_chunks()):
            place = node.get_chunk_info(i).chunk_offset
            mask, packed = node.read_direct_chunk(place)
            twin.write_direct_chunk(place, packed, mask)
        out = np.zeros(node.shape, dtype=f"V{width}")
        twin.read(h5s.ALL, h5s.ALL, out)
    return out.tobytes()


def shown(name: str) -> str:
    """A name from the file, quoted and short enough for a sentence."""
    return repr(name if len(name) <= 60 else name[:57] + "…")
