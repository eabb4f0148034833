"""Keep what was costly to make, within a budget, for every user of this process at once.

A page calls `run(recipe)` at each move of a control; what does not depend on that control (the file read, the shifts
estimated) comes from here. The same serves a notebook that sweeps a dose.

Where people sign in, what was made of somebody's own files is kept for them alone: another person's recipe that names the
same file finds nothing here, and the store then says that the file is not theirs. All else is shared.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gen_core import owner, settings, turns
from gen_core.recipe import DIGEST

LEAST = 1 << 30  # bytes that all together may always fill
_uses = itertools.count()


def total() -> int:
    """Bytes that all memos of this process may fill together: `$LATENT_CACHE_GIB`, else an eighth of the machine's memory, and 1
    GiB at least. Raises InputError where that is no number."""
    if os.environ.get("LATENT_CACHE_GIB"):
        return settings.gib("LATENT_CACHE_GIB", 1)
    try:
        return max(LEAST, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8)
    except (AttributeError, OSError, ValueError):  # a system that does not tell
        return LEAST


def filled() -> int:
    """Bytes that they fill now, those apart left out."""
    return sum(memo.filled for memo in list(_ALL) if not memo.apart)


class _Own(NamedTuple):
    """A key that is one person's."""

    owner: str
    key: Hashable


@dataclass
class _Kept:
    """A value, its size, and when it was used last."""

    value: Any
    size: int
    used: int


class Memo:
    """The last values made, by key, up to `budget` bytes as told by `size(value)`; the one used longest ago goes first.

    All memos of a process together stay within `total()`: beyond it the value goes that was used longest ago in any of them. One
    that is `apart` (a model of many GiB that somebody asked for) does not count there.

    Two threads that ask for the same key at once make it once: the second waits for the first.
    """

    def __init__(self, budget: int, size: Callable[[Any], int], apart: bool = False) -> None:
        self.budget, self.size, self.apart, self.filled = budget, size, apart, 0
        self._values: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        _ALL.add(self)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`, made by `make()` where it is not kept. An error is passed on and not kept."""
        with self._lock:
            known = self._found(key)
            if known is not None:
                return known.value
            making = self._making.setdefault(key, threading.Lock())
        if not making.acquire(blocking=False):
            with turns.aside():
                making.acquire()
        try:
            with self._lock:
                known = self._found(key)
                if known is not None:  # another thread made it while this one waited
                    return known.value
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
            self.filled = 0

    def oldest(self) -> int | None:
        """When the value was used that goes first; None where there is none but the newest."""
        with self._lock:
            return next(iter(self._values.values())).used if len(self._values) > 1 else None

    def shed(self) -> None:
        """Forget that value."""
        with self._lock:
            if len(self._values) > 1:
                self.filled -= self._values.popitem(last=False)[1].size

    def _found(self, key: Hashable) -> _Kept | None:
        """What is kept under a key, for everybody or for whom this is done; under the lock."""
        who = owner.current()
        for place in (key,) if who is None else (key, _Own(who, key)):
            if place in self._values:
                self._values.move_to_end(place)
                self._values[place].used = next(_uses)
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
            before = self._values.pop(key, None)
            self._values[key] = _Kept(value, size, next(_uses))
            self.filled += size - (before.size if before else 0)
            while self.filled > self.budget and len(self._values) > 1:  # the newest is in use: it stays, whatever its size
                self.filled -= self._values.popitem(last=False)[1].size
        if not self.apart:
            _shed()


_ALL: weakref.WeakSet[Memo] = weakref.WeakSet()
_shedding = threading.Lock()


def _shed() -> None:
    """Forget what was used longest ago until all fill no more than they may; the newest of each stays."""
    most = total()
    with _shedding:
        while filled() > most:
            ages = [(age, memo) for memo in list(_ALL) if not memo.apart and memo.filled and (age := memo.oldest()) is not None]
            if not ages:
                return
            min(ages, key=lambda one: one[0])[1].shed()
