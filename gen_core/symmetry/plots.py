"""Figures of turned and recovered pictures, for the page and for notebooks: pictures in grey, differences centred on zero; the
truth is blue, models orange with a dash and a marker of their own, the control and the classical way grey."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette, scores
from gen_core.symmetry import modelfile

if TYPE_CHECKING:
    from gen_core.symmetry.lines import Curves, Line
    from gen_core.symmetry.solved import Recovered, Turned

Array = np.ndarray
LOOKS = {  # role, dash, marker
    "plain": ("control", "dot", "x"),
    "augmented": ("control", "solid", "circle"),
    "gaussian": ("control", "longdashdot", "diamond"),
    "lasso": ("control", "dash", "square-open"),
    "c4": ("predicted", "dot", "triangle-up-open"),
    "c8": ("predicted", "dash", "square-open"),
    "c16": ("predicted", "dashdot", "diamond-open"),
    "orbit": ("predicted", "solid", "circle"),
}
OWN = ("star", "star-open", "hourglass", "hourglass-open", "bowtie", "bowtie-open", "pentagon", "pentagon-open")
TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
MARGIN = {"l": 8, "r": 8, "t": 30, "b": 44}
DIM = 0.4  # brightest pixel below which pictures are shown brighter than they are
BAR = {  # below its picture, which so is as large as those without one
    "orientation": "h", "y": 0, "yanchor": "top", "ypad": 6, "thickness": 8, "outlinewidth": 0, "tickfont": {"size": 11},
    "nticks": 5,
}  # fmt: skip


def titled(name: str) -> str:
    """How a model is called."""
    if name in scores.METHODS:
        return scores.METHODS[name]
    kind, _, digest = modelfile.own_parts(name)
    return f"Yours ({digest}): {scores.METHODS.get(kind, 'not on this machine')}"


def picture(values: Array, title: str = "", dark: bool = False, height: int = 280, top: float = 1.0) -> go.Figure:
    """One picture (s, s) in grey, its range from 0 to `top`."""
    figure = go.Figure()
    figure.add_heatmap(
        z=values, colorscale="Greys_r", zmin=0, zmax=top, showscale=False, hovertemplate="%{x}, %{y}<br>%{z:.3f}<extra></extra>"
    )
    return _framed(figure, title, dark, height)


def white(made: Turned) -> float:
    """What is drawn white in pictures of a code: 1, or for dim pictures the brightest pixel of all of them."""
    top = float(max(made.pictures.max(), made.turned.max(), made.drawn.max()))
    return 1.0 if top > DIM else max(top, 1e-6)


def difference(values: Array, title: str = "", top: float | None = None, dark: bool = False, height: int = 280) -> go.Figure:
    """A difference of pictures (s, s), purple below zero, orange above; `top` is the end of the scale."""
    limit = top or float(np.abs(values).max()) or 1e-12
    figure = go.Figure()
    figure.add_heatmap(
        z=values, colorscale=palette.diverging(dark), zmin=-limit, zmax=limit, zmid=0, colorbar=BAR,
        hovertemplate="%{x}, %{y}<br>%{z:.3g}<extra></extra>",
    )  # fmt: skip
    return _framed(figure, title, dark, height)


def turned(made: Turned, which: str = "drawn", row: int = 0, dark: bool = False, height: int = 280) -> go.Figure:
    """A code's picture (`pictures`), it `turned`, what the turned code has `drawn`, or the `difference` of the two."""
    titles = {
        "pictures": "G(z)",
        "turned": f"turned: R G(z), {made.angle:g}°",
        "drawn": "G(turned z)",
        "difference": f"difference, {100 * made.errors[row]:.2g} %",
    }
    values = getattr(made, which)[row]
    if which == "difference":
        return difference(values, titles[which], None, dark, height)
    return picture(values, titles[which], dark, height, white(made))


def curve(made: Turned, dark: bool = False, height: int = 300) -> go.Figure:
    """The relative error against the angle, of each model that was turned through a quarter; 1 is as far off as a flat grey."""
    figure = go.Figure()
    for name, values in made.curves.items():
        shown = np.maximum(values, 1e-7)
        figure.add_scatter(x=made.angles, y=shown, name=titled(name), **_look(name, dark))
    figure.add_vline(x=made.angle % 90, line={"color": palette.role("accent", dark), "width": 1})
    figure.update_layout(palette.layout(dark, height, uirevision="curve"))
    figure.update_xaxes(title="Angle (degrees, then it repeats)", tickvals=[0, 22.5, 45, 67.5, 90])
    figure.update_yaxes(title="Error over the contrast", type="log", exponentformat="power", dtick=1)
    return figure


