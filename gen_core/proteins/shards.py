"""Proteins by the million, in shards: each a table of all samples (Parquet) and the kept ones as FASTA, packed by gzip."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gen_core.errors import RecipeError
from gen_core.proteins import files, sample, viability
from gen_core.proteins.known import open_both, ready
from gen_core.proteins.recipe import Sample
from gen_core.proteins.warn import warnings_of
from gen_core.result import Notice
from gen_core.shards import Files, Piece, Plan, Sampled, Shard, Whole
from gen_core.stamp import fasta_header, text_of

if TYPE_CHECKING:
    import pandas as pd

    from gen_core.recipe import Recipe

Array = np.ndarray
REPEATED = "repeated.parquet"
PROMISE = (
    "With the filter `unique` a sequence is kept once in its shard. Shards do not know of each other: sequences that a shard "
    f"before has kept are kept again, counted as n_repeated, and listed in {REPEATED}; without them none is there twice."
)


def _filled(recipe: Sample) -> Sample:
    """The recipe with its model, trained first where it says so. Raises RecipeError where it asks for files that shards lack."""
    for name, wanted in (("structure", recipe.structure), ("order", recipe.order is not None)):
        if wanted:
            raise RecipeError(
                f"{name}: a batch leaves sequences and their values alone; leave it out, and run it on what you pick."
            )
    recipe, model, _ = open_both(ready(recipe, lambda share, text: None))
    if recipe.labels is not None:
        viability.assess(recipe, model, str(recipe.family))  # what is wrong with them is said now
    return recipe


def _drawn(asked: Sample, piece: Piece, of: Sample) -> Shard:
    """The shard of a recipe. What labels teach is learned once, by the seed of the batch, and is the same in all shards."""
    recipe, model, known = open_both(asked)
    learned = viability.assess(of, model, str(recipe.family)) if of.labels else None
    made = sample.judged(recipe, sample.draw_from(recipe, model, known), learned)
    table = files.sample_table(made, piece.first)
    kept = table[made.kept]
    return Shard(
        {
            piece.name("sequences", ".parquet"): lambda path: parquet(path, table, made.recipe),
            piece.name("fasta", ".fasta.gz"): lambda path: fasta(path, list(kept["id"]), list(kept["sequence"]), made.recipe),
        },
        {"n": len(table), "n_kept": len(kept)},
    )


def parquet(path: Path, table: pd.DataFrame, recipe: Recipe) -> None:
    """A table as Parquet, with the recipe in its schema's metadata; columns of a few words are stored as such."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(made.replace_schema_metadata({"recipe": text_of(recipe)}), path, compression="zstd")


def fasta(path: Path, names: list[str], sequences: list[str], recipe: Recipe) -> None:
    """Sequences as FASTA in gzip without a date, the recipe in the first record's description."""
    with path.open("wb") as out, gzip.GzipFile("", "wb", 6, out, mtime=0) as packed:
        for i, (name, sequence) in enumerate(zip(names, sequences, strict=True)):
            head = fasta_header(name, recipe) if i == 0 else name
            packed.write(f">{head}\n{sequence}\n".encode("ascii"))


def _whole(plan: Plan, counts: Mapping[str, int], shards: Files) -> Whole:
    """Which kept sequences a shard before has kept, too."""
    import pandas as pd

    recipe = cast(Sample, plan.recipe)
    digest, shard, item = kept_of(plan, shards)
    first = first_of(digest)
    again = np.flatnonzero(shard[first] != shard)  # equal ones inside a shard are the filter's business
    before = first[again]
    repeated = pd.DataFrame(
        {
            "id": [files.name_of(int(i)) for i in item[again]],
            "shard": shard[again],
            "first_id": [files.name_of(int(i)) for i in item[before]],
            "first_shard": shard[before],
        }
    )
    numbers = dict(counts) | {"n_repeated": len(repeated), "kept_fraction": counts["n_kept"] / counts["n"]}
    _, model, known = open_both(recipe)
    told = warnings_of(model, known)
    if not counts["n_kept"]:
        told.append(Notice("nothing_kept", "No sample passes all filters: loosen the one that removes most."))
    return Whole({REPEATED: lambda path: parquet(path, repeated, recipe)}, numbers, notices=tuple(told))


def kept_of(plan: Plan, shards: Files) -> tuple[Array, Array, Array]:
    """Of every kept sequence a digest (m, 2), its shard (m,) and its place among all samples (m,), in the order of the shards."""
    import pyarrow.parquet as pq

    digests, places = [np.zeros((0, 2), np.uint64)], [np.zeros((0, 2), np.int64)]
    for piece, paths in zip(plan.pieces, shards, strict=True):
        table = pq.read_table(next(path for path in paths if path.suffix == ".parquet"), columns=["sequence", "kept"])
        rows = np.flatnonzero(table["kept"].to_numpy())
        texts = table["sequence"].take(rows).to_pylist()
        packed = b"".join(blake2b(text.encode(), digest_size=16).digest() for text in texts)
        digests.append(np.frombuffer(packed, np.uint64).reshape(-1, 2))
        places.append(np.column_stack([np.full(len(rows), piece.k), piece.first + rows]))
    found = np.concatenate(places)
    return np.concatenate(digests), found[:, 0], found[:, 1]


def first_of(digest: Array) -> Array:
    """Of each row (m,) the first row of digests (m, 2) that is equal to it."""
    order = np.lexsort(digest.T)  # stable: equal rows stay in their order
    new = np.r_[True, (digest[order][1:] != digest[order][:-1]).any(1)][: len(order)]
    first = np.empty(len(order), np.int64)
    first[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


SAMPLE = Sampled("n", 500, 5_000, _filled, _drawn, _whole, PROMISE)
