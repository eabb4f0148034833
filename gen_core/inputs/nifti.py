"""NIfTI images (versions 1 and 2, also inside gzip), read from their header: https://nifti.nimh.nih.gov/nifti-1.

What the header claims is held against a budget before voxels are unpacked. Texts of the header (description, names of
files, extensions) are never looked at: converters write names into them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, opened
from gen_core.inputs.archive import gunzip_limited
from gen_core.inputs.volumes import Array, Volume, check_size, finished, spacing_of, tilt_note, turned, usable
from gen_core.result import Notice

HEADER = 540
MAX_OFFSET = 64 << 20  # extensions stand between header and voxels
MAX_STORED = 2 << 30  # bytes of the voxels that are read: the largest volume in 64 bits
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_NOT_READ = {
    1: "single bits",
    32: "complex numbers",
    1792: "complex numbers",
    2048: "complex numbers",
    128: "colours",
    2304: "colours",
    1536: "numbers of 128 bits",
}
_DAMAGED = "This NIfTI file is damaged: its header makes no sense. Copy or export it again."


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]  # columns, rows, slices, and for time series more
    dtype: np.dtype
    offset: int
    steps: tuple[float, float, float]
    slope: float
    intercept: float
    affine: Array | None


def read_nifti(path: str | Path) -> Volume:
    """The image as a `Volume`, turned to axial slices; of several volumes the first. Raises InputError as `read_volume` does."""
    path = Path(path)
    packed = head(path, 2) == b"\x1f\x8b"
    start = gunzip_limited(path, HEADER, cut=True) if packed else head(path, HEADER)
    header = _parsed(start)
    columns, rows, slices, *more = header.shape
    if 1 in (rows, columns):  # one slice of another plane has a side of one pixel as stored: its other two sides count
        check_size(1, slices, max(rows, columns))
    else:
        check_size(slices, rows, columns)
    needed = columns * rows * slices * header.dtype.itemsize
    values = _voxels(path, packed, header, needed).reshape(slices, rows, columns)
    notes = []
    if (count := int(np.prod(more or [1]))) > 1:
        notes.append(Notice("first_volume", f"This file holds {count:,} volumes; the first is read."))
    if np.isfinite(header.slope) and header.slope and (header.slope, header.intercept) != (1.0, 0.0):
        intercept = header.intercept if np.isfinite(header.intercept) else 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            values = (values * header.slope + intercept).astype(np.float32)
    if header.affine is None:
        plane, affine = "", None
        spacing = header.steps[2], header.steps[1], header.steps[0]
        notes.append(Notice("no_orientation", "The file does not say how the patient lies; slices are shown as stored."))
    else:
        values, plane, affine, tilt = turned(values, header.affine)
        spacing = spacing_of(affine)  # type: ignore[assignment]
        notes += tilt_note(tilt)
    check_size(*values.shape)
    values, unit, mended = finished(values, None)
    known = tuple(step if 1e-6 < step < 1e4 else None for step in spacing)
    return Volume(values, known, unit, plane, "nifti", (*notes, *mended), affine)  # type: ignore[arg-type]


def _parsed(start: bytes) -> _Header:
    order = "<" if start[:4] in (b"\x5c\1\0\0", b"\x1c\2\0\0") else ">"
    one = int.from_bytes(start[:4], "little" if order == "<" else "big") == 348
    if len(start) < (348 if one else 540):
        raise InputError("This NIfTI file is cut short: it ends within its header. Copy or download it again.")

    def get(code: str, at: int) -> tuple[float, ...]:
        return struct.unpack_from(order + code, start, at)

    if one:
        if start[344:348] == b"ni1\0":
            raise InputError("This is the header of a NIfTI pair (.hdr and .img); save the image as one file, .nii or .nii.gz.")
        dims, code, pixdim = get("8h", 40), int(get("h", 70)[0]), get("8f", 76)
        offset, slope, intercept = get("f", 108)[0], *get("2f", 112)
        units, qform, sform = start[123], *get("2h", 252)
        quaternion, rows = get("6f", 256), get("12f", 280)
    else:
        if start[4:8] == b"ni2\0":
            raise InputError("This is the header of a NIfTI pair (.hdr and .img); save the image as one file, .nii or .nii.gz.")
        code, dims, pixdim = int(get("h", 12)[0]), get("8q", 16), get("8d", 104)
        offset, slope, intercept = get("q", 168)[0], *get("2d", 176)
        qform, sform = get("2i", 344)
        quaternion, rows, units = get("6d", 352), get("12d", 400), int(get("i", 500)[0])
    if code in _NOT_READ:
        raise InputError(f"This NIfTI file holds {_NOT_READ[code]}; an image of plain numbers was expected.")
    shape = [int(d) for d in dims[1 : 1 + int(dims[0])]] if 1 <= dims[0] <= 7 else []
    if code not in TYPES or len(shape) < 2 or min(shape) < 1 or not (0 <= offset <= MAX_OFFSET):
        raise InputError(_DAMAGED)
    shape += [1] * (3 - len(shape))
    # Lengths are in mm unless the file says metres (1) or micrometres (3).
    scale = {1: 1000.0, 3: 0.001}.get(int(units) & 7, 1.0)
    steps = tuple(abs(float(step)) * scale for step in pixdim[1:4])
    affine = _affine(sform, rows, qform, quaternion, pixdim)
    if affine is not None:
        affine[:3] *= scale
        affine = affine if usable(affine) else None
    # Voxels begin after the header even where a writer left the offset at zero.
    return _Header(
        tuple(shape),
        np.dtype(order + TYPES[code]),
        max(int(offset), 352 if one else 544),
        steps,  # type: ignore[arg-type]
        float(slope),
        float(intercept),
        affine,
    )


def _affine(
    sform: float, rows: tuple[float, ...], qform: float, quaternion: tuple[float, ...], pixdim: tuple[float, ...]
) -> Array | None:
    """(column, row, slice) to mm, by the sform, or by the qform where there is no usable one (nifti1.h, methods 3 and 2)."""
    if sform > 0 and usable(found := np.array([*rows, 0, 0, 0, 1], dtype=float).reshape(4, 4)):
        return found
    if qform <= 0:
        return None
    b, c, d, x, y, z = (float(value) for value in quaternion)
    with np.errstate(all="ignore"):
        a = np.sqrt(max(1.0 - (b * b + c * c + d * d), 0.0)) if np.isfinite([b, c, d]).all() else np.nan
        turn = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        found = np.eye(4)
        found[:3, :3] = turn * np.abs(np.array(pixdim[1:4], dtype=float))
        found[:3, 2] *= -1 if pixdim[0] < 0 else 1
        found[:3, 3] = x, y, z
    return found if usable(found) else None


def _voxels(path: Path, packed: bool, header: _Header, needed: int) -> Array:
    """The first volume's numbers as stored."""
    if needed > MAX_STORED:
        raise InputError("This NIfTI file stores more than 2 GiB for one volume; save it in 16 bits, or give a part of it.")
    if packed:
        content = gunzip_limited(path, header.offset + needed, cut=True)[header.offset :]
    else:
        with opened(path) as stream:
            stream.seek(header.offset)
            content = stream.read(needed)
    if len(content) < needed:
        raise InputError(
            f"This NIfTI file is cut short: {len(content):,} of {needed:,} bytes of voxels are there. Copy or download it again."
        )
    values = np.frombuffer(content, header.dtype)
    return values if header.dtype.isnative else values.astype(header.dtype.newbyteorder("="))
