"""Tomography images that a user brings, as one kind of value: DICOM, NIfTI, NPY, NPZ, TIFF and other pictures.

Values are Hounsfield units where the file says so, or clearly holds them, and otherwise the numbers that are stored. Each
picture is turned as radiologists look at it: the patient's right at the left, the front at the top, the head at the top.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import human_size, sniff
from gen_core.result import Notice

Array = np.ndarray
AIR = -1024.0  # HU: what a scanner writes for what it did not measure; nothing is less dense than air, -1000
LEAST, MOST = 8, 4096  # pixels a side
MAX_VOXELS = 1 << 28  # 1 GiB as float32
MAX_SLICES = 1 << 15
HUGE = 1e30  # from here on a value is no measurement, and sums of it leave what 32 bits hold
EXPECTED = "a tomography image was expected: DICOM, NIfTI, NPY, NPZ, PNG or TIFF"

HU, STORED = "HU", "stored values"
Spacing = tuple[float | None, float | None, float | None]

# The left, right, top and bottom edge of a picture in each plane: Right, Left, Anterior, Posterior, Head (S), Feet (I).
EDGES = {"axial": ("R", "L", "A", "P"), "coronal": ("R", "L", "S", "I"), "sagittal": ("A", "P", "S", "I")}
_VIEWS = {
    "axial": "axial: the patient's right is at the left of the picture, the front at the top",
    "coronal": "coronal: the patient's right is at the left of the picture, the head at the top",
    "sagittal": "sagittal: the front is at the left of the picture, the head at the top",
}
_WORDS = {
    "hdf5": "an HDF5 file",
    "zarr": "a Zarr store",
    "parquet": "a table (Parquet)",
    "csv": "a table",
    "json": "a JSON file",
    "text": "a text file",
    "html": "a web page",
    "svg": "a drawing (SVG)",
    "fasta": "a FASTA file",
    "pdb": "a protein structure",
    "mmcif": "a protein structure",
    "gzip": "a gzip file with no NIfTI inside",
}


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack of pictures of one body or object.

    `values` (slices, rows, columns) float32, all finite, in `unit`: "HU" or "stored values". `spacing` mm from slice to
    slice, row to row and column to column, None where unknown. `plane` is axial, coronal, sagittal, or "" where unknown;
    slices then run from feet to head, from back to front or from the patient's right to the left. `affine` (4, 4) takes
    (column, row, slice) to mm towards the patient's right, front and head (NIfTI's axes), None where unknown. `kind` is
    the format, as `sniff` names it. `notes` say what was done with the file's values and what was left out; nothing in
    here names a patient.
    """

    values: Array
    spacing: Spacing
    unit: str
    plane: str
    kind: str
    notes: tuple[Notice, ...] = ()
    affine: Array | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def orientation(self) -> str:
        """A sentence on how the pictures lie; the same for every slice."""
        return _VIEWS.get(self.plane, "how the patient lies in the picture is not known: it is shown as stored")

    @property
    def edges(self) -> tuple[str, str, str, str] | None:
        """The letters at the left, right, top and bottom edge of a picture, as viewers show them."""
        return EDGES.get(self.plane)


def read_volume(path: str | Path) -> Volume:
    """Read a file, a folder or a zip of DICOM files, as a `Volume`.

    Raises InputError, one sentence, where it is no image, damaged, or larger than 4096 x 4096 pixels a slice or 268
    million voxels in all. Sentences and notes hold nothing that names a patient.
    """
    from gen_core.inputs import arrays, dicom, nifti, slices

    path = Path(path)
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind in ("folder", "dicom") or (kind == "zip" and dicom.holds_dicom(path)):
        return dicom.read_dicom(path)
    if kind == "nifti":
        return nifti.read_nifti(path)
    if kind in ("npy", "npz", "zip"):  # an .npz with a recipe or a text beside its arrays looks like any zip
        return arrays.read_array(path)
    if kind in ("png", "jpeg", "tiff", "gif"):
        return slices.read_slices(path)
    if dicom.holds_dicom(path):  # one without the 132 bytes that others begin with
        return dicom.read_dicom(path)
    if kind == "unknown":
        return slices.read_slices(path)  # BMP and WebP; says in a sentence where it is neither
    raise InputError(f"This is {_WORDS.get(kind, kind)}; {EXPECTED}.")


def check_size(slices: int, rows: int, columns: int) -> None:
    """Raise InputError where an image of this many pixels is not read; called before any value is unpacked."""
    if min(rows, columns) < LEAST or slices < 1:
        raise InputError(f"This image has {rows:,} by {columns:,} pixels; at least {LEAST} a side are needed.")
    if max(rows, columns) > MOST:
        raise InputError(
            f"This image has {rows:,} by {columns:,} pixels a slice; at most {MOST:,} a side are read. Make it smaller first."
        )
    if slices > MAX_SLICES or slices * rows * columns > MAX_VOXELS:
        raise InputError(
            f"This image has {slices:,} slices of {rows:,} by {columns:,} pixels and would take "
            f"{human_size(4 * slices * rows * columns)}; at most {human_size(4 * MAX_VOXELS)} are read. Give a part of it."
        )


