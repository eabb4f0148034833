"""Work of some seconds beside a run of the page: a control that is moved meanwhile ends the run at once, and then the work.

A computation inside the script would hold up the next run until it next says how far it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from gen_core import catalog, kept, owner, turns
from gen_core.recipe import Recipe
from gen_core.result import Result

T = TypeVar("T")
Progress = Callable[[float, str], None]
TELLING = 0.15  # seconds between two looks at how far it is
_POOL = ThreadPoolExecutor(64, thread_name_prefix="work")  # of which most wait: gen_core/turns.py says whose turn it is
log = logging.getLogger("latent_sandbox")


class Ended(Exception):
    """Raised inside work that nobody waits for any more."""


def follow(work: Callable[[Progress], T], bar: Any, title: str = "", brief: float | None = None) -> T:
    """What `work` returns, given a function to say how far it is, while `bar` (`st.progress`) shows that; raises what it
    raises. `brief` as in `turns.turn`."""
    told: dict[str, Any] = {"share": 0.0, "text": "", "ended": False}

    def progress(share: float, text: str) -> None:
        if told["ended"]:
            raise Ended
        told["share"], told["text"] = share, text

    def done() -> T:
        with turns.turn(progress, brief) as passed:
            return work(passed)

    running = _POOL.submit(owner.bound(done))
    try:
        while not running.done():
            said = ": ".join(filter(None, (title, told["text"])))
            bar.progress(min(max(told["share"], 0.0), 1.0), said[:1].upper() + said[1:])
            wait([running], TELLING)
        return running.result()
    finally:  # also where the run of the page is ended, by what `bar` raises
        told["ended"] = True
        running.cancel()


def result(recipe: Recipe, place: Any, title: str = "") -> Result:
    """The result of a recipe: at once where it is kept, else followed in `place` (`st.empty`)."""
    if kept.ready(recipe):
        return kept.run(recipe, lambda: catalog.run(recipe))
    brief = 0.0 if catalog.in_two(recipe) else None  # its pictures are there: other people's go before the rest of it
    return follow(lambda progress: kept.run(recipe, lambda: catalog.run(recipe, progress)), place.progress(0.0), title, brief)


def first(recipe: Recipe, place: Any, title: str = "") -> Result | None:
    """What of a result can be shown before all of it is there, followed likewise; None where there is nothing to wait for."""
    if kept.ready(recipe) or not catalog.in_two(recipe):
        return None
    found = follow(lambda progress: catalog.first(recipe, progress), place.progress(0.0), title, turns.FIRST)
    return None if kept.ready(recipe) else found


def begin(work: Callable[[], object]) -> None:
    """Do work that only saves time later; where it fails, whoever needs it says so."""
    _POOL.submit(_quietly, owner.bound(work))


def _quietly(work: Callable[[], object]) -> None:
    time.sleep(TELLING)  # the page is sent first
    try:
        with turns.turn(lambda share, text: None):
            work()
    except Exception:
        log.info("Work ahead of time failed.", exc_info=True)
