"""MATLAB files of version 5 (.mat of save -v6 and -v7): their arrays of numbers, and structures of those.

Format: MathWorks, MAT-File Format (R2023b). Everything is stepped through by its length; cells, objects, functions and
sparse matrices are passed over. Packed variables are unpacked within one budget for the whole file.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import human_size, read_limited

Array = np.ndarray
MAX_BYTES = 1 << 30  # of the file, and of all that is unpacked from it
MAX_PARTS = 50_000
MAX_DEPTH = 8
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_STRUCT, _CHAR, _NUMBERS = 2, 4, range(6, 16)
_COMPLEX = 0x0800
_DAMAGED = "This MATLAB file is damaged or cut short. Copy or save it again."


def is_matlab(start: bytes) -> bool:
    """Whether a file begins as those of version 5 do: 124 bytes of text, a version, and two letters for the byte order."""
    return len(start) >= 128 and start[124:128] in (b"\x00\x01IM", b"\x01\x00MI") and start[:1].isalpha()


def read_matlab(path: str | Path) -> dict[str, object]:
    """The variables of a file by name: arrays as stored, text as str, structures (their first element) as such tables.

    Raises InputError where it is no such file, damaged, or unpacks to more than 1 GiB.
    """
    data = read_limited(path, MAX_BYTES)
    if not is_matlab(data):
        raise InputError("This is no MATLAB file of version 5; save it in MATLAB with save(…, '-v7').")
    reader = _Reader("<" if data[126:128] == b"IM" else ">")
    found: dict[str, object] = {}
    at = 128
    while at + 8 <= len(data):
        kind, start, stop, at = reader.part(data, at, len(data))
        if kind == _COMPRESSED:
            content = reader.inflated(data[start:stop])
            kind, start, stop, _ = reader.part(content, 0, len(content))
        else:
            content = data
        if kind == _MATRIX and (variable := reader.matrix(content, start, stop, 0)):
            found[variable[0]] = variable[1]
    return found


class _Reader:
    def __init__(self, order: str) -> None:
        self.order, self.left, self.parts = order, MAX_BYTES, 0

    def part(self, data: bytes, at: int, end: int) -> tuple[int, int, int, int]:
        """Type, start and stop of the content, and where the next part begins."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise InputError(f"This MATLAB file holds more than {MAX_PARTS:,} parts; save only the sinogram and its angles.")
        if at + 8 > end:
            raise InputError(_DAMAGED)
        kind, size = struct.unpack_from(self.order + "II", data, at)
        if kind >> 16:  # a small part: its size stands in the upper half, its content in the next four bytes
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise InputError(_DAMAGED)
            return kind, at + 4, at + 4 + size, at + 8
        start, stop = at + 8, at + 8 + size
        if stop > end:
            raise InputError(_DAMAGED)
        # Parts are filled up to eight bytes, but for packed ones and the last of what is unpacked.
        return kind, start, stop, stop if kind == _COMPRESSED else min(start + size + -size % 8, end)

    def inflated(self, packed: bytes) -> bytes:
        inflater = zlib.decompressobj()
        try:
            content = inflater.decompress(packed, self.left + 1)
        except zlib.error:
            raise InputError(_DAMAGED) from None
        self.left -= len(content)
        if self.left < 0:
            raise InputError(f"This MATLAB file unpacks to more than {human_size(MAX_BYTES)}, which is more than is read here.")
        return content

    def matrix(self, data: bytes, at: int, end: int, depth: int) -> tuple[str, object] | None:
        """Name and value of a variable or field; None where it is of a kind that is passed over."""
        if at == end:  # an empty field
            return None
        _, start, stop, at = self.part(data, at, end)
        if stop - start < 8:
            raise InputError(_DAMAGED)
        flags = struct.unpack_from(self.order + "I", data, start)[0]
        kind = flags & 0xFF
        dims = self.numbers(data, *(part := self.part(data, at, end))[:3])
        shape = tuple(int(length) for length in dims)
        if not 2 <= len(shape) <= 8 or min(shape) < 0:
            raise InputError(_DAMAGED)
        _, start, stop, at = self.part(data, part[3], end)
        name = data[start:stop].decode("ascii", "replace")
        if kind in _NUMBERS:
            if flags & _COMPLEX:
                raise InputError("This MATLAB file holds complex numbers; save real ones.")
            return name, self.numbers(data, *self.part(data, at, end)[:3], shape)
        if kind == _CHAR:
            codes = self.numbers(data, *self.part(data, at, end)[:3]) if math.prod(shape) else np.zeros(0)
            return name, "".join(chr(int(code)) for code in codes[:1000] if 0 < code < 0xD800)
        if kind == _STRUCT and depth < MAX_DEPTH:
            return name, self.structure(data, at, end, depth)
        return None

    def structure(self, data: bytes, at: int, end: int, depth: int) -> dict[str, object]:
        """The fields of the first element of a structure."""
        kind, start, stop, at = self.part(data, at, end)
        wide = int.from_bytes(data[start:stop], "little" if self.order == "<" else "big")
        kind, start, stop, at = self.part(data, at, end)
        if kind not in (1, 2) or not 1 <= wide <= 64 or (stop - start) // wide > 1000:
            raise InputError(_DAMAGED)
        names = [data[i : i + wide].split(b"\0")[0].decode("ascii", "replace") for i in range(start, stop - wide + 1, wide)]
        found: dict[str, object] = {}
        for name in names:
            if at >= end:
                break
            kind, start, stop, at = self.part(data, at, end)
            if kind == _MATRIX and (value := self.matrix(data, start, stop, depth + 1)):
                found[name] = value[1]
        return found

    def numbers(self, data: bytes, kind: int, start: int, stop: int, shape: tuple[int, ...] | None = None) -> Array:
        """Numbers of a part, in `shape` (columns first) or in a row."""
        if kind not in _TYPES and not (kind in (16, 17) and shape is None):  # texts in UTF-8 and UTF-16
            raise InputError(_DAMAGED)
        dtype = np.dtype(self.order + {16: "u1", 17: "u2"}.get(kind, _TYPES.get(kind, "u1")))
        if (stop - start) % dtype.itemsize or (shape is not None and math.prod(shape) * dtype.itemsize != stop - start):
            raise InputError(_DAMAGED)
        values = np.frombuffer(data, dtype, (stop - start) // dtype.itemsize, start)
        values = values.astype(dtype.newbyteorder("="), copy=False)
        return values if shape is None else values.reshape(shape, order="F")
