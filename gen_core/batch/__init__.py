"""Many samples, or a whole file of cells, in shards through Dask: on this machine, or on an existing cluster.

    batch(recipe, n, folder)

A batch is one recipe. What is in its folder does not depend on the number of workers, on their order, or on how often it was
interrupted: called again in the same way it makes what is missing or damaged, and nothing else. What a shard is, the system says
(`gen_core.shards`); what is on disk is in folder.py, what a worker does in work.py, who gives it out in crew.py.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gen_core import catalog, store
from gen_core.batch import crew
from gen_core.batch import folder as folders
from gen_core.batch.folder import END, HEAD, Note
from gen_core.batch.work import order_for, sharded
from gen_core.errors import OutputError, RecipeError
from gen_core.recipe import Recipe
from gen_core.result import Result, refuse_full
from gen_core.shards import Piece, Plan, Sharded, Whole

Progress = Callable[[float, str], None]


def batch(
    recipe: Recipe,
    n: int | None,
    folder: str | Path,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = lambda share, text: None,
    begun: Callable[[], None] = lambda: None,
) -> Path:
    """Make n samples of a recipe, or go on with them; returns the folder. `n` is None where a whole file is predicted.

    `scheduler` is the address of an existing Dask scheduler, whose workers have this software, the same `$LATENT_HOME` and the
    folder; without it `workers` processes on this machine do the work. `begun` is called once something is there to go on with:
    where it ends before, the folder is as it was. Raises RecipeError where the operation makes no batches, OutputError where the
    folder holds anything else, JobError where the cluster fails, and whatever the operation itself raises.
    """
    began = time.perf_counter()
    if scheduler is not None and workers is not None:
        raise RecipeError("--workers is of workers on this machine; with --scheduler those of the cluster do the work: give one.")
    how, final = asked(recipe.operation), Path(folder).absolute()
    occupied(final)
    plan = how.plan(recipe, n)
    refuse_other(final, plan)
    progress(0.0, "looking at what is there")
    notes = done(final, plan, plan.pieces)
    head = folders.whole(final, HEAD, plan.recipe) if how.begins else {}
    missing = [piece for piece in plan.pieces if piece.k not in notes]
    if missing or head is None:
        own = min(workers or crew.own_workers(), max(len(missing), 1))
        with kept(final, plan), crew.cluster(scheduler, own) as client:  # so that nobody writes there any more when it is undone
            head = make(client, final, plan, how, head, notes, missing, progress, begun)
    elif ended(final, plan):
        progress(1.0, f"{len(notes):,} of {len(notes):,} shards")
        return final
    begun()
    finish(final, plan, how, head or {}, notes, time.perf_counter() - began)
    progress(1.0, f"{len(notes):,} of {len(notes):,} shards")
    return final


def make(
    client: Any,
    folder: Path,
    plan: Plan,
    how: Sharded,
    head: Note | None,
    notes: dict[int, Note],
    missing: list[Piece],
    progress: Progress,
    begun: Callable[[], None],
) -> Note:
    """Have the missing shards made and note each in `notes`; returns the note of what comes before them."""
    total = len(plan.pieces)
    document, home = plan.recipe.document(), store.home().absolute()

    def told() -> None:
        if notes or head:
            begun()
        progress(len(notes) / max(total, 1), f"{len(notes):,} of {total:,} shards")

    def waiting() -> None:
        progress(len(notes) / max(total, 1), "waiting for a worker of the cluster")

    try:
        if head is None:
            progress(0.0, "what comes before the shards")
            _, head = next(crew.made(client, [order_for(document, None, folder, home)], waiting))
        told()
        for order, note in crew.made(client, [order_for(document, piece, folder, home) for piece in missing], waiting):
            notes[order["piece"]["k"]] = note
            told()
    finally:
        if len(notes) < total:
            notes |= done(folder, plan, [piece for piece in missing if piece.k not in notes])  # that nobody told yet
            if notes or head:
                begun()
                folders.write(folder / folders.MANIFEST, manifest(plan, how, head, notes))
    assert head is not None
    return head


def asked(operation: str) -> Sharded:
    """How an operation is done in shards. Raises RecipeError, with those that are, where it is not."""
    found = sharded(operation)
    if found is None:
        able = ", ".join(o.name for o in catalog.OPERATIONS if o.shards)
        raise RecipeError(
            f"{operation} draws no samples and predicts no whole file, so there is no batch of it; there is of {able}."
        )
    return found


def occupied(folder: Path) -> None:
    """Raise OutputError where a folder holds something that is no batch."""
    if not (folder / folders.MANIFEST).is_file():
        refuse_full(folder)


def refuse_other(folder: Path, plan: Plan) -> None:
    """Raise OutputError where a folder is another batch's."""
    ours, there = folders.order(plan), folders.read(folder / folders.MANIFEST)
    if not isinstance(there.get("recipe"), dict) and (folder / folders.MANIFEST).is_file():
        raise OutputError(f"{folders.MANIFEST} in {folder.name!r} is damaged: name another folder, or replace it (--force).")
    differs = [name for name in ours if there and ours[name] != there.get(name)]
    if differs:
        raise OutputError(
            f"The folder {folder.name!r} holds another batch ({_difference(ours, there, differs)}): name another folder, or "
            "replace it (--force)."
        )


