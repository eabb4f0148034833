"""Whose turn it is to compute where many people share a process: short work passes long work, of which one goes at a time.

All work begins as short work, of which there is as much at once as there are processors. What has used more than `BRIEF` seconds
of a processor gives its place to others and goes on among the long ones, one after the other in the order in which they came.
It steps over where it says how far it is, so that work which never says so counts as short. Whoever waits for what another
thread is making (`gen_core/memo.py`) gives their turn away meanwhile, or two could wait for each other for ever.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Progress = Callable[[float, str], None]
BRIEF = 0.5  # seconds of a processor that short work may take
FIRST = 2.0  # and that work may take which somebody waits for to see a picture at all
LOOKS = 0.2  # seconds between two looks of one who waits whether anybody still wants the work
WAITS = "another long computation goes first"


class Lane:
    """Places for so many at once; who came first goes first."""

    def __init__(self, places: int) -> None:
        self.free = places
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def enter(self, waiting: Callable[[], None] = lambda: None) -> None:
        """Wait for a place and take it. `waiting` is called meanwhile; what it raises ends the waiting, and is passed on."""
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                while self._queue[0] is not me or not self.free:
                    self._changed.wait(LOOKS)
                    if self._queue[0] is not me or not self.free:
                        waiting()
                self.free -= 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()

    def leave(self) -> None:
        """Give the place back."""
        with self._changed:
            self.free += 1
            self._changed.notify_all()


@dataclass
class _Held:
    """Where this thread has a place now."""

    lane: Lane | None = None


SHORT, LONG = Lane(max(2, os.cpu_count() or 1)), Lane(1)
_here = threading.local()


@contextmanager
def turn(progress: Progress, brief: float | None = None) -> Iterator[Progress]:
    """Inside, this thread computes when it is its turn, as short work for `brief` seconds (default `BRIEF`).

    Work there must say how far it is through what this gives, which also passes it on to `progress`; what that raises ends the
    work, while it waits too.
    """
    if getattr(_here, "held", None) is not None:  # within work that has its turn
        yield progress
        return
    held = _here.held = _Held()
    try:
        _enter(held, SHORT, lambda: progress(0.0, ""))
        began = time.thread_time()

        def told(share: float, text: str) -> None:
            progress(share, text)
            if held.lane is SHORT and time.thread_time() - began > (BRIEF if brief is None else brief):
                _leave(held)
                _enter(held, LONG, lambda: progress(share, WAITS))

        yield told
    finally:
        _leave(held)
        _here.held = None


@contextmanager
def aside() -> Iterator[None]:
    """Inside, this thread only waits for another one, and whatever turn it has is somebody else's."""
    held: _Held | None = getattr(_here, "held", None)
    lane = held.lane if held is not None else None
    if held is None or lane is None:
        yield
        return
    _leave(held)
    try:
        yield
    finally:
        _enter(held, lane)


def _enter(held: _Held, lane: Lane, waiting: Callable[[], None] = lambda: None) -> None:
    lane.enter(waiting)
    held.lane = lane


def _leave(held: _Held) -> None:
    if held.lane is not None:
        held.lane.leave()
        held.lane = None
