"""A slice or a volume as a NIfTI file, with its spacing and place, that viewers open at the right size and the right way up."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gen_core.errors import OutputError
from gen_core.result import disk_sentence

Array = np.ndarray
NOTE = "derived or synthetic; not for clinical use"  # 80 characters are possible


def write_nifti(
    path: Path, values: Array, spacing: Sequence[float | None] = (None, None, None), affine: Array | None = None
) -> None:
    """Write values (rows, columns) or (slices, rows, columns), as float32, to .nii or .nii.gz; the same gives the same bytes.

    Pictures are axial, the patient's right at the left, the front at the top (as `inputs.volumes.Volume` has them), with
    `spacing` in mm from slice to slice, row to row and column to column (1 where unknown), centred on zero. `affine` (4, 4),
    from (column, row, slice) to mm right, front, head, takes the place of both. Raises OutputError where the disk refuses.
    """
    import nibabel

    stack = np.asarray(values, np.float32)
    stack = stack[None] if stack.ndim == 2 else stack
    image = nibabel.Nifti1Image(np.ascontiguousarray(stack.transpose(2, 1, 0)), placed(stack.shape, spacing, affine))
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = NOTE.encode()
    content = image.to_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, 6, mtime=0)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(disk_sentence(error, path)) from error


def placed(shape: tuple[int, ...], spacing: Sequence[float | None], affine: Array | None = None) -> Array:
    """The affine of axial pictures (slices, rows, columns): columns run to the patient's left, rows to the back."""
    if affine is not None:
        return np.asarray(affine, dtype=float)
    steps = np.array([float(step or 1.0) for step in spacing][::-1]) * (-1, -1, 1)
    out = np.diag([*steps, 1.0])
    out[:3, 3] = -steps * (np.array(shape[::-1]) - 1) / 2
    return out
