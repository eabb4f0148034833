"""What is kept: made once, within its budget, and no error is kept."""

import threading
import time

import pytest

from gen_core.memo import Memo


def test_made_once_also_when_asked_at_once() -> None:
    memo, made = Memo(100, lambda v: 1), []

    def make() -> str:
        made.append(1)
        time.sleep(0.05)
        return "value"

    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(memo.get("k", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["value"] * 8
    assert len(made) == 1


def test_the_one_used_longest_ago_goes_first() -> None:
    memo = Memo(2, lambda v: 1)
    for key in "aba":
        memo.get(key, lambda key=key: key)
    memo.get("c", lambda: "c")
    assert memo.get("a", lambda: "new") == "a"
    assert memo.get("b", lambda: "new") == "new"


def test_a_value_larger_than_the_budget_is_kept_alone() -> None:
    memo = Memo(10, lambda v: v)
    memo.get("small", lambda: 5)
    assert memo.get("big", lambda: 50) == 50
    assert memo.get("big", lambda: 0) == 50
    assert memo.get("small", lambda: 6) == 6


def test_an_error_is_passed_on_and_not_kept() -> None:
    memo = Memo(10, lambda v: 1)
    with pytest.raises(ValueError, match="no"):
        memo.get("k", lambda: (_ for _ in ()).throw(ValueError("no")))
    assert memo.get("k", lambda: 3) == 3
    memo.clear()
    assert memo.get("k", lambda: 4) == 4
