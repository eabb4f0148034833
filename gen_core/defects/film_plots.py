"""Pictures that move: every frame is in the figure, so that playing and scrubbing ask nothing of the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.defects.infer import Inferred
from gen_core.defects.plots import axis
from gen_core.defects.recipe import OfSnapshots

Array = np.ndarray
SHOWN = 700  # particles of a film
MARGIN = 0.12  # of the span, beside it
PAUSE = 160  # milliseconds a frame
ARROWS = 2  # of the grid's places, every other one has an arrow


def ensemble(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 460) -> go.Figure:
    """The particles at each time, observed blue (signs by symbol); in one dimension as histograms."""
    found = made.snapshots
    names = [axis(f"t = {t:.3g}", recipe.time_unit).replace(" (", " ").replace(")", "") for t in found.times]
    signs = None if found.charges is None else np.tile(found.charges, found.n)
    frames = []
    for x in found.positions:
        flat = x.reshape(-1, found.d)[:SHOWN]
        if found.d == 1:
            count, edges = np.histogram(x.ravel(), 60, density=True)
            frames.append([go.Bar(x=((edges[1:] + edges[:-1]) / 2).round(4), y=count.round(5))])
            continue
        mark: dict[str, Any] = {"color": palette.role("observed", dark), "size": 4, "opacity": 0.75}
        if signs is not None:
            mark |= {"symbol": np.where(signs[: len(flat)] > 0, "circle", "diamond-open").tolist(), "size": 6}
        frames.append([go.Scatter(x=flat[:, 0].round(4), y=flat[:, 1].round(4), mode="markers", marker=mark, hoverinfo="skip")])
    figure = _film(frames, names, dark, height)
    _places(figure, found.span, recipe, found.d)
    return figure


def log_density(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 460) -> go.Figure:
    """log p on a grid in time, with the score as arrows."""
    m = made.maps
    if m is None:
        return _nothing("Maps are drawn of single particles in two dimensions.", dark, height)
    top = float(np.nanmax(m.log_density))
    longest = float(np.quantile(np.linalg.norm(m.score, axis=-1), 0.9)) or 1.0
    step = float(m.x[ARROWS] - m.x[0])
    frames = []
    for k in range(len(m.times)):
        heat = go.Heatmap(
            x=m.x.round(4), y=m.y.round(4), z=np.clip(m.log_density[k], top - 9, None).round(3), zmin=top - 9, zmax=top,
            colorscale=palette.SEQUENTIAL, colorbar={"title": "log p", "thickness": 12, "outlinewidth": 0},
            hovertemplate="log p = %{z:.2f}<extra></extra>", zsmooth="best",
        )  # fmt: skip
        at = np.stack(np.meshgrid(m.x[::ARROWS], m.y[::ARROWS]), -1).reshape(-1, 2)
        along = m.score[k, ::ARROWS, ::ARROWS].reshape(-1, 2) * step / longest
        frames.append([heat, _arrows(at, along, "rgba(255,255,255,0.85)")])
    figure = _film(frames, _times(m.times, recipe), dark, height)
    figure.update_xaxes(title=axis("x", recipe.length_unit), constrain="domain")
    figure.update_yaxes(title=axis("y", recipe.length_unit), scaleanchor="x", constrain="domain")
    return figure


def fokker_planck(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 420) -> go.Figure:
    """The score's change in time beside what the equation expects of the fitted force and D, one component of each, played."""
    from plotly.subplots import make_subplots

    m = made.maps
    if m is None:
        return _nothing("This comparison is drawn of single particles in two dimensions.", dark, height)
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.05)
    near = np.exp(m.log_density - m.log_density.max((1, 2), keepdims=True)) > 0.01
    both = [np.where(near, field[..., 0], np.nan) for field in (m.change, m.expected)]
    limit = float(np.nanquantile(np.abs(both[0]), 0.98)) or 1.0
    frames = [
        [
            go.Heatmap(
                x=m.x.round(4), y=m.y.round(4), z=field[k].round(3), zmin=-limit, zmax=limit,
                colorscale=palette.diverging(dark), showscale=i == 1,
                xaxis=f"x{i + 1}" if i else "x", yaxis=f"y{i + 1}" if i else "y",
                colorbar={"title": "d s_x / dt", "thickness": 12, "outlinewidth": 0}, hovertemplate="%{z:.2f}<extra></extra>",
            )
            for i, field in enumerate(both)
        ]
        for k in range(len(m.times))
    ]  # fmt: skip
    figure = _film(frames, _times(m.times, recipe), dark, height, figure)
    for i, title in enumerate(("Of the score", "By Fokker-Planck, fitted f and D")):
        figure.update_xaxes(title=f"{title}: {axis('x', recipe.length_unit)}", row=1, col=i + 1)
    figure.update_yaxes(title=axis("y", recipe.length_unit), row=1, col=1)
    return figure


def flow(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 460) -> go.Figure:
    """The first snapshot moved on by the probability flow and by the stochastic motion, beside the snapshots."""
    check, found = made.check, made.snapshots
    if check is None or found.d != 2:
        return _nothing("The flow is drawn in two dimensions, where the diffusion constant is known.", dark, height)
    frames = []
    for k, x in enumerate(found.positions):
        clouds = (
            ("Snapshot", x, "observed", "circle"),
            ("Probability flow", check.flow[k], "predicted", "circle-open"),
            ("Stochastic motion", check.stochastic[k], "control", "x-thin-open"),
        )
        frames.append(
            [
                go.Scatter(
                    x=cloud.reshape(-1, 2)[:300, 0].round(4), y=cloud.reshape(-1, 2)[:300, 1].round(4), mode="markers", name=name,
                    hoverinfo="skip", marker={"color": palette.role(role, dark), "symbol": symbol, "size": 5},
                )
                for name, cloud, role, symbol in clouds
            ]
        )  # fmt: skip
    figure = _film(frames, _times(found.times, recipe), dark, height)
    _places(figure, found.span, recipe, 2)
    figure.update_layout(showlegend=True)
    return figure


