"""Every figure of every page is the same bytes when it is drawn again: then the browser is sent nothing, and draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.parts import export, figure
from gen_core import catalog, store
from gen_core.operations import OPERATIONS
from gen_core.proteins import question
from gen_core.proteins.recipe import Sample

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = question.reference_of(Sample().model)
SMALL: dict[str, dict[str, str]] = {  # each operation that a page shows, as small as shows all of its figures
    "cells.perturb": {},
    "images.interpolate": {"steps": "3"},
    "images.mix": {},
    "images.edit": {},
    "images.plane": {},
    "proteins.sample": {"n": "200"},
    "proteins.score": {"sequences": "chorismate_mutase_designs"},
    "proteins.mutate": {"reference": REFERENCE},
    "tomography.reconstruct": {"size": "64", "methods": '["fbp"]'},
    "defects.infer": {"n": "400", "held_out": "true"},
    "defects.sample": {"n": "50"},
    "poisson.solve": {},
    "poisson.green": {},
    "symmetry.rotate": {},
    "symmetry.recover": {"models": '["plain"]', "measurements": "[10]", "images": "4", "starts": "1"},
    "detector.generate": {"n": "200", "classifiers": "false"},
    "detector.condition": {"n": "200"},
    "detector.inpaint": {"n": "40"},
    "detector.score": {"n": "100"},
}
Drawn = dict[str, str]


def test_no_page_of_an_operation_is_left_out() -> None:
    """What is not here is long work with a panel of its own, or shares the page of one that is."""
    apart = {"images.sample", "images.grid", "images.invert", "images.stylize", "images.decode", "images.map", "cells.decode"}
    apart |= {"proteins.relax", "proteins.fold", "proteins.decode", "tomography.ranges"}
    apart |= {"symmetry.needed", "symmetry.fewer", "defects.power"}
    assert {one.name for one in OPERATIONS if one.run is not None} - set(SMALL) <= apart


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """The JSON of every figure that was shown, and of every one that could be saved: those of tabs that are closed too."""
    import plotly.io

    found: Drawn = {}
    show, panel = figure.show, export.panel

    def showing(fig: Any, key: str, *rest: Any, **named: Any) -> Any:
        found[f"shown {key}"] = plotly.io.to_json(fig, validate=False)
        return show(fig, key, *rest, **named)

    def panels(result: Any, figures: Mapping[str, Callable[[], Any]] | None = None, *rest: Any, **named: Any) -> Any:
        for name, draw in (figures or {}).items():
            found[f"saved {name}"] = plotly.io.to_json(draw(), validate=False)
        return panel(result, figures, *rest, **named)

    monkeypatch.setattr(figure, "show", showing)
    monkeypatch.setattr(export, "panel", panels)
    return found


@pytest.mark.parametrize("name", SMALL)
def test_drawn_again_it_is_the_same_bytes(
    name: str, drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    monkeypatch.setenv("LATENT_WARM", "0")
    monkeypatch.setattr(store, "home", lambda: tmp_path)
    page = name.partition(".")[0]
    at = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=240)
    at.query_params["operation"] = name
    for field, value in SMALL[name].items():
        at.query_params[field] = value
    at.switch_page(f"instruments/{page}.py").run()
    assert not at.exception
    assert not [one.value for one in at.error if "could not be opened" in one.value]
    assert catalog.recipe_class(name) is type(at.session_state[f"{page}/page"].recipe)
    first = dict(drawn)
    assert first
    drawn.clear()
    at.run()
    assert drawn == first
