"""Many pictures recovered, in shards: of each its own pictures and its own measurements."""

from __future__ import annotations

from gen_core.errors import RecipeError
from gen_core.shards import Piece, Sampled, Shard
from gen_core.symmetry import modelfile, recover, scenes
from gen_core.symmetry.recipe import Recover

PLACES = 100_000  # starts of test pictures, which a seed chooses from; see `pictures.tested`


def _filled(recipe: Recover) -> Recover:
    if recipe.data not in scenes.KINDS:
        raise RecipeError(
            f"data: of your own pictures only those kept aside are there to recover; run symmetry.recover, or choose one of "
            f"{', '.join(scenes.KINDS)}, of which there is no end."
        )
    return modelfile.with_weights(recipe, recipe.models)


def _recovered(recipe: Recover, piece: Piece, of: Recover) -> Shard:
    result = recover.run(recipe)
    return Shard({piece.name("recovered", ".npz"): result.files["recover.npz"]}, {"n": piece.n})


RECOVER = Sampled("images", 4, 80, _filled, _recovered, apart=PLACES)