def curves(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 320) -> go.Figure:
    """Against time: the difference from Fokker-Planck, the entropy production, distances of flow and motion to the data."""
    from plotly.subplots import make_subplots

    check = made.check
    if check is None:
        return _nothing("These need a diffusion constant.", dark, height)
    panels: list[tuple[str, Sequence[tuple[str, Array, str]]]] = [
        (
            axis("Entropy production", f"k_B/{recipe.time_unit}" if recipe.time_unit else ""),
            (("Rate", check.entropy, "predicted"),),
        ),
        (
            axis("W1 to the snapshot", recipe.length_unit),
            (("Probability flow", check.flow_w1, "predicted"), ("Stochastic motion", check.stochastic_w1, "control")),
        ),
    ]
    if np.isfinite(check.difference).any():  # of single particles
        panels.insert(0, ("Difference from Fokker-Planck (%)", (("Difference", 100 * check.difference, "predicted"),)))
    figure = make_subplots(1, len(panels), horizontal_spacing=0.09)
    for i, (title, lines) in enumerate(panels):
        for name, values, role in lines:
            figure.add_scatter(
                x=check.times, y=values, mode="lines+markers", name=name, showlegend=len(lines) > 1,
                line={"color": palette.role(role, dark), "width": 2}, row=1, col=i + 1,
            )  # fmt: skip
        figure.update_yaxes(title=title, rangemode="tozero", row=1, col=i + 1)
        figure.update_xaxes(title=axis("Time", recipe.time_unit), row=1, col=i + 1)
    figure.update_layout(palette.layout(dark, height))
    return figure


def _film(
    frames: Sequence[Sequence[Any]], names: Sequence[str], dark: bool, height: int, figure: go.Figure | None = None
) -> go.Figure:
    """A figure that plays these frames; it shows the first."""
    figure = figure or go.Figure()
    for trace in frames[0]:
        figure.add_trace(trace)
    traces = list(range(len(frames[0])))
    figure.frames = [go.Frame(name=str(k), data=list(frame), traces=traces) for k, frame in enumerate(frames)]
    redraw = any(trace.type != "scatter" for trace in frames[0])
    how = {"mode": "immediate", "frame": {"duration": 0, "redraw": redraw}, "transition": {"duration": 0}}
    going = how | {"fromcurrent": True, "frame": {"duration": PAUSE, "redraw": redraw}}
    text, panel, grid = palette.role("text", dark), palette.role("panel", dark), palette.role("grid", dark)
    figure.update_layout(palette.layout(dark, height, margin={"b": 128}), showlegend=False)
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons", "showactive": False, "x": 0, "xanchor": "left", "y": -0.24, "yanchor": "top",
                "direction": "left", "bgcolor": panel, "bordercolor": grid, "font": {"color": text}, "pad": {"t": 0, "r": 8},
                "buttons": [
                    {"label": "▶", "method": "animate", "args": [None, going]},
                    {"label": "❚❚", "method": "animate", "args": [[None], how]},
                ],
            }
        ],
        sliders=[
            {
                "active": 0, "x": 0.3, "len": 0.7, "y": -0.2, "yanchor": "top", "pad": {"t": 0, "b": 0}, "bgcolor": panel,
                "bordercolor": grid, "activebgcolor": palette.role("accent", dark), "ticklen": 0,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
                "currentvalue": {"prefix": "", "font": {"color": text, "size": 13}, "xanchor": "left", "offset": 4},
                "steps": [{"label": name, "method": "animate", "args": [[str(k)], how]} for k, name in enumerate(names)],
            }
        ],
    )  # fmt: skip
    return figure


def _places(figure: go.Figure, span: tuple[Array, Array], recipe: OfSnapshots, d: int) -> None:
    low, high = span
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    figure.update_xaxes(title=axis("x", recipe.length_unit), range=[float(low[0]), float(high[0])], constrain="domain")
    if d > 1:
        figure.update_yaxes(
            title=axis("y", recipe.length_unit), range=[float(low[1]), float(high[1])], scaleanchor="x", constrain="domain"
        )
    else:
        figure.update_yaxes(title="Density")


def _times(times: Array, recipe: OfSnapshots) -> list[str]:
    return [f"t = {t:.3g} {recipe.time_unit}".strip() for t in times]


def _arrows(at: Array, along: Array, colour: str) -> go.Scatter:
    end, gap = at + along, np.full(len(at), np.nan)
    side, back = np.stack([-along[:, 1], along[:, 0]], 1) * 0.2, at + 0.65 * along
    lines = [np.stack([at[:, i], end[:, i], back[:, i] + side[:, i], end[:, i], gap], 1).ravel().round(4) for i in (0, 1)]
    return go.Scatter(
        x=lines[0], y=lines[1], mode="lines", line={"color": colour, "width": 1.2}, hoverinfo="skip", showlegend=False
    )


def _nothing(text: str, dark: bool, height: int) -> go.Figure:
    """An empty figure that says why it is empty."""
    figure = go.Figure(layout=palette.layout(dark, height))
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
