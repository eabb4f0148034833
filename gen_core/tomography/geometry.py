"""The scanner: which rays cross the slice. Lengths are in pixels; the slice is centred on the axis of rotation.

x grows to the right and y upwards, so row 0 of an image is the largest y. At angle t a parallel beam runs along
(-sin t, cos t) and its detector along (cos t, sin t): what ASTRA calls `parallel`, and `fanflat` for the fan beam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Geometry:
    """A slice of size x size pixels seen at `angles` (degrees) by a detector of `bins` bins, `spacing` pixels apart.

    For a fan beam, `source_origin` and `origin_detector` are the distances of the source and the detector from the axis, in
    pixels; a `curved` detector has its bins at equal angles seen from the source, `spacing` along its arc. The axis is seen
    `rotation_centre` bins to the right of the detector's middle.
    """

    size: int
    angles: tuple[float, ...]
    bins: int
    kind: Literal["parallel", "fan"] = "parallel"
    spacing: float = 1.0
    source_origin: float = 0.0
    origin_detector: float = 0.0
    rotation_centre: float = 0.0
    curved: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Views and bins: the shape of a sinogram."""
        return len(self.angles), self.bins

    @cached_property
    def radians(self) -> Array:
        """The angles (views,) in radians."""
        return np.deg2rad(np.asarray(self.angles, np.float64))

    def places(self, cuts: Array | None = None) -> Array:
        """Where on the detector (bins, cuts), in pixels from the axis: in each bin at `cuts`, from -1/2 to 1/2 of its width."""
        cuts = np.zeros(1) if cuts is None else cuts
        middle = np.arange(self.bins) - (self.bins - 1) / 2 - self.rotation_centre
        return (middle[:, None] + cuts[None, :]) * self.spacing

    def edges(self) -> Array:
        """Where the bins begin and end (bins + 1,), in pixels from the axis."""
        return (np.arange(self.bins + 1) - self.bins / 2 - self.rotation_centre) * self.spacing

    def rays(self, cuts: Array | None = None) -> tuple[Array, Array]:
        """Every ray as its angle (radians) and its signed distance from the axis (pixels), both (views, bins, cuts).

        A point (x, y) lies on the ray where x cos(angle) + y sin(angle) is the distance.
        """
        u = self.places(cuts)[None]  # (1, bins, cuts)
        turn = self.radians[:, None, None]
        if self.kind == "parallel":
            shape = (len(self.angles), *u.shape[1:])
            return np.broadcast_to(turn, shape), np.broadcast_to(u, shape)
        away = self.source_origin + self.origin_detector
        lean = u / away if self.curved else np.arctan(u / away)  # of the ray against the central one
        # the ray at lean g leaves the source (sin t, -cos t) D turned clockwise by g: its normal stands at t - g
        angle = turn - lean
        return angle, np.broadcast_to(self.source_origin * np.sin(lean), angle.shape)

    def doubled(self) -> Geometry:
        """The same scanner with bins half as wide, in pixels half as large: what data without inverse crime is made with."""
        return Geometry(
            2 * self.size, self.angles, 2 * self.bins, self.kind, self.spacing, 2 * self.source_origin,
            2 * self.origin_detector, 2 * self.rotation_centre, self.curved,
        )  # fmt: skip

    def views(self, which: Array) -> Geometry:
        """The same scanner at some of its angles, given by their places."""
        return replace(self, angles=tuple(self.angles[i] for i in which))


def scanner(
    size: int,
    views: int,
    covered: float,
    start: float = 0.0,
    bins: int | None = None,
    kind: Literal["parallel", "fan"] = "parallel",
    spacing: float | None = None,
    source_origin: float | None = None,
    origin_detector: float | None = None,
    rotation_centre: float = 0.0,
    curved: bool = False,
) -> Geometry:
    """A scanner that takes `views` views, evenly over `covered` degrees from `start`; what is not given fits the slice.

    The last angle lies one step before the end of the range, so that half or a whole turn counts no direction twice.
    """
    angles = tuple(float(a) for a in start + covered * np.arange(views) / views)
    across = math.sqrt(2) * size
    if kind == "parallel":
        count = bins or 2 * math.ceil(across / 2)
        wide = spacing or max(1.0, across / count)
        return Geometry(size, angles, count, "parallel", wide, 0.0, 0.0, rotation_centre, curved)
    source = 2.5 * size if source_origin is None else source_origin
    beyond = 1.5 * size if origin_detector is None else origin_detector
    away = source + beyond
    lean = math.asin(min(across / 2 / source, 0.99))  # of the outermost ray that still meets the slice
    wide_all = 2 * away * (lean if curved else math.tan(lean))
    count = bins or 2 * math.ceil(wide_all * source / away / 2)
    return Geometry(size, angles, count, "fan", spacing or wide_all / count, source, beyond, rotation_centre, curved)
