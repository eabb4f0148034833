"""A batch on disk: what tells which of its shards are done and whole.

    recipe.json      the recipe, with as many items as the largest shard has
    batch.json       the manifest: recipe, n, shards, and the sha256 of every file of each shard that is done
    result.json      what was counted and measured, once all shards are there
    KIND/part-…      the files of the shards
    done/00000.json  beside them: shard 0 is done, and these are the digests of its files

A file appears by a rename, once it is on the disk; a shard's note appears after its files. So whoever is killed, and whenever,
leaves shards that are whole, shards without a note, and files named .partial-…, which nobody reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gen_core.errors import OutputError
from gen_core.recipe import Recipe
from gen_core.result import discard, disk_sentence, flush_one
from gen_core.shards import Plan

MANIFEST = "batch.json"
PARTIAL = ".partial-"
HEAD, END = -1, -2  # stand for what is there before the shards, and for what is said of all of them
FORMAT = 1

Note = dict[str, Any]


def order(plan: Plan) -> Note:
    """What makes a batch this one and no other: another folder is needed where any of it differs."""
    return {"schema": FORMAT, "recipe": plan.recipe.document(), "n": plan.n, "shards": len(plan.pieces)}


def read(path: Path) -> Note:
    """A JSON object; empty where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, values: Mapping[str, Any]) -> None:
    """A JSON object, all or nothing."""
    with _placed(path) as partial:
        partial.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n")


def place(folder: Path, k: int, writers: Mapping[str, Callable[[Path], None]], recipe: Recipe, more: Note) -> Note:
    """Write the files of a shard and then its note, which is returned. Raises OutputError where the disk refuses."""
    files = {}
    for name, write_to in writers.items():
        with _placed(folder / name) as partial:
            write_to(partial)
            files[name] = {"sha256": digest(partial), "bytes": partial.stat().st_size}
    note = {"shard": k, "recipe": recipe.sha256, "files": files} | more
    write(note_path(folder, k), note)
    return note


def note_path(folder: Path, k: int) -> Path:
    """Where it is noted that shard k is done."""
    return folder / "done" / {HEAD: "before.json", END: "after.json"}.get(k, f"{k:05d}.json")


def whole(folder: Path, k: int, recipe: Recipe) -> Note | None:
    """The note of shard k, where its files are there and have the digests that stand in it; else None."""
    note = read(note_path(folder, k))
    files = note.get("files")
    if note.get("recipe") != recipe.sha256 or note.get("shard") != k or not isinstance(files, dict):
        return None
    if k >= 0 and not isinstance(note.get("counts"), dict):
        return None
    try:
        fit = all((folder / name).stat().st_size == told["bytes"] for name, told in files.items())
        return note if fit and all(digest(folder / name) == told["sha256"] for name, told in files.items()) else None
    except (OSError, KeyError, TypeError):
        return None


def digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clean(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for path in folder.rglob(f"{PARTIAL}*"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder inside, gone afterwards."""
    path = folder / f"{PARTIAL}{secrets.token_hex(6)}"
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _placed(path: Path) -> Iterator[Path]:
    """A name beside `path` with the same ending, to write to; renamed to it when what was written is on the disk."""
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(6)}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        flush_one(partial)
        os.replace(partial, path)
        flush_one(path.parent)
    except OSError as error:
        raise OutputError(disk_sentence(error, path)) from error
    finally:
        discard(partial)
