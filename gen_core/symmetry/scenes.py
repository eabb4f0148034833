"""Pictures with an orientation that is known: spiral galaxies and glyphs, none of which looks the same after any turn.

Each is a function of the plane, so that a turned one is drawn at its angle and never interpolated. All lie within the disc in the
square and fade out before its edge: what a turn brings in from the corners is as dark as what it takes away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Array = np.ndarray
SIZE = 32  # pixels a side
KINDS = ("galaxies", "glyphs")
TRAIN_FROM, TUNE_FROM, TEST_FROM = 1_000_000, 200_000_000, 300_000_000  # seeds
FADE = (0.72, 0.95)  # radii between which everything fades, lengths of the disc's radius


def pictures(seeds: Sequence[int] | Array, angles: Sequence[float] | Array | float = 0.0, kind: str = "galaxies") -> Array:
    """Pictures (n, 32, 32) float32 in [0, 1] of seeds, each turned counterclockwise by its angle in degrees."""
    seeds = np.asarray(seeds)
    turns = np.broadcast_to(np.radians(np.asarray(angles, np.float64)), seeds.shape)
    draw = {"galaxies": _galaxies, "glyphs": _glyphs}[kind]
    out = np.empty((len(seeds), SIZE, SIZE), np.float32)
    x, y = plane(SIZE)
    far = np.hypot(x, y)
    fade = np.clip((FADE[1] - far) / (FADE[1] - FADE[0]), 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    for begin in range(0, len(seeds), 256):
        part = slice(begin, begin + 256)
        c, s = np.cos(turns[part])[:, None, None], np.sin(turns[part])[:, None, None]
        drawn = draw(np.stack([factors(int(seed), kind) for seed in seeds[part]]), c * x + s * y, c * y - s * x)
        out[part] = np.clip(drawn, 0, 1) * fade
    return out


def factors(seed: int, kind: str) -> Array:
    """What sets one picture apart from another, each from 0 to 1, uniform (12,)."""
    return np.random.default_rng([seed, 81 + KINDS.index(kind)]).uniform(size=12)


def angles(count: int, seed: int) -> Array:
    """Angles in degrees from 0 to 360, uniform."""
    return np.random.default_rng([seed, 83]).uniform(0, 360, count)


def plane(size: int) -> tuple[Array, Array]:
    """The middles of the pixels, x to the right and y upwards; the disc in the square has radius 1."""
    at = (np.arange(size) + 0.5) * 2 / size - 1
    return np.meshgrid(at, -at)


def _galaxies(factor: Array, x: Array, y: Array) -> Array:
    """A disc seen at a slant, a bright arm and a faint one, a bulge, and a companion on the side of the bright arm's end."""
    u = [part[:, None, None] for part in factor.T]
    slant, scale, pitch = 0.6 + 0.35 * u[0], 0.28 + 0.14 * u[1], 0.45 + 0.3 * u[2]
    sharp, faint, bright = 2.5 + 2.5 * u[3], 0.1 + 0.35 * u[4], 0.9 + 0.6 * u[5]
    r, a = np.hypot(x, y / slant), np.arctan2(y / slant, x)
    phase = a - np.log(r / 0.2 + 0.3) / pitch
    arms = np.exp(sharp * (np.cos(phase) - 1)) + faint * np.exp(-sharp * (np.cos(phase) + 1))
    out = np.exp(-r / scale) * (0.35 + bright * arms * np.clip(r / 0.25, 0, 1))
    out += (0.3 + 0.3 * u[6]) * np.exp(-0.5 * (r / (0.08 + 0.05 * u[7])) ** 2)
    far, where, wide = 0.5 + 0.15 * u[8], 0.6 + 1.0 * u[9], 0.075 + 0.03 * u[10]
    apart = (x - far * np.cos(where)) ** 2 + (y - far * np.sin(where)) ** 2
    out += (0.25 + 0.4 * u[11]) * np.exp(-0.5 * apart / wide**2)
    return np.asarray(1 - np.exp(-1.2 * out))  # no pixel is burnt out


def _glyphs(factor: Array, x: Array, y: Array) -> Array:
    """A stem, two branches to its right and a dot to its left, all drawn with a soft pen."""
    u = [part[:, None, None] for part in factor.T]
    wide = 0.075 + 0.025 * u[0]
    top, lean = 0.45 + 0.2 * u[1], 0.3 * (u[2] - 0.5)
    foot, head = (-0.15 - lean, -top), (-0.15 + lean, top)
    out = _stroke(x, y, foot, head, wide)
    branches = (
        (0.55 + 0.4 * u[3], 0.3 + 0.3 * u[4], u[5] - 0.3, 1.0),
        (0.1 + 0.3 * u[6], 0.2 + 0.25 * u[7], u[8] - 0.8, 0.7),
    )
    for height, length, rise, gain in branches:
        root = tuple(a + height * (b - a) for a, b in zip(foot, head, strict=True))
        tip = (root[0] + length, root[1] + length * rise)
        out = np.maximum(out, gain * _stroke(x, y, root, tip, wide))
    apart = (x + 0.4 + 0.15 * u[9]) ** 2 + (y - 0.35 + 0.5 * u[10]) ** 2
    return np.asarray(0.95 * np.maximum(out, np.exp(-0.5 * apart / (wide + 0.03 * u[11]) ** 2)))


def _stroke(x: Array, y: Array, start: tuple[Array, ...], end: tuple[Array, ...], wide: Array) -> Array:
    """A line of the width, brightest in its middle."""
    along = (end[0] - start[0], end[1] - start[1])
    share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along[0] ** 2 + along[1] ** 2)
    share = np.clip(share, 0, 1)
    apart = (x - start[0] - share * along[0]) ** 2 + (y - start[1] - share * along[1]) ** 2
    return np.asarray(np.exp(-0.5 * apart / wide**2))
