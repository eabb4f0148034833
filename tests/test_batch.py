"""A batch has the same bytes whoever makes it, and survives whatever is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from gen_core import batch as batches
from gen_core import catalog
from gen_core.__main__ import main
from gen_core.batch import crew, work
from gen_core.batch import folder as folders
from gen_core.errors import UserError
from gen_core.recipe import Recipe
from gen_core.shards import Plan

ROOT = Path(__file__).parents[1]
N, SHARDS = 2_400, 5  # shards of half a second each
ASKED = ("detector.generate", "--n", str(N), "--set", "model=ar", "--set", "seed=5")


def recipe() -> Recipe:
    return catalog.make_recipe("detector.generate", {"model": "ar", "seed": 5})


def plan() -> Plan:
    return batches.asked("detector.generate").plan(recipe(), N)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a batch but the seconds it took."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = json.loads(found["result.json"])
    del told["seconds"]
    return found | {"result.json": json.dumps(told).encode()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, latent_home: Path) -> dict[str, bytes]:
    """What is to come out: made here, without a cluster, the last shard first."""
    folder, made = tmp_path_factory.mktemp("alone"), plan()
    batches.begin(folder, made)
    notes = {
        piece.k: work.work(work.order_for(made.recipe.document(), piece, folder, latent_home)) for piece in reversed(made.pieces)
    }
    batches.finish(folder, made, batches.asked("detector.generate"), {}, notes, 1.0)
    assert len(made.pieces) == SHARDS
    return contents(folder)


@contextmanager
def running(out: Path, *more: str) -> Iterator[psutil.Popen]:
    """The command, in a process group of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = psutil.Popen(
        [sys.executable, "-m", "gen_core", "batch", *ASKED, "--out", str(out), *more],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell has what it starts in the background ignore it
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def done(out: Path) -> list[Path]:
    return sorted((out / "done").glob("0*.json"))


def until(true: Callable[[], object], alive: Callable[[], bool], seconds: float = 300) -> None:
    """Wait for something that must come while the work goes on."""
    end = time.monotonic() + seconds
    while not true():
        assert alive()
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process: psutil.Popen, code: int = 0) -> str:
    told, error = process.communicate(timeout=300)
    assert process.returncode == code, error
    assert "Traceback" not in error
    return str(told + error)


def workers(process: psutil.Process) -> list[psutil.Process]:
    """The processes that make shards."""
    found = []
    for child in process.children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def test_workers_killed_at_random_change_no_byte(alone: dict[str, bytes], tmp_path: Path) -> None:
    out, chance, me = tmp_path / "out", random.Random(7), psutil.Process()
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(batches.batch, recipe(), N, out, None, 2)
        for finished in (1, 2):
            until(lambda finished=finished: len(done(out)) >= finished and workers(me), lambda: not made.done())
            time.sleep(chance.random() / 2)
            chance.choice(workers(me)).kill()
        made.result()
    assert contents(out) == alone


