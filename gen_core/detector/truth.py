"""The truth that generated events are measured against: simulated events, or a user's own that no model has learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.datasets import path_of
from gen_core.detector.simulate import World, simulate
from gen_core.errors import RecipeError
from gen_core.inputs.hits import read_hits

Array = np.ndarray
FIRST, SECOND = 3_000_000_000, 8_000_000_000  # added to a recipe's seed
LEFT_OUT = 4_096  # own events that nothing is learned from, or an eighth of them


@dataclass(frozen=True, eq=False)
class Truth:
    """Two sets of events of which the second scores what the truth scores against itself."""

    first: Array
    second: Array
    tracks: Array | None  # of the first set, where they are known
    own: bool
    key: tuple[object, ...]


def truth_of(world: World, data: str | None, n: int, seed: int, learned: bool = True) -> Truth:
    """n events for each of the two sets, or at most half of the own ones: of all where no model has `learned` from them, else of
    those that were left out. Raises RecipeError where own events are of another shape than the tracker."""
    if data is None:
        one, two = (simulate(world, n, seed + far) for far in (FIRST, SECOND))
        return Truth(one.hits, two.hits, one.tracks, False, (world, n, seed))
    hits = read_hits(path_of(data))
    if hits.shape[1:] != (world.layers, world.channels):
        raise RecipeError(
            f"data: these patterns have {hits.shape[1]} layers of {hits.shape[2]} channels; set layers and channels to that."
        )
    rest = np.random.default_rng([seed, 65]).permutation(left_out(hits) if learned else hits)
    half = min(n, len(rest) // 2)
    return Truth(rest[:half], rest[half : 2 * half], None, True, (data, n, seed, learned))


def left_out(hits: Array) -> Array:
    """The own events that watch a training and score its model: the last ones."""
    return hits[len(hits) - watching(len(hits)) :]


def watching(n: int) -> int:
    """How many of n events watch a training."""
    return min(LEFT_OUT, max(n // 8, 1))
