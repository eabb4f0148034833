"""Synthetic slices whose projections are known in closed form: random anatomies, and the Shepp-Logan phantom.

    slice_ = phantom("thorax", 7)
    image(slice_, 128), sinogram(slice_, scanner(128, views=90, covered=90))

Values are attenuation over that of water, (HU + 1000) / 1000, at least 0; the Shepp-Logan phantom keeps its own scale, from
0 to 1. Everything lies in the disc inscribed in the image.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

import numpy as np

from gen_core.errors import InputError
from gen_core.tomography.geometry import Geometry
from gen_core.tomography.scene import MOST, Scene

Array = np.ndarray
KINDS = ("thorax", "abdomen", "head")
NAMES = (*KINDS, "wide", "shepp_logan")
FIELDS = {"thorax": 400.0, "abdomen": 400.0, "head": 240.0}  # mm, the side of the image before its zoom
ROWS = 8  # lines on which a pixel's mean is taken; along each line the mean is exact
NODES = 8  # rays on which a bin's mean is taken where it has no closed form


@dataclass(frozen=True, eq=False)
class Phantom:
    """A sum of parts and Gaussians, in units of half the field (x to the right, y upwards).

    ellipses (m, 5): x, y, half axes, angle in radians. Part i is what the ellipses members[i] (n, 4; -1 for none) share, of
    density[i] (n,). blobs (k, 4): x, y, sigma, height. `field` is the side of the image in mm.
    """

    kind: str
    seed: int
    ellipses: Array
    members: Array
    density: Array
    blobs: Array
    field: float
    hounsfield: bool = True  # whether the values are attenuation over that of water


def phantom(kind: str, seed: int = 0) -> Phantom:
    """The phantom of a kind (NAMES) and seed; `wide` is any of the anatomies. Raises InputError for another kind."""
    if kind == "shepp_logan":
        return shepp_logan()
    if kind == "wide":
        return phantom(KINDS[np.random.default_rng([3, seed]).integers(len(KINDS))], seed)
    if kind not in KINDS:
        raise InputError(f"There is no synthetic slice of the kind {kind[:40]!r}; choose {', '.join(NAMES)}.")
    scene = Scene(np.random.default_rng([KINDS.index(kind), seed]), FIELDS[kind])
    turn, shift = importlib.import_module(f"gen_core.tomography.{kind}").draw(scene)
    return Phantom(kind, seed, *scene.finished(turn, shift, scene.between(0.95, 1.3)))


def named(name: str) -> Phantom:
    """The phantom that `synthetic:KIND:SEED` names. Raises InputError where it names none."""
    found = re.fullmatch(r"synthetic:([a-z_]+)(?::(\d{1,9}))?", name)
    if not found:
        raise InputError(f"{name[:60]!r} names no synthetic slice; synthetic:thorax:7 would.")
    return phantom(found[1], int(found[2] or 0))


def shepp_logan() -> Phantom:
    """The phantom of Shepp and Logan (1974) with the higher contrast of Toft (1996)."""
    rows = (
        (1.0, 0.69, 0.92, 0.0, 0.0, 0.0),
        (-0.8, 0.6624, 0.8740, 0.0, -0.0184, 0.0),
        (-0.2, 0.1100, 0.3100, 0.22, 0.0, -18.0),
        (-0.2, 0.1600, 0.4100, -0.22, 0.0, 18.0),
        (0.1, 0.2100, 0.2500, 0.0, 0.35, 0.0),
        (0.1, 0.0460, 0.0460, 0.0, 0.1, 0.0),
        (0.1, 0.0460, 0.0460, 0.0, -0.1, 0.0),
        (0.1, 0.0460, 0.0230, -0.08, -0.605, 0.0),
        (0.1, 0.0230, 0.0230, 0.0, -0.606, 0.0),
        (0.1, 0.0230, 0.0460, 0.06, -0.605, 0.0),
    )
    ellipses = np.array([(x, y, a, b, np.deg2rad(angle)) for _, a, b, x, y, angle in rows])
    members = np.full((len(rows), MOST), -1, np.int32)
    members[:, 0] = np.arange(len(rows))
    return Phantom("shepp_logan", 0, ellipses, members, np.array([row[0] for row in rows]), np.zeros((0, 4)), 240.0, False)


def hounsfield(attenuation: Array) -> Array:
    """Attenuation over that of water as Hounsfield units."""
    return 1000 * (attenuation - 1)


def attenuation(hu: Array) -> Array:
    """Hounsfield units as attenuation over that of water, never below that of nothing."""
    return np.maximum(hu / 1000 + 1, 0)


# ---- the image


def image(made: Phantom, size: int) -> Array:
    """The mean over each pixel (size, size), float32: exact along x, on 8 lines in y (4 above 256 pixels)."""
    out = np.zeros((size, size))
    pixel = 2 / size
    edges = np.linspace(-1, 1, size + 1)
    x, y, a, b, turn = made.ellipses.T
    lines = ROWS if size <= 256 else ROWS // 2  # the same for all: what covers another does so to the last bit
    wide, high = np.hypot(a * np.cos(turn), b * np.sin(turn)), np.hypot(a * np.sin(turn), b * np.cos(turn))
    for members, density in zip(made.members, made.density, strict=True):
        which = members[members >= 0]
        left, right = (x - wide)[which].max(), (x + wide)[which].min()
        low, high_ = (y - high)[which].max(), (y + high)[which].min()
        if left >= right or low >= high_:
            continue
        columns = slice(max(int((left + 1) / pixel), 0), min(int((right + 1) / pixel) + 1, size))
        rows = slice(max(int((1 - high_) / pixel), 0), min(int((1 - low) / pixel) + 1, size))
        at = 1 - (rows.start + (np.arange((rows.stop - rows.start) * lines) + 0.5) / lines) * pixel
        begin, end = _segments(made, which, 0.0, at, 1.0, 0.0)
        clipped = np.minimum(np.maximum(edges[None, columns.start : columns.stop + 1], begin[:, None]), end[:, None])
        cover = np.diff(clipped, axis=1).reshape(-1, lines, columns.stop - columns.start).mean(1) / pixel
        out[rows, columns] += density * cover
    if len(made.blobs):
        bx, by, sigma, height = made.blobs.T
        across, along = _step_means(edges, bx, sigma, pixel), _step_means(-edges, by, sigma, -pixel)
        out += (along * (height * 2 * np.pi * sigma**2)).dot(across.T)
    return out.astype(np.float32)


def _step_means(edges: Array, middle: Array, sigma: Array, pixel: float) -> Array:
    """The mean over each pixel (size, k) of normal densities of these middles and deviations."""
    from scipy.special import ndtr

    return np.diff(ndtr((edges[:, None] - middle[None]) / sigma[None]), axis=0) / pixel


def _segments(
    made: Phantom, which: Array, px: Array | float, py: Array | float, dx: Array | float, dy: Array | float
) -> tuple[Array, Array]:
    """Where the lines p + t d lie within all of some ellipses: the first and the last t, equal where they never do."""
    begin: Array | float = -np.inf
    end: Array | float = np.inf
    for i in which:
        x, y, a, b, turn = made.ellipses[i]
        c, s = np.cos(turn), np.sin(turn)
        qx, qy = ((px - x) * c + (py - y) * s) / a, ((py - y) * c - (px - x) * s) / b
        ex, ey = (dx * c + dy * s) / a, (dy * c - dx * s) / b
        square, half = ex * ex + ey * ey, qx * ex + qy * ey
        root = np.sqrt(np.maximum(half * half - square * (qx * qx + qy * qy - 1), 0))
        begin, end = np.maximum(begin, (-half - root) / square), np.minimum(end, (root - half) / square)
    begin, end = np.asarray(begin), np.asarray(end)
    return begin, np.maximum(begin, end)


# ---- its projections


def sinogram(made: Phantom, geometry: Geometry) -> Array:
    """The mean over each detector bin (views, bins) of the line integrals, in pixels of the geometry's image, float64.

    The mean of an ellipse or a Gaussian is in closed form, for a fan beam with the angle in the middle of each bin; of what
    several ellipses share, line integrals in closed form are averaged on 8 Gauss-Legendre rays a bin.
    """
    half = geometry.size / 2
    cuts, weights = np.polynomial.legendre.leggauss(NODES)
    angle, distance = geometry.rays(cuts / 2)
    distance = distance / half
    cos, sin = np.cos(angle), np.sin(angle)
    bins = _Bins(geometry)
    out = np.zeros(geometry.shape)
    for members, density in zip(made.members, made.density, strict=True):
        which = members[members >= 0]
        if len(which) == 1:
            out += density * bins.ellipse(*made.ellipses[which[0]])
        else:
            begin, end = _segments(made, which, distance * cos, distance * sin, -sin, cos)
            out += density * ((end - begin) @ weights / 2)
    for x, y, sigma, height in made.blobs:
        out += height * bins.gaussian(x, y, sigma)
    return out * half


class _Bins:
    """The rays at the edges of a geometry's bins, in units of half the field."""

    def __init__(self, geometry: Geometry) -> None:
        angle, distance = geometry.rays(np.array([-0.5]))
        last = geometry.rays(np.array([0.5]))
        angle = np.concatenate([angle[..., 0], last[0][:, -1:, 0]], 1)
        self.distance = np.concatenate([distance[..., 0], last[1][:, -1:, 0]], 1) / (geometry.size / 2)
        if geometry.kind == "parallel":
            angle = angle[:, :1]  # all rays of a view have it
        self.angle, self.cos, self.sin = angle, np.cos(angle), np.sin(angle)

    def ellipse(self, x: float, y: float, a: float, b: float, turn: float) -> Array:
        """Means of the chords through an ellipse (Kak and Slaney 1988, eq. 3.6, integrated over the bin)."""
        reach = np.hypot(a * np.cos(self.angle - turn), b * np.sin(self.angle - turn))
        raw = (self.distance - x * self.cos - y * self.sin) / reach
        s = np.clip(raw, -1, 1)
        return a * b * _middle(1 / reach) * np.diff(s * np.sqrt(1 - s * s) + np.arcsin(s)) / np.diff(raw)

    def gaussian(self, x: float, y: float, sigma: float) -> Array:
        """Means of the line integrals of a Gaussian of height 1."""
        from scipy.special import ndtr

        s = (self.distance - x * self.cos - y * self.sin) / sigma
        return 2 * np.pi * sigma * np.diff(ndtr(s)) / np.diff(s)


def _middle(values: Array) -> Array:
    return values if values.shape[1] == 1 else (values[:, 1:] + values[:, :-1]) / 2
