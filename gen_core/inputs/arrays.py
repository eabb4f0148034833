"""Arrays of NumPy that a user brings (.npy, .npz): plain numbers only, and what they claim is checked before they are read."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import human_size, opened, sniff
from gen_core.inputs.archive import open_zip, read_member
from gen_core.inputs.volumes import EXPECTED, Array, Volume, check_size, finished
from gen_core.result import Notice

MAX_STORED = 2 << 30  # bytes
MAX_MEMBERS, MAX_TOTAL = 10_000, 16 << 30
HEADER = 1 << 14  # bytes in which the header of an array ends
NAMES = ("image", "volume", "truth", "values", "data")  # that an .npz is asked for first, in this order
_DAMAGED = "This NumPy file is damaged or cut short. Copy or save it again."


@dataclass(frozen=True)
class _Header:
    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    start: int  # byte at which the values begin

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_array(path: str | Path) -> Volume:
    """An array (rows, columns) or (slices, rows, columns) as a `Volume` of unknown spacing.

    Of an .npz the array that is named image, volume, truth, values or data, else the largest of two or three dimensions.
    Raises InputError as `read_volume` does, and for complex numbers, texts and Python objects.
    """
    path = Path(path)
    notes: list[Notice] = []
    if sniff(path) == "npy":
        with opened(path) as stream:
            header = _parsed(stream.read(HEADER))
            _check_image(header)
            stream.seek(header.start)
            values = _values(header, stream.read(header.size))
    else:
        with open_zip(path, MAX_MEMBERS, MAX_TOTAL) as archive:
            name, header, others = _chosen(archive)
            _check_image(header)
            values = _member(archive, name, header)
        if others:
            notes.append(Notice("one_of_several", f"The array {name.removesuffix('.npy')[:60]!r} is read, of {others + 1}."))
    values, unit, mended = finished(values.reshape(-1, *values.shape[-2:]), None)
    return Volume(values, (None, None, None), unit, "", "npy", (*notes, *mended))


def read_arrays(path: str | Path, wanted: Iterable[str], budget: int = MAX_STORED) -> dict[str, Array]:
    """The arrays of numbers of these names in an .npz, as stored, of `budget` bytes together; or of a .npy, named "".

    Names are matched without regard to case. Raises InputError where an array is damaged or holds no real numbers.
    """
    path = Path(path)
    if sniff(path) == "npy":
        with opened(path) as stream:
            header = _parsed(stream.read(HEADER))
            _check_numbers(header, budget)
            stream.seek(header.start)
            return {"": _values(header, stream.read(header.size))}
    found: dict[str, Array] = {}
    with open_zip(path, MAX_MEMBERS, MAX_TOTAL) as archive:
        for name in archive.namelist():
            key = name.removesuffix(".npy").lower()
            if key in wanted and name.endswith(".npy") and key not in found:
                header = _member_header(archive, name)
                _check_numbers(header, budget)
                found[key] = _member(archive, name, header)
                budget -= header.size
    return found


def _chosen(archive: zipfile.ZipFile) -> tuple[str, _Header, int]:
    """Name and header of the array to read, and how many other images there are."""
    images: dict[str, _Header] = {}
    wrong: InputError | None = None
    for name in archive.namelist():
        if not name.endswith(".npy"):
            continue
        try:
            header = _member_header(archive, name)
            if len(header.shape) in (2, 3) and min(header.shape[-2:]) > 1:
                _check_numbers(header, MAX_STORED)
                images[name] = header
        except InputError as error:
            wrong = wrong or error
    for wanted in NAMES:
        for name, header in images.items():
            if name.removesuffix(".npy").lower() == wanted:
                return name, header, len(images) - 1
    if not images:
        if wrong is not None:
            raise wrong
        names = archive.namelist()
        if not any(name.endswith(".npy") for name in names):
            raise InputError(f"This zip holds neither DICOM files nor NumPy arrays; {EXPECTED}.")
        raise InputError(f"This file holds no array of two or three dimensions; {EXPECTED}.")
    name = max(images, key=lambda found: math.prod(images[found].shape))
    return name, images[name], len(images) - 1


def _member_header(archive: zipfile.ZipFile, name: str) -> _Header:
    try:
        with archive.open(name) as stream:
            start = stream.read(HEADER)
    except Exception:  # zipfile lets many kinds through on damaged members
        raise InputError(_DAMAGED) from None
    return _parsed(start)


def _member(archive: zipfile.ZipFile, name: str, header: _Header) -> Array:
    return _values(header, read_member(archive, name, header.start + header.size)[header.start :])


def _parsed(start: bytes) -> _Header:
    from numpy.lib import format as npy

    stream = io.BytesIO(start)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise InputError("This NumPy file is of a version that only texts need; save plain numbers with numpy.save.")
        shape, fortran, dtype = read(stream, max_header_size=HEADER)
        shape = tuple(int(length) for length in shape)
        if any(length < 0 for length in shape) or len(shape) > 8:
            raise InputError(_DAMAGED)
    except InputError:
        raise
    except Exception:  # the header is a Python literal: what does not parse raises anything from SyntaxError to MemoryError
        raise InputError(_DAMAGED) from None
    return _Header(dtype, shape, bool(fortran), stream.tell())


def _check_numbers(header: _Header, budget: int) -> None:
    kind = header.dtype
    if kind.hasobject:
        raise InputError("This NumPy file holds Python objects, which are never opened here; save plain numbers.")
    if kind.kind == "c":
        raise InputError("This array holds complex numbers; save its magnitude or its real part.")
    if kind.kind not in "biuf" or kind.itemsize > 8:
        raise InputError(f"This array holds {kind.name[:20]}, no plain numbers of up to 64 bits; save it as float32.")
    if not header.size:
        raise InputError("This array is empty; an image was expected.")
    if header.size > budget:
        sizes = f"{human_size(header.size)}; at most {human_size(budget)} are read"
        raise InputError(f"This array claims {sizes}. Give a part of it.")


def _check_image(header: _Header) -> None:
    _check_numbers(header, MAX_STORED)
    if len(header.shape) not in (2, 3):
        raise InputError(
            f"This array has {len(header.shape)} dimensions; an image has two (rows, columns) or three (slices, rows, columns)."
        )
    check_size(header.shape[0] if len(header.shape) == 3 else 1, *header.shape[-2:])


def _values(header: _Header, content: bytes) -> Array:
    if len(content) < header.size:
        raise InputError(_DAMAGED)
    values = np.frombuffer(content, header.dtype, math.prod(header.shape))
    if not header.dtype.isnative:
        values = values.astype(header.dtype.newbyteorder("="))
    return values.reshape(header.shape, order="F" if header.fortran else "C")
