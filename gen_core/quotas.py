"""How much one person may have on a server: jobs at once, bytes added a day, bytes on disk.

Off on one's own machine. Where people sign in, the defaults below hold; `LATENT_USER_JOBS`, `LATENT_USER_UPLOAD_GIB` and
`LATENT_USER_DISK_GIB` change them (a number, or `none`), and set one where nobody signs in, too: for all together then.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from pathlib import Path

from gen_core import owner, settings
from gen_core.errors import InputError, JobError, OutputError
from gen_core.result import discard

JOBS, UPLOAD, DISK = 2, 10.0, 20.0  # where people sign in: jobs that wait or run, GiB a day, GiB
ADDED = "added.json"  # bytes added today
_lock = threading.Lock()


def jobs() -> int | None:
    """Jobs that may wait or run at a time; None where there is no limit. Raises InputError where that is no number."""
    if _unlimited("LATENT_USER_JOBS"):
        return None
    try:
        found = float(os.environ.get("LATENT_USER_JOBS") or JOBS)
    except ValueError:
        found = -1.0
    if not 0 <= found < settings.MOST:
        raise InputError("LATENT_USER_JOBS must be a number that is not negative, or none.")
    return int(found)


def upload() -> int | None:
    """Bytes that may be added in a day (UTC); None where there is no limit. Raises InputError where that is no number."""
    return None if _unlimited("LATENT_USER_UPLOAD_GIB") else settings.gib("LATENT_USER_UPLOAD_GIB", UPLOAD)


def disk() -> int | None:
    """Bytes that files, runs, models and jobs may fill together; None where there is no limit. Raises InputError where that is no
    number."""
    return None if _unlimited("LATENT_USER_DISK_GIB") else settings.gib("LATENT_USER_DISK_GIB", DISK)


def check_jobs(active: int) -> None:
    """Raise JobError where one more job than the `active` ones would be too many."""
    most = jobs()
    if most is not None and active >= most:
        raise JobError(f"You may have {_counted(most, 'job')} at a time here: wait until one of them ends, or cancel one.")


def check_disk(folder: Path, size: int = 0) -> None:
    """Raise OutputError where `size` more bytes do not fit into what a person keeps in `folder`."""
    most = disk()
    if most is not None and used(folder) + size > most:
        raise OutputError(disk_full(most))


def disk_full(most: int) -> str:
    """The sentence for a person whose share of the disk is full."""
    return (
        f"What you keep here may fill {_gib(most)} together, and this does not fit any more: delete some of your runs, trained "
        "models or files first."
    )


def room(folder: Path) -> tuple[int, str] | None:
    """How many bytes one more file may have, and the sentence for one that has more; None where there is no limit."""
    most, daily = disk(), upload()
    rooms = []
    if most is not None:
        rooms.append((most - used(folder), disk_full(most)))
    if daily is not None:
        said = f"You may add {_gib(daily)} of files a day here, and this one goes beyond that: come back tomorrow."
        rooms.append((daily - added(folder), said))
    return min(rooms) if rooms else None


def used(folder: Path) -> int:
    """Bytes that a person keeps in `folder`; what is being written at the moment (its name begins with a dot) not counted."""
    total = 0
    for place in ("store", "models", "runs", "jobs"):
        for one in (folder / place).glob("[!.]*"):
            total += sum(_size(path) for path in ([one] if one.is_file() else one.rglob("*")) if path.suffix != ".partial")
    return total


def added(folder: Path) -> int:
    """Bytes added to `folder` today."""
    try:
        known = json.loads((folder / ADDED).read_text())
        return int(known["bytes"]) if known["day"] == _today() else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def note(folder: Path, size: int) -> None:
    """Count `size` bytes as added today, where there is a limit. Raises OSError where the disk refuses."""
    if upload() is None:
        return
    with _lock:
        partial = folder / f".{ADDED}.{secrets.token_hex(4)}.partial"
        try:
            partial.write_text(json.dumps({"day": _today(), "bytes": added(folder) + size}))
            os.replace(partial, folder / ADDED)
        finally:
            discard(partial)


def _unlimited(variable: str) -> bool:
    """Whether there is no limit: where `none` is told, or nothing is and nobody signed in."""
    told = os.environ.get(variable, "")
    return told.lower() == "none" or (not told and owner.current() is None)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # deleted a moment ago
        return 0


def _gib(size: int) -> str:
    return f"{size / 1024**3:.3g} GiB"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
