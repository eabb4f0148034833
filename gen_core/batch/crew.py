"""Hands shards to the workers of a Dask cluster, a few at a time, and again where a worker died."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import re
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from gen_core.batch.work import work
from gen_core.errors import JobError, RecipeError, UserError
from gen_core.jobs import dispatch

TRIES = 4  # times that the scheduler may give a shard up, each time after several workers died over it
PAUSE = 2.0  # seconds after which it is looked at whether the cluster is still there, and how large it is
AHEAD = 2  # shards that a worker has at hand, the one it makes included
ADDRESS = re.compile(r"(?:[a-z]+://)?(?:\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+):\d{1,5}/?")
Order = dict[str, Any]


@contextmanager
def cluster(scheduler: str | None, workers: int) -> Iterator[Any]:
    """A client of the existing scheduler, or of workers on this machine that end with this process.

    Raises RecipeError where `scheduler` is no address, JobError where it does not answer.
    """
    if scheduler is not None and not ADDRESS.fullmatch(scheduler):
        raise RecipeError(f"--scheduler {scheduler[:40]!r} is no address; one such as tcp://10.0.0.1:8786 was expected.")
    quiet()
    with contextlib.ExitStack() as end:
        try:
            with _deaf():
                client = dispatch.connect(scheduler, workers)
                end.callback(_close, client, scheduler is None)
        except (OSError, ValueError, ImportError) as error:
            if scheduler is None:
                raise JobError(f"The workers could not be started ({type(error).__name__}: {error}).") from error
            raise JobError(
                f"The Dask scheduler {scheduler} does not answer: start it, or leave --scheduler out to work on this machine."
            ) from error
        yield client


def _close(client: Any, own: bool) -> None:
    """Workers on this machine have ended when this returns: none of them writes any more."""
    cluster, crew = client.cluster if own else None, []
    for nanny in list(cluster.workers.values()) if cluster is not None else []:
        with contextlib.suppress(psutil.Error):
            crew += [psutil.Process(nanny.pid)] if nanny.pid else []
    try:
        client.close(timeout=5)
        if cluster is not None:
            cluster.close(timeout=5)
    finally:
        dispatch.kill(crew)


def made(client: Any, orders: Sequence[Order], waiting: Callable[[], None] = lambda: None) -> Iterator[tuple[Order, Any]]:
    """Each order and what `work` gave for it, as they come. What a dead worker had at hand is done again by another.

    No worker has more than AHEAD orders, so that few are lost with it. Raises the UserError of a shard that cannot be made, and
    JobError where something went wrong that should not have.
    """
    batch, left, tries = secrets.token_hex(6), list(range(len(orders)))[::-1], [0] * len(orders)
    at_hand: dict[int, Any] = {}
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()

    def give() -> None:
        crew = sum(client.nthreads().values())
        while left and len(at_hand) < max(AHEAD * crew, 1):
            i = left.pop()
            tries[i] += 1
            at_hand[i] = client.submit(work, orders[i], key=f"batch-{batch}-{i}-{tries[i]}", pure=False, priority=-i)
            at_hand[i].add_done_callback(lambda future, i=i: ended.put(i))
        if not crew:
            waiting()

    def taken(i: int) -> Any:
        future = at_hand.pop(i)
        if future.status == "finished":
            found = future.result()
            if "error" in found:
                raise UserError(found["error"])
            return found
        again(future.exception() if future.status == "error" else None, tries[i])
        left.append(i)
        return None

    try:
        while left or at_hand:
            with _reached(client):
                give()
            try:
                i = ended.get(timeout=PAUSE)
            except queue.Empty:
                continue
            with _reached(client):
                found = taken(i)
            if found is not None:
                yield orders[i], found
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.cancel(list(at_hand.values()), force=True)


@contextmanager
def _reached(client: Any) -> Iterator[None]:
    """Raise JobError where the scheduler is gone."""
    gone = "The Dask scheduler is gone. What is done stays: start it again, and the same command goes on."
    if client.status not in ("running", "connecting"):
        raise JobError(gone)
    try:
        yield
    except OSError as error:
        raise JobError(gone) from error


def again(error: BaseException | None, tries: int) -> None:
    """Raise as `made` does where a shard is not to be tried again: `error` is what ended it, None where it was lost."""
    from distributed.scheduler import KilledWorker

    if error is not None and not isinstance(error, KilledWorker):
        raise JobError(f"A shard could not be made ({type(error).__name__}: {error}). What is done stays.")
    if tries >= TRIES:
        raise JobError(
            "The process that made a shard died again and again, most likely for lack of memory: take fewer workers (--workers), "
            "or a machine with more memory. What is done stays."
        )


def quiet() -> None:
    """Dask tells of each worker that dies, at length; here that is no news."""
    import distributed  # noqa: F401  # which sets its loggers up

    for name in ("distributed", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed."))):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def own_workers() -> int:
    """Workers on this machine where nothing else is said: as many as this process may use cores."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C in the terminal: it is for this one alone, which ends them.

    In these seconds nobody hears it: a mask of signals, which would keep it, is lifted where multiprocessing starts a process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
