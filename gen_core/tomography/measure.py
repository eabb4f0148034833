"""What the scanner would have measured: projections made another way than the reconstruction makes them, with noise.

Data made with the operator that is later inverted flatters every method ("inverse crime", Colton and Kress). Synthetic slices
are projected in closed form; pixel images at twice the resolution onto half-size bins, which are then joined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.tomography.geometry import Geometry
from gen_core.tomography.operator import project
from gen_core.tomography.phantoms import Phantom, sinogram

Array = np.ndarray
WATER = 0.02  # attenuation of water at 70 keV, per mm
THICK = 4.0  # attenuation along the densest ray where the image has no physical scale


@dataclass(frozen=True, eq=False)
class Measured:
    """A sinogram (views, bins) and the deviation of its noise in each bin (views, bins), known or estimated.

    `clean` is the sinogram before noise where it is known; `photons` is how many leave the source for each ray (Poisson).
    """

    sinogram: Array
    sigma: Array
    clean: Array | None = None
    photons: float | None = None


def clean(source: Phantom | Array, geometry: Geometry) -> Array:
    """Line integrals (views, bins), in pixels, of a synthetic slice or of an image (size, size) or (2 size, 2 size)."""
    if isinstance(source, Phantom):
        return sinogram(source, geometry)
    image = np.asarray(source, np.float64)
    if len(image) == geometry.size:
        image = image.repeat(2, 0).repeat(2, 1)
    fine = project(image, geometry.doubled())  # in pixels half as large
    return fine.reshape(len(fine), geometry.bins, 2).mean(2) / 2


def measured(
    projections: Array, noise: float, model: str = "gaussian", seed: int = 0, ring: float = 0.0, scale: float | None = None
) -> Measured:
    """Noise on line integrals (views, bins), its deviation `noise` times their root mean square.

    With `poisson` photons are counted: as many leave the source as give that deviation on average, and dense rays are noisier.
    `scale` is the attenuation of one unit of the line integral (WATER times the pixel in mm); where it is unknown the densest
    ray gets exp(-4). `ring` is the spread of the gain from bin to bin, the same in all views: it gives rings.
    """
    rng = np.random.default_rng([seed, 77])
    level = noise * float(np.sqrt(np.mean(projections**2)))
    scale = scale or THICK / max(float(projections.max()), 1e-9)
    photons = None
    if model == "poisson" and level > 0:
        photons = float(np.mean(np.exp(scale * projections)) / (scale * level) ** 2)
        counted = rng.poisson(np.minimum(photons * np.exp(-scale * projections), 1e15))
        values = -np.log(np.maximum(counted, 1) / photons) / scale
        sigma = np.sqrt(1 / np.maximum(counted, 1)) / scale
    else:
        values = projections + level * rng.standard_normal(projections.shape)
        sigma = np.full(projections.shape, level)
    if ring > 0:
        gain = np.maximum(1 + ring * rng.standard_normal(projections.shape[1]), 0.05)
        values = values - np.log(gain) / scale
    return Measured(values, sigma, projections, photons)


def estimated(sinogram_: Array) -> Array:
    """The deviation of the noise (views, bins) of a sinogram of which nothing is known, from second differences along both
    the detector and the views (Immerkaer 1996), by the median of absolute deviations. Fine detail counts as noise a little."""
    along = np.diff(sinogram_, 2, axis=1)
    mixed, gain = (np.diff(along, 2, axis=0), 6.0) if len(sinogram_) > 4 else (along, np.sqrt(6))
    level = float(np.median(np.abs(mixed))) / 0.6745 / gain
    return np.full(sinogram_.shape, max(level, 1e-6 * float(np.abs(sinogram_).max()), 1e-12))
