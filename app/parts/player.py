"""Play the frames of paths side by side: all frames are sent once, and playing or scrubbing asks nothing of the server."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_JS = Path(__file__).with_suffix(".js").read_text()
_HTML = '<div class="latent-player" role="group" data-testid="latentPlayer"></div>'
_CSS = """
.latent-screens { display: flex; flex-wrap: wrap; gap: 1rem; }
.latent-screens figure { margin: 0; }
.latent-screens canvas { image-rendering: pixelated; border-radius: 6px; display: block; max-width: 100%; }
.latent-screens figcaption { font: 0.85rem var(--st-font); color: var(--st-text-color); opacity: 0.75; padding-top: 0.3rem; }
.latent-bar { display: flex; align-items: center; gap: 0.75rem; padding-top: 0.6rem; font: 0.85rem var(--st-font); }
.latent-bar button {
  width: 2.4rem; height: 2rem; cursor: pointer; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color); border-radius: 6px;
}
.latent-bar input { flex: 1; max-width: 30rem; accent-color: var(--st-primary-color); }
.latent-bar output { color: var(--st-text-color); min-width: 7rem; }
"""


def show(
    strips: Mapping[str, bytes],
    count: int,
    frame: tuple[int, int],
    key: str,
    labels: Sequence[str] = (),
    size: int = 240,
    seconds: float = 3.0,
    begin: bool = False,
) -> None:
    """Paths by title, each a PNG of its `count` frames (width, height) in a row.

    `labels` are what is said of each frame, `size` the width of a picture on the screen in pixels, `seconds` how long one
    way takes. With `begin` they play one way once by themselves, unless the reader's system asks for less motion. A figure
    that names `key` in its `layout.meta.follows` moves its first shape to the frame's place in `marks`.
    """
    width, height = frame
    data: dict[str, Any] = {
        "strips": [
            {"title": title, "png": base64.b64encode(png).decode(), "width": width, "height": height}
            for title, png in strips.items()
        ],
        "count": count,
        "labels": list(labels),
        "film": key,
        "size": size,
        "begin": begin,
        "pause": max(30, round(1000 * seconds / max(count, 1))),
    }
    st.components.v2.component("latent_player", html=_HTML, css=_CSS, js=_JS)(data=data, key=key)
