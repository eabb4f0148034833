"""Long work survives what happens to it: workers and servers killed, disks filled, wishes changed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gen_core import jobs, runs, store
from gen_core.cells.recipe import Decode, Perturb
from gen_core.errors import CheckpointError, JobError
from gen_core.jobs import files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One cluster for all tests here, ended after them."""
    yield
    jobs.close()


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, jobs.listed()
        time.sleep(0.02)


def running(process: psutil.Process) -> bool:
    """Whether it still does anything; an orphan may wait for the system to collect it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def begun(id: str, done: int = 3) -> jobs.Job:
    until(lambda: jobs.snapshot(id).state == "running" and jobs.snapshot(id).done >= done)
    return jobs.snapshot(id)


def ended(id: str) -> jobs.Job:
    until(lambda: not jobs.snapshot(id).active)
    return jobs.snapshot(id)


def asked(seed: int, steps: int = 20, seconds: float = 0.0, **fields: object) -> Perturb:
    return Perturb(seed=seed, latent_dim=steps, dose=seconds, **fields)


def steps_of(folder: Path) -> list[tuple[int, int]]:
    """Which step was taken by which process."""
    return [(int(a), int(b)) for a, b in (line.split() for line in (folder / "steps.txt").read_text().splitlines())]


def test_a_job_runs_to_its_result_and_tells_how_far_it_is() -> None:
    recipe = asked(1, 60, 0.02)
    id = jobs.submit(recipe, "tests.job_steps:count")
    assert jobs.snapshot(id).recipe == recipe
    running = begun(id)
    assert running.total == 60
    assert running.text == "Counting"
    assert running.metrics["train_loss"] == 1 / running.done
    job = ended(id)
    assert (job.state, job.done, job.share, job.error) == ("done", 60, 1.0, None)
    assert [point["done"] for point in jobs.curve(id)] == list(range(1, 61))
    assert jobs.curve(id)[9] == {"done": 10, "train_loss": 0.1, "valid_loss": 0.12}
    assert job.result == runs.path_of(id)
    assert {path.name for path in job.result.iterdir()} == {"recipe.json", "run.json", "steps.txt"}
    assert [run.recipe for run in runs.listed() if run.id == id] == [recipe]
    assert jobs.find(recipe) == job
    assert not jobs.active()


def test_a_trained_model_is_kept_under_the_digest_of_its_weights() -> None:
    job = ended(jobs.submit(asked(2), "tests.job_steps:train"))
    assert job.model
    assert store.model_folder(job.model) == job.result
    assert {path.name for path in job.result.iterdir()} == {"recipe.json", "weights.safetensors", "card.json"}
    again = ended(jobs.submit(asked(2, 5), "tests.job_steps:train"))  # the same weights by another way: kept once
    assert again.result == job.result
    for wrong in ("sha256:" + "0" * 64, "../..", "sha256:../../x"):
        with pytest.raises(CheckpointError, match="not on this machine"):
            store.model_folder(wrong)


def test_an_operation_without_steps_runs_as_it_is_and_is_kept_whole() -> None:
    recipe = Decode(data="simulated", seed=5)
    job = ended(jobs.submit(recipe, opens=asked(5)))
    assert job.error is None
    assert job.opens == asked(5)
    assert job.result
    told = json.loads((job.result / "result.json").read_text())
    assert {*told["files"], "recipe.json"} <= {path.name for path in job.result.iterdir()}


def test_two_jobs_run_one_after_the_other_and_a_recipe_is_not_started_twice() -> None:
    first = jobs.submit(asked(3, 30, 0.02), "tests.job_steps:count")
    second = jobs.submit(asked(4, 30, 0.02), "tests.job_steps:count")
    assert jobs.submit(asked(4, 30, 0.02), "tests.job_steps:count") == second
    begun(first)
    assert jobs.snapshot(second).state == "queued"
    assert [job.id for job in jobs.active()] == [second, first]
    ended(second)
    assert jobs.snapshot(first).state == "done"
    assert jobs.snapshot(second).done == 30


def test_many_threads_submit_and_the_queue_has_an_end() -> None:
    first = jobs.submit(asked(5, 200, 0.1), "tests.job_steps:count")
    begun(first, 1)
    told: list[str] = []

    def ask(seed: int) -> None:
        try:
            told.append(jobs.submit(asked(seed), "tests.job_steps:count"))
        except JobError as error:
            told.append(str(error))

    threads = [threading.Thread(target=ask, args=(100 + i,)) for i in range(jobs.WAITING + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting = [text for text in told if files.ID.fullmatch(text)]
    assert len(waiting) == jobs.WAITING
    assert len([text for text in told if "are waiting already" in text]) == 2
    for id in waiting:
        jobs.cancel(id)
        assert jobs.snapshot(id).state == "cancelled"  # at once, though the worker has not come to it
        jobs.delete(id)
    jobs.cancel(first)
    assert ended(first).state == "cancelled"


def test_cancelled_while_it_waits_and_resumed() -> None:
    first = jobs.submit(asked(6, 200, 0.05), "tests.job_steps:count")
    second = jobs.submit(asked(7), "tests.job_steps:count")
    jobs.cancel(second)
    assert jobs.snapshot(second).state == "cancelled"
    jobs.resume(second)
    assert jobs.snapshot(second).state == "queued"
    with pytest.raises(JobError, match="nothing to resume"):
        jobs.resume(second)
    jobs.cancel(first)
    job = ended(second)
    assert job.state == "done"
    assert job.result
    assert [step for step, _ in steps_of(job.result)] == list(range(1, 21))  # the attempt cancelled first did nothing


def test_cancelled_while_it_runs_and_resumed_from_what_it_saved_when_closed() -> None:
    id = jobs.submit(asked(8, 100, 0.03), "tests.job_steps:close_late")
    begun(id)
    with pytest.raises(JobError, match="cancel it first"):
        jobs.delete(id)
    jobs.cancel(id)
    job = ended(id)
    assert job.state == "cancelled"
    assert 3 <= job.done < 100
    jobs.resume(id)
    job = ended(id)
    assert job.state == "done"
    assert job.result
    assert [step for step, _ in steps_of(job.result)] == list(range(1, 101))  # none lost, none done twice


def test_a_worker_killed_in_the_middle_loses_nothing() -> None:
    id = jobs.submit(asked(9, 100, 0.03), "tests.job_steps:count")
    begun(id)
    worker = steps_of(files.folder(id) / "work")[-1][1]
    os.kill(worker, signal.SIGKILL)
    job = ended(id)
    assert (job.state, job.done) == ("done", 100)
    assert job.result
    taken = steps_of(job.result)
    assert len({pid for _, pid in taken}) == 2
    assert sorted({step for step, _ in taken}) == list(range(1, 101))
    assert len(taken) <= 101  # at most the step under way was taken twice
    assert [point["done"] for point in jobs.curve(id)][-1] == 100


def test_a_worker_that_dies_again_and_again_is_a_failure_and_takes_no_other_job_with_it() -> None:
    first = jobs.submit(asked(10, 100, 0.02), "tests.job_steps:count")  # so that the other two wait together
    dying = jobs.submit(asked(11), "tests.job_steps:die")
    waiting = jobs.submit(asked(12), "tests.job_steps:count")
    job = ended(dying)
    assert job.state == "failed"
    assert "lack of memory" in str(job.error)
    assert [ended(first).state, ended(waiting).state] == ["done", "done"]


@pytest.mark.parametrize(("how", "words"), [("user", "There are too few cells."), ("other", "ZeroDivisionError")])
def test_a_failure_is_one_sentence_and_can_be_resumed(how: str, words: str) -> None:
    id = jobs.submit(asked(23, target=how), "tests.job_steps:fail")
    job = ended(id)
    assert job.state == "failed"
    assert words in str(job.error)
    assert "\n" not in str(job.error)
    assert "the inside" not in str(job.error)
    log = files.folder(id) / "log.txt"
    assert ("the inside" in log.read_text()) if how == "other" else not log.exists()
    jobs.resume(id)
    assert ended(id).state == "done"


def test_a_disk_that_fills_up_is_said_and_nothing_is_half_written() -> None:
    id = jobs.submit(asked(13), "tests.job_steps:fill_disk")
    job = ended(id)
    assert job.state == "failed"
    assert "disk is full" in str(job.error)
    assert not list(files.folder(id).glob(".*"))
    for path in files.folder(id).glob("*.json"):
        assert json.loads(path.read_text())
    jobs.resume(id)
    assert ended(id).state == "done"


def test_a_full_disk_refuses_a_new_job_and_leaves_nothing() -> None:
    script = (
        "from gen_core import jobs; from tests.job_steps import no_room; from gen_core.cells.recipe import Perturb\n"
        "from gen_core.errors import OutputError\n"
        "with no_room():\n"
        "    try: jobs.submit(Perturb(seed=77), 'tests.job_steps:count')\n"
        "    except OutputError as error: print(error)\n"
    )
    before = set(files.root().glob("*")) | set(files.root().glob(".*"))
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stdout.strip().splitlines()) == 1, done.stderr
    assert set(files.root().glob("*")) | set(files.root().glob(".*")) == before


SERVER = """
import sys, time
from gen_core import jobs
from gen_core.cells.recipe import Perturb
print(jobs.submit(Perturb(seed=14, latent_dim=100, dose=0.03), "tests.job_steps:count"), flush=True)
print(jobs.submit(Perturb(seed=15, latent_dim=5, dose=0), "tests.job_steps:count"), flush=True)
time.sleep(600)
"""


def test_a_server_killed_leaves_no_process_and_its_jobs_can_be_resumed() -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout
        first, second = server.stdout.readline().strip(), server.stdout.readline().strip()
        begun(first)
        children = psutil.Process(server.pid).children(recursive=True)
        assert len(children) >= 2  # the process that holds the cluster, and its worker
        server.kill()
    until(lambda: not any(map(running, children)))
    assert jobs.snapshot(first).state == "interrupted"
    assert jobs.snapshot(second).state == "interrupted"
    before = jobs.snapshot(first).done
    jobs.resume(first)
    jobs.resume(second)
    job = ended(first)
    assert (job.state, job.done) == ("done", 100)
    assert job.result
    assert len(steps_of(job.result)) <= 101  # it went on from its checkpoint
    assert before >= 3
    assert ended(second).state == "done"


def test_the_process_of_the_cluster_killed_is_seen_and_the_next_job_starts_another() -> None:
    id = jobs.submit(asked(16, 200, 0.05), "tests.job_steps:count")
    begun(id)
    holder = psutil.Process(files.read(files.folder(id) / "job.json")["owner"]["pid"])
    children = holder.children(recursive=True)
    holder.kill()
    until(lambda: jobs.snapshot(id).state == "interrupted")
    until(lambda: not any(map(running, children)))
    assert ended(jobs.submit(asked(17), "tests.job_steps:count")).state == "done"


def test_closing_ends_everything_and_leaves_no_zombie() -> None:
    id = jobs.submit(asked(18, 200, 0.05), "tests.job_steps:count")
    begun(id)
    holder = psutil.Process(files.read(files.folder(id) / "job.json")["owner"]["pid"])
    processes = [holder, *holder.children(recursive=True)]
    jobs.close()
    assert not [process for process in processes if process.is_running()]
    assert jobs.snapshot(id).state == "interrupted"


def test_the_process_of_the_cluster_ends_by_itself_when_there_is_nothing_to_do() -> None:
    code = "from gen_core.jobs import dispatch; dispatch.IDLE = 0.5; dispatch.main(None)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE) as holder:
        children: list[psutil.Process] = []

        def over() -> bool:
            with contextlib.suppress(psutil.Error):
                children.extend(psutil.Process(holder.pid).children(recursive=True))
            return holder.poll() is not None

        until(over)
        assert holder.returncode == 0
        assert children
        until(lambda: not any(map(running, children)))


def test_nobody_else_on_this_machine_reaches_the_cluster() -> None:
    pytest.importorskip("cryptography", reason="without it there are no keys")
    id = jobs.submit(asked(22, 200, 0.05), "tests.job_steps:count")
    begun(id)
    holder = psutil.Process(files.read(files.folder(id) / "job.json")["owner"]["pid"])
    processes = [holder, *holder.children(recursive=True)]
    ports = [c.laddr for process in processes for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert ports
    assert {address.ip for address in ports} == {"127.0.0.1"}
    script = (
        "import asyncio, sys\n"
        "from distributed import Security\n"
        "from distributed.comm import connect\n"
        "async def knock(address, keys):\n"
        "    try: await asyncio.wait_for(connect(address, timeout=2, **keys), 5)\n"
        "    except (OSError, asyncio.TimeoutError): return\n"
        "    print('let in at', address)\n"
        "async def all():\n"
        "    mine = Security.temporary().get_connection_args('client')\n"
        "    await asyncio.gather(*(knock(f'{scheme}://{place}', keys)\n"
        "        for place in sys.argv[1:] for scheme, keys in (('tcp', {}), ('tls', mine))))\n"
        "asyncio.run(all())\n"
    )
    places = [f"{address.ip}:{address.port}" for address in ports]
    done = subprocess.run(
        [sys.executable, "-c", script, *places], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    jobs.cancel(id)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_an_existing_scheduler_does_the_work_and_one_that_is_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys\n"
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1, host='127.0.0.1', dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=-1, stdout=-1, text=True) as cluster:
        assert cluster.stdout
        address = cluster.stdout.readline().strip()
        id = jobs.submit(asked(19), "tests.job_steps:count", scheduler=address)
        job = ended(id)
        assert job.state == "done"
        worker = steps_of(runs.path_of(id))[0][1]
        assert worker in [child.pid for child in psutil.Process(cluster.pid).children(recursive=True)]
        cluster.communicate(timeout=60)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    job = ended(jobs.submit(asked(20), "tests.job_steps:count", scheduler="tcp://127.0.0.1:9"))
    assert job.state == "failed"
    assert "does not answer" in str(job.error)


@pytest.mark.parametrize("id", ["", ".", "..", "../jobs", "a/b", "/etc", "x" * 24, ".dask", "a" * 65, "\n" * 24])
def test_an_id_that_comes_from_a_link_is_checked(id: str) -> None:
    for ask in (jobs.snapshot, jobs.curve, jobs.cancel, jobs.resume, jobs.delete):
        with pytest.raises(JobError, match="no such job"):
            ask(id)


def test_a_damaged_job_is_left_out_and_can_be_deleted() -> None:
    id = jobs.submit(asked(21), "tests.job_steps:count")
    ended(id)
    for damage in ("", "[]", '{"recipe": {"operation": "stars.fold"}}', "\x00"):
        (files.folder(id) / "job.json").write_text(damage)
        with pytest.raises(JobError, match="cannot be read"):
            jobs.snapshot(id)
        assert id not in [job.id for job in jobs.listed()]
    jobs.delete(id)
    with pytest.raises(JobError, match="no such job"):
        jobs.snapshot(id)
    assert runs.path_of(id).is_dir()  # the result stays


def test_nothing_of_dask_is_loaded_here() -> None:
    code = "import sys; from gen_core import jobs, runs; jobs.listed(); print(*(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"dask", "distributed", "torch", "pandas"} & set(done.stdout.split())
