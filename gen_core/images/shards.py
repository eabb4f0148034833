"""New pictures by the thousand, in shards: images.npz of each, as a single run writes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.images import map, sample
from gen_core.images.atlas import atlas_of
from gen_core.images.modelfile import opened
from gen_core.images.recipe import Map, Sample
from gen_core.images.space import STRANGE
from gen_core.latent.maps import inside
from gen_core.result import Result
from gen_core.shards import Piece, Sampled, Shard


def _filled(recipe: Sample) -> Sample:
    return opened(recipe)[0]


def _drawn(recipe: Sample, piece: Piece, of: Sample) -> Shard:
    result = sample.run(recipe)
    return _shard(result, piece, result.content.percentile)


def _in_region(recipe: Map) -> Map:
    """The recipe without all that is no sample. Raises RecipeError where nothing can be sampled."""
    recipe, space = opened(recipe)
    if recipe.region is None:
        raise RecipeError("region: images.map draws new pictures of a region only; give its corners, or take images.sample.")
    if not inside(atlas_of(space).places, np.array(recipe.region, float)).any():
        raise RecipeError(
            "region: it holds no picture, so that nothing can be drawn from there; draw it around some of the points."
        )
    return recipe.replace(spot=None, show=None)


def _mapped(recipe: Map, piece: Piece, of: Map) -> Shard:
    result = map.run(recipe)
    return _shard(result, piece, result.content.region.percentile)


def _shard(result: Result, piece: Piece, percentile: Any) -> Shard:
    strange = int((percentile > STRANGE).sum())
    return Shard({piece.name("images", ".npz"): result.files["images.npz"]}, {"n": piece.n, "n_off_manifold": strange})


SAMPLE = Sampled("n", 32, 256, _filled, _drawn)
MAP = Sampled("n", 16, 64, _in_region, _mapped)
