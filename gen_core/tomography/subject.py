"""What is scanned: a synthetic slice, an image of the user's, or nothing but a measured sinogram; all as one problem.

Within this system values are attenuation over that of water, lengths are in pixels; results are given back in the scale
and unit of what came in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import InputError, RecipeError
from gen_core.result import Notice
from gen_core.tomography import lesion, measure, metrics, phantoms
from gen_core.tomography.geometry import Geometry, scanner
from gen_core.tomography.operator import MOST
from gen_core.tomography.phantoms import Phantom
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import Reconstruct

if TYPE_CHECKING:
    from gen_core.inputs.sinograms import Sinogram

Array = np.ndarray
FINEST = 512  # pixels along a side


@dataclass(frozen=True, eq=False)
class Subject:
    """A problem, the truth (size, size) where it is known, and how values are told: gain * attenuation + offset, in `unit`.

    `delta` (size, size) is the lesion alone, None where none was put in. `clean` is the sinogram without noise where known.
    """

    problem: Problem
    truth: Array | None
    gain: float
    offset: float
    unit: str
    pixel: float | None
    notes: tuple[Notice, ...] = ()
    delta: Array | None = None
    clean: Array | None = None
    synthetic: bool = False
    slices: int = 1

    def told(self, attenuation: Array) -> Array:
        """Attenuation in the scale of what came in, float32."""
        return (self.gain * attenuation + self.offset).astype(np.float32)


def subject_of(recipe: Reconstruct) -> Subject:
    """What the recipe scans, measured. Raises InputError where a file is not usable, RecipeError where the scan is too large."""
    return _measured(recipe) if recipe.sinogram is not None else _scanned(recipe)


# ---- an image that is scanned here


def _scanned(recipe: Reconstruct) -> Subject:
    assert recipe.image is not None
    assert recipe.views is not None
    size = recipe.size
    source: Phantom | Array
    if recipe.image.startswith("synthetic"):
        source = phantoms.named(recipe.image)
        gain, offset, unit = (1000.0, -1000.0, "HU") if source.hounsfield else (1.0, 0.0, "own scale")
        notes: tuple[Notice, ...] = (
            Notice("synthetic_data", "This slice is synthetic: painted with ellipses, not of a person."),
        )
        pixel: float | None = source.field / size
        slices, synthetic = 1, True
    else:
        source, gain, offset, unit, pixel, notes, slices = _opened(recipe)
        synthetic = False
    pixel = recipe.pixel_size or pixel
    delta = None
    if recipe.lesion is not None:
        spot = lesion.placed(recipe.lesion, size, pixel or 1.0, recipe.lesion.contrast / gain)
        delta = phantoms.image(spot, size)
        source = lesion.joined(source, spot) if isinstance(source, Phantom) else source + phantoms.image(spot, len(source))
    truth = phantoms.image(source, size) if isinstance(source, Phantom) else halved(source, size)
    geometry = geometry_of(recipe, pixel)
    clean = measure.clean(source, geometry)
    scale = measure.WATER * pixel if pixel and unit == "HU" else None
    made = measure.measured(clean, recipe.noise, recipe.noise_model, recipe.seed, recipe.ring, scale)
    problem = Problem(geometry, made.sinogram.astype(np.float32), made.sigma, pixel)
    return Subject(problem, truth, gain, offset, unit, pixel, notes, delta, clean, synthetic, slices)


def _opened(recipe: Reconstruct) -> tuple[Array, float, float, str, float | None, tuple[Notice, ...], int]:
    """A slice of a file as attenuation, at twice the resolution where that can be. The one place that reads images."""
    from gen_core.inputs.square import center_square
    from gen_core.inputs.volumes import read_volume

    assert recipe.image is not None
    volume = read_volume(path_of(recipe.image, "image"))
    which = len(volume) // 2 if recipe.slice is None else recipe.slice
    fine = min(2 * recipe.size, FINEST)
    square = center_square(volume, which, fine)
    coarse = center_square(volume, which, recipe.size)  # its notes are those of the size that is shown
    attenuation, gain, offset = attenuated(square.values, square.unit)
    return attenuation, gain, offset, square.unit, coarse.pixel, (*volume.notes, *coarse.notes), len(volume)


def attenuated(square: Array, unit: str) -> tuple[Array, float, float]:
    """A square slice (m, m) in `unit` as attenuation over that of water within the scanner's field of view, and the gain and
    offset that take it back. Raises InputError where nothing is in it."""
    values = square.astype(np.float64)
    if unit == "HU":
        gain, offset = 1000.0, -1000.0
    else:
        low, high = float(values.min()), float(np.percentile(values, 99.5))
        if high <= low:
            raise InputError("This slice has the same value everywhere; there is nothing to reconstruct.")
        gain, offset = high - low, low
    attenuation = np.maximum((values - offset) / gain, 0)
    attenuation[~metrics.disc(len(values))] = 0
    return attenuation, gain, offset


def halved(source: Array, size: int) -> Array:
    """A slice with fewer pixels (size, size), each the mean of what it covers; float32."""
    times = len(source) // size
    return source.reshape(size, times, size, times).mean((1, 3)).astype(np.float32)


def geometry_of(recipe: Reconstruct, pixel: float | None) -> Geometry:
    """The recipe's scanner, in pixels. Raises RecipeError where it cannot be or needs too much memory."""
    assert recipe.views is not None
    mm = pixel or 1.0
    lengths = {name: getattr(recipe, name) for name in ("detector_spacing", "source_origin", "origin_detector")}
    spacing, source, beyond = (None if value is None else value / mm for value in lengths.values())
    if recipe.geometry == "fan" and source is not None and source <= recipe.size / 2:
        raise RecipeError(
            f"source_origin: {recipe.source_origin:g} mm lie inside the slice; take more than {recipe.size / 2 * mm:.0f} mm."
        )
    made = scanner(
        recipe.size, recipe.views, recipe.angle_range, recipe.start_angle, recipe.detector_bins, recipe.geometry, spacing,
        source, beyond, recipe.rotation_centre, recipe.curved and recipe.geometry == "fan",
    )  # fmt: skip
    return _fitting(made)


