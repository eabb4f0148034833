"""Keep what was costly to make, within a budget, for every user of this process at once.

A page calls `run(recipe)` at each move of a control; what does not depend on that control (the file read, the shifts
estimated) comes from here. The same serves a notebook that sweeps a dose.

Where people sign in, what was made of somebody's own files is kept for them alone: another person's recipe that names the
same file finds nothing here, and the store then says that the file is not theirs. All else is shared.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from gen_core import owner, turns
from gen_core.recipe import DIGEST


class _Own(NamedTuple):
    """A key that is one person's."""

    owner: str
    key: Hashable


class Memo:
    """The last values made, by key, up to `budget` bytes as told by `size(value)`; the one used longest ago goes first.

    Two threads that ask for the same key at once make it once: the second waits for the first.
    """

    def __init__(self, budget: int, size: Callable[[Any], int]) -> None:
        self.budget, self.size = budget, size
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`, made by `make()` where it is not kept. An error is passed on and not kept."""
        with self._lock:
            known = self._found(key)
            if known is not None:
                return known[0]
            making = self._making.setdefault(key, threading.Lock())
        if not making.acquire(blocking=False):
            with turns.aside():
                making.acquire()
        try:
            with self._lock:
                known = self._found(key)
                if known is not None:  # another thread made it while this one waited
                    return known[0]
            try:
                with owner.watched() as watch:
                    value = make()
                self._keep(self._place(key, watch.private), value)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        finally:
            making.release()
        return value

    def has(self, key: Hashable) -> bool:
        """Whether the value of `key` is kept, so that `get` costs nothing."""
        with self._lock:
            return self._found(key) is not None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def _found(self, key: Hashable) -> tuple[Any, int] | None:
        """What is kept under a key, for everybody or for whom this is done; under the lock."""
        who = owner.current()
        for place in (key,) if who is None else (key, _Own(who, key)):
            if place in self._values:
                self._values.move_to_end(place)
                if place is not key:
                    owner.touch()  # and so what is made of it
                return self._values[place]
        return None

    def _place(self, key: Hashable, private: bool) -> Hashable:
        """Where a value is kept: for one person alone if it was made of what is theirs, or if its very name names a file."""
        who = owner.current()
        return key if who is None or not (private or DIGEST.search(repr(key))) else _Own(who, key)

    def _keep(self, key: Hashable, value: Any) -> None:
        size = self.size(value)
        with self._lock:
            self._values[key] = (value, size)
            total = sum(kept for _, kept in self._values.values())
            while total > self.budget and len(self._values) > 1:  # the newest is in use: it stays, whatever its size
                total -= self._values.popitem(last=False)[1][1]
