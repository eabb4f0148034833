"""What a physicist would measure on events: tracks found, clusters, residuals, and how often channels fire.

The finder is a Hough search: each track of a grid of vertices, slopes and curvatures is a road of one channel to either side, the
road with hits in most layers is taken, its hits are removed, and so on; then a parabola is fitted to what each road took.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gen_core.detector.simulate import World, positions

Array = np.ndarray
ENOUGH = 0.75  # share of the living layers that a road must have hits in
NEAR = 1.5  # channels, on average over the layers, within which a found track is a true one
MOST = 8  # tracks an event
BLOCK = 500


@dataclass(frozen=True, eq=False)
class Found:
    """Tracks found: fitted vertex, slope, curvature (n, MOST, 3), NaN where none; residuals (k,) in channels of hits on tracks;
    hits (n,) on tracks."""

    tracks: Array
    residuals: Array
    on_tracks: Array


def find(hits: Array, world: World) -> Found:
    """The tracks of events (n, layers, channels)."""
    grid, road = _roads(world.layers, world.channels)
    alive = world.layers - len(world.dead)
    need = max(3, int(np.ceil(ENOUGH * alive)))
    tracks = np.full((len(hits), MOST, 3), np.nan, np.float32)
    on, residuals = np.zeros(len(hits), int), []
    for start in range(0, len(hits), BLOCK):
        left = hits[start : start + BLOCK].astype(bool)
        rows = np.arange(len(left))
        for k in range(MOST):
            there = left.copy()
            near = there.copy()
            near[:, :, 1:] |= there[:, :, :-1]
            near[:, :, :-1] |= there[:, :, 1:]
            seen = (near.astype(np.float32) + 0.1 * there).reshape(len(left), -1)
            votes = seen[rows] @ road
            best = votes.argmax(1)
            rows = rows[votes.max(1) >= need]
            best = best[votes.max(1) >= need]
            if not len(rows):
                break
            fitted, apart, taken = _fit(left[rows], grid[best], world)
            tracks[start + rows, k] = fitted
            residuals.append(apart)
            on[start + rows] += taken.sum((1, 2))
            left[rows] &= ~taken
            left_rows = np.zeros(len(left), bool)
            left_rows[rows] = True
            rows = np.flatnonzero(left_rows)
    return Found(tracks, np.concatenate(residuals) if residuals else np.zeros(0), on)


def _fit(events: Array, tracks: Array, world: World) -> tuple[Array, Array, Array]:
    """A parabola through the mean hit of each layer in the road of each event (n, 3); residuals, one event after the other; and
    the hits taken (n, layers, channels)."""
    centre = np.arange(world.channels) + 0.5
    taken = events & (np.abs(centre - positions(world, tracks)[..., None]) <= 1.6)
    count = taken.sum(2)
    mean = (taken @ centre) / np.maximum(count, 1)  # (n, layers)
    r = (np.arange(world.layers) + 1) / world.layers
    powers = np.stack([np.ones_like(r), r, r**2], 1)
    seen = count > 0
    solved = np.array([np.linalg.lstsq(powers[some], at[some], rcond=None)[0] for some, at in zip(seen, mean, strict=True)])
    fitted = solved[:, :1] + solved[:, 1:2] * r + solved[:, 2:] * r**2
    return solved, (mean - fitted)[seen], taken


def summary(hits: Array, world: World, found: Found | None = None) -> dict[str, float]:
    """Tracks an event, hits off all tracks an event, residuals (RMS, channels), and the mean size of clusters (channels)."""
    found = found or find(hits, world)
    sizes = cluster_sizes(hits)
    return {
        "tracks_found": float(np.isfinite(found.tracks[:, :, 0]).sum(1).mean()),
        "hits_off_tracks": float((hits.sum((1, 2)) - found.on_tracks).mean()),
        "residual_rms": float(np.sqrt((found.residuals**2).mean())) if len(found.residuals) else float("nan"),
        "cluster_size": float(sizes.mean()) if len(sizes) else float("nan"),
    }


def efficiency(found: Found, tracks: Array, world: World) -> dict[str, float]:
    """Share of the true tracks (n, most, 3) that were found, and of the found ones that are no true one."""
    at, true = positions(world, found.tracks), positions(world, tracks)
    apart = np.abs(at[:, :, None] - true[:, None]).mean(3)  # (n, found, true); NaN where there is none
    near: Array = np.asarray(np.where(np.isfinite(apart), apart, np.inf) < NEAR)
    exist: Array = np.isfinite(tracks[:, :, 0])
    made: Array = np.isfinite(found.tracks[:, :, 0])
    return {
        "track_efficiency": float(np.any(near, 1)[exist].mean()) if exist.any() else float("nan"),
        "fake_rate": float(1 - np.any(near, 2)[made].mean()) if made.any() else float("nan"),
    }


def cluster_sizes(hits: Array) -> Array:
    """Channels of each run of neighbouring hits in a layer."""
    edges = np.diff(np.pad(hits, ((0, 0), (0, 0), (1, 1))).astype(np.int8), axis=2).reshape(-1)
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def occupancy(hits: Array) -> Array:
    """Share of events in which each channel of each layer fires (layers, channels)."""
    return hits.mean(0, dtype=np.float64)


@lru_cache(maxsize=4)
def _roads(layers: int, channels: int) -> tuple[Array, Array]:
    """A grid of tracks (k, 3), and the channels that each crosses (layers * channels, k)."""
    w = channels
    vertices = np.arange(w * 0.25, w * 0.75 + 0.01, w / 24)
    slopes = np.arange(-0.6 * w, 0.6 * w + 0.01, w / 24)
    curves = np.arange(-w / 6, w / 6 + 0.01, w / 24)
    grid = np.stack(np.meshgrid(vertices, slopes, curves, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    at = np.floor(positions(World(layers, channels), grid)).astype(int)
    road = np.zeros((layers, channels, len(grid)), np.float32)
    inside = (at >= 0) & (at < channels)
    track, layer = np.nonzero(inside)
    road[layer, at[inside], track] = 1
    return grid, road.reshape(layers * channels, -1)
