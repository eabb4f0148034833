"""What a worker does with a shard of a batch: make it, and put it in its place."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gen_core
from gen_core import catalog, owner
from gen_core.batch import folder as folders
from gen_core.errors import JobError, UserError
from gen_core.shards import Piece, Sharded


def sharded(operation: str) -> Sharded | None:
    """How an operation is done in shards; None where it is not."""
    reference = catalog.operation(operation).shards
    found: Sharded | None = catalog.load(reference) if reference else None
    return found


def order_for(document: dict[str, Any], piece: Piece | None, folder: Path, home: Path) -> dict[str, Any]:
    """What is sent to a worker: plain values, which any version of this software can read. Without a piece, what comes first."""
    where = {"folder": str(folder), "home": str(home), "for": owner.current()}
    return {"recipe": document, "piece": piece and asdict(piece)} | where


def work(order: dict[str, Any]) -> dict[str, Any]:
    """Make a shard on one thread, so that it has the same bytes wherever it is made; returns its note.

    Where a user can mend what is wrong, `error` in what is returned is the sentence that says so.
    """
    from threadpoolctl import threadpool_limits

    os.environ["LATENT_HOME"] = order["home"]
    os.environ["LATENT_THREADS"] = "1"
    try:
        with threadpool_limits(1), owner.acting_for(order["for"]):
            return _made(order)
    except UserError as error:
        return {"error": str(error)}


def _made(order: dict[str, Any]) -> dict[str, Any]:
    version, folder = order["recipe"].get("gen_core"), Path(order["folder"])
    if version != gen_core.__version__:
        raise JobError(f"A worker has version {gen_core.__version__} of this software and not {version}: install the same there.")
    if not folder.is_dir():
        raise JobError(f"A worker does not see the folder {folder.name!r}: it must lie where all machines of the cluster see it.")
    recipe = catalog.from_document(order["recipe"])
    how = sharded(recipe.operation)
    assert how is not None
    with folders.scratch(folder) as scratch:
        if order["piece"] is None:
            k, made = folders.HEAD, how.begin(recipe, scratch)
        else:
            piece = Piece(**order["piece"])
            k, made = piece.k, how.shard(recipe, piece)
        if not (folder / folders.MANIFEST).is_file():  # ended meanwhile, before anything was done, and the folder is gone again
            raise JobError("This batch has ended.")
        return folders.place(folder, k, made.files, recipe, {"counts": dict(made.counts), "told": dict(made.told)})
