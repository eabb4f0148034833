"""A result: what a recipe gave, with its numbers, its warnings, and the files it can leave behind."""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_core.errors import OutputError
from gen_core.recipe import Recipe

Metrics = Mapping[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Notice:
    """A warning: `code` is a word that stays (programs test for it), `text` the sentence a person reads."""

    code: str
    text: str


@dataclass(frozen=True)
class Result:
    """What `run(recipe)` returns.

    `content` is the system's own value (for cells a `Prediction`), `files` maps each file's name to a function that
    writes it to a given path: a page can make one file without making all. `seconds` are wall-clock times by phase.
    """

    recipe: Recipe
    content: Any
    files: Mapping[str, Callable[[Path], None]]
    metrics: Metrics = field(default_factory=dict)
    baselines: Mapping[str, Metrics] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"

    def summary(self) -> dict[str, Any]:
        """What `result.json` holds; NaN and infinities are written as null."""
        return {
            "metrics": _plain(self.metrics),
            "baselines": {name: _plain(values) for name, values in self.baselines.items()},
            "warnings": [{"code": w.code, "text": w.text} for w in self.warnings],
            "seconds": _plain(self.seconds),
            "device": self.device,
            "files": sorted(self.files),
        }

    def save(self, folder: str | Path, force: bool = False) -> Path:
        """Write recipe.json, result.json and all files to `folder`, all or nothing.

        Raises OutputError where the folder is not empty (and `force` is not set) or the disk is full; then nothing is
        left behind, and a folder that stood there before is as it was.
        """
        with new_folder(folder, force) as partial:
            for name, write in self.files.items():
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write(path)
            (partial / "recipe.json").write_text(self.recipe.json(indent=1) + "\n")
            (partial / "result.json").write_text(json.dumps(self.summary(), indent=1, allow_nan=False) + "\n")
        return Path(folder)


@contextmanager
def new_folder(folder: str | Path, force: bool = False) -> Iterator[Path]:
    """A folder beside `folder` to write into, renamed to it at the end: readers see all of it or nothing.

    Raises OutputError where `folder` holds something and `force` is not set, or where the disk refuses.
    """
    final = Path(folder).absolute()
    refuse_full(final, force)
    partial = final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        if final.exists():
            old = final.with_name(f".{final.name}.{secrets.token_hex(4)}.old")
            os.rename(final, old)
            os.rename(partial, final)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(partial, final)
    except OSError as error:
        raise OutputError(disk_sentence(error, final)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def discard(path: Path) -> None:
    """Remove a half-written file, where there is one; on a disk that may only be read there is none, and that is no news."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass


def flush(folder: Path) -> None:
    """Have the disk write all files of a folder now: after a power cut, too, what is called saved then is there."""
    for path in [*sorted(folder.rglob("*")), folder]:
        flush_one(path)


def flush_one(path: Path) -> None:
    """The same for one file, or for the names in one folder, where the system can do that."""
    if os.name == "nt":  # it flushes only what is open for writing
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_full(folder: Path, force: bool = False) -> None:
    """Raise OutputError where `folder` is a file, or holds something and `force` is not set."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder.name!r} is a file; name a folder to write to.")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"The folder {folder.name!r} is not empty: name another one, or replace it (--force, in Python force=True)."
        )


def disk_sentence(error: OSError, path: Path) -> str:
    """Why nothing could be written to `path`, as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: nothing was written to {path.name!r}. Free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path.name!r} cannot be written there: permission denied. Choose another folder."
    return f"Writing {path.name!r} failed ({error.strerror or error}); nothing was left behind."


def unique(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The notices in order, each code and text once."""
    return tuple(dict.fromkeys(notices))


def _plain(values: Metrics) -> dict[str, Any]:
    """NumPy numbers as Python's, not-a-number as null."""
    plain: dict[str, Any] = {name: getattr(value, "item", lambda value=value: value)() for name, value in values.items()}
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in plain.items()}
