"""CT and other grey images in DICOM: one file, a folder or a zip of them, as one `Volume` in Hounsfield units where stated.

Of several series the largest is read. Slices are ordered by their place along the normal, not by name or number. Nothing
that names a patient is read at all (`dicom_elements`), so nothing of it can be shown or kept.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.dicom_elements import looks_like_dicom, parsed
from gen_core.inputs.dicom_files import Read, dicom_files, holds_dicom
from gen_core.inputs.dicom_image import Frame, Image, image_of
from gen_core.inputs.dicom_pixels import stored_values
from gen_core.inputs.volumes import (
    HU,
    STORED,
    Array,
    Spacing,
    Volume,
    check_size,
    finished,
    spacing_of,
    tilt_note,
    turned,
    usable,
)
from gen_core.result import Notice

__all__ = ["holds_dicom", "read_all", "read_dicom", "series_of"]

SAME_PLACE = 1e-3  # mm along the normal


@dataclass(frozen=True)
class Place:
    """One slice of a series: the file that has it, its number among the file's frames, and what the file says of it."""

    name: str
    index: int
    frame: Frame
    number: int


def read_dicom(path: str | Path) -> Volume:
    """The largest series of a file, folder or zip. Raises InputError as `read_volume` does."""
    path = Path(path)
    with dicom_files(path) as (names, read, _):
        groups, others, first = series_of(names, read)
        if not groups:
            raise InputError(first or "There is no DICOM file in this folder or zip; a tomography image was expected.")
        images = max(groups, key=_count)
        notes: list[Notice] = []
        if len(groups) > 1:
            told = f"There are {len(groups):,} series; the largest, of {_count(images):,} slices, is read."
            notes.append(Notice("one_series", told))
        if others and len(names) > 1:
            why = f" The first: {first}" if first else ""
            notes.append(Notice("left_out", f"{others:,} files without an image that can be read are left out.{why}"))
        return _read(images, read, notes)


def read_all(path: str | Path) -> list[Volume]:
    """Every series of a file, folder or zip, the largest first; of equal ones the first by name. Raises as `read_dicom`."""
    with dicom_files(Path(path)) as (names, read, _):
        groups, _, first = series_of(names, read)
        if not groups:
            raise InputError(first or "There is no DICOM file in this folder or zip; a tomography image was expected.")
        return [_read(images, read, []) for images in sorted(groups, key=_count, reverse=True)]


def _count(images: dict[str, Image]) -> int:
    return sum(len(image.frames) for image in images.values())


def _read(images: dict[str, Image], read: Read, notes: list[Notice]) -> Volume:
    places, placed = _ordered(images, notes)
    example = next(iter(images.values()))
    check_size(len(places), example.rows, example.columns)
    values, unit, padding = _pixels(images, places, read, notes)
    return _assembled(values, unit, padding, example, places, placed, notes)


def series_of(names: list[str], read: Read) -> tuple[list[dict[str, Image]], int, str]:
    """Images by series (headers alone, by file name), how many files are left out, and the first reason for that."""
    groups: dict[tuple[object, ...], dict[str, Image]] = defaultdict(dict)
    others, first = 0, ""
    for name in names:
        try:
            data = read(name)
            if len(names) > 1 and not looks_like_dicom(data[:4096]):
                others += 1
                continue
            image = image_of(parsed(data))
        except InputError as error:
            others, first = others + 1, first or str(error)
            continue
        frame = image.frames[0]
        turn = tuple(round(part, 2) + 0.0 for part in frame.orientation or ())
        step = tuple(round(part, 4) for part in frame.spacing or ())
        light = replace(image, parsed=replace(image.parsed, data=b"", elements={}))  # pixels are read again, one at a time
        groups[image.series, image.rows, image.columns, turn, step][name] = light
    return list(groups.values()), others, first


def _ordered(images: dict[str, Image], notes: list[Notice]) -> tuple[list[Place], bool]:
    """The slices of a series in order, and whether each says where it lies."""
    places = []
    placed = True
    for name, image in images.items():
        # Frames of one file that all say the same say it of the first alone.
        same = len(image.frames) > 1 and all(frame is image.frames[0] for frame in image.frames)
        placed = placed and not same and all(frame.position and frame.orientation for frame in image.frames)
        places += [Place(name, i, frame, image.number or 0) for i, frame in enumerate(image.frames)]
    if not placed:
        places.sort(key=lambda place: place.number)  # stable: within a number by name, within a file by frame
        if len(images) > 1:
            notes.append(Notice("no_positions", "The slices do not say where they lie; they are ordered by their numbers."))
        return places, False
    normal = _normal(places[0].frame)
    along = {id(place): float(np.dot(normal, place.frame.position or ())) for place in places}
    places.sort(key=lambda place: (along[id(place)], place.number))
    kept = places[:1]
    for place in places[1:]:
        if along[id(place)] - along[id(kept[-1])] > SAME_PLACE:
            kept.append(place)
    if len(kept) < len(places):
        again = len(places) - len(kept)
        notes.append(Notice("same_place", f"{again:,} slices lie where another does; the first of each is read."))
    steps = np.diff([along[id(place)] for place in kept])
    if len(steps) and steps.max() > 1.05 * steps.min():
        notes.append(Notice("uneven_slices", f"Slices lie {steps.min():.3g} to {steps.max():.3g} mm apart; some may be missing."))
    return kept, True


