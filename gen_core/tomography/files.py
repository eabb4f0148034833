"""Reconstructions as files of the field: arrays, pictures with their window, DICOM and NIfTI, tables; the recipe is in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, png_info, stamp, write_csv

if TYPE_CHECKING:
    from gen_core.tomography.reconstruct import Reconstructed

Array = np.ndarray
Writer = Callable[[Path], None]
WINDOWS = {"soft": (40.0, 400.0), "lung": (-600.0, 1500.0), "bone": (400.0, 1800.0)}  # HU: level, width


def writers(recipe: Recipe, made: Reconstructed) -> dict[str, Writer]:
    """reconstructions.npz, one PNG and one DICOM a method, the stack as NIfTI, profiles.csv through the middle."""
    files: dict[str, Writer] = {
        "reconstructions.npz": lambda path: arrays(path, recipe, made),
        "reconstructions.nii.gz": lambda path: nifti(path, recipe, made),
        "profiles.csv": lambda path: profiles(path, recipe, made),
    }
    for name, image in shown(made).items():
        files[f"{name}.png"] = lambda path, image=image: picture(path, image, made, recipe)  # type: ignore[misc]
        files[f"{name}.dcm"] = lambda path, name=name, image=image: dicom(path, name, image, made, recipe)  # type: ignore[misc]
    return files


def shown(made: Reconstructed) -> dict[str, Array]:
    """The truth, where it is known, and each method's image."""
    return ({} if made.truth is None else {"truth": made.truth}) | made.images


def arrays(path: Path, recipe: Recipe, made: Reconstructed) -> None:
    """Everything as float32, under the names of the contract; the sinogram is in pixels times attenuation."""
    missing = np.full(next(iter(made.images.values())).shape, np.nan, np.float32)
    out: dict[str, Array] = {"truth": missing if made.truth is None else made.truth}
    out |= {"sinogram": made.sinogram, "angles_deg": made.angles} | made.images
    for name, deviation in made.deviations.items():
        out[f"{name}_std"] = deviation
    for name, samples in made.samples.items():
        out[f"{name}_samples"] = samples
    best = next((name for name in ("posterior", "langevin", "latent_map", "gaussian") if name in made.deviations), None)
    if best is not None:
        out["posterior_std"] = made.deviations[best]
    if best in made.samples:
        out["posterior_samples"] = made.samples[best]
    plain = {name: np.asarray(value, np.float32) for name, value in out.items()}
    np.savez_compressed(path, **plain, recipe=npz_member(recipe))  # type: ignore[arg-type]


def window_of(made: Reconstructed) -> tuple[float, float]:
    """Level and width of the grey window: soft tissue with lung and bone in view for Hounsfield units, else the whole range."""
    if made.subject.unit == "HU":
        return -200.0, 1600.0
    reference = made.truth if made.truth is not None else next(iter(made.images.values()))
    low, high = float(reference.min()), float(reference.max())
    return (low + high) / 2, max(high - low, 1e-9)


def picture(path: Path, image: Array, made: Reconstructed, recipe: Recipe) -> None:
    """One image as an 8-bit grey PNG in the window of `window_of`."""
    from PIL import Image

    level, width = window_of(made)
    grey = np.clip((image - level) / width + 0.5, 0, 1)
    Image.fromarray(np.round(255 * grey).astype(np.uint8)).save(path, "PNG", pnginfo=png_info(recipe))


def dicom(path: Path, name: str, image: Array, made: Reconstructed, recipe: Recipe) -> None:
    """One image as a derived DICOM file, not for clinical use."""
    from gen_core.tomography.dicom_file import write_dicom

    pixel = made.subject.pixel
    write_dicom(path, image, recipe.sha256, name, made.subject.unit, (None, pixel, pixel))
    stamp(path, recipe)


def nifti(path: Path, recipe: Recipe, made: Reconstructed) -> None:
    """All images as slices of one volume, in the order of `shown`."""
    from gen_core.tomography.nifti_file import write_nifti

    pixel = made.subject.pixel
    write_nifti(path, np.stack(list(shown(made).values())), (None, pixel, pixel))
    stamp(path, recipe)


def profiles(path: Path, recipe: Recipe, made: Reconstructed) -> None:
    """The values along the middle row, a column an image; position in mm where the pixel is known, else in pixels."""
    images = shown(made)
    size = made.subject.problem.size
    step = (np.arange(size) - (size - 1) / 2) * (made.subject.pixel or 1.0)
    rows = [[f"{step[i]:.4g}", *(f"{image[size // 2, i]:.6g}" for image in images.values())] for i in range(size)]
    write_csv(path, recipe, ["position_mm" if made.subject.pixel else "position_pixels", *images], rows)
