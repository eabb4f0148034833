"""Keep what was costly to make, within a budget, for every user of this process at once.

A page calls `run(recipe)` at each move of a control; what does not depend on that control (the file read, the shifts
estimated) comes from here. The same serves a notebook that sweeps a dose.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


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
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:  # another thread made it while this one waited
                    return self._values[key][0]
            try:
                value = make()
                self._keep(key, value)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def has(self, key: Hashable) -> bool:
        """Whether the value of `key` is kept, so that `get` costs nothing."""
        with self._lock:
            return key in self._values

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def _keep(self, key: Hashable, value: Any) -> None:
        size = self.size(value)
        with self._lock:
            self._values[key] = (value, size)
            total = sum(kept for _, kept in self._values.values())
            while total > self.budget and len(self._values) > 1:  # the newest is in use: it stays, whatever its size
                total -= self._values.popitem(last=False)[1][1]
