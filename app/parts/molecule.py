"""Show structures in 3Dmol.js, from this server's own copy of it; say whether that is possible, never leave a blank box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import vendor
from app.parts import session
from app.parts.theme import dark
from gen_core import palette

_JS = Path(__file__).with_suffix(".js").read_text()
_HTML = '<div class="latent-structure" role="group" data-testid="latentStructure"></div>'
_CSS = """
.latent-molecules { display: flex; gap: 1rem; }
.latent-molecules figure { margin: 0; flex: 1; min-width: 0; }
.latent-molecule { position: relative; width: 100%; overflow: hidden; border-radius: 6px;
  border: 1px solid var(--st-border-color); }
.latent-molecules figcaption { font: 0.85rem var(--st-font); color: var(--st-text-color); opacity: 0.8; padding-top: 0.35rem; }
.latent-scale { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; padding-top: 0.6rem;
  font: 0.85rem var(--st-font);
  color: var(--st-text-color); }
.latent-scale-bar { width: 8rem; height: 0.7rem; border-radius: 3px; }
.latent-molecule-bar { display: flex; align-items: center; gap: 0.6rem; padding-top: 0.6rem;
  font: 0.85rem var(--st-font);
  color: var(--st-text-color); }
.latent-molecule-bar button { height: 2rem; padding: 0 0.8rem; cursor: pointer; color: var(--st-text-color); font: inherit;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color); border-radius: 6px; }
.latent-molecule-bar button[aria-pressed="true"] { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""


def unable(key: str) -> str | None:
    """Why no structure can be shown under this key: "script" (3Dmol.js is not here), "webgl" (the browser cannot), or None."""
    if vendor.three_d_js() is None:
        return "script"
    found: str | None = session.get("molecule", f"{key}/failed")
    return found


def show(
    texts: Sequence[tuple[str, str]],
    key: str,
    style: Mapping[str, Any],
    legend: Mapping[str, Any],
    unit: str,
    turn: Sequence[float] = (0, 0, 0, 1),
    height: int = 380,
) -> None:
    """Structures side by side as (caption, PDB text), up to four, that turn together.

    `style` is one of 3Dmol.js, `legend` has title, low, high (words) and colours; `unit` is that of the B-factors, `turn` the
    quaternion (x, y, z, w) they are first seen by. Where drawing fails the page runs again, and `unable` then says why.
    """
    draw = st.components.v2.component("latent_molecule", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)
    draw(
        data={
            "script": vendor.three_d_js(),
            "texts": [{"caption": caption, "pdb": text} for caption, text in texts],
            "style": dict(style),
            "legend": dict(legend),
            "unit": unit,
            "turn": [float(part) for part in turn],
            "paper": palette.role("paper", dark()),
            "ink": palette.role("text", dark()),
            "height": height,
            "name": key.replace(".", "-").replace("_", "-"),
        },
        key=key,
        on_failed_change=lambda: session.put("molecule", f"{key}/failed", dict(session.held(key) or {}).get("failed")),
    )
