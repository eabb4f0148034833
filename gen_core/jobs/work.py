"""What a worker does with a job: take its steps one by one, tell how far it is, and look between two whether to stop."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from gen_core import catalog, checkpoint, owner, runs, store
from gen_core.errors import OutputError, UserError
from gen_core.jobs import files
from gen_core.recipe import Recipe
from gen_core.result import disk_sentence
from gen_core.training import Step

TOLD = 0.25  # seconds between two writings of the state
BEAT = 5.0  # seconds between two signs of life

Steps = Generator[Step, None, Any]


class Stop(Exception):
    """Somebody asked for an end, or another attempt has taken this one's place."""


def work(id: str, attempt: int, home: str, who: str | None = None) -> None:
    """Carry out one attempt of a job, for whom it is. Never raises: how it ended is in its state, and a traceback in its log."""
    os.environ["LATENT_HOME"] = home
    with owner.acting_for(who):
        _attempt(files.root() / id, attempt)


def _attempt(path: Path, attempt: int) -> None:
    job = files.read(path / "job.json")
    if job.get("attempt") != attempt or files.read(path / "state.json").get("ended") == attempt:
        return  # deleted, resumed meanwhile, or ended just before its worker was killed
    told = Told(path, attempt)
    try:
        files.write(path / "failed.json", told.saying("failed", files.REFUSED))
        with beating(path):
            recipe = catalog.from_document(job["recipe"])
            told.write()
            told.end("done", **(finished(path) or carry_out(recipe, job["steps"], path, told)))
    except Stop:
        told.end("cancelled")
    except UserError as error:
        told.end("failed", str(error))
    except BaseException as error:
        with contextlib.suppress(OSError):
            (path / "log.txt").write_text(traceback.format_exc())
        told.end("failed", sentence(error))


def carry_out(recipe: Recipe, reference: str | None, path: Path, told: Told) -> dict[str, Any]:
    """Do the work into `work/` and move what it made to its place; returns what the state is to say of it."""
    folder = path / "work"
    folder.mkdir(exist_ok=True)
    if reference:
        steps: Steps = catalog.load(reference)(recipe, folder)
        # Closing the generator lets it write a checkpoint, whatever ends the loop.
        with contextlib.closing(steps):
            told.look()
            for step in steps:
                told.step(step)
    else:
        result = catalog.run(recipe, lambda share, text: told.step(Step(round(share * 100), 100, text=text)))
        result.save(folder, force=True)
    told.look()
    return place(recipe, folder, path)


def place(recipe: Recipe, folder: Path, path: Path) -> dict[str, Any]:
    """Move a finished folder to where results are kept: a model under the digest of its weights, all else to the runs."""
    is_model = (folder / checkpoint.CARD).is_file() and (folder / checkpoint.WEIGHTS).is_file()
    if not (folder / "recipe.json").is_file():
        (folder / "recipe.json").write_text(recipe.json(indent=1) + "\n")
    model = f"sha256:{checkpoint.sha256(folder / checkpoint.WEIGHTS)}" if is_model else None
    placed = {"model": model, "result": str(store.model_path(model) if model else runs.path_of(path.name))}
    files.write(path / "placed.json", placed)  # should the worker be killed between the move and the last word
    if model:
        store.add_model(folder)
    else:
        runs.adopt(folder, path.name)
    return placed


def finished(path: Path) -> dict[str, Any] | None:
    """What an attempt that was killed between moving its result and saying so had made."""
    placed = files.read(path / "placed.json")
    return placed if placed and not (path / "work").exists() and Path(placed["result"]).is_dir() else None


class Told:
    """What a job tells of itself while it runs."""

    def __init__(self, path: Path, attempt: int) -> None:
        self.path, self.attempt = path, attempt
        before = files.read(path / "state.json")
        self.values: dict[str, Any] = {name: before[name] for name in ("done", "total", "metrics", "text") if name in before}
        self.lines: list[str] = []
        self.written = 0.0
        self.first: tuple[float, int] | None = None  # when this attempt's first step was done, and how far that was

    def step(self, step: Step) -> None:
        """Note a step, and every now and then write it down. Raises Stop where the work is to end here."""
        now = time.time()
        self.first = self.first or (now, step.done)
        since, begun = self.first
        left = (now - since) / (step.done - begun) * (step.total - step.done) if step.done > begun else None
        metrics = files.finite(step.metrics)
        self.values = {"done": step.done, "total": step.total, "metrics": metrics, "text": step.text, "seconds_left": left}
        if metrics and step.done % max(1, step.total // files.CURVE) == 0:
            self.lines.append(json.dumps({"done": step.done} | metrics) + "\n")
        if now - self.written >= TOLD or step.done >= step.total:
            self.write()
        self.look()

    def look(self) -> None:
        """Raise Stop where somebody asked for an end."""
        if (self.path / f"cancel-{self.attempt}").exists():
            raise Stop

    def current(self) -> bool:
        """Whether this attempt is still the job's: one resumed meanwhile, or deleted, is not this one's to write about."""
        return bool(files.read(self.path / "job.json").get("attempt") == self.attempt)

    def write(self) -> None:
        """Write state and curve. Raises Stop where another attempt took over, OutputError where the disk refuses (it is
        noted as failed then)."""
        if not self.current():
            raise Stop
        self.written = time.time()
        try:
            if self.lines:
                with (self.path / "curve.jsonl").open("a") as out:
                    out.write("\n" + "".join(self.lines))  # on a line of its own: the last writer may have been cut short
                self.lines = []
            files.write(self.path / "state.json", self.saying("running"))
        except (OSError, OutputError) as error:
            self.refused()
            raise OutputError(files.REFUSED) from error

    def end(self, state: str, error: str | None = None, **placed: Any) -> None:
        """The last word of this attempt, as long as it is still the job's."""
        if not self.current() or files.read(self.path / "state.json").get("ended") == self.attempt:
            return  # or the disk refused, and that was said already
        try:
            self.write()
            files.write(self.path / "state.json", self.saying(state, error) | placed)
        except OutputError:
            self.refused()

    def saying(self, state: str, error: str | None = None) -> dict[str, Any]:
        """What state.json holds."""
        ended = self.attempt if state not in ("queued", "running") else None
        values = self.values | {"seconds_left": None} if ended else self.values
        return values | {"state": state, "error": error, "attempt": self.attempt, "updated": time.time(), "ended": ended}

    def refused(self) -> None:
        """Say that the disk refused without writing a byte: a rename needs no room."""
        with contextlib.suppress(OSError):
            os.replace(self.path / "failed.json", self.path / "state.json")


@contextlib.contextmanager
def beating(path: Path) -> Iterator[None]:
    """Touch `alive` every few seconds, so that a server on another machine can tell a long step from a dead worker."""
    over = threading.Event()

    def beat() -> None:
        while True:
            with contextlib.suppress(OSError):
                (path / "alive").touch()
            if over.wait(BEAT):
                return

    thread = threading.Thread(target=beat, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def sentence(error: BaseException) -> str:
    """Why the work failed, in one sentence for its user."""
    if isinstance(error, OSError) and error.errno is not None:
        return disk_sentence(error, Path("its result"))
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return "There was not enough memory for this: take less data, or a machine with more memory."
    return f"Something went wrong in this job that should not have ({type(error).__name__}); its log has the details."
