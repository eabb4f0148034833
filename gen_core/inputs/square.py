"""One slice made ready for reconstruction: a square picture around the body, at the number of pixels that is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.volumes import AIR, HU, Array, Volume
from gen_core.result import Notice

SMALLEST, LARGEST = 64, 512  # pixels a side
_BODY = -400.0  # HU between lung and fat; the body is what lies above, with what it encloses
_MARGIN = 1.04  # of the circle around the body


@dataclass(frozen=True, eq=False)
class Square:
    """`values` (size, size) float32 in `unit`; `pixel` mm a pixel, None where the file does not say.

    `place` says where it lies in the slice: the middle (row, column) in the slice's pixels, and the side as rows and columns.
    """

    values: Array
    pixel: float | None
    unit: str
    place: tuple[float, float, float, float]
    notes: tuple[Notice, ...]


def center_square(volume: Volume, slice: int, size: int, whole: bool = False) -> Square:
    """A slice as a square of `size` x `size` pixels, each the mean of what it covers.

    The square lies around the body, so that the circle within it holds the body; with `whole` it is the smallest that holds
    the whole slice. What lies outside the slice is air (in stored values: the slice's least). The mean over the square is
    kept. Raises InputError where there is no such slice, or `size` is not 64 to 512.
    """
    if not 0 <= slice < len(volume):
        raise InputError(f"There is no slice {slice}; this image has slices 0 to {len(volume) - 1}.")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"A size of {size} pixels is not possible; choose {SMALLEST} to {LARGEST}.")
    values = volume.values[slice].astype(np.float64)
    high, wide = known = (volume.spacing[1], volume.spacing[2])
    if high is None or wide is None:
        known, high, wide = (None, None), 1.0, 1.0
    middle, side = _around(values, (high, wide), volume.unit == HU and not whole, whole)
    background = AIR if volume.unit == HU else float(values.min())
    rows = _weights(values.shape[0], middle[0], side / high, size)
    columns = _weights(values.shape[1], middle[1], side / wide, size)
    averaged = background + rows @ (values - background) @ columns.T
    pixel = side / size if known[0] is not None else None
    notes = _notes(volume, (high, wide), side / size, pixel, size)
    place = (middle[0], middle[1], side / high, side / wide)
    return Square(averaged.astype(np.float32), pixel, volume.unit, place, notes)


def _around(values: Array, pixel: tuple[float, float], hu: bool, whole: bool) -> tuple[tuple[float, float], float]:
    """Middle (row, column, in pixels from the corner) and side in mm of the square."""
    from scipy import ndimage

    rows, columns = values.shape
    everything = ((rows / 2, columns / 2), max(rows * pixel[0], columns * pixel[1]))
    if whole:
        return everything
    low, high = np.percentile(values, (1, 99))
    level = _BODY if hu else low + 0.1 * (high - low)
    labels, count = ndimage.label(values > level)
    if not count or high <= low:
        return everything
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = labels == int(np.argmax(sizes))
    if body.sum() < 0.01 * body.size:  # specks are no body
        return everything
    found = np.argwhere(body) + 0.5
    low_corner, high_corner = found.min(0), found.max(0)
    middle = (low_corner + high_corner) / 2
    reach = float(np.hypot((found[:, 0] - middle[0]) * pixel[0], (found[:, 1] - middle[1]) * pixel[1]).max())
    side = 2 * _MARGIN * (reach + max(pixel) / 2)
    # Noise around an object without edges reaches the corners: then the whole slice is what there is.
    if side > math.sqrt(2) * everything[1]:
        return everything
    return (float(middle[0]), float(middle[1])), side


def _weights(length: int, middle: float, side: float, size: int) -> Array:
    """(size, length): the share of each new pixel that each old one covers, along one axis. Rows sum to 1 inside the slice."""
    edges = middle - side / 2 + side / size * np.arange(size + 1)
    old = np.arange(length + 1)
    overlap = np.minimum(edges[1:, None], old[None, 1:]) - np.maximum(edges[:-1, None], old[None, :-1])
    return np.clip(overlap, 0, None) * (size / side)


def _notes(volume: Volume, before: tuple[float, float], after: float, pixel: float | None, size: int) -> tuple[Notice, ...]:
    finest = min(before)
    unit = " mm" if pixel is not None else " of the file's pixels"
    same = math.isclose(*before, rel_tol=1e-3) and math.isclose(after, finest, rel_tol=1e-3)
    was = f"{before[0]:.3g}" if math.isclose(*before, rel_tol=1e-3) else f"{before[0]:.3g} by {before[1]:.3g}"
    wide = f" of {was} mm" if pixel is not None else ""
    told = []
    if not same or volume.values.shape[1:] != (size, size):
        told.append(
            Notice(
                "resampled",
                f"The slice, {volume.values.shape[1]:,} by {volume.values.shape[2]:,} pixels{wide}, is shown as "
                f"{size} by {size} pixels of {after:.3g}{unit}, each the mean of what it covers.",
            )
        )
    if after > 1.01 * finest:
        limits = f"{2 * after:.3g}{unit} are lost; the file resolves {2 * finest:.3g}{unit}"
        told.append(Notice("resolution_lost", f"Details finer than {limits}."))
    elif after < 0.99 * finest:
        told.append(Notice("no_detail_gained", "The new pixels are smaller than the file's; that adds no detail."))
    if pixel is None:
        told.append(Notice("no_spacing", "The file does not say how large its pixels are; they are taken as square."))
    return tuple(told)
