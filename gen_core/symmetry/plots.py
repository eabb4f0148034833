"""Figures of turned and recovered pictures, for the page and for notebooks: pictures in grey, differences centred on zero; the
truth is blue, models orange with a dash and a marker of their own, the control and the classical way grey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette, scores
from gen_core.symmetry import boots

if TYPE_CHECKING:
    from gen_core.symmetry.needed import Curves
    from gen_core.symmetry.solved import Recovered, Turned

Array = np.ndarray
LOOKS = {  # role, dash, marker
    "plain": ("control", "dot", "x"),
    "augmented": ("control", "solid", "circle"),
    "lasso": ("control", "dash", "square-open"),
    "c4": ("predicted", "dot", "triangle-up"),
    "c8": ("predicted", "dash", "square"),
    "c16": ("predicted", "dashdot", "diamond"),
    "orbit": ("predicted", "solid", "circle"),
}
TICKS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
MARGIN = {"l": 8, "r": 8, "t": 30, "b": 8}
BAR = {"thickness": 10, "outlinewidth": 0, "xpad": 4, "tickfont": {"size": 11}, "nticks": 6}


def titled(name: str) -> str:
    """How a model is called."""
    return scores.METHODS.get(name, "Trained here" if name.startswith("sha256:") else name)


def picture(values: Array, title: str = "", dark: bool = False, height: int = 260) -> go.Figure:
    """One picture (s, s) in grey, its range from 0 to 1."""
    figure = go.Figure()
    figure.add_heatmap(
        z=values, colorscale="Greys_r", zmin=0, zmax=1, showscale=False, hovertemplate="%{x}, %{y}<br>%{z:.3f}<extra></extra>"
    )
    return _framed(figure, title, dark, height)


def difference(values: Array, title: str = "", top: float | None = None, dark: bool = False, height: int = 260) -> go.Figure:
    """A difference of pictures (s, s), purple below zero, orange above; `top` is the end of the scale."""
    limit = top or float(np.abs(values).max()) or 1e-12
    figure = go.Figure()
    figure.add_heatmap(
        z=values, colorscale=palette.diverging(dark), zmin=-limit, zmax=limit, zmid=0, colorbar=BAR,
        hovertemplate="%{x}, %{y}<br>%{z:.3g}<extra></extra>",
    )  # fmt: skip
    return _framed(figure, title, dark, height)


def turned(made: Turned, which: str = "drawn", row: int = 0, dark: bool = False, height: int = 260) -> go.Figure:
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
    return picture(values, titles[which], dark, height)


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
    figure.update_layout(palette.layout(dark, height or 30 + 78 * len(rows), uirevision="sheet", margin=MARGIN | {"t": 8}))
    figure.update_xaxes(visible=False, constrain="domain")
    ticks = {"tickvals": [i * (side + gap) + side / 2 for i in range(len(rows))], "ticktext": list(rows)}
    figure.update_yaxes(**ticks, autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False, zeroline=False)
    return figure


def recovery(made: Recovered, dark: bool = False, height: int = 360) -> go.Figure:
    """The error against the number of measurements with intervals over the pictures; floors as dotted lines."""
    figure = go.Figure()
    for name in made.models:
        told = np.array([boots.mean(made.errors[name][m]) for m in made.measurements])
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
    figure.update_xaxes(title="Residual of the measurements", type="log", tickvals=TICKS)
    figure.update_yaxes(title="True error", type="log", tickvals=TICKS)
    return figure


def needed(made: Curves, target: float, dark: bool = False, height: int = 320) -> go.Figure:
    """The measurements needed for an error against the numbers in a code, with intervals and the straight lines."""
    from gen_core.symmetry.needed import lines

    figure = go.Figure()
    for name, line in lines(made, target).items():
        ends = np.array([boots.interval(line.again[:, i]) for i in range(len(line.dims))])
        known = ~np.isnan(line.needed)
        bars = {"array": (ends[:, 1] - line.needed)[known], "arrayminus": (line.needed - ends[:, 0])[known], "width": 4}
        look = _look(name, dark)
        dims = np.array(line.dims)[known]
        figure.add_scatter(x=dims, y=line.needed[known], error_y=bars, name=titled(name), **(look | {"mode": "markers"}))
        fit = line.fitted()[0]
        if not np.isnan(fit).any():
            at = np.array([0, max(line.dims)])
            figure.add_scatter(x=at, y=fit[0] + fit[1] * at, showlegend=False, hoverinfo="skip", **(look | {"mode": "lines"}))
    figure.update_layout(palette.layout(dark, height, uirevision="needed"))
    figure.update_xaxes(title="Numbers in a code", rangemode="tozero")
    figure.update_yaxes(title=f"Measurements for an error of {target:g}", rangemode="tozero")
    return figure


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
    role, dash, marker = LOOKS.get(name, ("predicted", "longdash", "star"))
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