def test_a_command_that_was_stopped_killed_and_spoilt_goes_on(alone: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(out, "--workers", "1") as process:
        until(lambda: done(out), process.is_running)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        assert "goes on where 'out' was left" in ended(process, 130)
    told = json.loads((out / "batch.json").read_text())
    assert told["complete"] is False
    assert len(told["done"]) >= 1
    assert not (out / "result.json").exists()

    before = len(done(out))
    with running(out, "--workers", "1") as process:
        until(lambda: len(done(out)) > before, process.is_running)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finished = [json.loads(path.read_text())["shard"] for path in done(out)]
    assert before < len(finished) < SHARDS
    spoilt, lost, *kept = finished
    path = out / f"events/part-{spoilt:05d}.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (out / f"events/part-{lost:05d}.npz").unlink()
    times = {k: (out / f"events/part-{k:05d}.npz").stat().st_mtime_ns for k in kept}

    batches.batch(recipe(), N, out, workers=1)
    assert contents(out) == alone
    assert times == {k: (out / f"events/part-{k:05d}.npz").stat().st_mtime_ns for k in kept}  # not made again


def test_stopped_before_the_first_shard_is_done_the_same_command_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(out, "--workers", "1") as process:
        until(lambda: any(path.is_dir() for path in out.glob(".partial-*")), process.is_running)  # a worker makes the first
        os.killpg(process.pid, signal.SIGINT)
        ended(process, 130)
    batches.occupied(out)
    batches.refuse_other(out, plan())
    assert out.exists() == bool(done(out)), sorted(out.rglob("*"))


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("step", range(4))
def test_stopped_while_it_is_made_the_folder_is_as_it_was(
    there: bool, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, steps = tmp_path / "out", iter(range(9))
    if there:
        out.mkdir()

    def interrupted(path: Path) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(folders, "flush_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        batches.batch(recipe(), N, out, workers=1)
    assert [path.name for path in tmp_path.rglob("*")] == ["out"] * there


def test_an_existing_cluster_does_the_same(alone: dict[str, bytes], tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = ["scheduler", "--host", address, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    worker = ["worker", address, "--nthreads", "1", "--local-directory", str(tmp_path), "--dashboard-address", "127.0.0.1:0"]
    quiet = {"env": environment, "cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen([sys.executable, "-m", "dask", *given], **quiet) for given in (scheduler, worker)]  # type: ignore[call-overload]
    try:
        until(lambda: answers(address), lambda: started[0].poll() is None)
        batches.batch(recipe(), N, tmp_path / "out", scheduler=address)
        assert contents(tmp_path / "out") == alone
    finally:
        for one in started:
            one.terminate()
            one.wait(60)


def answers(address: str) -> bool:
    """Whether somebody listens there."""
    host, _, port = address.removeprefix("tcp://").partition(":")
    with socket.socket() as asked:
        return asked.connect_ex((host, int(port))) == 0


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def test_a_folder_belongs_to_one_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    batches.begin(out, plan())
    for more, sentence in (
        (["--n", "2401", "--set", "model=ar", "--set", "seed=5"], "another batch (n 2400 and not 2401)"),
        (["--n", "2400", "--set", "model=ar"], "another batch (seed 5 and not 0)"),
        (["--n", "2400", "--set", "model=made", "--set", "seed=5"], "another batch (model ar and not made)"),
    ):
        assert main(["batch", "detector.generate", *more, "--out", str(out)]) == 2
        assert sentence in capsys.readouterr().err
    told = json.loads((out / "batch.json").read_text())
    told["recipe"]["gen_core"] = "0.0.1"
    (out / "batch.json").write_text(json.dumps(told))
    assert main(["batch", *ASKED, "--out", str(out)]) == 2
    assert "begun by version 0.0.1" in capsys.readouterr().err
    for damaged in ("{", '{"complete": true}', "[" * 100_000):
        (out / "batch.json").write_text(damaged)
        assert main(["batch", *ASKED, "--out", str(out)]) == 2
        assert "batch.json in 'out' is damaged" in capsys.readouterr().err
    (out / "batch.json").unlink()
    assert main(["batch", *ASKED, "--out", str(out)]) == 2
    assert "'out' is not empty" in capsys.readouterr().err


def test_wrong_wishes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    for more, sentence in (
        (["images.grid", "--n", "5"], "there is no batch of it; there is of cells.perturb, images.sample"),
        (["detector.generate"], "needs --n"),
        ([*ASKED, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "give one"),
        ([*ASKED, "--workers", "0"], "--workers"),
        ([*ASKED, "--scheduler", "nonsense"], "is no address"),
        ([*ASKED, "--scheduler", "http://[::"], "is no address"),
        ([*ASKED, "--scheduler", "no address"], "is no address"),
        (["detector.generate", "--n", "500", "--set", "model=simulator", "--set", "multiplicity=[43, 60]"], "had 43 to 60 hits"),
    ):
        assert main(["batch", *more, *out]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert "Traceback" not in error
        assert not (tmp_path / "out").exists()


def test_force_begins_anew_and_a_refused_wish_leaves_the_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    assert main(["batch", "detector.generate", "--n", "5", "--force", "--out", str(out)]) == 2
    assert (out / "mine.txt").read_text() == "kept"
    forced = [
        "batch",
        "detector.generate",
        "--n",
        "600",
        "--set",
        "model=simulator",
        "--workers",
        "1",
        "--force",
        "--out",
        str(out),
    ]
    assert main(forced) == 0
    assert not (out / "mine.txt").exists()
    assert json.loads((out / "batch.json").read_text())["counts"]["n"] == 600
    told = (out / "result.json").read_bytes()
    assert main(forced[:-3] + forced[-2:]) == 0  # all is there: nothing is done
    assert (out / "result.json").read_bytes() == told


def test_only_lost_workers_are_replaced_and_not_for_ever() -> None:
    from distributed.scheduler import KilledWorker

    killed = KilledWorker("task", None, 3)  # type: ignore[arg-type]
    crew.again(None, 1)
    crew.again(killed, crew.TRIES - 1)
    for error, tries, sentence in (
        (killed, crew.TRIES, "take fewer workers"),
        (None, crew.TRIES, "take fewer workers"),
        (ZeroDivisionError("x"), 1, "ZeroDivisionError: x"),
    ):
        with pytest.raises(UserError, match=sentence):
            crew.again(error, tries)


def test_a_note_without_its_files_is_no_shard(tmp_path: Path) -> None:
    recipe = plan().recipe
    note = folders.place(tmp_path, 3, {"a/b.txt": lambda path: path.write_text("x") and None}, recipe, {"counts": {}})
    assert folders.whole(tmp_path, 3, recipe) == note
    folders.write(folders.note_path(tmp_path, 3), {name: note[name] for name in note if name != "counts"})
    assert folders.whole(tmp_path, 3, recipe) is None
    folders.write(folders.note_path(tmp_path, 3), note)
    assert folders.whole(tmp_path, 3, recipe.replace(seed=1)) is None
    assert folders.whole(tmp_path, 2, recipe) is None
    (tmp_path / "a/b.txt").write_text("y")
    assert folders.whole(tmp_path, 3, recipe) is None
    (tmp_path / "a/b.txt").unlink()
    assert folders.whole(tmp_path, 3, recipe) is None
    for wrong in ("{", "[]", '{"shard": 3, "files": 5}', "[" * 100_000):
        folders.note_path(tmp_path, 3).write_text(wrong)
        assert folders.whole(tmp_path, 3, recipe) is None


def test_what_the_disk_refuses_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="The disk is full"):
        folders.place(tmp_path, 0, {"a.txt": full}, plan().recipe, {})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
