"""What was called saved is there, whole, after a full disk, a disk that may only be read, and a kill at any moment.

The disks are real ones of some kilobytes, in a namespace of this process's own; where the system gives none, these tests skip.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen_core import checkpoint, runs, store
from gen_core.cells.recipe import Perturb
from gen_core.result import Result

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

# Keeps runs, files and models until it is told to stop or everything is refused; says each that was called saved.
KEEPING = """
import io, json, os, random, sys
from pathlib import Path
import numpy as np
from safetensors.numpy import save_file
from gen_core import checkpoint, jobs, runs, store
from gen_core.cells.recipe import Perturb
from gen_core.errors import OutputError, UserError
from gen_core.result import Result

chance, home, rounds = random.Random(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
card = dict.fromkeys(checkpoint.NEEDED, "") | {"system": "cells", "metrics": {}, "baselines": {}, "seconds": 1}

def run(i):
    size = chance.randrange(1, 60_000)
    files = {name: lambda path: path.write_bytes(b"r" * size) for name in ("a.bin", "b/c.bin")}
    return runs.keep(Result(Perturb(seed=i), None, files), '"figure"', f"{size} bytes")

def file(i):
    return store.add(io.BytesIO(chance.randbytes(chance.randrange(1, 60_000))), f"file {i}")

def model(i):
    folder = home / f"trained-{os.getpid()}-{i}"
    try:
        folder.mkdir()
        weights = np.full(chance.randrange(1, 4) * 1000, i % 3, np.float32)
        save_file({"w": weights}, folder / checkpoint.WEIGHTS)
        (folder / checkpoint.CARD).write_text(json.dumps(card | {"name": f"model {i}"}))
    except Exception as error:  # the test's own writing, refused by a full disk or one that may only be read
        raise OutputError(str(error)) from error
    return store.add_model(folder)

for i in range(rounds):
    for keep in (run, file, model):
        try:
            print(json.dumps([keep.__name__, keep(i)]), flush=True)
        except UserError as error:
            print(json.dumps(["refused", str(error)]), flush=True)
try:
    jobs.submit(Perturb(seed=1), "tests.job_steps:count")
    print(json.dumps(["job", ""]), flush=True)
except UserError as error:
    print(json.dumps(["refused", str(error)]), flush=True)
finally:
    jobs.close()
"""


def on_a_disk(size: str, commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Shell commands with a disk of this size at `folder`, which is gone afterwards."""
    script = f"mount -t tmpfs -o size={size} tmpfs {folder} && cd {ROOT} && {commands}"
    return subprocess.run(["unshare", "-rm", "sh", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("disk")
    if sys.platform != "linux" or not shutil.which("unshare") or on_a_disk("100k", "true", folder).returncode:
        pytest.skip("this system gives a process no disks of its own")


def told(output: str) -> list[tuple[str, str]]:
    return [tuple(json.loads(line)) for line in output.splitlines() if line.startswith("[")]


def whole(home: Path, said: list[tuple[str, str]]) -> None:
    """All that was called saved is listed and complete, and so is whatever else is listed."""
    saved = {kind: {name for what, name in said if what == kind} for kind in ("run", "file", "model")}
    listed = {run.id: run for run in runs.listed()}
    assert saved["run"] <= listed.keys()
    for run in listed.values():
        assert run.problem is None
        size = int(run.name.split()[0])
        assert [(run.folder / name).stat().st_size for name in ("a.bin", "b/c.bin")] == [size, size]
        assert run.picture() == '"figure"'
    files = {entry.digest for entry in store.recent(10_000)}
    assert saved["file"] <= files
    for digest in files:
        assert f"sha256:{hashlib.sha256(store.find(digest).read_bytes()).hexdigest()}" == digest
    models = {f"sha256:{folder.name}" for folder in store.models()}
    assert saved["model"] <= models
    for model in models:
        assert f"sha256:{checkpoint.sha256(store.model_folder(model) / checkpoint.WEIGHTS)}" == model
        assert checkpoint.read_card(store.model_folder(model))["name"].startswith("model")


def test_a_disk_that_fills_up_loses_nothing_that_was_saved(disks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    (tmp_path / "keep.py").write_text(KEEPING)
    refused = set()
    for i, size in enumerate(chance.sample(range(90, 600), 4)):
        shutil.rmtree(copy, ignore_errors=True)
        commands = f"LATENT_HOME={disk} {sys.executable} {tmp_path}/keep.py {i} {disk} 8; cp -a {disk} {copy}"
        done = on_a_disk(f"{size}k", commands, disk)
        said = told(done.stdout)
        assert len(said) == 25, done.stderr
        refused |= {sentence for kind, sentence in said if kind == "refused"}
        monkeypatch.setenv("LATENT_HOME", str(copy))
        whole(copy, said)
        half = [path for path in copy.rglob("*") if path.name.endswith(".partial")]
        assert not half
    assert any("disk is full" in sentence for sentence in refused)
    assert all("\n" not in sentence and "Traceback" not in sentence for sentence in refused)


def test_a_disk_that_may_only_be_read_is_said_in_a_sentence_and_still_read(disks: None, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "keep.py").write_text(KEEPING)
    reading = (
        "from gen_core import runs, store, jobs; "
        "print(len(runs.listed()), [store.find(e.digest).name == e.digest[7:] for e in store.recent()], len(store.models()))"
    )
    keep = f"LATENT_HOME={disk} {sys.executable} {tmp_path}/keep.py 1 {disk} 2"
    read = f"LATENT_HOME={disk} {sys.executable} -c '{reading}'"
    done = on_a_disk("9m", f"{keep} >/dev/null && mount -o remount,ro {disk} && {keep} && {read}", disk)
    said, lines = told(done.stdout), done.stdout.splitlines()
    assert [kind for kind, _ in said] == ["refused"] * 7, done.stderr
    assert all("permission denied" in sentence or "ead-only file system" in sentence for _, sentence in said)
    assert lines[-1] == "2 [True, True] 2"


def test_a_kill_at_any_moment_loses_nothing_that_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "keep.py").write_text(KEEPING)
    chance, said = random.Random(3), []
    for i in range(8):
        command = [sys.executable, tmp_path / "keep.py", str(i), tmp_path / "home", "1000"]
        out = (tmp_path / f"{i}.txt").open("w+")
        writer = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT | {"LATENT_HOME": str(tmp_path / "home")}, stdout=out)
        for _ in range(1000):  # once it is at work
            time.sleep(0.01)
            if (tmp_path / f"{i}.txt").stat().st_size:
                break
        time.sleep(chance.random() / 2)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        out.seek(0)
        said += told(out.read())
        out.close()
    assert len(said) >= 8
    whole(tmp_path / "home", said)


def test_what_was_left_half_written_goes_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    old = [tmp_path / "runs" / ".x.1.partial", tmp_path / "runs" / ".y.2.deleted", tmp_path / "store" / "0123.partial"]
    new = [tmp_path / "runs" / ".z.3.partial", tmp_path / "store" / "4567.partial"]
    for path in (*old, *new):
        path.mkdir(parents=True)
        (path / "file").write_text("half")
    for path in old:
        os.utime(path, (0, time.time() - 2 * store.LEFT))
    runs.keep(Result(Perturb(), None, {}))
    store.add(ROOT / "LICENSE")
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in new)