def recovered(made: Recovered, m: int, count: int = 8, dark: bool = False, height: int | None = None) -> go.Figure:
    """Some pictures in rows: the truth, and below it what each recovers from m measurements."""
    rows = {"Truth": made.truth[:count]} | {titled(name): made.pictures[name][m][:count] for name in made.models}
    side, gap = made.truth.shape[-1], 2
    sheet = np.full((len(rows) * (side + gap), min(count, len(made.truth)) * (side + gap)), np.nan)
    for i, pictures in enumerate(rows.values()):
        for j, one in enumerate(pictures):
            sheet[i * (side + gap) : i * (side + gap) + side, j * (side + gap) : j * (side + gap) + side] = one
    figure = go.Figure(go.Heatmap(z=sheet, colorscale="Greys_r", zmin=0, zmax=1, showscale=False, hoverinfo="skip"))
    margin = dict.fromkeys("lrtb", 8)
    figure.update_layout(palette.layout(dark, height or 30 + 78 * len(rows), uirevision="sheet", margin=margin))
    figure.update_xaxes(visible=False, constrain="domain")
    ticks = {"tickvals": [i * (side + gap) + side / 2 for i in range(len(rows))], "ticktext": list(rows)}
    figure.update_yaxes(**ticks, autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False, zeroline=False)
    return figure


def recovery(made: Recovered, dark: bool = False, height: int = 360) -> go.Figure:
    """The error against the number of measurements with intervals over the pictures; floors as dotted lines."""
    figure = go.Figure()
    for name in made.models:
        told = np.array([made.mean(made.errors[name][m]) for m in made.measurements])
        _band(figure, np.array(made.measurements), told, name, dark)
    for name, floor in made.floors.items():
        line = {"color": palette.role(LOOKS.get(name, ("predicted",))[0], dark), "width": 1, "dash": "dot"}
        figure.add_hline(y=float(floor.mean()), line=line)
    figure.update_layout(palette.layout(dark, height, uirevision="recovery"))
    figure.update_xaxes(title="Random measurements (of 1,024 pixels)", type="log", tickvals=list(made.measurements))
    figure.update_yaxes(title="Error over the pictures' energy", type="log", tickvals=TICKS)
    return figure


