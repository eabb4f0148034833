"""Events by the million, in shards: hits as a single run writes them, without its comparison with the truth."""

from __future__ import annotations

import io

import numpy as np

from gen_core import store
from gen_core.detector import files
from gen_core.detector.condition import code_of, fixed, plain
from gen_core.detector.generate import beside, conditioned, prepared
from gen_core.detector.inpaint import OTHERS, check_able, event_of, redrawn, region_of
from gen_core.detector.recipe import Condition, Generate, Inpaint
from gen_core.detector.simulate import simulate
from gen_core.detector.spool import Spool
from gen_core.shards import Piece, Sampled, Shard, Writer
from gen_core.stamp import npz_member


def _generated(recipe: Generate) -> Generate:
    recipe, source, _ = prepared(recipe)
    beside(recipe, source)
    return recipe


def _generate(recipe: Generate, piece: Piece, of: Generate) -> Shard:
    """The events of a shard; independent channels have the frequencies that the batch's own seed chose from the own hits."""
    recipe, source, _ = prepared(recipe)
    if source.name == "independent" and of.data is not None:
        source = beside(of, source)[1]
    spool, seen = Spool(source.shape), list[int]()
    for some in conditioned(source, recipe, seen):
        spool.add(some)
    out: dict[str, Writer] = {piece.name("events", ".npz"): lambda path: files.events_npz(path, recipe, spool)}
    if "hdf5" in recipe.formats:
        out[piece.name("hdf5", ".h5")] = lambda path: files.events_hdf5(path, recipe, spool)
    if "parquet" in recipe.formats:
        out[piece.name("parquet", ".parquet")] = lambda path: files.events_parquet(path, recipe, spool, piece.first)
    return Shard(out, {"n": spool.n, "n_drawn": sum(seen) or spool.n})


def _code_held(recipe: Condition) -> Condition:
    """The recipe with the code that its seed draws, and the number of steps filled in."""
    recipe, source, _ = prepared(recipe)
    code = code_of(recipe, int(plain(source).net.z))  # type: ignore[arg-type]
    return recipe.replace(code=code.tolist())


def _condition(recipe: Condition, piece: Piece, of: Condition) -> Shard:
    recipe, source, _ = prepared(recipe)
    code = np.array(recipe.code, float)
    hits = fixed(plain(source), code, recipe.n, recipe.seed, recipe.temperature)
    writer: Writer = lambda path: np.savez_compressed(path, hits_fixed=hits, code=code, recipe=npz_member(recipe))  # noqa: E731
    return Shard({piece.name("events", ".npz"): writer}, {"n": len(hits)})


def _event_held(recipe: Inpaint) -> Inpaint:
    """The recipe with its event among the stored files: the simulator would give another one by each seed."""
    recipe, source, _ = prepared(recipe)
    check_able(source)
    event = event_of(recipe)
    if recipe.data is not None:
        return recipe
    content = io.BytesIO()
    others = simulate(recipe.world(), OTHERS, recipe.seed + 1).hits  # what is usual, for whoever runs the recipe of a shard
    np.savez_compressed(content, hits=np.concatenate([event[None], others]))
    content.seek(0)
    return recipe.replace(data=store.add(content, "event.npz"), event=0)


def _inpaint(recipe: Inpaint, piece: Piece, of: Inpaint) -> Shard:
    recipe, source, _ = prepared(recipe)
    event, region = event_of(recipe), region_of(recipe)
    hits = redrawn(source, event, region, recipe.n, recipe.seed)
    writer: Writer = lambda path: np.savez_compressed(  # noqa: E731
        path, event=event, region=region, hits=hits, mean=hits.mean(0), recipe=npz_member(recipe)
    )
    return Shard({piece.name("inpainted", ".npz"): writer}, {"n": len(hits)})


GENERATE = Sampled("n", 500, 10_000, _generated, _generate)
CONDITION = Sampled("n", 500, 10_000, _code_held, _condition)
INPAINT = Sampled("n", 200, 5_000, _event_held, _inpaint)