def _normal(frame: Frame) -> Array:
    turn = np.array(frame.orientation or (1, 0, 0, 0, 1, 0), dtype=float)
    return np.cross(turn[:3], turn[3:])


def _pixels(images: dict[str, Image], places: list[Place], read: Read, notes: list[Notice]) -> tuple[Array, str, Array | None]:
    """Rescaled values (slices, rows, columns) in the order of `places`, their unit, and which are padding."""
    example = next(iter(images.values()))
    values = np.empty((len(places), example.rows, example.columns), np.float32)
    wanted: dict[str, list[tuple[int, Place]]] = defaultdict(list)
    for at, place in enumerate(places):
        wanted[place.name].append((at, place))
    padding = np.zeros(values.shape, bool) if any(images[name].padding for name in wanted) else None
    for name, members in wanted.items():
        image = image_of(parsed(read(name)))
        stored = stored_values(image)
        for at, place in members:
            pixels = stored[place.index]
            if image.padding and padding is not None and pixels.dtype.kind != "f":
                padding[at] = (pixels >= image.padding[0]) & (pixels <= image.padding[1])
            slope, intercept = place.frame.rescale or (1.0, 0.0)
            if image.inverted and pixels.dtype.kind != "f":
                pixels = (-1 if image.signed else 2**image.stored - 1) - pixels.astype(np.int64)
            values[at] = pixels * slope + intercept
    used = [images[name] for name in wanted]
    rescaled = [place.frame.rescale is not None for place in places]
    hu = all(rescaled) and all(image.ct for image in used) and all(p.frame.rescale_type in ("", "HU") for p in places)
    if not all(rescaled) and all(image.ct for image in used):
        notes.append(Notice("no_rescale", "The file does not say how its values become HU; they are the values stored."))
    elif not hu:
        notes.append(Notice("not_hu", "The values are not in HU: the file is no CT image, or names another unit."))
    if any(image.inverted for image in used):
        notes.append(Notice("inverted", "In this file white is the least value (MONOCHROME1); the values are inverted."))
    if any(image.lossy for image in used):
        notes.append(Notice("lossy", "The picture was compressed with loss; fine detail and noise are not as measured."))
    if any(image.burned_in for image in used):
        notes.append(
            Notice("burned_in", "The file says that text is part of its picture: see that it names nobody before sharing it.")
        )
    return values, HU if hu else STORED, padding


def _assembled(
    values: Array, unit: str, padding: Array | None, example: Image, places: list[Place], placed: bool, notes: list[Notice]
) -> Volume:
    values, unit, mended = finished(values, unit, padding)
    notes += mended
    frame = places[0].frame
    high, wide = frame.spacing or (None, None)
    through = example.between or example.thickness
    affine = None
    plane = ""
    if frame.orientation:
        turn = np.array(frame.orientation).reshape(2, 3)
        turn = (turn / np.linalg.norm(turn, axis=1, keepdims=True).clip(1e-6)).ravel()  # some writers round them
        first = np.array(frame.position or (0, 0, 0), dtype=float)
        last = np.array(places[-1].frame.position or (0, 0, 0), dtype=float)
        step = _normal(frame) * (through or 1.0)
        if placed and len(places) > 1:
            step = (last - first) / (len(places) - 1)
            through = float(np.linalg.norm(step))
        lps = np.eye(4)
        lps[:3] = np.column_stack([turn[:3] * (wide or 1.0), turn[3:] * (high or 1.0), step, first])
        # DICOM counts mm to the patient's left, back and head; NIfTI, and `Volume`, to the right, front and head.
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
        if usable(affine):
            values, plane, affine, tilt = turned(values, affine, keep_slices=True)
            notes += tilt_note(tilt)
        else:
            affine = None
    if not plane:
        notes.append(Notice("no_orientation", "The file does not say how the patient lies; slices are shown as stored."))
    spacing: Spacing = (through, high, wide)
    known = affine is not None and through is not None and high is not None and frame.position is not None
    if affine is not None:
        # Turning may have swapped rows and columns.
        steps = spacing_of(affine)
        spacing = (steps[0] if through is not None else None, *(steps[1:] if high is not None else (None, None)))
    if high is None:
        notes.append(Notice("no_spacing", "The file does not say how large its pixels are."))
    return Volume(values, spacing, unit, plane, "dicom", tuple(notes), affine if known else None)
