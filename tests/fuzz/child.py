"""The process in which mutated files are opened: it says what became of each, and may die of one.

    python -m tests.fuzz.child READER FIRST LAST FOLDER

One line of JSON a case: number, name of the good file, what became of it, milliseconds of processor time, MiB above the start.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import logging
import os
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.fuzz.broken import BROKEN, GOOD
from tests.fuzz.mutate import mutated
from tests.fuzz.readers import READERS, outcome
from tests.fuzz.samples import SAMPLES

MEMORY = 512  # MiB above the start that no file of this size may cost
ADDRESSES = 3 << 30  # bytes of address space above the start: what asks for more gets a MemoryError, and is a finding
SECONDS = 10  # of the processor's time that no file of this size may cost

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.chown"}
_NEVER = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "socket.bind", "pickle.find_class"}


class Watch:
    """Notes files that are written outside the folder of this process, programs that are started, and pickles."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen, self.on = str(folder), list[str](), False

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = given
            if isinstance(path, int) or not (flags & _WRITES or set(mode or "") & set("wax+")):
                return
            self._check(event, path)
        elif event in _CHANGES:
            two = event in ("os.rename", "os.link", "os.symlink")
            if not any(isinstance(one, int) and one >= 0 for one in given[1 + two :]):  # not within a folder that is open
                for path in given[: 1 + two]:
                    self._check(event, path)
        elif event in _NEVER:
            self.seen.append(f"{event} {given!r:.200}")

    def _check(self, event: str, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            real = os.path.realpath(os.fsdecode(path))
            if not real.startswith((self.folder, "/dev/null")):
                self.seen.append(f"{event} {real}")


def peak() -> int:
    """MiB of memory that this process has held at most; not what the one that started it held, which getrusage counts as well."""
    with contextlib.suppress(OSError):
        told = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(told.split()[1]) >> 10
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size >> 20 if sys.platform == "darwin" else size >> 10


def mapped() -> int:
    """Bytes of address space that this process has now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def main(name: str, first: int, last: int, folder: Path) -> None:
    faulthandler.enable()
    warnings.simplefilter("ignore")
    logging.disable()
    reader, files = (READERS[name], SAMPLES[name]()) if name in READERS else (BROKEN[name][0], {"a": GOOD})
    names, contents = list(files), list(files.values())
    path = folder / "case"
    tried = []
    for content in contents:  # the libraries are loaded now, and each good file is read
        path.write_bytes(content)
        tried.append(outcome(reader, path))
    wrong = {which: why for which, (found, why) in zip(names, tried, strict=True) if found != "read"}
    assert not wrong, f"good files of {name} are refused: {wrong}"
    if start := mapped():
        resource.setrlimit(resource.RLIMIT_AS, (start + ADDRESSES, start + ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    watch = Watch(folder)
    sys.addaudithook(watch)
    gc.freeze()
    base = peak()
    print("ready", flush=True)
    for case in range(first, last):
        at = case % len(contents)
        path.write_bytes(mutated(contents[at], f"{name} {case}", contents))
        before, began = peak(), time.process_time()
        watch.on = True
        try:
            found, why = outcome(reader, path)
        except MemoryError:
            found, why = "finding", "memory\n" + traceback.format_exc()
        except Exception:
            found, why = "finding", traceback.format_exc()
        watch.on = False
        seconds, held = time.process_time() - began, peak()
        held = held - base if held > before else 0  # else what was held most was held before
        if watch.seen:
            found, why, watch.seen = "finding", "\n".join(watch.seen), []
        elif seconds > SECONDS:
            found, why = "finding", f"{seconds:.1f} seconds; {found} {why}"
        elif held > MEMORY:
            found, why = "finding", f"{held} MiB; {found} {why}"
            with contextlib.suppress(OSError):  # the next is measured anew
                Path("/proc/self/clear_refs").write_text("5")
        told = why[-3000:] if found == "finding" else ""
        print(json.dumps([case, names[at], found, round(seconds * 1000, 1), held, told]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