def residuals(made: Recovered, dark: bool = False, height: int = 300) -> go.Figure:
    """What the measurements see of the error, and the error: a small residual is no small error."""
    figure = go.Figure()
    for name in made.models:
        x = [float(made.residuals[name][m].mean()) for m in made.measurements]
        y = [float(made.errors[name][m].mean()) for m in made.measurements]
        hover = "%{text} measurements<br>residual %{x:.3g}, error %{y:.3g}<extra></extra>"
        figure.add_scatter(x=x, y=y, text=list(made.measurements), hovertemplate=hover, name=titled(name), **_look(name, dark))
    figure.update_layout(palette.layout(dark, height, uirevision="residuals"))
    figure.update_xaxes(title="Residual of the measurements", type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(title="True error", type="log", tickvals=TICKS)
    return figure


def needed(made: Curves, target: float, dark: bool = False, height: int = 320) -> go.Figure:
    """The measurements needed for an error against the numbers in a code, with intervals and the straight lines, and as a band
    what the Gaussian prior needs, which has no codes. Hollow and pale: no line goes through what is known on one side alone."""
    from gen_core.symmetry.lines import flat, lines

    figure = go.Figure()
    simple, found = flat(made, target), lines(made, target)
    if simple is not None and np.isfinite(simple.needed[0]):
        _flat(figure, simple, dark)
    for at, (name, line) in enumerate(found.items()):
        look, aside = _look(name, dark), 0.5 * (at - (len(found) - 1) / 2)  # beside each other, not over
        for known in (True, False):
            rows = np.flatnonzero(np.isfinite(line.needed) & (line.sound == known))
            if len(rows):
                figure.add_scatter(**_points(line, rows, aside, look, known), showlegend=False, name=titled(name))
        figure.add_scatter(x=[None], y=[None], name=titled(name), **look)
        fit = line.fitted()[0]
        if not np.isnan(fit).any():
            at_ = np.array([0, max(line.dims)])
            figure.add_scatter(x=at_, y=fit[0] + fit[1] * at_, showlegend=False, hoverinfo="skip", **(look | {"mode": "lines"}))
    figure.update_layout(palette.layout(dark, height, uirevision="needed"))
    figure.update_xaxes(title="Numbers in a code", rangemode="tozero")
    figure.update_yaxes(title=f"Measurements for an error of {target:g}", rangemode="tozero")
    return figure


def _points(line: Line, rows: Array, aside: float, look: dict[str, Any], known: bool) -> dict[str, Any]:
    """The numbers needed at some sizes, with the ends of their intervals that are known."""
    ends = np.array([line.ends(int(i)) for i in rows])
    value = line.needed[rows]
    above = np.where(np.isfinite(ends[:, 1]), ends[:, 1] - value, 0)
    below = np.where(np.isfinite(ends[:, 0]), value - ends[:, 0], 0)
    bars = {"array": np.maximum(above, 0), "arrayminus": np.maximum(below, 0), "width": 4}
    said = ["≤ " * bool(v <= line.fewest) + f"{v:.0f}" for v in value]
    hover = "%{customdata} numbers: %{text} measurements<extra>%{fullData.name}</extra>"
    dims = np.array(line.dims)[rows]
    return {
        "x": dims + aside, "y": value, "error_y": bars, "text": said, "customdata": dims, "hovertemplate": hover,
        "opacity": 1 if known else 0.5, **(look | {"mode": "markers"}),
    }  # fmt: skip


def _flat(figure: go.Figure, simple: Line, dark: bool) -> None:
    """What the Gaussian prior needs, across all sizes, with its interval."""
    low, high = simple.ends(0)
    if np.isfinite([low, high]).all():
        figure.add_hrect(y0=low, y1=high, fillcolor=palette.band("control", dark), line_width=0, layer="below")
    look = _look("gaussian", dark)
    figure.add_hline(y=float(simple.needed[0]), line=look["line"])
    said = titled("gaussian") + (" (≤)" if simple.needed[0] <= simple.fewest else "")
    figure.add_scatter(x=[None], y=[None], name=said, **(look | {"mode": "lines"}))


def fewer(told: Mapping[str, Array], counts: tuple[int, ...], dark: bool = False, height: int = 320) -> go.Figure:
    """The error on new pictures against the number of pictures learned from: by model the mean and its interval (k, 3)."""
    figure = go.Figure()
    for name, rows in told.items():
        _band(figure, np.array(counts), rows, name, dark)
    figure.update_layout(palette.layout(dark, height, uirevision="fewer"))
    figure.update_xaxes(title="Pictures learned from", type="log", tickvals=list(counts), ticktext=[f"{c:,}" for c in counts])
    figure.update_yaxes(title="Error on new turned pictures", type="log", tickvals=TICKS)
    return figure


def _look(name: str, dark: bool) -> dict[str, Any]:
    own = int(hashlib.sha256(name.encode()).hexdigest()[:4], 16) % len(OWN)  # networks trained here are told apart
    role, dash, marker = LOOKS.get(name, ("predicted", "longdash", OWN[own]))
    colour = palette.role(role, dark)
    return {
        "mode": "lines+markers",
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"size": 7, "symbol": marker, "color": colour},
    }


def _band(figure: go.Figure, x: Array, told: Array, name: str, dark: bool) -> None:
    """A line of means with the band of their intervals: told (k, 3)."""
    role = LOOKS.get(name, ("predicted",))[0]
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([told[:, 1], told[::-1, 2]]), fill="toself", line={"width": 0},
        fillcolor=palette.band(role, dark), hoverinfo="skip", showlegend=False, mode="lines",
    )  # fmt: skip
    figure.add_scatter(x=x, y=told[:, 0], name=titled(name), **_look(name, dark))


def _framed(figure: go.Figure, title: str, dark: bool, height: int) -> go.Figure:
    figure.update_layout(palette.layout(dark, height, uirevision="square", margin=MARGIN), title=title)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    return figure
