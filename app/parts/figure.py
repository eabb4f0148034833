"""Show a Plotly figure: one configuration, one place for its words for those who cannot see it, clicks anywhere.

Streamlit's own chart is made anew whenever its figure changes: the zoom is lost, it blinks, and it reports a click on
points only. This one (figure.js) hands the new figure to the same plot. plotly.js comes out of the installed package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app.parts import cache, session
from app.parts.theme import LARGER
from app.parts.theme import dark as dark  # pages ask for it here, beside the figures that need it
from gen_core import palette

_JS = Path(__file__).with_suffix(".js").read_text()
_HTML = '<div class="latent-figure" role="figure" data-testid="latentFigure"></div>'


def show(
    fig: Any,
    key: str,
    alt: str,
    height: int | None = None,
    caption: str | None = None,
    select: bool | str = False,
    drag: bool = False,
    group: str | None = None,
) -> dict[str, Any] | None:
    """Draw `fig` over the full width. With `select`, return what was last clicked in it (see map.py), else None.

    `key` ("cells.map") names the plot and, with dashes, the picture its camera button saves. `alt` says in words what is
    to be seen. `select` may be True (clicks) or "lasso" (box and lasso too). With `drag` the far ends of arrows can be moved, see
    `dragged`. Figures of one `group` are zoomed and turned together. Keep `fig.layout.uirevision` the same for
    as long as a zoom should stay, and the figure itself as long as nothing in it changed: then nothing is sent again.
    """
    import plotly.io

    if height is not None:
        fig.update_layout(height=height)
    if session.presenting():
        fig = enlarged(fig)
    config: dict[str, Any] = palette.CONFIG | {
        "responsive": False,  # figure.js watches its own width, which the sidebar changes too
        "toImageButtonOptions": {"format": "svg", "filename": key.replace(".", "-").replace("_", "-")},
    }
    if select != "lasso":
        config["modeBarButtonsToRemove"] = [*palette.CONFIG["modeBarButtonsToRemove"], "select2d", "lasso2d"]
    url = cache.plotly_js()
    if url is None:
        st.plotly_chart(fig, width="stretch", theme=None, key=key, config=config, alt=alt)
    else:
        draw = st.components.v2.component("latent_figure", html=_HTML, js=_JS, isolate_styles=False)
        spec = {"spec": plotly.io.to_json(fig, validate=False), "alt": alt, "height": fig.layout.height or 420, "config": config}
        draw(
            data=spec | {"plotly": url, "select": bool(select), "drag": drag, "group": group},
            key=key,
            on_picked_change=lambda: _picked(key),
            on_dragged_change=lambda: session.put("figure", f"{key}/dragged", dict(session.held(key) or {}).get("dragged")),
        )
    if caption:
        st.caption(caption)
    return picked(key) if select else None


def enlarged(fig: Any) -> Any:
    """The figure with larger type, whatever is written in it, and with room for it between pictures in rows."""
    fig = type(fig)(fig)  # the caller's own stays as it is, or it would grow with every run
    size = LARGER * (fig.layout.font.size or 13)
    fig.update_layout(font_size=size).update_xaxes(title_font_size=size, tickfont_size=size)
    fig.update_yaxes(title_font_size=size, tickfont_size=size)
    if fig.layout.legend.font.size:
        fig.update_layout(legend_font_size=LARGER * fig.layout.legend.font.size)
    for note in fig.layout.annotations:
        note.update(font_size=LARGER * (note.font.size or 12), yshift=LARGER * (note.yshift or 0))
    fig.for_each_coloraxis(lambda axis: _bar(axis.colorbar))
    for trace in fig.data:
        if "colorbar" in trace:
            _bar(trace.colorbar)
        if "marker" in trace and "colorbar" in trace.marker and trace.marker.colorbar.to_plotly_json():  # naming one shows one
            _bar(trace.marker.colorbar)
        if "text" in (getattr(trace, "mode", None) or "") or getattr(trace, "texttemplate", None):
            trace.update(textfont_size=LARGER * (trace.textfont.size or 12))
    if tiles := (fig.layout.meta or {}).get("tiles"):  # rows of pictures, see figure.js
        fig.update_layout(meta={"tiles": tiles | {"around": LARGER * tiles["around"], "larger": LARGER}})
        margin = fig.layout.margin
        margin.update(t=LARGER * margin.t, b=LARGER * margin.b)
    return fig


def _bar(bar: Any) -> None:
    """A scale of colours; one that is not shown stays so."""
    bar.update(tickfont_size=LARGER * (bar.tickfont.size or 12), title_font_size=LARGER * (bar.title.font.size or 12))


def picked(key: str) -> dict[str, Any] | None:
    """What was last clicked or lassoed in this figure, known already while the next one is made; None if nothing or forgotten."""
    found: dict[str, Any] | None = session.get("figure", key)
    return found


def dragged(key: str) -> tuple[float, float] | None:
    """Where the end of an arrow was moved to in the run that asks first; None where it was not."""
    found = session.get("figure", f"{key}/dragged")
    session.put("figure", f"{key}/dragged", None)
    return (float(found["x"]), float(found["y"])) if found else None


def forget(key: str) -> None:
    """Forget what was clicked: after new data, and for presets."""
    session.put("figure", key, None)


def _picked(key: str) -> None:
    event = dict(session.held(key) or {}).get("picked")
    session.put("figure", key, dict(event) if event and (event.get("points") or event.get("region") or "x" in event) else None)
