"""Kept results: one folder each under `$LATENT_HOME/runs`, with the files of the result, its picture, and a name.

A folder here is what `result.save` writes, so any of them can be copied out and used as it is. `run.json` beside the
result holds what its user may change, and `picture.json` the figure it is known by.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_core import catalog, quotas, settings, store
from gen_core import recipe as recipes
from gen_core.errors import InputError, OutputError, UserError
from gen_core.recipe import Recipe
from gen_core.result import Result, discard, disk_sentence, flush, flush_one, new_folder

ID = re.compile(r"[A-Za-z0-9_-]{16,96}")
MAX_PICTURE = 4 << 20  # characters of a figure's JSON; a run whose figure is larger is kept without one
MAX_NAME = 120


@dataclass(frozen=True)
class Run:
    """One kept result. `recipe` is None and `problem` says why where the folder is damaged or of another version."""

    id: str
    name: str  # as its user called it, may be empty
    recipe: Recipe | None
    problem: str | None
    when: float  # seconds since the epoch
    size: int  # bytes, all files together
    metrics: Mapping[str, Any]  # as in result.json

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return path_of(self.id)

    def picture(self) -> str | None:
        """The Plotly figure it is known by, as JSON; None where there is none."""
        path = self.folder / "picture.json"
        try:
            return path.read_text() if path.stat().st_size <= MAX_PICTURE else None
        except OSError:
            return None

    def summary(self) -> dict[str, Any]:
        """What its result.json holds: metrics, baselines, warnings; empty where it is damaged."""
        return _object(self.folder / "result.json")


def limit() -> int:
    """Bytes that kept runs may fill: `$LATENT_RUNS_GIB` (default 20). Raises InputError where that is no number."""
    return settings.gib("LATENT_RUNS_GIB", 20)


def used() -> int:
    """Bytes that kept runs fill now."""
    return sum(_size(path) for path in _root().glob("[!.]*") if path.is_dir())


def keep(result: Result, picture: str | None = None, name: str = "") -> str:
    """Keep a result with its files; returns the id of the run. `picture` is a Plotly figure's JSON.

    Raises OutputError where the disk refuses, or the runs would fill more than `limit` or their person's share; nothing is
    left behind then.
    """
    id = f"{result.recipe.sha256[:16]}-{secrets.token_urlsafe(9)}"
    store.sweep(_root())
    with new_folder(path_of(id)) as partial:
        result.save(partial)
        if picture is not None and len(picture) <= MAX_PICTURE:
            (partial / "picture.json").write_text(picture)
        (partial / "run.json").write_text(_note(name, time.time()))
        if used() + _size(partial) > limit():
            raise OutputError(
                f"Kept runs may fill {limit() / 1024**3:g} GiB together (LATENT_RUNS_GIB), and this one does not fit any more: "
                "delete some under Runs."
            )
        quotas.check_disk(_root().parent, _size(partial))
        flush(partial)
    flush_one(_root())
    return id


def adopt(folder: Path, id: str) -> Path:
    """Make a finished folder (recipe.json, files) the run `id`, by a rename. Raises OutputError where the disk refuses."""
    final = path_of(id)
    try:
        (folder / "run.json").write_text(_note("", time.time()))
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():  # left by an attempt that was killed before it could say so
            _remove(final)
        os.rename(folder, final)
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("the result"))) from error
    return final


def listed() -> list[Run]:
    """All kept results, the newest first; a damaged one is among them, and says so."""
    found = []
    for path in _root().glob("[!.]*"):
        if path.is_dir() and ID.fullmatch(path.name):
            try:
                found.append(_read(path))
            except OSError:  # deleted a moment ago
                continue
    return sorted(found, key=lambda run: -run.when)


def kept(recipe: Recipe) -> list[str]:
    """The ids of the runs that `keep` made of exactly this recipe."""
    return [path.name for path in _root().glob(f"{recipe.sha256[:16]}-*") if path.is_dir()]


def rename(id: str, name: str) -> None:
    """Give a run another name. Raises InputError where there is no such run, OutputError where the disk refuses."""
    path = _existing(id)
    partial = path / f".run.{secrets.token_hex(4)}.partial"
    try:
        partial.write_text(_note(name, _when(path)))
        os.replace(partial, path / "run.json")
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("the name"))) from error
    finally:
        discard(partial)


def delete(id: str) -> None:
    """Delete a run with all its files; one that is not there is no error. Raises OutputError where it cannot be."""
    try:
        _remove(path_of(id))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("this run"))) from error


def path_of(id: str) -> Path:
    """The folder of a run, whether it is there or not. Raises InputError where `id`, which may come from outside, is none."""
    if not ID.fullmatch(id):
        raise InputError("There is no such run on this machine.")
    return _root() / id


def _root() -> Path:
    return store.place().absolute() / "runs"


def _existing(id: str) -> Path:
    path = path_of(id)
    if not path.is_dir():
        raise InputError("There is no such run on this machine; it may have been deleted.")
    return path


def _read(path: Path) -> Run:
    recipe, problem = None, None
    try:
        recipe = catalog.from_document(recipes.loads(_text(path / "recipe.json")))
    except UserError as error:
        problem = f"This run cannot be opened here. {error}"
    except (OSError, ValueError):
        problem = "This run is damaged: its recipe.json is missing or cannot be read."
    metrics = _object(path / "result.json").get("metrics")
    return Run(
        id=path.name,
        name=str(_object(path / "run.json").get("name") or "")[:MAX_NAME],
        recipe=recipe,
        problem=problem,
        when=_when(path),
        size=_size(path),
        metrics=metrics if isinstance(metrics, dict) else {},
    )


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _when(path: Path) -> float:
    known = _object(path / "run.json").get("when")
    return float(known) if isinstance(known, int | float) else path.stat().st_mtime


def _object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where the file is missing or damaged."""
    try:
        found = json.loads(_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    """A small file's text. Raises ValueError where it is too large to be one of ours, or no text."""
    if path.stat().st_size > recipes.MAX_DOCUMENT:
        raise ValueError("too large")
    return path.read_text()


def _note(name: str, when: float) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return json.dumps({"name": plain[:MAX_NAME], "when": when})


def _remove(path: Path) -> None:
    """Gone at once for whoever lists, then file by file."""
    doomed = path.with_name(f".{path.name}.{secrets.token_hex(4)}.deleted")
    os.rename(path, doomed)
    shutil.rmtree(doomed, ignore_errors=True)
