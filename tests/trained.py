"""Short trainings, as the tests of every system want them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from gen_core import checkpoint, snapshot
from gen_core.training import Step

Steps = Callable[[Any, Path, str], Generator[Step, None, None]]


def trained(steps: Steps, recipe: object, folder: Path) -> Path:
    """The folder, once the training in it is done."""
    for _ in steps(recipe, folder, "cpu"):
        pass
    return folder


def taken_up(steps: Steps, recipe: object, folder: Path, unbroken: Path) -> None:
    """Cancelled after its first step and called again, a training makes the model of the unbroken one and nothing else."""
    work = steps(recipe, folder, "cpu")
    assert isinstance(next(work), Step)
    work.close()
    assert snapshot.exists(folder)
    trained(steps, recipe, folder)
    assert checkpoint.sha256(folder / checkpoint.WEIGHTS) == checkpoint.sha256(unbroken / checkpoint.WEIGHTS)
    assert not snapshot.exists(folder)
    assert [step.text for step in steps(recipe, folder, "cpu")] == ["trained already"]
