"""Mutated files by the thousand, each opened in a process of its own kind, with limits: `make fuzz`.

Every file must be read, or refused with one sentence. All else is a finding, kept with its bytes and its number: another error, a
crash, a hang, memory or time beyond the limits of child.py, something written outside the folder. `python -m tests.fuzz.campaign`
goes on where it was stopped and ends with a table.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.fuzz.mutate import mutated
from tests.fuzz.readers import READERS
from tests.fuzz.samples import SAMPLES

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "test-results" / "fuzz"
COUNT, BATCH = 20_000, 2_000
START = 600  # seconds in which a process must be ready: many libraries are loaded
HANG = 120  # seconds without a word after which a process counts as hung; a slow one is told by its processor time


@dataclass
class Tally:
    """What became of the files of one reader so far."""

    made_by: str = ""  # see `_made_by`
    tried: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # ms of processor time
    peak: int = 0  # MiB above the start
    findings: list[dict[str, object]] = field(default_factory=list)

    def count(self, case: int, name: str, found: str, ms: float, held: int, why: str) -> None:
        self.tried += 1
        self.slowest, self.peak = max(self.slowest, ms), max(self.peak, held)
        if found == "finding":
            self.findings.append({"case": case, "file": name, "why": why})
        else:
            self.read, self.refused = self.read + (found == "read"), self.refused + (found == "refused")


def run(name: str, first: int, last: int, tally: Tally, hang: float = HANG) -> None:
    """Try the cases `first` to `last` of a reader. A process that dies or hangs is a finding, and the next goes on after it."""
    while first < last:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, _process(name, first, last, folder) as process:
            at = first
            for line in _lines(process, hang):
                told = json.loads(line)
                tally.count(*told)
                at = told[0] + 1
            ended = process.poll()
            if at < last:
                why = "hung" if ended is None else f"ended with {ended}"
                process.kill()
                log = Path(folder, "log").read_text(errors="replace")[-3000:]
                if at == first and ended == 1:  # an error of its own, before the first case
                    raise RuntimeError(f"{name}: {log}")
                tally.count(at, "", "finding", 0.0, 0, f"{why}\n{log}")
                at += 1
            first = at


@contextlib.contextmanager
def _process(name: str, first: int, last: int, folder: str) -> Iterator[subprocess.Popen[bytes]]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_IO_THREADS"), "1")
    told = (
        os.environ
        | one
        | {"PYTHONPATH": str(ROOT), "TMPDIR": folder, "LATENT_HOME": f"{folder}/own", "PYTHONDONTWRITEBYTECODE": "1"}
    )
    command = [sys.executable, "-m", "tests.fuzz.child", name, str(first), str(last), folder]
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _lines(process: subprocess.Popen[bytes], hang: float) -> Iterator[str]:
    """What the process says once it is ready, until it ends or says nothing for `hang` seconds."""
    assert process.stdout
    buffer, ready = b"", False
    while select.select([process.stdout], [], [], hang if ready else START)[0]:
        if not (block := os.read(process.stdout.fileno(), 1 << 16)):
            process.wait()
            return
        *whole, buffer = (buffer + block).split(b"\n")
        if whole and not ready:
            ready, whole = True, whole[1:]
        yield from (line.decode() for line in whole)


def bytes_of(name: str, case: int) -> bytes:
    """The mutated file of a number, made again."""
    contents = list(SAMPLES[name]().values())
    return mutated(contents[case % len(contents)], f"{name} {case}", contents)


def _state(results: Path, names: Sequence[str]) -> dict[str, Tally]:
    """What was done already, by the same mutations of the same files. What was a finding is tried again: it may be mended."""
    try:
        told = json.loads((results / "state.json").read_text())
    except (OSError, ValueError):
        return {}
    tallies = {name: Tally(**one) for name, one in told.items() if name not in names or one["made_by"] == _made_by(name)}
    for name in names:
        if (tally := tallies.get(name)) and tally.findings:
            cases, tally.findings = [int(str(finding["case"])) for finding in tally.findings], []
            tally.tried -= len(cases)
            for case in cases:
                before = len(tally.findings)
                run(name, case, case + 1, tally)
                if len(tally.findings) == before:
                    for ending in (".bin", ".txt"):
                        _file_of(results, name, case).with_suffix(ending).unlink(missing_ok=True)
    return tallies


@functools.cache
def _made_by(name: str) -> str:
    """A digest of a reader's first mutated files: as long as it is the same, so are all others."""
    contents = list(SAMPLES[name]().values())
    parts = [mutated(contents[case % len(contents)], f"{name} {case}", contents) for case in range(3 * len(contents))]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _keep(results: Path, tallies: dict[str, Tally]) -> None:
    results.mkdir(parents=True, exist_ok=True)
    told = {name: asdict(tally) for name, tally in tallies.items()}
    (results / "state.partial").write_text(json.dumps(told, indent=1))
    (results / "state.partial").replace(results / "state.json")
    (results / "table.txt").write_text(table(tallies) + "\n")


def table(tallies: dict[str, Tally]) -> str:
    head = f"{'reader':<20}{'tried':>8}{'read':>8}{'refused':>9}{'findings':>10}{'slowest ms':>12}{'peak MiB':>10}"
    rows = [
        f"{name:<20}{t.tried:>8,}{t.read:>8,}{t.refused:>9,}{len(t.findings):>10,}{t.slowest:>12,.0f}{t.peak:>10,}"
        for name, t in tallies.items()
    ]
    return "\n".join([head, *rows])


def main(arguments: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("readers", nargs="*", default=list(READERS), help=f"default all: {', '.join(READERS)}")
    asked.add_argument("--count", type=int, default=COUNT, help="files a reader (default %(default)s)")
    asked.add_argument("--results", type=Path, default=RESULTS)
    asked.add_argument("--again", action="store_true", help="begin anew")
    told = asked.parse_args(arguments)
    if told.again:
        shutil.rmtree(told.results, ignore_errors=True)
    tallies = _state(told.results, told.readers)
    # In rounds, so that whatever the time, all readers were tried about as often.
    for stop in range(BATCH, told.count + BATCH, BATCH):
        for name in told.readers:
            tally = tallies.setdefault(name, Tally(_made_by(name)))
            known = len(tally.findings)
            run(name, tally.tried, min(stop, told.count), tally)
            for finding in tally.findings[known:]:
                _save(told.results, name, finding)
            _keep(told.results, tallies)
        print(table(tallies), flush=True)
    return 1 if any(tally.findings for tally in tallies.values()) else 0


def _file_of(results: Path, name: str, case: int) -> Path:
    return results / "findings" / f"{name.replace(' ', '-')}-{case}.bin"


def _save(results: Path, name: str, finding: dict[str, object]) -> None:
    case = int(str(finding["case"]))
    file = _file_of(results, name, case)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes_of(name, case))
    file.with_suffix(".txt").write_text(f"{finding['file']}\n{finding['why']}\n")


if __name__ == "__main__":
    sys.exit(main())
