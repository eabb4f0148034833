"""One training loop for every system: a generator of steps that can be stopped, resumed and watched.

    module = yield from train(task, settings, folder, device)     # inside a generator of steps
    for step in train(task, settings): ...                        # where only the progress is wanted

The caller owns the pace: between two steps it may close the generator (cancel) or simply never come back (a killed
process). Every random number is drawn from (seed, epoch, batch) and from nothing before it, so that a run taken up from
its checkpoint ends with the very weights of an unbroken one.
"""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gen_core import snapshot
from gen_core.errors import OutputError
from gen_core.recipe import Recipe, spell
from gen_core.result import disk_sentence
from gen_core.updates import Run

if TYPE_CHECKING:
    import torch

    from gen_core.device import Device

Array = np.ndarray
RECIPE = "recipe.json"  # whose training a folder is
TOLD_EVERY = 1.0  # seconds between two steps within an epoch: how long a cancel may have to wait
KEPT_EVERY = 5.0  # seconds between two checkpoints: how much work a killed process loses


@dataclass(frozen=True)
class Step:
    """How far long work is: what a progress bar, a live curve and a job's snapshot are made from.

    done and total count the same unit of work (for a training: epochs); metrics are the newest numbers, such as
    {"train_loss": …, "valid_loss": …}; text says in words what is being done.
    """

    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    text: str = ""


class Task(Protocol):
    """What is to be trained. Rows 0 … n_train - 1 train it, the n_valid rows after them tell when to stop.

    `fingerprint` names the data and the architecture: a checkpoint is taken up only by a task of the same one.
    """

    n_train: int
    n_valid: int
    fingerprint: str

    def module(self) -> torch.nn.Module:
        """The untrained network, on the CPU; torch's generator has been seeded."""
        ...

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """All the randomness that the loss of n rows needs, each tensor (n, …): drawn once for a batch, however it is cut."""
        ...

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """The loss (m,) of each of m rows; share, from 0 to 1, is how much of the training is done (for a warm-up)."""
        ...


@dataclass(frozen=True)
class Settings:
    """How to train; none of it depends on the system."""

    epochs: int = 100
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    clip: float = 10.0
    """Largest norm of the gradient; longer ones are shortened to it."""
    averaging: float = 0.99
    """Share of the old average that each batch leaves in the moving average of the weights (EMA)."""
    patience: int | None = None
    """Epochs without a lower validation loss after which it stops; None: never before the last epoch."""
    max_seconds: float | None = None
    """Seconds of training, over all its resumptions, after which it stops with what it has."""
    seed: int = 0


def train(
    task: Task, settings: Settings, folder: Path | None = None, device: Device | None = None
) -> Generator[Step, None, torch.nn.Module]:
    """Train and return the module, on the CPU, with the averaged weights of the epoch of lowest validation loss.

    With a folder it leaves a checkpoint there every few seconds and when it is closed, and goes on from one that the same
    task with the same settings left. Where memory runs out a batch is worked off in halves, which changes no result.
    Raises OutputError on a full disk, InputError where the loss is no number or not even one row fits into memory.
    """
    from gen_core.device import pick

    device = device or pick("cpu")
    run = Run(task, settings, device)
    key = task.fingerprint + json.dumps(asdict(settings) | {"max_seconds": None}, sort_keys=True)
    if folder is not None and (found := snapshot.read(folder, key)) is not None:
        run.restore(found)
    kept = time.monotonic()
    try:
        if run.finished:  # taken up at its end: it is told all the same
            yield _step(run, settings, 0.0)
        for within in run.work(TOLD_EVERY):
            yield _step(run, settings, within)
            if folder is not None and (time.monotonic() - kept >= KEPT_EVERY or run.finished):
                snapshot.write(folder, key, run.state())
                kept = time.monotonic()
    except GeneratorExit:  # cancelled between two batches: nothing is lost
        if folder is not None:
            snapshot.write(folder, key, run.state())
        raise
    return run.result()


def followed(task: Task, settings: Settings, folder: Path, device: Device) -> Generator[Step, None, tuple[torch.nn.Module, Step]]:
    """`train`, for work that goes on after it: the steps are passed on; returns what was trained and the last step."""
    work, last = train(task, settings, folder, device), Step(0, settings.epochs)
    try:
        while True:
            last = next(work)
            yield last
    except StopIteration as end:
        return end.value, last
    finally:
        work.close()


def trained(folder: Path, recipe: Recipe) -> bool:
    """Whether the folder holds the finished model of this recipe. Raises OutputError where it holds anything else than that
    or this recipe's own unfinished training."""
    from gen_core import checkpoint
    from gen_core.stamp import read_stamp

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    what = "something else"
    if (folder / checkpoint.CARD).is_file():
        if checkpoint.read_card(folder).get("asked") == recipe.sha256:
            checkpoint.load(folder)
            return True
        what = "another model"
    elif (folder / RECIPE).is_file():
        if read_stamp(folder / RECIPE) == json.loads(recipe.json()):
            return False
        what = "the unfinished training of another recipe"
    raise OutputError(
        f"The folder {folder.name!r} is not empty (it holds {what}): name another one, or add --force to replace it."
    )


def begin(folder: Path, recipe: Recipe) -> None:
    """Make the folder that of this recipe's training, once it is known that there is something to learn from."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE).write_text(recipe.json(indent=1) + "\n")
    except OSError as error:
        raise OutputError(disk_sentence(error, folder)) from error


def told(recipe: Recipe, last: Step, device: Device) -> dict[str, Any]:
    """What every card says of the training of its weights: `last` is its last step."""
    defaults = {name: field.default for name, field in type(recipe).model_fields.items()}
    defaults = {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}  # as JSON has them
    changed = {name: value for name, value in recipe.fields().items() if value != defaults[name]}
    settings = [f"--set {shlex.quote(f'{name}={spell(value)}')}" for name, value in changed.items()]
    return {
        "command": " ".join([f"python -m gen_core train {recipe.operation.partition('.')[0]}", *settings, "--out DIR"]),
        "recipe": recipe.document(),
        "asked": recipe.sha256,
        "device": device.name,
        "precision": device.precision,
        "seconds": round(last.metrics["seconds"], 1),
        "epochs": last.done,
        "losses": {name: round(value, 6) for name, value in last.metrics.items() if name.endswith("loss")},
    }


def forget(folder: Path) -> None:
    """Remove the checkpoints of a training that is done with."""
    snapshot.remove(folder)


def _step(run: Run, settings: Settings, within: float) -> Step:
    """Where a run stands, `within` being the share of the epoch that is under way."""
    at = run.counters
    told = {name: at[name] for name in ("train_loss", "valid_loss") if math.isfinite(at[name])}
    text = f"epoch {at['epoch'] + (within > 0)} of {settings.epochs}" + (f", {within:.0%}" if within else "")
    return Step(at["epoch"], settings.epochs, told | {"seconds": at["seconds"]}, text)
