"""The pictures come before what takes longer, and what comes first is what the whole result says too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.parts import figure
from gen_core import catalog, kept
from gen_core.defects import fokker_planck
from gen_core.detector import measure

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    ("defects.infer", {"n": 300, "data_seed": 3}, "defects.ensemble", fokker_planck, "check"),
    ("detector.generate", {"n": 60, "seed": 3, "model": "independent"}, "detector.shown.events", measure, "classified"),
]


@pytest.mark.parametrize(("name", "fields", "shown", "module", "late"), CASES, ids=lambda one: one if "." in str(one) else "")
def test_pictures_are_drawn_before_what_takes_longer_and_once_more_with_it_as_the_same_bytes(
    name: str, fields: dict[str, Any], shown: str, module: Any, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import plotly.io

    monkeypatch.setenv("LATENT_WARM", "0")
    order: list[str] = []
    show, work = figure.show, getattr(module, late)

    def showing(fig: Any, key: str, *rest: Any, **named: Any) -> Any:
        if key == shown:
            order.append(plotly.io.to_json(fig, validate=False))
        return show(fig, key, *rest, **named)

    def working(*rest: Any, **named: Any) -> Any:
        if "late" not in order:
            order.append("late")
        return work(*rest, **named)

    monkeypatch.setattr(figure, "show", showing)
    monkeypatch.setattr(module, late, working)
    page = name.partition(".")[0]
    at = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=240)
    for field, value in ({"operation": name} | fields).items():
        at.query_params[field] = str(value)
    at.switch_page(f"instruments/{page}.py").run()
    assert not at.exception
    first, between, again = order
    assert between == "late"
    assert first == again
    assert f"{page}/the whole result" not in at.session_state  # it was drawn, and is kept where all results are
    assert kept.ready(at.session_state[f"{page}/page"].recipe)


@pytest.mark.parametrize(("name", "fields"), [case[:2] for case in CASES], ids=lambda one: one if "." in str(one) else "")
def test_what_comes_first_the_whole_says_too(name: str, fields: dict[str, Any]) -> None:
    recipe = catalog.recipe_class(name).read(fields)
    assert catalog.in_two(recipe)
    first, whole = catalog.first(recipe), catalog.run(recipe)
    assert first.recipe == whole.recipe
    assert set(first.metrics) < set(whole.metrics)
    for name in set(first.metrics) - {"batch1.events_per_second", "batch100.events_per_second", "events_per_second"}:
        assert first.metrics[name] == whole.metrics[name] or first.metrics[name] != first.metrics[name]
    assert first.warnings == whole.warnings[: len(first.warnings)]


def test_other_results_come_in_one_piece() -> None:
    recipe = catalog.recipe_class("poisson.solve").read({})
    assert not catalog.in_two(recipe)
    with pytest.raises(LookupError, match="one piece"):
        catalog.first(recipe)
