"""New configurations by the million, in shards: positions as a single run writes them."""

from __future__ import annotations

import numpy as np

from gen_core.defects import files, sample
from gen_core.defects.recipe import Sample
from gen_core.shards import Piece, Sampled, Shard


def _filled(recipe: Sample) -> Sample:
    return sample.opened(recipe)[0]


def _drawn(recipe: Sample, piece: Piece, of: Sample) -> Shard:
    recipe, found, score = sample.opened(recipe)
    positions, k = sample.drawn(recipe, found, score), sample.nearest(recipe, found)
    times = {"time": np.array(recipe.time), "nearest_time": np.array(float(found.times[k]))}
    return Shard(
        {piece.name("samples", ".npz"): lambda path: files.arrays(path, recipe, positions=positions, **times)},
        {"n": len(positions)},
    )


SAMPLE = Sampled("n", 200, 5_000, _filled, _drawn)
