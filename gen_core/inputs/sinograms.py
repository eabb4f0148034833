"""Measured sinograms: NPY and NPZ, MATLAB files such as those of the Helsinki Tomography Challenge 2022, TIFF and PNG.

What a file does not say is told by its user (`Scan`); what both say, the user's word counts. Nothing is guessed that would
change the reconstruction without a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, sniff
from gen_core.inputs.arrays import read_arrays
from gen_core.inputs.matlab import is_matlab, read_matlab
from gen_core.inputs.slices import read_slices
from gen_core.inputs.volumes import HUGE, Array
from gen_core.result import Notice

MAX_VIEWS, MAX_BINS, LEAST_BINS = 10_000, 16_384, 8
MAX_BYTES = 1 << 29
EXPECTED = "a sinogram was expected: NPZ with sinogram and angles, NPY, a MATLAB file, TIFF or PNG"

# Names that files give to the same thing, in lower case; lengths in mm.
_SINOGRAM = ("sinogram", "sino", "projections", "data", "values")
_ANGLES = ("angles_deg", "angles", "theta", "angles_rad")
_LENGTHS = {
    "detector_spacing": ("detector_spacing", "pixelsizepost", "detectorpixelsize"),
    "source_origin": ("source_origin", "distancesourceorigin"),
    "origin_detector": ("origin_detector", "distanceorigindetector"),
    "source_detector": ("source_detector", "distancesourcedetector"),
    "pixel_size": ("pixel_size", "effectivepixelsizepost", "effectivepixelsize"),
    "rotation_centre": ("rotation_centre", "rotation_center"),
    "i0": ("i0",),
}
_OWN = ("detector_spacing", "source_origin", "origin_detector", "rotation_centre", "pixel_size")
_KNOWN = {*_SINOGRAM, *_ANGLES, *(name for names in _LENGTHS.values() for name in names)}


@dataclass(frozen=True)
class Scan:
    """What a user says of a measurement; None: as the file says, else the plainest case (parallel rays, centred, degrees).

    `angles` one for each view, in `angle_unit`; `axis` says whether rows of the array are views or bins; `direction` -1 is a
    turn clockwise. `intensity`: the values are counts and not yet -log(counts / i0), with `i0` the counts of the open beam.
    `flipped`: the detector was read out from the other end. Lengths in mm; `rotation_centre` in bins to the right of the
    detector's middle as it is stored.
    """

    angles: Sequence[float] | None = None
    angle_unit: Literal["degrees", "radians"] | None = None
    axis: Literal["views", "bins"] | None = None
    direction: Literal[1, -1] = 1
    flipped: bool = False
    intensity: bool = False
    i0: float | None = None
    geometry: Literal["parallel", "fan"] | None = None
    detector_spacing: float | None = None
    source_origin: float | None = None
    origin_detector: float | None = None
    rotation_centre: float | None = None
    pixel_size: float | None = None
    curved: bool = False


@dataclass(frozen=True, eq=False)
class Sinogram:
    """Line integrals `values` (views, bins) float32, all finite, at `angles_deg` (views,) in rising order.

    `geometry` is parallel or fan. Lengths in mm, None where unknown: `detector_spacing` from bin to bin at the detector (along
    its arc where it is `curved`), `source_origin` and `origin_detector` from the axis (fan beam only), `pixel_size` that the
    measurement resolves at the axis. The axis is seen `rotation_centre` bins to the right of the detector's middle.
    """

    values: Array
    angles_deg: Array
    geometry: Literal["parallel", "fan"]
    detector_spacing: float | None
    source_origin: float | None
    origin_detector: float | None
    rotation_centre: float
    pixel_size: float | None
    curved: bool
    notes: tuple[Notice, ...]


def read_sinogram(path: str | Path, scan: Scan | None = None) -> Sinogram:
    """A measured sinogram. Raises InputError, one sentence, where it or its angles are missing, damaged or do not match."""
    scan = scan or Scan()
    notes: list[Notice] = []
    values, angles, unit, said = _raw(Path(path))
    if scan.angles is not None:
        angles, unit = np.asarray(scan.angles, dtype=np.float64), None
    values = _two_dimensional(values)
    if angles is None:
        raise InputError("There are no angles in this file; give one for each view, or an NPZ with sinogram and angles.")
    angles = np.asarray(angles, dtype=np.float64).ravel()
    values = _views_first(values, len(angles), scan.axis, notes)[:, :: -1 if scan.flipped else 1]
    angles = _degrees(angles, scan.angle_unit or unit, notes) * scan.direction
    values = _finite(np.asarray(values, dtype=np.float64), notes)
    if values.max() <= values.min():
        raise InputError("This sinogram has the same value everywhere; there is nothing to reconstruct.")
    if scan.intensity:
        values = _logarithm(values, scan.i0 if scan.i0 is not None else said.get("i0"), notes)
    order = np.argsort(angles, kind="stable")
    if not (np.diff(angles) >= 0).all():
        if not (np.diff(angles) <= 0).all():
            notes.append(Notice("sorted", "The views were not in the order of their angles; they are sorted."))
        angles, values = angles[order], values[order]
    repeated = int((np.diff(angles) < 1e-9).sum())
    if repeated:
        notes.append(Notice("repeated_angles", f"{repeated:,} angles are there more than once; each view counts."))
    return _built(values, angles, scan, said, notes)


def _raw(path: Path) -> tuple[Array, Array | None, str | None, dict[str, float]]:
    """The array, its angles and their unit where the file has them, and its lengths."""
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind in ("npy", "npz", "zip"):
        found: Mapping[str, object] = read_arrays(path, _KNOWN, MAX_BYTES)
        if kind == "npy":
            return np.asarray(found[""]), None, None, {}
    elif kind in ("tiff", "png"):
        volume = read_slices(path)
        if len(volume) > 1:
            raise InputError(f"This file holds {len(volume):,} pictures; a sinogram is one, of views and bins.")
        return volume.values[0], None, None, {}
    elif kind == "hdf5":
        raise InputError("This file is HDF5 (MATLAB saves it so with -v7.3); save the sinogram with -v7 in MATLAB, or as NPZ.")
    elif is_matlab(head(path, 128)):
        found = _flat(read_matlab(path))
    else:
        raise InputError(f"This file is none of those with measured data; {EXPECTED}.")
    values = next((found[name] for name in _SINOGRAM if isinstance(found.get(name), np.ndarray)), None)
    if not isinstance(values, np.ndarray):
        raise InputError(f"This file holds no array named sinogram; {EXPECTED}.")
    named = next((name for name in _ANGLES if isinstance(found.get(name), np.ndarray)), None)
    unit = {"angles_deg": "degrees", "angles_rad": "radians"}.get(named or "")
    angles = found[named] if named else None
    said = {}
    for length, names in _LENGTHS.items():
        number = next((found[name] for name in names if isinstance(found.get(name), np.ndarray)), None)
        if isinstance(number, np.ndarray) and number.size == 1 and np.isfinite(float(number.ravel()[0])):
            said[length] = float(number.ravel()[0])
    return values, angles if isinstance(angles, np.ndarray) else None, unit, said


def _flat(variables: Mapping[str, object]) -> dict[str, object]:
    """The sinogram and its parameters, from whichever structure holds them (`CtDataFull`, `CtDataLimited`, or none)."""

    def lower(table: Mapping[str, object]) -> dict[str, object]:
        return {name.lower(): value for name, value in table.items()}

    for value in variables.values():
        if isinstance(value, dict) and any(name in lower(value) for name in _SINOGRAM):
            inside = lower(value)
            parameters = inside.get("parameters")
            return {**(lower(parameters) if isinstance(parameters, dict) else {}), **inside}
    return lower(variables)


def _two_dimensional(values: Array) -> Array:
    if values.dtype.kind not in "biuf":
        raise InputError("The sinogram does not hold real numbers; save it as float32.")
    if values.ndim > 2:
        values = np.squeeze(values)
    if values.ndim != 2:
        raise InputError(f"This sinogram has {values.ndim} dimensions; one slice has two, views and bins. Give one slice of it.")
    if 0 in values.shape:
        raise InputError(f"This sinogram has {values.shape[0]:,} by {values.shape[1]:,} values; it holds no view.")
    return values


def _views_first(values: Array, count: int, axis: str | None, notes: list[Notice]) -> Array:
    rows, columns = values.shape
    if not count:
        raise InputError("There are 0 angles; give one for each view of the sinogram.")
    if axis is None:
        axis = "views" if rows == count else "bins"
        if axis == "bins" and columns == count:
            notes.append(Notice("turned", "There are as many angles as columns, so these are the views; the array is turned."))
    values = values if axis == "views" else values.T
    if len(values) != count:
        shape = f"{rows:,} by {columns:,}" if axis == "bins" and columns != count else f"{len(values):,} views"
        raise InputError(f"There are {count:,} angles and a sinogram of {shape}; give one angle for each view.")
    views, bins = values.shape
    if views > MAX_VIEWS or not LEAST_BINS <= bins <= MAX_BINS:
        raise InputError(
            f"This sinogram has {views:,} views of {bins:,} bins; at most {MAX_VIEWS:,} views and {LEAST_BINS} to {MAX_BINS:,} "
            "bins are read."
        )
    return values


def _degrees(angles: Array, unit: str | None, notes: list[Notice]) -> Array:
    if not np.isfinite(angles).all() or np.abs(angles).max() > 1e6:
        raise InputError("An angle of this sinogram is not a number; give one in degrees for each view.")
    span = float(np.ptp(angles))
    if unit is None and len(angles) >= 16 and 0 < span <= 2 * np.pi + 1e-6:
        unit = "radians"
        notes.append(Notice("radians", f"The angles cover {span:.3g} and are taken as radians, {np.degrees(span):.4g} degrees."))
    if unit == "radians":
        angles, span = np.degrees(angles), float(np.degrees(span))
    if len(angles) > 1 and span < 1e-6:
        raise InputError("All angles of this sinogram are the same: they cover 0 degrees. Give the angle of each view.")
    if span > 360 + 1e-3:
        raise InputError(f"The angles of this sinogram cover {span:,.5g} degrees; one turn, 360, is the most that is used.")
    return angles


def _finite(values: Array, notes: list[Notice]) -> Array:
    """Values that are no numbers are filled from their neighbours along the detector."""
    bad = ~(np.abs(values) < HUGE)  # NaN is not, either
    if not bad.any():
        return values
    if (bad.all(axis=1)).any():
        raise InputError("A whole view of this sinogram holds no number (NaN or infinite); leave it out, with its angle.")
    values = values.copy()
    for view in np.flatnonzero(bad.any(axis=1)):
        good = np.flatnonzero(~bad[view])
        values[view] = np.interp(np.arange(values.shape[1]), good, values[view, good])
    notes.append(Notice("not_numbers", f"{int(bad.sum()):,} values were no numbers; they are filled from the bins beside them."))
    return values


def _logarithm(values: Array, i0: float | None, notes: list[Notice]) -> Array:
    """Line integrals -log(I / I0) of counts (Beer and Lambert)."""
    if i0 is None:
        i0 = float(values.max())
        notes.append(Notice("i0_from_data", f"The counts of the open beam are not given; the largest value, {i0:.5g}, is taken."))
    if not (np.isfinite(i0) and i0 > 0) or values.max() <= 0:
        raise InputError("Counts of the open beam (I0) must be above 0, and so must measured counts; give -log values instead?")
    least = float(values[values > 0].min())
    none = int((values <= 0).sum())
    if none:
        notes.append(Notice("no_counts", f"{none:,} values are 0 or less; the least count, {least:.5g}, is put in their place."))
    return -np.log(np.maximum(values, least) / i0)


def _built(values: Array, angles: Array, scan: Scan, said: Mapping[str, float], notes: list[Notice]) -> Sinogram:
    lengths = {name: getattr(scan, name) if getattr(scan, name) is not None else said.get(name) for name in _OWN}
    for name, length in lengths.items():
        if length is not None and not (np.isfinite(length) and (name == "rotation_centre" or 0 < length < 1e6)):
            raise InputError(f"{name.replace('_', ' ').capitalize()} must be a length above 0 mm, not {length:g}.")
    source, beyond = lengths["source_origin"], lengths["origin_detector"]
    if beyond is None and source is not None and said.get("source_detector", 0) > source:
        beyond = said["source_detector"] - source
    geometry = scan.geometry or ("fan" if source is not None else "parallel")
    centre = lengths["rotation_centre"] or 0.0
    if abs(centre) >= values.shape[1] / 2:
        raise InputError(f"The axis cannot be seen {centre:g} bins from the middle of a detector of {values.shape[1]:,} bins.")
    centre = -centre if scan.flipped else centre
    spacing, pixel = lengths["detector_spacing"], lengths["pixel_size"]
    if geometry == "parallel":
        source = beyond = None
        pixel = spacing if pixel is None else pixel
    elif source is None or beyond is None:
        raise InputError("A fan beam needs the distances from the source to the axis and from the axis to the detector, in mm.")
    elif pixel is None and spacing is not None:
        pixel = spacing * source / (source + beyond)  # a bin as seen at the axis
    if scan.curved and geometry == "parallel":
        raise InputError("A curved detector goes with a fan beam; parallel rays meet a flat one.")
    if spacing is None:
        notes.append(Notice("no_spacing", "The file does not say how wide the detector's bins are; lengths are in bins."))
    if values.min() >= 0 and not scan.intensity and values.max() > 50:
        notes.append(
            Notice(
                "large_values",
                "The values are large for line integrals; if they are counts, say so (counts), or give −log(counts / I0).",
            )
        )
    return Sinogram(
        values.astype(np.float32), angles, geometry, spacing, source, beyond, centre, pixel, scan.curved, tuple(notes)
    )
