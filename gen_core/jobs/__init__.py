"""Long work away from the page, through Dask: on this machine, or on an existing cluster.

    id = jobs.submit(recipe)
    jobs.snapshot(id)   # how far it is: from any process, after a reload and after a restart of the server
    jobs.cancel(id); jobs.resume(id)

What a job is and how far it is lies in files (files.py), the work is done by a worker (work.py), and a process beside this one
holds the cluster (dispatch.py). Nothing here loads Dask, and nothing starts before the first job.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from gen_core import catalog, owner, quotas, store
from gen_core.errors import JobError, OutputError, UserError
from gen_core.jobs import files
from gen_core.recipe import Recipe
from gen_core.result import disk_sentence

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
MAX_LOG = 1 << 20  # bytes of cluster.log beyond which it begins anew
WAITING = 8  # jobs that may wait at a time
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Job:
    """How far a job is. Times are seconds since the epoch."""

    id: str
    recipe: Recipe
    opens: Recipe  # the recipe of the page it was started from: where a link to it leads
    state: State
    done: int
    total: int  # 0 as long as it is not known
    metrics: Mapping[str, float]
    text: str
    error: str | None
    started: float
    updated: float
    seconds_left: float | None
    result: Path | None  # the folder of the result, once done
    model: str | None  # where the result is a model, what a recipe names it by ("sha256:…")

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return 1.0 if self.state == "done" else min(1.0, self.done / self.total) if self.total else 0.0


def submit(recipe: Recipe, steps: str | None = None, opens: Recipe | None = None, scheduler: str | None = None) -> str:
    """Start the work of a recipe away from here; returns the id of its job at once.

    `steps` ("module:function") is what does the work, a generator of `Step`; without it the operation's own, and where
    it has none the operation is run as it is. `scheduler` (default `$LATENT_SCHEDULER`) is the address of an existing
    Dask scheduler whose workers have this package and the same `$LATENT_HOME`. A recipe whose job waits or runs is not
    started twice. Raises JobError where too many wait, OutputError where the disk refuses or its person's share is used up.
    """
    operation = catalog.operation(recipe.operation)
    reference = steps or getattr(operation, "steps", None)
    with _lock:
        known = active()
        same = next((job for job in known if job.recipe == recipe), None)
        if same is not None:
            return same.id
        if sum(job.state == "queued" for job in known) >= WAITING:
            raise JobError(f"{WAITING} jobs are waiting already: wait until one of them ends, or cancel one.")
        quotas.check_jobs(len(known))
        quotas.check_disk(store.place())
        id = secrets.token_urlsafe(18)
        partial = files.root() / f".{id}.partial"
        try:
            partial.mkdir(parents=True)
            process = _dispatcher(scheduler)
            job = {
                "recipe": recipe.document(),
                "sha256": recipe.sha256,
                "opens": (opens or recipe).document(),
                "steps": reference,
                "started": time.time(),
                "scheduler": scheduler,
            }
            _give(partial, job, 1, process)
            os.rename(partial, partial.with_name(id))
        except OSError as error:
            files.remove(partial)
            raise OutputError(disk_sentence(error, Path("a new job"))) from error
        except UserError:
            files.remove(partial)
            raise
        _tell(process, id, 1)
    return id


def resume(id: str) -> None:
    """Go on with a job that was cancelled, interrupted or failed, from its last checkpoint.

    Raises JobError where it waits, runs or is done, or where its person may have no more at a time.
    """
    with _lock:
        job, path = snapshot(id), files.folder(id)
        if job.active or job.state == "done":
            raise JobError(f"This job is {job.state}: there is nothing to resume.")
        quotas.check_jobs(len(active()))
        known = files.read(path / "job.json")
        try:
            process = _dispatcher(known.get("scheduler"))
        except OSError as error:
            raise OutputError(disk_sentence(error, Path("this job"))) from error
        attempt = int(known["attempt"]) + 1
        _give(path, known, attempt, process)
        _tell(process, id, attempt)


def cancel(id: str) -> None:
    """Ask a job to end: at once where it waits, else before its next step, with a checkpoint. One that ended stays as it is."""
    path = files.folder(id)
    try:
        (path / f"cancel-{files.read(path / 'job.json').get('attempt')}").touch()
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("the wish to cancel this job"))) from error


def delete(id: str) -> None:
    """Forget a job and its checkpoints; its result stays where it is. Raises JobError while it runs."""
    path = files.folder(id)
    if files.state(path, files.read(path / "job.json"), files.read(path / "state.json")) == "running":
        raise JobError("This job is running: cancel it first.")
    files.remove(path)


def snapshot(id: str) -> Job:
    """How far a job is. Raises JobError where there is none of this id, or another version of the software wrote it."""
    return _snapshot(files.folder(id))


def curve(id: str) -> list[dict[str, float]]:
    """The numbers of past steps in order, each with its `done`: what a live curve is drawn from."""
    return files.curve(files.folder(id))


def listed() -> list[Job]:
    """All jobs that can be read, the newest first."""
    return _read(lambda path, job: True)


def active() -> list[Job]:
    """The jobs that wait or run, the newest first."""
    return _read(lambda path, job: files.state(path, job, files.read(path / "state.json")) in ("queued", "running"))


def find(recipe: Recipe) -> Job | None:
    """The newest job of exactly this recipe."""
    digest = recipe.sha256
    return next(iter(_read(lambda path, job: job.get("sha256") == digest)), None)


def close() -> None:
    """End the process that holds the cluster, and what it works on. The next job starts another."""
    with _lock:
        for process in _running.values():
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _running.clear()


_lock = threading.RLock()
_running: dict[tuple[str | None, Path], subprocess.Popen[bytes]] = {}  # by scheduler and `store.home()`
atexit.register(close)


def _dispatcher(scheduler: str | None) -> subprocess.Popen[bytes]:
    """The process that holds the cluster, started where none runs. Raises OutputError where its log cannot be written."""
    address = scheduler or os.environ.get("LATENT_SCHEDULER") or None
    home = store.home().absolute()  # one cluster for all, whoever signs in
    process = _running.get((address, home))
    if process is not None and process.poll() is None:
        return process
    if process is not None and process.stdin:
        process.stdin.close()
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"LATENT_HOME": str(home), "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-m", "gen_core.jobs.dispatch", *([address] if address else [])]
    log_path = home / "jobs" / "cluster.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab" if log_path.exists() and log_path.stat().st_size < MAX_LOG else "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is the server's alone
        )
    _running[address, home] = process
    return process


def _give(path: Path, job: dict[str, Any], attempt: int, process: subprocess.Popen[bytes]) -> None:
    """Write down who carries out which attempt, and beforehand the word for a disk that fills up later."""
    before = files.read(path / "state.json")
    ended = {"state": "failed", "error": files.REFUSED, "attempt": attempt, "ended": attempt, "updated": time.time()}
    files.write(path / "failed.json", before | ended)
    files.write(path / "job.json", job | {"attempt": attempt, "owner": files.owner(process.pid)})


def _tell(process: subprocess.Popen[bytes], id: str, attempt: int) -> None:
    assert process.stdin is not None
    try:
        job = {"id": id, "attempt": attempt, "for": owner.current()}
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
    except OSError:  # it died just now: the job reads as interrupted, and can be resumed
        pass


def _snapshot(path: Path) -> Job:
    job, told = files.read(path / "job.json"), files.read(path / "state.json")
    try:
        state = cast(State, files.state(path, job, told))
        updated = float(told.get("updated") or job["started"])
        left = told.get("seconds_left") if state == "running" else None
        return Job(
            id=path.name,
            recipe=catalog.from_document(job["recipe"]),
            opens=catalog.from_document(job["opens"]),
            state=state,
            done=int(told.get("done", 0)),
            total=int(told.get("total", 0)),
            metrics=files.finite(told.get("metrics", {})),
            text="Stopping after this step" if state == "running" and files.stopping(path, job) else str(told.get("text", "")),
            error=told.get("error") if state == "failed" else None,
            started=float(job["started"]),
            updated=updated,
            seconds_left=None if left is None else max(0.0, left - (time.time() - updated)),
            result=Path(told["result"]) if state == "done" and told.get("result") else None,
            model=told.get("model") if state == "done" else None,
        )
    except (KeyError, TypeError, ValueError, UserError):
        raise JobError("This job was written by another version and cannot be read.") from None


def _read(keep: Callable[[Path, dict[str, Any]], bool]) -> list[Job]:
    """The jobs that can be read and whose job.json `keep` accepts, the newest first."""
    found = []
    for note in files.root().glob("[!.]*/job.json"):
        try:
            if keep(note.parent, files.read(note)):
                found.append(_snapshot(note.parent))
        except UserError:  # of another version, or deleted a moment ago
            continue
    return sorted(found, key=lambda job: -job.started)
