"""The outlines of the twenty letters of a sequence logo, in a unit square: polygons of the project's own, no font is needed.

A hole is reached over a bridge of no width and runs the other way round, so that it stays open under either fill rule.
"""

from __future__ import annotations

from functools import cache

import numpy as np

Array = np.ndarray
WIDE, HIGH = 0.22, 0.17  # of upright and of level strokes
ARC = 10  # corners of a quarter of an ellipse


def outlines(letter: str) -> list[Array]:
    """The polygons (v, 2) of a letter, each from 0 to 1 in x and y."""
    return _drawn()[letter]


@cache
def _drawn() -> dict[str, list[Array]]:
    w, h = WIDE, HIGH
    stem = _box(0, 0, w, 1)
    middle = (0.5 - h / 2, 0.5 + h / 2)
    return {
        "A": [_poly("0 0 .38 1 .62 1 1 0 .77 0 .69 .23 .5 .23 .5 .4 .63 .4 .5 .77 .37 .4 .5 .4 .5 .23 .31 .23 .23 0")],
        "C": [_ring(40, 320)],
        "D": [_bowl(0.0, 1.0, 0.35)],
        "E": [stem, _box(w, 0, 0.92, h), _box(w, 1 - h, 0.9, 1), _box(w, middle[0], 0.8, middle[1])],
        "F": [stem, _box(w, 1 - h, 0.92, 1), _box(w, middle[0] - 0.03, 0.8, middle[1] - 0.03)],
        "G": [_ring(40, 330), _box(0.55, 0.38, 1, 0.38 + h), _box(1 - w, 0.12, 1, 0.45)],
        "H": [stem, _box(1 - w, 0, 1, 1), _box(w, middle[0], 1 - w, middle[1])],
        "I": [_box(0.38, 0, 0.62, 1)],
        "K": [stem, _poly(".22 .36 .7 1 1 1 .58 .5 1 0 .72 0 .4 .42")],
        "L": [stem, _box(w, 0, 0.92, h)],
        "M": [_poly("0 0 0 1 .26 1 .5 .42 .74 1 1 1 1 0 .8 0 .8 .66 .57 .12 .43 .12 .2 .66 .2 0")],
        "N": [_poly("0 0 0 1 .24 1 .78 .34 .78 1 1 1 1 0 .76 0 .22 .66 .22 0")],
        "P": [_box(0, 0, w, 0.5), _bowl(0.42, 1.0, 0.45)],
        "Q": [_ring(0, 360), _poly(".52 .28 .68 .38 1 .04 .84 -.06")],
        "R": [_box(0, 0, w, 0.5), _bowl(0.42, 1.0, 0.45), _poly(".4 .48 .64 .48 1 0 .74 0")],
        "S": [_stroke(_s())],
        "T": [_box(0.5 - w / 2, 0, 0.5 + w / 2, 1 - h), _box(0, 1 - h, 1, 1)],
        "V": [_poly("0 1 .24 1 .5 .26 .76 1 1 1 .62 0 .38 0")],
        "W": [_poly("0 1 .19 1 .29 .34 .42 .86 .58 .86 .71 .34 .81 1 1 1 .82 0 .62 0 .5 .5 .38 0 .18 0")],
        "Y": [_poly("0 1 .26 1 .5 .58 .74 1 1 1 .61 .4 .61 0 .39 0 .39 .4")],
    }


def _poly(text: str) -> Array:
    return np.array(text.split(), float).reshape(-1, 2)


def _box(left: float, bottom: float, right: float, top: float) -> Array:
    return np.array([[left, bottom], [left, top], [right, top], [right, bottom]])


def _arc(start: float, stop: float, x: float, y: float, rx: float, ry: float) -> Array:
    """From one angle (degrees) to another on an ellipse."""
    angles = np.radians(np.linspace(start, stop, max(3, int(abs(stop - start) / 90 * ARC))))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], 1)


def _ring(start: float, stop: float) -> Array:
    """A ring around the middle, open from `stop` on."""
    return np.concatenate([_arc(start, stop, 0.5, 0.5, 0.5, 0.5), _arc(stop, start, 0.5, 0.5, 0.5 - WIDE, 0.5 - HIGH)])


def _bowl(bottom: float, top: float, straight: float) -> Array:
    """A closed bowl to the right of a stem, level up to `straight`."""
    y, ry = (bottom + top) / 2, (top - bottom) / 2
    outer = np.concatenate([[[0, bottom]], _arc(-90, 90, straight, y, 1 - straight, ry), [[0, top]]])
    inner = _arc(90, -90, straight, y, 1 - straight - WIDE, ry - HIGH)
    hole = np.concatenate([[[WIDE, top - HIGH]], inner, [[WIDE, bottom + HIGH], [WIDE, top - HIGH]]])
    return np.concatenate([outer, hole, outer[-1:]])


def _s() -> Array:
    """The middle line of an S."""
    x, y = 0.5 - WIDE / 2, 0.25 - HIGH / 4
    upper = _arc(30, 270, 0.5, 1 - HIGH / 2 - y, x, y)
    lower = _arc(90, -150, 0.5, HIGH / 2 + y, x, y)
    return np.concatenate([upper, lower])


def _stroke(line: Array) -> Array:
    """A polygon along a line, as thick as the other letters are."""
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    half = across * np.array([WIDE, HIGH]) / 2
    return np.concatenate([line + half, (line - half)[::-1]])
