"""Checkpoints of a training under way: safetensors with the counters inside, replaced by renaming, checked when read.

The last two are kept, so that a file that was damaged costs a few seconds of work and never the training.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core.errors import OutputError
from gen_core.result import disk_sentence

if TYPE_CHECKING:
    import torch

NEWEST, PREVIOUS = "training.safetensors", "training.previous.safetensors"


@dataclass(frozen=True, eq=False)
class State:
    """Tensors by name, and what is not a tensor as JSON values."""

    tensors: dict[str, torch.Tensor]
    counters: dict[str, Any]


def write(folder: Path, key: str, state: State) -> None:
    """Make `state` the newest checkpoint in `folder`; `key` says whose it is. Raises OutputError where the disk refuses.

    Whenever the process is killed, the folder holds a whole checkpoint if it held one before.
    """
    from safetensors.torch import save

    counters = json.dumps(state.counters)
    notes = {"key": key, "counters": counters, "check": str(_check(state.tensors, counters))}
    partial = folder / f"{NEWEST}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(save(state.tensors, notes))
        if (folder / NEWEST).exists():
            os.replace(folder / NEWEST, folder / PREVIOUS)
        os.replace(partial, folder / NEWEST)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(disk_sentence(error, folder)) from error


def read(folder: Path, key: str) -> State | None:
    """The newest whole checkpoint of this key, or None: one that is cut, altered or another training's is passed over."""
    return next((found for name in (NEWEST, PREVIOUS) if (found := _read(folder / name, key)) is not None), None)


def exists(folder: Path) -> bool:
    """Whether a training left a checkpoint here, whole or not."""
    return (folder / NEWEST).exists() or (folder / PREVIOUS).exists()


def remove(folder: Path) -> None:
    """Remove the checkpoints in `folder`."""
    for name in (NEWEST, PREVIOUS, f"{NEWEST}.partial"):
        (folder / name).unlink(missing_ok=True)


def _read(path: Path, key: str) -> State | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            if notes.get("key") != key:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
        whole = notes.get("check") == str(_check(tensors, notes["counters"]))
        return State(tensors, json.loads(notes["counters"])) if whole else None
    except (OSError, SafetensorError, ValueError, KeyError):
        return None


def _check(tensors: dict[str, torch.Tensor], counters: str) -> int:
    """A checksum of all values: safetensors notices a file that was cut, and not one whose bytes were changed."""
    check = zlib.crc32(counters.encode())
    for name in sorted(tensors):
        check = zlib.crc32(tensors[name].flatten().numpy().data, zlib.crc32(name.encode(), check))
    return check