def begin(folder: Path, plan: Plan) -> None:
    """Make the folder this batch's, where it is not yet."""
    if not (folder / folders.MANIFEST).is_file():
        folders.write(folder / folders.MANIFEST, folders.order(plan) | {"complete": False})
        folders.write(folder / "recipe.json", plan.recipe.document())


@contextmanager
def kept(folder: Path, plan: Plan) -> Iterator[None]:
    """The folder, this batch's; as it was before where nothing came to be done."""
    there, new = folder.is_dir(), not (folder / folders.MANIFEST).is_file()
    try:
        begin(folder, plan)
        yield
    finally:
        if new and not any((folder / "done").glob("*.json")):
            shutil.rmtree(folder, ignore_errors=True)
            if there:
                folder.mkdir()


def _difference(ours: Note, there: Note, differs: list[str]) -> str:
    """What tells two batches apart, for a sentence."""
    if "n" in differs or "recipe" not in differs:
        name = differs[-1] if "n" not in differs else "n"
        return f"{name} {str(there.get(name))[:20]} and not {ours[name]}"
    a, b = ours["recipe"], there["recipe"]
    name = next((name for name in a if name != "gen_core" and a[name] != b.get(name)), "gen_core")
    if name == "gen_core":
        return f"begun by version {str(b.get(name))[:20]} of this software"
    return f"{name} {str(b.get(name))[:40]} and not {str(a[name])[:40]}"


def manifest(plan: Plan, how: Sharded, head: Note | None, notes: dict[int, Note]) -> Note:
    """What batch.json holds: the same for the same shards, however they came."""
    rows = [
        {"shard": piece.k, "first": piece.first, "n": piece.n, "seed": piece.seed, "files": notes[piece.k]["files"]}
        for piece in plan.pieces
        if piece.k in notes
    ]
    told = {"complete": len(rows) == len(plan.pieces), "promise": how.promise, "done": rows}
    return folders.order(plan) | told | {"before": (head or {}).get("files", {})}


def done(folder: Path, plan: Plan, pieces: Iterable[Piece]) -> dict[int, Note]:
    """The notes of those shards that are done and whole."""
    return {piece.k: note for piece in pieces if (note := folders.whole(folder, piece.k, plan.recipe))}


def ended(folder: Path, plan: Plan) -> bool:
    """Whether nothing is missing but perhaps shards."""
    there = folders.read(folder / folders.MANIFEST)
    if not there.get("complete") or not folders.read(folder / "result.json") or "after" not in there:
        return False
    return not there["after"] or folders.whole(folder, END, plan.recipe) is not None


def finish(folder: Path, plan: Plan, how: Sharded, head: Note, notes: dict[int, Note], seconds: float) -> None:
    """Look at all shards together, and write what there is to say of them."""
    counts: dict[str, int] = {}
    for piece in plan.pieces:
        for name, value in notes[piece.k]["counts"].items():
            counts[name] = counts.get(name, 0) + int(value)
    files = [[folder / name for name in notes[piece.k]["files"]] for piece in plan.pieces]
    whole: Whole = how.end(plan, counts, files, head.get("told", {}))
    made: Note = folders.place(folder, END, whole.files, plan.recipe, {}) if whole.files else {}
    names = [*(made.get("files", {})), *head.get("files", {}), *(name for note in notes.values() for name in note["files"])]
    told = Result(
        plan.recipe, None, dict.fromkeys(names, _nothing), whole.metrics, whole.baselines, whole.notices, {"batch": seconds}
    )
    folders.write(folder / "result.json", told.summary())
    folders.write(folder / "recipe.json", plan.recipe.document())
    folders.write(
        folder / folders.MANIFEST, manifest(plan, how, head, notes) | {"after": made.get("files", {}), "counts": counts}
    )
    folders.clean(folder)


def _nothing(path: Path) -> None:
    raise AssertionError(f"{path} is written already")  # pragma: no cover
