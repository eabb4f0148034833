"""The simulator: curved tracks from one vertex through layers of channels, with lost hits, shared charge and noise.

A track crosses layer l at vertex + slope r + curvature r^2, in channels; r = (l + 1) / layers is 1 at the outermost one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
CHUNK = 4_096  # events drawn from one seed, so that the first events are the same however many are asked for


@dataclass(frozen=True)
class World:
    """A tracker and what flies through it; probabilities from 0 to 1, lengths in channels."""

    layers: int = 8
    channels: int = 24
    tracks_min: int = 1
    tracks_max: int = 4
    efficiency: float = 0.95
    """Probability that a track leaves a hit in a layer."""
    sharing: float = 0.2
    """A track that passes nearer than this to the edge of a channel fires the neighbour too."""
    noise: float = 0.006
    """Probability that a channel fires of itself."""
    dead: tuple[int, ...] = ()
    """Layers that say nothing, counted from 0 at the vertex."""


@dataclass(frozen=True)
class Events:
    """Hits (n, layers, channels) uint8, and the truth: tracks (n, most, 3), vertex, slope, curvature, NaN where none."""

    hits: Array
    tracks: Array


def simulate(world: World, n: int, seed: int = 0, tracks: int | None = None) -> Events:
    """Draw n events, each with `tracks` tracks where that is given. The same seed gives the same first events for any n."""
    parts = list(chunks(world, n, seed, tracks))
    return Events(np.concatenate([one.hits for one in parts]), np.concatenate([one.tracks for one in parts]))


def chunks(world: World, n: int, seed: int = 0, tracks: int | None = None) -> Iterator[Events]:
    """The same events, a few thousand at a time."""
    for k, start in enumerate(range(0, n, CHUNK)):
        made = _chunk(world, np.random.default_rng([seed, 61, k]), tracks)
        kept = min(CHUNK, n - start)
        yield Events(made.hits[:kept], made.tracks[:kept])


def at_once(world: World, n: int, seed: int) -> Array:
    """n events (n, layers, channels) in one go: how fast the simulator is in batches of this size."""
    return _chunk(world, np.random.default_rng([seed, 68]), None, n).hits


def positions(world: World, tracks: Array) -> Array:
    """Where tracks (..., 3) cross each layer (..., layers), in channels from the left edge."""
    r = (np.arange(world.layers, dtype=np.float32) + 1) / world.layers
    return tracks[..., :1] + tracks[..., 1:2] * r + tracks[..., 2:] * r**2


def _chunk(world: World, rng: np.random.Generator, tracks: int | None, n: int = CHUNK) -> Events:
    width, top = world.channels, tracks or world.tracks_max
    flown = np.empty((n, top, 3), np.float32)
    flown[..., 0] = width / 2 + width / 12 * rng.standard_normal((n, 1), np.float32)
    flown[..., 1] = width / 5 * rng.standard_normal((n, top), np.float32)
    flown[..., 2] = width / 6 * (2 * rng.random((n, top), np.float32) - 1)
    least = world.tracks_min if tracks is None else tracks
    flown[np.arange(top) >= rng.integers(least, top + 1, n)[:, None]] = np.nan
    at = positions(world, flown)
    at[rng.random(at.shape, np.float32) >= world.efficiency] = np.nan
    fired = rng.random((n, world.layers, width + 2), np.float32) < world.noise  # a channel more at either side
    hits = fired.view(np.uint8)
    there = (at >= 0) & (at < width)
    channel = np.where(there, at, 0).astype(np.int64)
    part = at - channel
    row = np.arange(n)[:, None, None] * world.layers + np.arange(world.layers)
    flat = hits.reshape(-1)
    place = row * (width + 2) + channel + 1
    flat[place[there]] = 1
    flat[place[there & (part < world.sharing)] - 1] = 1
    flat[place[there & (part >= 1 - world.sharing)] + 1] = 1
    out = np.ascontiguousarray(hits[:, :, 1:-1])
    out[:, list(world.dead)] = 0
    return Events(out, flown)
