"""What is kept: made once, within its budget, and no error is kept."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gen_core import memo
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


def test_all_together_stay_within_the_total_and_the_newest_of_each_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for other in list(memo._ALL):
        other.clear()
    monkeypatch.setenv("LATENT_CACHE_GIB", str(100 / (1 << 30)))
    one, two, apart = Memo(80, lambda v: v), Memo(80, lambda v: v), Memo(1000, lambda v: v, apart=True)
    one.get("a", lambda: 30)
    two.get("b", lambda: 30)
    one.get("c", lambda: 30)
    apart.get("model", lambda: 500)
    one.get("a", lambda: 0)  # used again: now b is the one used longest ago, but it is the newest of its memo
    two.get("d", lambda: 30)
    assert memo.filled() == 90
    assert not two.has("b")
    assert [one.has("a"), one.has("c"), two.has("d"), apart.has("model")] == [True] * 4


def test_any_sequence_of_recipes_keeps_them_within_budget_and_total(monkeypatch: pytest.MonkeyPatch) -> None:
    for other in list(memo._ALL):
        other.clear()
    monkeypatch.setenv("LATENT_CACHE_GIB", str(1000 / (1 << 30)))
    rng = np.random.default_rng(0)
    several = [Memo(int(budget), lambda v: v) for budget in rng.integers(200, 800, 6)]
    for _ in range(2_000):
        one = several[rng.integers(6)]
        one.get(int(rng.integers(50)), lambda: int(rng.integers(1, 100)))
        assert one.filled <= one.budget
        assert memo.filled() <= 1000
        assert one.filled == sum(kept.size for kept in one._values.values())


def test_every_cache_of_arrays_is_a_memo_or_holds_a_fixed_few() -> None:
    """What is kept for ever elsewhere is listed here, with why it cannot grow."""
    few = {  # module and name: tables that depend on a handful of shapes, or text of the program itself
        *("detector/model.py", "detector/observables.py", "defects/score.py", "poisson/correct.py", "poisson/unusual.py"),
        *("poisson/spectrum.py", "cells/simulate.py", "proteins/letters.py", "proteins/question.py", "tomography/traits.py"),
        "palette.py",
    }
    root = Path(__file__).resolve().parents[1]
    for path in sorted((root / "gen_core").rglob("*.py")):
        text = path.read_text()
        name = path.relative_to(root / "gen_core").as_posix()
        assert "lru_cache(maxsize=None)" not in text, name
        if re.search(r"^\s*@(functools\.)?(lru_)?cache\b", text, re.M):
            assert name in few, f"{name} keeps something for ever: use gen_core/memo.py, or say here why it cannot grow"
    for path in sorted((root / "app").rglob("*.py")):
        found = re.findall(r"@st\.cache_(?:data|resource)\b|@(?:lru_)?cache\b", path.read_text())
        assert len(found) == (2 if path.name == "cache.py" else 0), path.name  # the address of plotly.js, and one thread


def test_one_model_in_memory_serves_all_threads() -> None:
    """Twenty sessions that open a model at once hold one object, not twenty."""
    from gen_core.detector import modelfile as detector
    from gen_core.images import modelfile as images
    from gen_core.poisson import modelfile as poisson
    from gen_core.proteins import modelfile as proteins
    from gen_core.symmetry import modelfile as symmetry
    from gen_core.tomography import modelfile as tomography

    for opened in (
        lambda: images.open_space("images-micrographs"),
        lambda: proteins.open_model("proteins-chorismate-mutase"),
        lambda: tomography.opened(tomography.bundled("gaussian", 128), None, "gaussian"),
        lambda: poisson.opened(poisson.bundled("flow"), None, "flow"),
        lambda: symmetry.opened("c8", 20),
        lambda: detector.opened("vae"),
    ):
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda _, opened=opened: opened(), range(20)))
        assert len({id(one) for one in found}) == 1
