"""The process beside the server that holds the Dask cluster: `python -m gen_core.jobs.dispatch [tcp://…]`.

It reads one job a line from its standard input and ends when that closes, which the system does for it even where the
server was killed; the worker, its child, ends with it. It also ends, and gives back the memory, when there was nothing to
do for a while: the next job starts another. The server itself never loads Dask, and no child of a process that runs
Streamlit has to find its way past Streamlit's main module.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import owner, settings, store
from gen_core.jobs import files
from gen_core.jobs.work import work

if TYPE_CHECKING:
    from distributed import Client, Future

TRIES = 3  # workers that a job may lose before it counts as failed
IDLE = 600.0  # seconds without work after which this process ends
ABSENT = 5  # seconds without a worker process after which another is started
DIED = "The process that did the work died several times, most likely for lack of memory; what it had saved is kept."


def main(scheduler: str | None) -> None:
    """Serve until standard input closes."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the pages come first
    given: list[Any] = []  # futures still awaited: Dask forgets what nobody holds
    asked = arriving(lambda: any(not future.done() for future in given))
    try:
        client, trouble = connect(scheduler), ""
    except Exception as error:
        logging.exception("No cluster")
        client = None
        trouble = f"The Dask scheduler {scheduler} does not answer: start it, or unset LATENT_SCHEDULER to work here."
        if scheduler is None:
            trouble = f"The process for long work could not be started ({type(error).__name__}); its log has the details."
    for job in asked:
        if client is None:
            settle(job, trouble)
        else:
            given = [future for future in given if not future.done()]
            given.append(submit(client, job, scheduler is not None))
    end()


def arriving(busy: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """The jobs on standard input, until nothing was asked for and nothing done for IDLE seconds. When it closes, all ends."""
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            inbox.put(json.loads(line))
        end()

    threading.Thread(target=listen, name="listen", daemon=True).start()

    def jobs() -> Iterator[dict[str, Any]]:
        worked = time.monotonic()
        while time.monotonic() - worked < IDLE:
            try:
                yield inbox.get(timeout=min(5.0, IDLE))
            except queue.Empty:
                if not busy():
                    continue
            worked = time.monotonic()

    return jobs()


def connect(scheduler: str | None, workers: int = 1) -> Client:
    """A client of the existing scheduler, or of a cluster of workers with one thread each on this machine alone."""
    import dask

    dask.config.set(
        {
            "distributed.scheduler.http.routes": [],  # nothing to look at in a browser
            "distributed.nanny.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.scheduler.allowed-failures": TRIES - 1,
            "distributed.deploy.lost-worker-timeout": "1h",  # a worker may start slowly on a busy machine; `watch` knows better
            "distributed.nanny.environ.OMP_NUM_THREADS": str(settings.threads()),
        }
    )
    from distributed import Client, LocalCluster

    if scheduler is not None:
        return Client(scheduler, set_as_default=False)  # as patient as Dask's own settings say
    guarded = security()
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        protocol="tls" if guarded else "tcp",
        security=guarded,
        silence_logs=logging.CRITICAL,  # a worker that ends while something is read from it is no news
        local_directory=str(store.home().absolute() / "jobs" / ".dask"),
    )
    threading.Thread(target=watch, args=(cluster,), name="watch", daemon=True).start()
    return Client(cluster, security=guarded, set_as_default=False)


def watch(cluster: Any) -> None:
    """Replace a worker that stays away: Dask restarts one that died, but not one that died while it was starting."""
    missing = 0
    while True:
        time.sleep(1)
        missing = 0 if any(nanny.is_alive() for nanny in list(cluster.workers.values())) else missing + 1
        if missing >= ABSENT:
            missing = 0
            cluster.scale(len(cluster.worker_spec) + 1)  # the place of the one that stays away is never filled again


def security() -> Any:
    """Keys that only these processes have, made anew each time: whoever reaches a scheduler's port can make it run code.

    None where the package that makes them is missing; then every user of this machine can reach it.
    """
    from distributed.security import Security

    try:
        return Security.temporary()
    except ImportError:
        logging.warning("The package cryptography is missing: other users of this machine can reach the cluster.")
        return None


def submit(client: Client, job: dict[str, Any], handed_on: bool) -> Future[None]:
    """Give a job to Dask, and see to its last word should its worker not come to say it."""
    from distributed import fire_and_forget

    key = f"{job['id']}-{job['attempt']}-{job.get('again', 0)}"
    home = str(store.home().absolute())
    first_come = -time.time()  # without a priority of their own, tasks that come close together run in any order
    future = client.submit(work, job["id"], job["attempt"], home, job.get("for"), key=key, pure=False, priority=first_come)
    fire_and_forget(future)
    if handed_on:  # a cluster goes on when this process ends, so this process is no sign of life any more
        with contextlib.suppress(OSError):  # deleted a moment ago
            (folder(job) / f"handed-{job['attempt']}").touch()

    def ended(future: Future[None]) -> None:
        if future.status != "error":
            return
        waiting = files.read(folder(job) / "state.json").get("attempt") != job["attempt"]
        if waiting and job.get("again", 0) < 2:  # it only stood in the queue of a worker that another job brought down
            submit(client, job | {"again": job.get("again", 0) + 1}, handed_on)
        else:
            settle(job, DIED)

    future.add_done_callback(ended)
    return future


def folder(job: dict[str, Any]) -> Path:
    """Where a job lies: among those of the person it is for."""
    with owner.acting_for(job.get("for")):
        return files.root() / str(job["id"])


def settle(job: dict[str, Any], error: str) -> None:
    """Say that a job failed, where the worker could not."""
    path = folder(job)
    before = files.read(path / "state.json")
    if files.read(path / "job.json").get("attempt") != job["attempt"] or before.get("ended") == job["attempt"]:
        return
    last = {"state": "failed", "error": error, "attempt": job["attempt"], "ended": job["attempt"], "updated": time.time()}
    with contextlib.suppress(Exception):  # a full disk or a folder just deleted: the job then reads as interrupted
        files.write(path / "state.json", before | last | {"seconds_left": None})


def end() -> None:
    """End at once and leave nobody behind; a job that runs here goes on from its checkpoint when it is resumed."""
    import psutil

    kill(psutil.Process().children(recursive=True))
    os._exit(0)


def kill(processes: Sequence[Any]) -> None:
    """End these at once (`psutil.Process`), those that have ended already aside; they have when this returns, or 5 s are over."""
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else None)
    except BaseException:
        logging.exception("The process for long work ended")
    end()  # whatever it was: half alive, it would keep its jobs waiting for ever
