"""Two pixels and one ray as a picture: the plane with all that is known of it, and the posterior along the line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography.twopixel import Found

Array = np.ndarray
NAMES = {  # title, symbol, role of its colour
    "least_norm": ("Least norm", "square-open", "control"),
    "tv": ("Total variation", "cross-thin-open", "control"),
    "map": ("Most probable (MAP)", "star", "warning"),
    "mean": ("Posterior mean", "diamond", "accent"),
}
LOW, HIGH = -1.4, 4.4  # of both pixels
PARTICLES = "Langevin particles"


def plane(found: Found, dark: bool = False, height: int = 560) -> go.Figure:
    """The plane of both pixels beside the posterior along the measured line; Langevin's particles move when it is played."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, column_widths=[0.56, 0.44], horizontal_spacing=0.09)
    _prior(figure, found, dark)
    _line(figure, found, dark)
    _played(figure, found, dark)
    _along(figure, found, dark)
    for name, (title, symbol, role) in NAMES.items():
        point, place = found.points[name], float(found.place(found.points[name]))
        wide = 3 if "thin" in symbol else 2 if "open" in symbol else 1
        colour = palette.role(role, dark)
        edge = {"color": colour if wide > 1 else palette.role("paper", dark), "width": wide}
        mark: dict[str, Any] = {"symbol": symbol, "size": 11 if symbol == "square-open" else 15, "color": colour, "line": edge}
        told = f"{title}<br>x₁ %{{x:.2f}}, x₂ %{{y:.2f}}<extra></extra>"
        figure.add_scatter(
            x=[point[0]], y=[point[1]], mode="markers", marker=mark, name=title, legendgroup=name, hovertemplate=told,
            row=1, col=1,
        )  # fmt: skip
        figure.add_scatter(
            x=[place], y=[0], mode="markers", marker=mark, name=title, legendgroup=name, showlegend=False, cliponaxis=False,
            hovertemplate=f"{title}: %{{x:.2f}}<extra></extra>", row=1, col=2,
        )  # fmt: skip
    figure.update_xaxes(title="First pixel, x₁", range=[LOW, HIGH], constrain="domain", row=1, col=1)
    figure.update_yaxes(title="Second pixel, x₂", range=[LOW, HIGH], scaleanchor="x", constrain="domain", row=1, col=1)
    figure.update_xaxes(title="Place along the measured line", range=_range(found), row=1, col=2)
    figure.update_yaxes(title="Posterior density", rangemode="tozero", row=1, col=2)
    figure.update_layout(
        palette.layout(dark, height, uirevision="two pixels", margin={"l": 56, "r": 44, "t": 64, "b": 128}, bargap=0),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _prior(figure: go.Figure, found: Found, dark: bool) -> None:
    step = np.linspace(LOW, HIGH, 146)
    x = np.stack(np.meshgrid(step, step), -1).reshape(-1, 2)
    density = np.exp(found.prior.log_density(x)).reshape(len(step), len(step))
    z = np.sqrt(density / density.max())  # its tails, too, are to be seen
    shades = [[0, palette.role("paper", dark)], [1, palette.role("muted", dark)]]
    figure.add_heatmap(
        z=z.astype(np.float32), x=step, y=step, colorscale=shades, showscale=False, hoverinfo="skip", zsmooth="best", row=1, col=1
    )  # fmt: skip
    name = "Prior (darker: more probable)" if not dark else "Prior (lighter: more probable)"
    mark = {"color": palette.role("muted", dark), "symbol": "square", "size": 11}
    figure.add_scatter(x=[None], y=[None], mode="markers", marker=mark, name=name, row=1, col=1)


def _line(figure: go.Figure, found: Found, dark: bool) -> None:
    """The line that the measurement leaves, and two deviations of its noise on either side."""
    far = 9 * found.way
    across = found.asked.ray / math.sqrt(2) * (2 * found.asked.noise / math.sqrt(2))
    corners = found.foot + np.array([-far - across, far - across, far + across, -far + across])
    figure.add_scatter(
        x=corners[:, 0], y=corners[:, 1], fill="toself", mode="none", fillcolor=palette.band("observed", dark), hoverinfo="skip",
        name="Measured, ± 2 deviations of the noise", row=1, col=1,
    )  # fmt: skip
    ends = np.array([found.foot - far, found.foot + far])
    figure.add_scatter(
        x=ends[:, 0], y=ends[:, 1], mode="lines", line={"color": palette.role("observed", dark), "width": 2}, hoverinfo="skip",
        showlegend=False, row=1, col=1,
    )  # fmt: skip


def _along(figure: go.Figure, found: Found, dark: bool) -> None:
    figure.add_scatter(
        x=found.places, y=found.along, mode="lines", fill="tozeroy", fillcolor=palette.band("observed", dark),
        line={"color": palette.role("observed", dark), "width": 2}, name="Exact posterior along the line",
        hovertemplate="%{x:.2f}: %{y:.3f}<extra>Exact posterior</extra>", row=1, col=2,
    )  # fmt: skip


def _played(figure: go.Figure, found: Found, dark: bool) -> None:
    """The particles in both panels, at their end; a button and a slider below play how they came there."""
    colour = palette.role("predicted", dark)
    edges = np.linspace(*_range(found), num=49)
    middle, wide = (edges[1:] + edges[:-1]) / 2, float(edges[1] - edges[0])

    def bars(particles: Array) -> Array:
        return np.histogram(found.place(particles), edges)[0] / len(particles) / wide

    last = found.paths[-1]
    cloud = go.Scatter(
        x=last[:, 0].round(3), y=last[:, 1].round(3), mode="markers", name=PARTICLES, hoverinfo="skip",
        marker={"color": colour, "size": 4, "opacity": 0.7},
    )  # fmt: skip
    bar = go.Bar(
        x=middle, y=bars(last).round(4), width=wide, marker={"color": colour, "line": {"width": 0}}, opacity=0.45, name=PARTICLES,
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    figure.add_trace(cloud, row=1, col=1)
    figure.add_trace(bar, row=1, col=2)
    moved = [len(figure.data) - 2, len(figure.data) - 1]
    figure.frames = [
        go.Frame(
            name=str(at), traces=moved,
            data=[{"x": at_[:, 0].round(3), "y": at_[:, 1].round(3)}, {"y": bars(at_).round(4)}],
        )
        for at, at_ in zip(found.at.tolist(), found.paths, strict=True)
    ]  # fmt: skip
    how = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    going = how | {"fromcurrent": False, "frame": {"duration": 140, "redraw": False}}
    text, paper = palette.role("text", dark), palette.role("panel", dark)
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons", "showactive": False, "x": 0, "xanchor": "left", "y": -0.235, "yanchor": "top",
                "direction": "left", "bgcolor": paper, "bordercolor": palette.role("grid", dark), "font": {"color": text},
                "pad": {"t": 0, "r": 8},
                "buttons": [{"label": "▶ Play Langevin", "method": "animate", "args": [None, going]}],
            }
        ],
        sliders=[
            {
                "active": len(found.at) - 1, "x": 0.2, "len": 0.8, "y": -0.19, "yanchor": "top", "pad": {"t": 0, "b": 0},
                "bgcolor": paper, "bordercolor": palette.role("grid", dark), "activebgcolor": colour, "ticklen": 0,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
                "currentvalue": {"prefix": "after step ", "font": {"color": text, "size": 13}, "xanchor": "left", "offset": 4},
                "steps": [{"label": str(at), "method": "animate", "args": [[str(at)], how]} for at in found.at.tolist()],
            }
        ],
    )  # fmt: skip


def _range(found: Found) -> tuple[float, float]:
    """The part of the line that holds nearly all of the posterior and the single solutions."""
    share = np.cumsum(found.along) / found.along.sum()
    low, high = np.interp((0.0005, 0.9995), share, found.places)
    single = [float(found.place(point)) for point in found.points.values()]
    low, high = min(low, *single), max(high, *single)
    return low - 0.15 * (high - low), high + 0.15 * (high - low)
