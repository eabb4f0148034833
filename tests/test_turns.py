"""Who computes when: short work passes long work, of long work one goes at a time, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gen_core import catalog, turns
from gen_core.memo import Memo

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def lanes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two places for short work, one for long, whatever machine this is; work is long from its first word on."""
    monkeypatch.setattr(turns, "SHORT", turns.Lane(2))
    monkeypatch.setattr(turns, "LONG", turns.Lane(1))
    monkeypatch.setattr(turns, "BRIEF", -1.0)
    yield
    assert turns.SHORT.free == 2
    assert turns.LONG.free == 1


def quiet(share: float, text: str) -> None:
    """Nobody listens."""


class Long:
    """Long work that stands still until it is let go on."""

    def __init__(self, pool: ThreadPoolExecutor, progress: Any = quiet) -> None:
        self.running, self.go = threading.Event(), threading.Event()
        self.done = pool.submit(self._work, progress)

    def _work(self, progress: Any) -> None:
        with turns.turn(progress) as told:
            told(0.1, "long")
            self.running.set()
            assert self.go.wait(PATIENCE)


def test_of_long_work_one_goes_at_a_time_and_the_other_says_that_it_waits() -> None:
    said: list[str] = []
    waits = threading.Event()

    def listen(share: float, text: str) -> None:
        said.append(text)
        if text == turns.WAITS:
            waits.set()

    with ThreadPoolExecutor(4) as pool:
        first = Long(pool)
        assert first.running.wait(PATIENCE)
        second = Long(pool, listen)
        assert waits.wait(PATIENCE)
        assert not second.running.is_set()
        first.go.set()
        assert second.running.wait(PATIENCE)
        second.go.set()
        first.done.result(PATIENCE), second.done.result(PATIENCE)
    assert said[:2] == ["long", turns.WAITS]


def test_short_work_passes_any_number_of_long_ones() -> None:
    with ThreadPoolExecutor(8) as pool:
        many = [Long(pool) for _ in range(5)]
        try:
            with turns.turn(quiet):  # here, while one of them runs and four wait
                done = "passed"
        finally:
            for one in many:
                one.go.set()
        for one in many:
            one.done.result(PATIENCE)
    assert done == "passed"


def test_who_waits_and_is_no_longer_wanted_leaves_the_queue() -> None:
    class Ended(Exception):
        pass

    def unwanted(share: float, text: str) -> None:
        if text == turns.WAITS:
            raise Ended

    with ThreadPoolExecutor(4) as pool:
        first = Long(pool)
        assert first.running.wait(PATIENCE)
        with pytest.raises(Ended):
            Long(pool, unwanted).done.result(PATIENCE)
        third = Long(pool)
        first.go.set()
        assert third.running.wait(PATIENCE)
        third.go.set()
        third.done.result(PATIENCE)


def test_two_that_wait_for_each_other_both_come_to_an_end() -> None:
    """One has the only long place and needs what the other is making, who waits for that place."""
    memo: Memo = Memo(100, lambda value: 1)
    making, has_place = threading.Event(), threading.Event()

    def makes() -> str:
        with turns.turn(quiet) as told:

            def make() -> str:
                making.set()
                assert has_place.wait(PATIENCE)
                told(0.5, "long")  # waits for the place
                return "made"

            return str(memo.get("key", make))

    def needs() -> str:
        assert making.wait(PATIENCE)
        with turns.turn(quiet) as told:
            told(0.1, "long")  # takes it
            has_place.set()
            return str(memo.get("key", lambda: "again"))

    with ThreadPoolExecutor(2) as pool:
        both = pool.submit(makes), pool.submit(needs)
        assert [one.result(PATIENCE) for one in both] == ["made", "made"]


def test_work_that_may_take_longer_stays_short_and_work_that_may_take_nothing_does_not() -> None:
    with turns.turn(quiet, brief=1_000.0) as told:
        told(0.1, "short")
        assert (turns.SHORT.free, turns.LONG.free) == (1, 1)
    with turns.turn(quiet, brief=0.0) as told:
        told(0.1, "long")
        assert (turns.SHORT.free, turns.LONG.free) == (2, 0)


def test_work_within_work_has_one_turn() -> None:
    with turns.turn(quiet), turns.turn(quiet), turns.turn(quiet):
        assert turns.SHORT.free == 1


def test_an_error_gives_the_turn_back() -> None:
    def failing() -> None:
        with turns.turn(quiet) as told:
            told(0.1, "long")
            raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            failing()


def test_runs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one place where runs are made gives each a turn, and what they say passes it."""
    seen: list[int] = []

    def work(recipe: Any, progress: Any) -> str:
        seen.append(turns.SHORT.free)
        progress(0.5, "half")
        seen.append(turns.LONG.free)
        return "result"

    recipe = catalog.recipe_class("poisson.solve").read({})
    monkeypatch.setattr(catalog, "load", lambda reference: work)
    assert catalog.run(recipe) == "result"  # type: ignore[comparison-overlap]
    assert seen == [1, 0]


def test_who_came_first_goes_first() -> None:
    lane, order = turns.Lane(1), list[int]()
    lane.enter()

    def queue(number: int) -> None:
        lane.enter()
        order.append(number)
        lane.leave()

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=queue, args=(number,)))
        threads[-1].start()
        while len(lane._queue) <= number:
            time.sleep(0.001)
    lane.leave()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == [0, 1, 2, 3]
