"""What a worker does with a shard of a batch: make it, and put it in its place."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gen_core
from gen_core import catalog
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
    return {"recipe": document, "piece": piece and asdict(piece), "folder": str(folder), "home": str(home)}


def work(order: dict[str, Any]) -> dict[str, Any]:
    """Make a shard on one thread, so that it has the same bytes wherever it is made; returns its note."""
    from threadpoolctl import threadpool_limits

    version = order["recipe"].get("gen_core")
    if version != gen_core.__version__:
        raise JobError(f"A worker has version {gen_core.__version__} of this software and not {version}: install the same there.")
    os.environ["LATENT_HOME"] = order["home"]
    os.environ["LATENT_THREADS"] = "1"
    recipe, folder = catalog.from_document(order["recipe"]), Path(order["folder"])
    if not folder.is_dir():
        raise JobError(f"A worker does not see the folder {folder.name!r}: it must lie where all machines of the cluster see it.")
    how = sharded(recipe.operation)
    assert how is not None
    try:
        with threadpool_limits(1), folders.scratch(folder) as scratch:
            if order["piece"] is None:
                k, made = folders.HEAD, how.begin(recipe, scratch)
            else:
                piece = Piece(**order["piece"])
                k, made = piece.k, how.shard(recipe, piece)
            return folders.place(folder, k, made.files, recipe, {"counts": dict(made.counts), "told": dict(made.told)})
    except UserError as error:
        raise UserError(str(error)) from None  # its sentence is all of it that crosses from process to process
