"""A slider whose picture follows the drag. Streamlit's own tells its value only when it is let go of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app.parts import session, theme

_JS = Path(__file__).with_suffix(".js").read_text()
_HTML = '<div class="latent-slider" data-testid="latentSlider"></div>'
_CSS = """
.latent-slider { font: 0.875rem var(--st-font); color: var(--st-text-color); }
.latent-slider label { display: flex; justify-content: space-between; padding-bottom: 0.35rem; }
.latent-slider output { color: var(--st-primary-color); font-variant-numeric: tabular-nums; }
.latent-slider input { width: 100%; margin: 0; accent-color: var(--st-primary-color); cursor: ew-resize; }
"""


def drag(page: str, field: str, label: str, low: float, high: float, step: float, unit: str = "", help: str = "") -> float:
    """The value of a field, told again and again while the slider is being moved, each time once the last was answered.

    `help` is shown when the mouse rests on it.
    """
    name, value = f"{page}/{field}/drag", float(session.value(page, field))
    spec: dict[str, Any] = {"label": label, "min": low, "max": high, "step": step, "unit": unit, "help": help, "value": value}
    spec["dark"] = theme.dark()
    draw = st.components.v2.component("latent_slider", html=_HTML, css=_CSS, js=_JS)
    draw(data=spec, key=name, on_moved_change=lambda: _moved(page, field, name, low, high))
    return value


def _moved(page: str, field: str, name: str, low: float, high: float) -> None:
    told = dict(session.held(name) or {}).get("moved")
    if isinstance(told, int | float) and low <= told <= high:  # a client's word
        session.seed(page, **{field: float(told)})
