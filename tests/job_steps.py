"""Long work as the tests of jobs want it. `latent_dim` of the recipe is the number of steps, `dose` the seconds each takes."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gen_core.cells.recipe import Perturb
from gen_core.errors import InputError
from gen_core.training import Step


def count(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """Counts, with a checkpoint after each step, and notes which process took which step."""
    checkpoint = folder / "checkpoint.json"
    start = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
    for done in range(start + 1, recipe.latent_dim + 1):
        time.sleep(recipe.dose)
        with (folder / "steps.txt").open("a") as out:
            out.write(f"{done} {os.getpid()}\n")
        partial = folder / "checkpoint.partial"
        partial.write_text(json.dumps(done))
        os.replace(partial, checkpoint)
        yield Step(done, recipe.latent_dim, {"train_loss": 1 / done, "valid_loss": 1.2 / done}, "Counting")
    checkpoint.unlink()


def close_late(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """Saves only when it is closed: what a cancelled job must not lose."""
    saved = folder / "saved.json"
    done = json.loads(saved.read_text()) if saved.exists() else 0
    try:
        while done < recipe.latent_dim:
            done += 1
            time.sleep(recipe.dose)
            with (folder / "steps.txt").open("a") as out:
                out.write(f"{done} {os.getpid()}\n")
            yield Step(done, recipe.latent_dim)
    finally:
        saved.write_text(json.dumps(done))


def train(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """Leaves a model."""
    import numpy as np
    from safetensors.numpy import save_file

    yield from count(recipe, folder)
    (folder / "steps.txt").unlink()
    save_file({"shift": np.full(3, recipe.seed, "f4")}, folder / "weights.safetensors")
    (folder / "card.json").write_text(json.dumps({"name": "counted"}))


def fail(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """Fails at its third step, the first time; `target` says how."""
    for step in count(recipe, folder):
        if step.done == 3 and not (folder / "failed").exists():
            (folder / "failed").touch()
            raise InputError("There are too few cells.") if recipe.target == "user" else ZeroDivisionError("the inside")
        yield step


def die(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """Takes its process with it, at once, each time."""
    yield Step(0, recipe.latent_dim)
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk(recipe: Perturb, folder: Path) -> Generator[Step, None, None]:
    """From its third step on, and until it is closed, no byte can be written: the system itself refuses."""
    start = not (folder / "checkpoint.json").exists()
    for step in count(recipe, folder):
        if step.done == 3 and start:
            with no_room():
                while True:
                    time.sleep(0.3)
                    yield step
        yield step


@contextmanager
def no_room() -> Generator[None, None, None]:
    """Every write of this process to a file is refused, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
