"""A square to draw in: charges put, moved and erased inside it, values painted along its edges; mouse, pen, finger or keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.parts import session, theme
from gen_core import palette

_JS = Path(__file__).with_suffix(".js").read_text()
_HTML = '<div class="latent-canvas" data-testid="latentCanvas"></div>'
_CSS = """
.latent-canvas { font: 0.875rem var(--st-font); }
.latent-canvas canvas { display: block; margin: 0 auto; touch-action: none; cursor: crosshair; }
.latent-canvas canvas:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
"""
MOST = 256  # charges that are believed of a client

Charges = Sequence[Sequence[float]]
Edges = Sequence[Sequence[float]]


def show(
    key: str,
    charges: Charges,
    edges: Edges,
    alt: str,
    on_drawn: Callable[[list[list[float]], list[list[float]]], None],
    tool: str = "charge",
    charge: float = 1.0,
    width: float = 0.05,
    value: float = 1.0,
    fixed: bool = False,
    field: Sequence[Sequence[float]] | None = None,
    side: int = 420,
) -> None:
    """Show `charges` (x, y, charge, width; lengths of the square) and the values along `edges` (left, right, bottom, top).

    `on_drawn` is called, as a callback, with both as they were drawn. `tool` is "charge" or "erase"; a new charge is `charge`
    of `width`, and a stroke along an edge gives it `value`, unless the edges are `fixed`. `field` (rows from the bottom) is
    shown below the charges. `side` is the largest width in pixels.
    """
    dark = theme.dark()
    limit = max((abs(v) for row in field for v in row), default=0.0) if field is not None else 0.0
    spec: dict[str, Any] = {
        "charges": [list(one) for one in charges],
        "edges": [list(one) for one in edges],
        "alt": alt,
        "tool": tool,
        "charge": charge,
        "width": width,
        "value": value,
        "fixed": fixed,
        "field": field,
        "limit": limit,
        "most": side,
        "colours": [_rgb(colour) for _, colour in palette.diverging(dark)],
        "ink": palette.role("text", dark),
        "line": palette.role("muted", dark),
        "ground": palette.role("paper", dark),
    }
    draw = st.components.v2.component("latent_canvas", html=_HTML, css=_CSS, js=_JS)
    draw(data=spec, key=key, on_drawn_change=lambda: _drawn(key, on_drawn))


def _drawn(key: str, on_drawn: Callable[[list[list[float]], list[list[float]]], None]) -> None:
    told = dict(session.held(key) or {}).get("drawn") or {}
    charges, edges = told.get("charges"), told.get("edges")
    if _numbers(charges, 4, most=MOST) and _numbers(edges, None, most=4):  # a client's word
        on_drawn([[float(v) for v in one] for one in charges], [[float(v) for v in one] for one in edges])


def _numbers(rows: Any, wide: int | None, most: int) -> bool:
    """Whether these are lists of finite numbers, `wide` in each."""
    return (
        isinstance(rows, list)
        and len(rows) <= most
        and all(isinstance(row, list) and (wide is None or len(row) == wide) and len(row) <= MOST for row in rows)
        and all(isinstance(v, int | float) and math.isfinite(v) for row in rows for v in row)
    )


def _rgb(colour: str) -> list[int]:
    """ "#rrggbb" as three numbers."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