def _fitting(geometry: Geometry) -> Geometry:
    entries = 2 * len(geometry.angles) * geometry.bins * geometry.size
    if entries > MOST:
        raise RecipeError(
            f"views: {len(geometry.angles):,} views of {geometry.bins:,} bins at {geometry.size} pixels need too much memory; "
            f"take at most {max(1, MOST // (2 * geometry.bins * geometry.size)):,} views, or a smaller size."
        )
    return geometry


# ---- a sinogram that was measured elsewhere


def read(recipe: Reconstruct) -> Sinogram:
    """The measured sinogram of a recipe. Raises InputError where it, or its angles, cannot be used."""
    from gen_core.inputs.sinograms import Scan, read_sinogram

    assert recipe.sinogram is not None
    asked = Scan(
        angles=recipe.angles,
        geometry="fan" if recipe.geometry == "fan" or recipe.source_origin is not None else None,
        detector_spacing=recipe.detector_spacing,
        source_origin=recipe.source_origin,
        origin_detector=recipe.origin_detector,
        rotation_centre=recipe.rotation_centre or None,
        pixel_size=recipe.pixel_size,
        curved=recipe.curved,
        direction=-1 if recipe.clockwise else 1,
        flipped=recipe.detector_flipped,
        intensity=recipe.counts,
        i0=recipe.open_beam,
    )
    return read_sinogram(path_of(recipe.sinogram, "sinogram"), asked)


def _measured(recipe: Reconstruct) -> Subject:
    found = read(recipe)
    known = found.detector_spacing is not None
    spacing = found.detector_spacing or 1.0
    source, beyond = found.source_origin or 0.0, found.origin_detector or 0.0
    near = source / (source + beyond) if found.geometry == "fan" else 1.0
    pixel = recipe.pixel_size or found.values.shape[1] * spacing * near / recipe.size  # the detector's view of the axis
    geometry = _fitting(
        Geometry(
            recipe.size, tuple(float(a) for a in found.angles_deg), found.values.shape[1], found.geometry, spacing / pixel,
            source / pixel, beyond / pixel, found.rotation_centre, found.curved,
        )
    )  # fmt: skip
    values = found.values.astype(np.float64) / pixel  # the mean over a pixel, per unit of length
    unit, gain = ("1/mm", measure.WATER) if known else ("own scale", 1.0)
    if not known:
        from gen_core.tomography import fbp

        rough = fbp.solve(Problem(geometry, values, np.zeros_like(values)), window="hann").image
        gain = max(float(np.percentile(rough, 99.5)), 1e-12)
    data = values / gain
    problem = Problem(geometry, data.astype(np.float32), measure.estimated(data), pixel if known else None)
    told = Notice("no_truth", "The truth behind a measured sinogram is not known: no PSNR and no SSIM.")
    guessed = Notice("noise_estimated", "The noise is estimated from the sinogram's finest differences.")
    return Subject(problem, None, gain, 0.0, unit, pixel if known else None, (told, guessed, *found.notes))


def without(subject: Subject, held: Array) -> Problem:
    """The problem in which some views (a mask) say nothing, on the same scanner."""
    sigma = np.where(held[:, None], 1e6 * float(np.abs(subject.problem.data).max()) + 1, subject.problem.sigma)
    return replace(subject.problem, sigma=sigma)
