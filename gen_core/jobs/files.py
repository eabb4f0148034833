"""A job on disk: one folder under `$LATENT_HOME/jobs`, which the page, the worker and a restarted server all read.

    job.json       the recipe, who carries it out, and which attempt this is; written by the side that asks
    state.json     how far it is; written by the worker
    failed.json    what state.json becomes by a rename, should the disk refuse to take another byte
    cancel-N       a flag: attempt N is to stop before its next step
    alive          touched by the worker every few seconds
    curve.jsonl    the numbers of past steps, one line each
    log.txt        the traceback of a failure
    work/          what the steps write: checkpoints, and at the end the result

Each file but the curve appears whole, by an atomic rename.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from gen_core import store
from gen_core.errors import JobError, OutputError
from gen_core.result import disk_sentence

ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
SILENCE = 60.0  # seconds without a sign of life after which a worker on another machine counts as gone
CURVE = 2000  # points kept of a curve
REFUSED = "The disk is full, or it cannot be written: the work stopped. Free some space, then resume it from where it was."

Values = dict[str, Any]


def root() -> Path:
    """Where the jobs are of the person this is done for."""
    return store.place().absolute() / "jobs"


def folder(id: str) -> Path:
    """The folder of a job. Raises JobError where `id`, which may come from a link, is not an id or names no job."""
    if not ID.fullmatch(id) or not (root() / id / "job.json").is_file():
        raise JobError("There is no such job on this machine; it may have been deleted.")
    return root() / id


def read(path: Path) -> Values:
    """A JSON object; empty where the file is not there or not one."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, values: Values) -> None:
    """Replace a file by one that holds `values`, all or nothing. Raises OutputError where the disk refuses."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.write_text(json.dumps(values, allow_nan=False))
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OutputError(disk_sentence(error, Path("the state of this job"))) from error


def remove(path: Path) -> None:
    """Delete a folder: for whoever reads it is gone at once, not file by file."""
    doomed = path.with_name(f".{path.name}.{secrets.token_hex(4)}.deleted")
    try:
        os.rename(path, doomed)
    except OSError:
        return
    shutil.rmtree(doomed, ignore_errors=True)


def finite(values: Any) -> dict[str, float]:
    """The numbers among `values` that are numbers: NaN and infinities cannot be written or drawn."""
    return {str(name): float(value) for name, value in dict(values).items() if math.isfinite(float(value))}


def owner(pid: int) -> Values:
    """How to know later whether this process still runs: a number alone may have gone to another process since."""
    import psutil

    return {"pid": pid, "created": psutil.Process(pid).create_time(), "host": socket.gethostname()}


def carried(path: Path, job: Values, running: bool) -> bool:
    """Whether somebody still carries this job out: the process that was given it, or a cluster it was handed on to."""
    import psutil

    known = job.get("owner") or {}
    elsewhere = (path / f"handed-{job.get('attempt')}").exists() or known.get("host") != socket.gethostname()
    if elsewhere:
        return not running or heard(path)
    try:
        process = psutil.Process(int(known["pid"]))
        return abs(process.create_time() - known["created"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def state(path: Path, job: Values, told: Values) -> str:
    """The state that job.json and state.json together tell."""
    attempt = job.get("attempt")
    known = str(told.get("state")) if told.get("attempt") == attempt else "queued"
    if known == "queued" and stopping(path, job):
        return "cancelled"
    if known in ("queued", "running") and not carried(path, job, known == "running"):
        return "interrupted"
    return known


def stopping(path: Path, job: Values) -> bool:
    """Whether somebody asked for an end of this attempt."""
    return (path / f"cancel-{job.get('attempt')}").exists()


def heard(path: Path) -> bool:
    """Whether the worker gave a sign of life lately."""
    try:
        return time.time() - (path / "alive").stat().st_mtime < SILENCE
    except OSError:
        return False


def curve(path: Path) -> list[dict[str, float]]:
    """The numbers of past steps in order; a step done twice (after a crash) counts as it was done last."""
    points: dict[float, dict[str, float]] = {}
    try:
        lines = (path / "curve.jsonl").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            point = finite(json.loads(line))
            points[point["done"]] = point
        except (ValueError, TypeError, KeyError):  # cut short when its writer was killed
            continue
    return [points[done] for done in sorted(points)]
