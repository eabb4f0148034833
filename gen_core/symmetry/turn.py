"""Turning a picture of pixels: quarter turns exactly, all others by a spline of fifth order, within the disc in the square."""

from __future__ import annotations

import numpy as np

from gen_core.symmetry import scenes

Array = np.ndarray
ORDER = 5  # of the spline
ROOM = 8  # dark pixels around, so that the spline does not see the edge


def turn(images: Array, angle: float) -> Array:
    """Pictures (..., s, s) turned counterclockwise by degrees, as float64; what lies outside of the disc is dark."""
    values = np.asarray(images, np.float64)
    quarters, rest = divmod(angle % 360.0, 90.0)
    if rest == 0:
        return np.rot90(values, int(quarters), (-2, -1)).copy()
    size = values.shape[-1]
    flat = values.reshape(-1, size, size)
    return np.stack([_turned(one, angle) for one in flat]).reshape(values.shape)


def turn_each(images: Array, angles: Array) -> Array:
    """Pictures (n, s, s), each turned by its own degrees, float32 in [0, 1]."""
    made = np.stack([turn(one, float(a)) for one, a in zip(images, angles, strict=True)])
    return np.clip(made, 0, 1).astype(np.float32)


def _turned(image: Array, angle: float) -> Array:
    from scipy import ndimage

    wide = np.pad(image, ROOM)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    matrix = np.array([[c, s], [-s, c]])  # from (row, column) of the turned picture to where it comes from; rows go down
    middle = np.full(2, (len(wide) - 1) / 2)
    made = ndimage.affine_transform(wide, matrix, middle - matrix @ middle, order=ORDER, mode="constant")
    return np.asarray(made[ROOM:-ROOM, ROOM:-ROOM])


def disc(size: int) -> Array:
    """Which pixels (s, s) lie in the disc in the square, whose turns are what a turn of the picture shows."""
    x, y = scenes.plane(size)
    return np.hypot(x, y) <= 1


def fade(size: int) -> Array:
    """What pictures are multiplied by (s, s), so that they are dark at the disc's edge."""
    x, y = scenes.plane(size)
    share = np.clip((scenes.FADE[1] - np.hypot(x, y)) / (scenes.FADE[1] - scenes.FADE[0]), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
