"""A square array of numbers that a user brings as a field on a plane: NPY, NPZ, CSV, or the grey of a picture."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import read_limited, sniff
from gen_core.inputs.arrays import read_arrays
from gen_core.inputs.images import read_picture
from gen_core.result import Notice

Array = np.ndarray
NAMES = ("rho", "charge", "density", "source", "values", "data", "image")  # that an NPZ is asked for, in this order
LEAST, MOST = 4, 2_048  # a side
MAX_BYTES = 64 << 20
HUGE = 1e30
EXPECTED = "a square array was expected: NPY, NPZ with rho, CSV of numbers, or a picture"


@dataclass(frozen=True, eq=False)
class Field:
    """`values` (n, n) float64, all finite; row 0 is the lowest, so that a picture stands upright."""

    values: Array
    notes: tuple[Notice, ...] = ()


def read_field(path: str | Path) -> Field:
    """A file as a square field. Raises InputError, one sentence, where it is none, holds no numbers, or is not square."""
    path = Path(path)
    kind = sniff(path)
    notes: tuple[Notice, ...] = ()
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind in ("npy", "npz", "zip"):
        values = _stored(path)
    elif kind in ("csv", "text"):
        values = _table(path)
    elif kind in ("png", "jpeg", "tiff", "gif", "unknown"):
        picture, notes = read_picture(path)
        values = picture.astype(np.float64).mean(2)[::-1]
    else:
        raise InputError(f"This is no array of numbers; {EXPECTED}.")
    return Field(_checked(values), notes)


def _stored(path: Path) -> Array:
    found = read_arrays(path, NAMES)
    if not found:
        raise InputError("This file holds no array named rho; save the charge density under that name, or as a plain NPY.")
    return np.squeeze(next(found[name] for name in ("", *NAMES) if name in found))


def _table(path: Path) -> Array:
    try:
        text = read_limited(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"This file is no text; {EXPECTED}.") from None
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise InputError(f"This file holds no numbers; {EXPECTED}.")
    mark = next((mark for mark in (",", "\t", ";") if mark in lines[0]), None)
    if len(lines) > MOST:
        raise InputError(f"This table has {len(lines):,} rows; at most {MOST:,} a side are read.")
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        try:
            cells = next(csv.reader(io.StringIO(line), delimiter=mark)) if mark else line.split()
        except csv.Error as error:
            raise InputError(f"Row {number} is damaged ({error}); {EXPECTED}.") from None
        if len(cells) > MOST:
            raise InputError(f"This table has {len(cells):,} columns; at most {MOST:,} a side are read.")
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError:
            word = next(cell for cell in cells if not _is_number(cell))
            raise InputError(f"Row {number} holds {word.strip()[:20]!r}, which is no number; give numbers alone.") from None
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise InputError(f"The rows of this table have {min(lengths)} to {max(lengths)} numbers; each needs as many.")
    return np.array(rows)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checked(values: Array) -> Array:
    if values.ndim != 2:
        raise InputError(f"This array has {values.ndim} dimensions; two (rows, columns) are needed.")
    rows, columns = values.shape
    if rows != columns:
        raise InputError(
            f"This array has {rows:,} rows and {columns:,} columns; the square needs as many rows as columns. Cut it, or fill "
            "it up with zeros."
        )
    if rows < LEAST or rows > MOST:
        raise InputError(f"This array has {rows:,} rows; {LEAST} to {MOST:,} a side are read.")
    values = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        bad = int((~(np.abs(values) < HUGE)).sum())  # NaN is not below anything
    if bad:
        raise InputError(f"Values of this array are no numbers ({bad:,} are NaN, infinite or beyond 1e30); replace them first.")
    return values