def looks_like_hu(values: Array) -> bool:
    """Whether numbers of unknown meaning are Hounsfield units by their range: air far below zero, the densest above water."""
    low, high = float(np.percentile(values, 0.5)), float(values.max())
    return -4100 <= low <= -700 and -50 <= high <= 70_000


def finished(values: Array, unit: str | None, padding: Array | None = None) -> tuple[Array, str, list[Notice]]:
    """Values as finite float32 (mended in place where they are that already), their unit (None: told by their range), notes.

    `padding` (as values) marks voxels that the file calls not measured. Raises InputError where no value is a number.
    """
    notes: list[Notice] = []
    if values.dtype != np.float32 or not values.flags.writeable or not values.flags.c_contiguous:  # large ones are not copied
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.array(values, dtype=np.float32, order="C")
    good = (values > -HUGE) & (values < HUGE)  # NaN is neither
    missing = values.size - int(good.sum())
    if missing == values.size:
        raise InputError("No value in this image is a number (all are NaN or infinite); export it again.")
    least = float(values.min() if not missing else values[good].min())
    if unit is None:
        unit = HU if looks_like_hu(values if not missing else values[good]) else STORED
        if unit == HU:
            most = float(values.max() if not missing else values[good].max())
            values_told = f"its values, {least:,.0f} to {most:,.0f}, are taken as HU"
            notes.append(Notice("taken_as_hu", f"The file does not name its unit; {values_told}."))
    if padding is not None and padding.any() and not padding.all():
        good &= ~padding
        least = float(values[good].min()) if good.any() else least
    fill = AIR if unit == HU else least
    if missing:
        notes.append(Notice("not_numbers", f"{missing:,} voxels are no numbers (NaN or infinite); they are set to {fill:,.0f}."))
    padded = values.size - int(good.sum()) - missing
    values[~good] = fill
    if unit == HU and least < AIR:
        below = values < AIR
        padded += int(below.sum())
        values[below] = AIR
    if padded:
        what = f"{padded:,} voxels were not measured (padding) or lie below air; they are set to {fill:,.0f}"
        notes.append(Notice("padding", what + (" HU, air." if unit == HU else ".")))
    return values, unit, notes


def turned(values: Array, affine: Array, keep_slices: bool = False) -> tuple[Array, str, Array, float]:
    """A volume (slices, rows, columns) turned to radiologists' view: values, plane, its new affine, and the tilt in degrees.

    `affine` takes (column, row, slice) to mm right, front, head. Axes are only swapped and reversed, never resampled, so a
    tilted volume stays tilted by the angle that is returned. With `keep_slices` the slices stay those of the file; else
    they become axial, unless the volume is one slice of another plane.
    """
    scaled = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    axes = _nearest(scaled)  # for column, row, slice: which of right, front, head it runs along
    tilt = float(np.degrees(np.arccos(np.clip(min(abs(scaled[axes[i], i]) for i in range(3)), 0, 1))))
    through = axes[2] if keep_slices else 2
    thin = [axes[i] for i, length in enumerate(values.shape[::-1]) if length == 1]
    if thin and 2 not in thin:
        through = thin[0]
    plane = ("sagittal", "coronal", "axial")[through]
    # The direction (axis, sign) that columns, rows and slices of the result run in, by the letters of the edges.
    wanted = {
        "axial": ((0, -1), (1, -1), (2, 1)),
        "coronal": ((0, -1), (2, -1), (1, 1)),
        "sagittal": ((1, -1), (2, -1), (0, -1)),
    }[plane]
    order = [axes.index(axis) for axis, _ in wanted]
    lengths = values.shape[::-1]
    turn = np.zeros((4, 4))
    turn[3, 3] = 1
    flips = []
    for new, (old, (axis, sign)) in enumerate(zip(order, wanted, strict=True)):
        same = scaled[axis, old] * sign > 0
        turn[old, new] = 1 if same else -1
        turn[old, 3] = 0 if same else lengths[old] - 1
        flips.append(slice(None) if same else slice(None, None, -1))
    out = values.transpose(2 - order[2], 2 - order[1], 2 - order[0])[flips[2], flips[1], flips[0]]
    return np.ascontiguousarray(out), plane, affine @ turn, tilt


def spacing_of(affine: Array) -> Spacing:
    """Millimetres from slice to slice, row to row and column to column."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    return float(steps[2]), float(steps[1]), float(steps[0])


def usable(affine: Array) -> bool:
    """Whether an affine places voxels at all: finite, with three directions that are not one plane."""
    if affine.shape != (4, 4) or not (np.abs(affine) < 1e9).all():  # NaN is not, either
        return False
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    return bool((steps > 1e-6).all() and (steps < 1e4).all() and abs(np.linalg.det(affine[:3, :3] / steps)) > 0.05)


def tilt_note(tilt: float) -> list[Notice]:
    if tilt < 3:
        return []
    return [Notice("tilted", f"The slices are tilted by {tilt:.0f} degrees against the body's axes; they are shown as measured.")]


def _nearest(directions: Array) -> list[int]:
    """For each column of a 3 x 3 matrix the row it is nearest to, each row once: the largest entries first."""
    left = np.abs(directions).copy()
    found = [0, 0, 0]
    for _ in range(3):
        axis, column = np.unravel_index(int(np.argmax(left)), left.shape)
        found[int(column)] = int(axis)
        left[axis, :] = -1
        left[:, column] = -1
    return found
