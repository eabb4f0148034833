"""Procedural micrographs with every factor known: what lies where comes from a seed, how it looks from eleven numbers.

The structure (content) is a field of grains in units of their own mean size: where each lies, how dark it etches, its
lamellae's direction, its twin. It has no end; a picture is a window of it, centred on its origin. The numbers are in three
groups by the length they act on, so that "the content of A with the middle style of B" is a picture that can be rendered:

    coarse  how large the grains are, how stretched, how many of them are lamellar
    middle  how wide their boundaries, how large and frequent the particles between them, how fine the lamellae
    fine    colour, etching contrast, direction of the light

Whatever a change of a number brings up is a function of what was visible before (the darkest grains turn lamellar first,
the particles appear first between dark grains), but for grains that come in from outside the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
SIZE = 64  # pixels a side
PIXEL = 2.0  # µm
FIELD = 14  # grains a side of which a structure is made; the widest window shows less than 8
GROUPS = ("coarse", "middle", "fine")
FAMILIES = ("metal", "cells")
_HALF = FIELD // 2
_NEAR = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if abs(i) + abs(j) < 4]  # where the three nearest grains can be
_TURNS = np.float32(np.pi / 4) * np.arange(4, dtype=np.float32)  # lamellae lie along one of four directions


@dataclass(frozen=True)
class Factor:
    """One number that says how a picture looks: its group, range, unit, and what it is."""

    name: str
    group: str
    low: float
    high: float
    unit: str
    text: str


FACTORS = (
    Factor("grain_size", "coarse", 6.5, 8.0, "ASTM G", "grain size number (ASTM E112): one more, half the area of a grain"),
    Factor("elongation", "coarse", 1.0, 1.5, "", "width of the grains over their height"),
    Factor("density", "coarse", 0.0, 0.6, "", "share of the grains that are lamellar"),
    Factor("boundary_width", "middle", 2.5, 7.0, "µm", "width of the boundaries"),
    Factor("particle_size", "middle", 3.0, 9.0, "µm", "radius of the particles where three grains meet"),
    Factor("particle_fraction", "middle", 0.1, 0.9, "", "share of these places that hold a particle"),
    Factor("lamella_period", "middle", 12.0, 24.0, "µm", "distance from lamella to lamella"),
    Factor("dark_hue", "fine", 0.0, 240.0, "°", "hue of what etches dark"),
    Factor("light_hue", "fine", 0.0, 240.0, "°", "hue of what stays light"),
    Factor("contrast", "fine", 0.3, 1.0, "", "how far grains differ in shade"),
    Factor("light", "fine", -70.0, 70.0, "°", "where the light comes from: -70 left, 0 above, 70 right"),
)
NAMES = tuple(factor.name for factor in FACTORS)
LOW = np.array([factor.low for factor in FACTORS])
HIGH = np.array([factor.high for factor in FACTORS])
GROUP_OF = np.array([GROUPS.index(factor.group) for factor in FACTORS])


@dataclass(frozen=True, eq=False)
class Structures:
    """The content of n pictures; all arrays (n, FIELD * FIELD), grain by grain, lengths in units of the mean grain side."""

    x: Array
    y: Array
    shade: Array  # 0 the darkest, 1 the lightest
    turn: Array  # which of four directions its lamellae and its twin have
    twin_shade: Array
    twin_at: Array  # how far the twin's middle lies from the grain's
    twin_width: Array  # 0 for most grains, which have none


def factors(seeds: Array) -> Array:
    """How the pictures of these seeds look: (n, 11) in the order of FACTORS, each even over its range."""
    drawn = np.array([np.random.default_rng([int(seed), 1]).random(len(FACTORS)) for seed in np.ravel(seeds)])
    return LOW + (HIGH - LOW) * drawn.reshape(-1, len(FACTORS))


def scaled(values: Array) -> Array:
    """Factors (n, 11) in their units on a scale from -1 to 1 over each range."""
    return (values - LOW) / (HIGH - LOW) * 2 - 1


def mixed(own: Array, other: Array, switched: Array) -> Array:
    """Factors (n, 11) with the groups for which switched (n, 3) or (3,) is true taken from the other pictures."""
    return np.where(np.atleast_2d(switched)[:, GROUP_OF], other, own)


def structures(seeds: Array) -> Structures:
    """The contents of these seeds."""
    parts: list[list[Array]] = []
    row, column = np.divmod(np.arange(FIELD * FIELD), FIELD)
    for seed in np.ravel(seeds):
        r = np.random.default_rng([int(seed), 0]).random((8, FIELD * FIELD), np.float32)
        twin_width = np.where(r[6] < 0.25, 0.1 + 0.12 * r[7], 0)
        parts.append(
            [
                column - _HALF + 0.5 + 0.9 * (r[0] - 0.5),
                row - _HALF + 0.5 + 0.9 * (r[1] - 0.5),
                r[2],
                np.floor(4 * r[3]),
                (r[2] + 0.3 + 0.4 * r[4]) % 1,
                0.4 * (r[5] - 0.5),
                twin_width,
            ]
        )
    return Structures(*(np.asarray(part, np.float32) for part in zip(*parts, strict=True)))


def render(content: Array, values: Array, family: str = "metal") -> Array:
    """Pictures (n, 64, 64, 3) float32 in [0, 1] of the contents of n seeds, looking as factors (n, 11) say."""
    content, values = np.ravel(content), np.atleast_2d(values)
    made = [_render(content[i : i + 8], values[i : i + 8], family) for i in range(0, len(content), 8)]  # what a cache holds
    return np.concatenate(made) if made else np.zeros((0, SIZE, SIZE, 3), np.float32)


def pictures(seeds: Array, family: str = "metal") -> Array:
    """The pictures (n, 64, 64, 3) of these seeds: content and looks from the same one."""
    return render(seeds, factors(seeds), family)


def spacing(grain_size: Array) -> Array:
    """Mean side of a grain in pixels: ASTM E112, 15.5 * 2^(G - 1) grains in a square millimetre."""
    return np.asarray(1000 / PIXEL / np.sqrt(15.5 * 2.0 ** (np.asarray(grain_size) - 1)))


def scales(values: Array) -> tuple[Array, Array]:
    """Mean width and height (n,), (n,) of a grain in pixels."""
    side, stretch = spacing(values[:, 0]), np.sqrt(values[:, 1])
    return side * stretch, side / stretch


def _render(content: Array, values: Array, family: str) -> Array:
    of = {name: values[:, i].astype(np.float32)[:, None, None] for i, name in enumerate(NAMES)}
    grains = structures(content)
    seen = _Window(grains, values)
    side = spacing(values[:, 0]).astype(np.float32)[:, None, None]
    shade = [seen.take(grains.shade, k) for k in range(3)]
    turn = _TURNS[seen.take(grains.turn, 0).astype(int)]
    across = np.cos(turn) * seen.px + np.sin(turn) * seen.py  # pixels, from the middle of the picture
    inside = np.cos(turn) * (seen.qx - seen.take(grains.x, 0)) + np.sin(turn) * (seen.qy - seen.take(grains.y, 0))
    twin = _step((seen.take(grains.twin_width, 0) - np.abs(inside - seen.take(grains.twin_at, 0))) * side)
    twin *= seen.take(grains.twin_width, 0) > 0
    lamellar = np.clip((of["density"] - shade[0]) / 0.08, 0, 1) * (1 - twin)
    wave = np.cos(2 * np.pi * PIXEL / of["lamella_period"] * across)
    boundary = np.exp(-((2.0 * PIXEL * side * seen.edge / of["boundary_width"]) ** 2))
    held = np.clip((0.2 + 0.6 * of["particle_fraction"] - sum(shade) / 3) / 0.06, 0, 1)
    particle = held * _step((of["particle_size"] / PIXEL - 1.1 * side * (seen.d[2] - seen.d[0])) * 0.8)
    body = (1 - twin) * shade[0] + twin * seen.take(grains.twin_shade, 0)
    lit = np.radians(of["light"])
    sun = np.sin(lit) * seen.px + np.cos(lit) * -seen.py  # towards the light
    if family == "cells":
        stained = np.clip((0.1 + 0.9 * of["particle_fraction"] - shade[0]) / 0.06, 0, 1)
        nucleus = stained * _step((0.6 * of["particle_size"] / PIXEL + 1.2 - side * seen.d[0]) * 0.8)
        return _cells(of, body, wave * lamellar, boundary, nucleus, sun)
    return _metal(of, body, wave, lamellar, boundary, particle, sun)


def _metal(
    of: dict[str, Array], body: Array, wave: Array, lamellar: Array, boundary: Array, particle: Array, sun: Array
) -> Array:
    """An etched section in reflected light: boundaries are dark grooves, lit from one side; particles stay bright."""
    value = 0.55 + 0.7 * of["contrast"] * (body - 0.5) + lamellar * of["contrast"] * (0.20 * wave - 0.04)
    groove = boundary * (1 - particle)
    lit = np.radians(of["light"])
    relief = np.cos(lit) * np.gradient(groove, axis=1) - np.sin(lit) * np.gradient(groove, axis=2)
    value = value * (1 - particle) + 0.97 * particle
    value = value * (1 - 0.8 * groove) + 0.22 * relief + 0.10 * sun / (SIZE / 2)
    return _coloured(of, np.clip(value, 0, 1), 0.11, 0.11, 0.83, 0.17)


def _cells(of: dict[str, Array], body: Array, fibres: Array, membrane: Array, nucleus: Array, sun: Array) -> Array:
    """Cells in fluorescence: membranes and fibres glow in one colour on black, nuclei in another."""
    glow = 0.75 * membrane + of["contrast"] * (0.12 * body + 0.14 * np.maximum(fibres, 0)) + 0.03
    uneven = 1 + 0.25 * sun / (SIZE / 2)
    light = _hue(of["light_hue"]) * (glow * uneven)[..., None]
    stain = _hue(of["dark_hue"] + 120) * (0.85 * nucleus * uneven * (0.6 + 0.4 * body))[..., None]
    return np.asarray(np.clip(light * (1 - 0.6 * nucleus[..., None]) + stain, 0, 1), np.float32)


def _coloured(of: dict[str, Array], value: Array, dark: float, dark_tint: float, light: float, light_tint: float) -> Array:
    """From the dark colour at value 0 to the light one at 1; (n, 64, 64, 3)."""
    low = dark + dark_tint * (2 * _hue(of["dark_hue"]) - 1)
    high = light + light_tint * (2 * _hue(of["light_hue"]) - 1)
    return np.asarray(np.clip(low + (high - low) * value[..., None], 0, 1), np.float32)


def _hue(degrees: Array) -> Array:
    """A full colour of a hue: (n, 1, 1, 3), red at 0, green at 120, blue at 240; even in lightness, unlike HSV."""
    offset = np.array([0, 120, 240], np.float32)
    return np.asarray(0.5 + 0.5 * np.cos(np.radians(degrees[..., None] - offset)), np.float32)


def _step(distance: Array) -> Array:
    """0 outside, 1 inside, even over about one pixel: an edge as a lens would show it."""
    return np.clip(distance + 0.5, 0, 1)


class _Window:
    """What each pixel sees of a structure: the three nearest grains `at` (3, n, 64, 64), how far they are `d` (same shape),
    and how far the boundary of the two nearest `edge` (n, 64, 64), in units of the mean grain side.

    The number of the neighbour is carried in the last five bits of its squared distance, so that finding the three nearest
    is a matter of minima alone.
    """

    def __init__(self, grains: Structures, values: Array) -> None:
        n = len(values)
        wide, high = (scale.astype(np.float32)[:, None, None] for scale in scales(values))
        steps = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
        self.px = np.broadcast_to(steps, (n, SIZE, SIZE))
        self.py = np.broadcast_to(steps[:, None], (n, SIZE, SIZE))
        self.qx, self.qy = self.px / wide, self.py / high
        self.first = (np.arange(n) * FIELD * FIELD)[:, None, None]
        here = (np.floor(self.qy).astype(int) + _HALF) * FIELD + np.floor(self.qx).astype(int) + _HALF + self.first
        x, y = grains.x.ravel(), grains.y.ravel()
        nearest = [np.full(self.qx.shape, 1e9, np.float32) for _ in range(3)]
        for k, (i, j) in enumerate(_NEAR):
            there = here + (i * FIELD + j)
            squared = (x.take(there) - self.qx) ** 2 + (y.take(there) - self.qy) ** 2
            bits = squared.view(np.int32)
            bits &= ~31
            bits |= k
            for m in range(3):
                nearest[m], squared = np.minimum(nearest[m], squared), np.maximum(nearest[m], squared)
        offsets = np.array([i * FIELD + j for i, j in _NEAR])
        self.at = [here + offsets.take(near.view(np.int32) & 31) for near in nearest]
        self.d = [np.sqrt(near) for near in nearest]
        apart = np.hypot(x.take(self.at[1]) - x.take(self.at[0]), y.take(self.at[1]) - y.take(self.at[0]))
        self.edge = (nearest[1] - nearest[0]) / (2 * apart)

    def take(self, values: Array, k: int) -> Array:
        """What the k-th nearest grain of each pixel has: (n, 64, 64)."""
        return np.asarray(values.ravel().take(self.at[k]))
