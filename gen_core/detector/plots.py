"""Figures of events and of what they cost, for the page and for notebooks: the truth is blue, generated events are orange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.detector import measure, observables
from gen_core.detector.pareto import PUBLISHED, Point, front
from gen_core.detector.score import words
from gen_core.detector.simulate import World, positions

if TYPE_CHECKING:
    from gen_core.detector.inpaint import Inpainted
    from gen_core.detector.score import Scored

Array = np.ndarray
TITLES = {
    "ar": "Transformer",
    "made": "MADE",
    "vae": "VAE",
    "masked": "Masked, K steps",
    "middle": "Code, K steps",
    "student": "Student",
    "independent": "No correlations",
    "simulator": "Simulator",
    "floor": "Truth against truth",
}
SETS = {"fixed": "One code", "generated": "All codes", "ar": "Transformer", "truth": "Truth"}
MARGIN = {"l": 44, "r": 10, "t": 34, "b": 40}


def events(hits: Array, role: str = "generated", columns: int = 3, dark: bool = False, height: int = 420) -> go.Figure:
    """Some events side by side: a mark a hit, the layers from the vertex upwards."""
    n, layers, channels = hits.shape
    xs: list[float | None] = []
    ys: list[float | None] = []
    shapes: list[dict[str, Any]] = []
    rows = -(-n // columns)
    for k, event in enumerate(hits):
        left, low = (k % columns) * (channels + 3), (rows - 1 - k // columns) * (layers + 2)
        layer, channel = np.nonzero(event)
        xs += [*(left + channel + 0.5).tolist(), None]
        ys += [*(low + layer + 0.5).tolist(), None]
        shapes += [
            {
                "type": "rect", "x0": left, "x1": left + channels, "y0": low, "y1": low + layers, "layer": "below",
                "line": {"width": 1, "color": palette.role("grid", dark)}, "fillcolor": palette.role("panel", dark),
            }
        ]  # fmt: skip
    side = {"symbol": "square", "size": 5, "color": palette.role(role, dark)}
    figure = go.Figure(go.Scatter(x=xs, y=ys, mode="markers", marker=side, hoverinfo="skip", showlegend=False))
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    return figure.update_layout(
        palette.layout(dark, height, shapes=shapes, margin={"l": 4, "r": 4, "t": 4, "b": 4}, xaxis=hidden, yaxis=hidden)
    )


def event(hits: Array, world: World, tracks: Array | None = None, dark: bool = False, height: int = 360) -> go.Figure:
    """One event; true tracks (k, 3) as lines where they are known."""
    layer, channel = np.nonzero(hits)
    figure = go.Figure()
    side = {"symbol": "square", "size": 11, "color": palette.role("observed" if tracks is not None else "generated", dark)}
    figure.add_scatter(x=channel, y=layer, mode="markers", marker=side, name="hits")
    if tracks is not None:
        known = tracks[np.isfinite(tracks[:, 0])]
        for k, way in enumerate(positions(world, known)):
            figure.add_scatter(
                x=way - 0.5, y=np.arange(world.layers), mode="lines", line={"color": palette.role("control", dark), "width": 1.5},
                name="true tracks", showlegend=k == 0,
            )  # fmt: skip
    axes = {
        "xaxis": {"title": "channel", "range": [-0.6, world.channels - 0.4]},
        "yaxis": {"title": "layer", "range": [-0.6, world.layers - 0.4]},
    }
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def correlations(hits: Array, name: str = "generated", dark: bool = False, height: int = 360, limit: float = 0.3) -> go.Figure:
    """The correlation matrix of all channels, layer by layer, without its diagonal; one scale for all sets."""
    matrix = measure.correlations(hits)
    np.fill_diagonal(matrix, np.nan)
    figure = go.Figure(
        go.Heatmap(
            z=matrix.round(3), zmin=-limit, zmax=limit, colorscale=palette.diverging(dark),
            colorbar={"thickness": 10, "outlinewidth": 0, "title": {"text": "r"}},
            hovertemplate="channels %{x} and %{y}: %{z:.2f}<extra></extra>",
        )
    )  # fmt: skip
    width = hits.shape[2]
    ticks = {"tickvals": [(k + 0.5) * width for k in range(hits.shape[1])], "ticktext": list(range(hits.shape[1]))}
    axes = {
        "xaxis": {"title": "layer", "constrain": "domain", **ticks},
        "yaxis": {"title": "layer", "autorange": "reversed", "scaleanchor": "x", **ticks},
    }
    title = {"text": SETS.get(name, TITLES.get(name, name)), "font": {"size": 14}}
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, title=title, **axes))


def multiplicity(hits: Array, truth: Array, dark: bool = False, height: int = 320) -> go.Figure:
    """How many hits events have."""
    figure = go.Figure()
    top = int(max(hits.sum((1, 2)).max(), truth.sum((1, 2)).max())) + 2
    for name, some, role in (("truth", truth, "observed"), ("generated", hits, "generated")):
        share = np.bincount(some.sum((1, 2)), minlength=top) / len(some)
        figure.add_scatter(
            x=np.arange(top), y=share, mode="lines", line={"shape": "hvh", "color": palette.role(role, dark)}, name=name
        )
    axes = {"xaxis": {"title": "hits an event"}, "yaxis": {"title": "share of events", "rangemode": "tozero"}}
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def occupancy(hits: Array, truth: Array, layer: int, dark: bool = False, height: int = 320) -> go.Figure:
    """How often the channels of a layer fire."""
    figure = go.Figure()
    for name, some, role in (("truth", truth, "observed"), ("generated", hits, "generated")):
        share = observables.occupancy(some)[layer]
        figure.add_scatter(
            x=np.arange(len(share)), y=share, mode="lines+markers", line={"color": palette.role(role, dark)}, name=name
        )
    axes = {"xaxis": {"title": f"channel of layer {layer}"}, "yaxis": {"title": "share of events", "rangemode": "tozero"}}
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def pareto(found: list[Point], now: Point | None = None, dark: bool = False, height: int = 420) -> go.Figure:
    """AUC against events a second; those that no other beats on both are joined; `now` is what was just measured."""
    figure = go.Figure()
    best = front(found)
    line = {"color": palette.role("control", dark), "dash": "dot", "width": 1.5}
    figure.add_scatter(
        x=[p.per_second for p in best], y=[p.auc for p in best], mode="lines", line=line, name="none is better in both"
    )
    for kind, colour in zip(dict.fromkeys(p.kind for p in found), palette.categories(6, dark), strict=False):
        own = [p for p in found if p.kind == kind]
        bars = {"type": "data", "array": [p.auc_high - p.auc for p in own], "arrayminus": [p.auc - p.auc_low for p in own]}
        figure.add_scatter(
            x=[p.per_second for p in own], y=[p.auc for p in own], mode="markers", name=TITLES.get(kind, kind),
            error_y={**bars, "thickness": 1, "width": 3}, marker={"size": 9, "color": colour}, text=[p.name for p in own],
            hovertemplate="%{text}<br>%{x:,.0f} events a second<br>AUC %{y:.3f}<extra></extra>",
        )  # fmt: skip
    if now is not None:
        star = {"symbol": "star", "size": 15, "color": palette.role("generated", dark)}
        figure.add_scatter(x=[now.per_second], y=[now.auc], mode="markers", marker=star, name="measured here")
    figure.add_hline(y=0.5, line=line, annotation={"text": "not to be told from the truth", "font": {"size": 11}})
    axes = {
        "xaxis": {"title": "events a second, one thread", "type": "log"},
        "yaxis": {"title": "told from the truth (AUC)", "range": [0.48, 1.01]},
    }
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def steps(
    card: Mapping[str, Any],
    now: int | None = None,
    numbers: Mapping[str, Any] | None = None,
    dark: bool = False,
    height: int = 460,
) -> go.Figure:
    """What K costs and buys, as a card tells it: classifiers, correlations and speed, floors dotted; a star for the `numbers`
    measured at `now` steps."""
    from plotly.subplots import make_subplots

    shown = (
        ("auc_features", "told by features (AUC)"), ("auc_cnn", "told by a network (AUC)"),
        ("corr_error", "correlations off"), ("events_per_second", "events a second"),
    )  # fmt: skip
    rows, floors = card["curve"], card.get("curve_floor") or {}
    figure = make_subplots(2, 2, vertical_spacing=0.2, horizontal_spacing=0.1, shared_xaxes=False)
    for k, (name, title) in enumerate(shown):
        at = {"row": k // 2 + 1, "col": k % 2 + 1}
        x, y = [row["steps"] for row in rows], [row[name] for row in rows]
        line = {"color": palette.role("predicted", dark), "width": 2}
        ends = [(row.get(f"{name}_high", row[name]), row.get(f"{name}_low", row[name])) for row in rows]
        bars = {"array": [high - v for (high, _), v in zip(ends, y, strict=True)], "thickness": 1, "width": 3}
        bars["arrayminus"] = [v - low for (_, low), v in zip(ends, y, strict=True)]
        figure.add_scatter(x=x, y=y, error_y=bars, mode="lines+markers", line=line, showlegend=False, **at)
        if now is not None and (numbers or {}).get(name) is not None:
            dot = {"symbol": "star", "size": 13, "color": palette.role("generated", dark)}
            figure.add_scatter(x=[now], y=[(numbers or {})[name]], mode="markers", marker=dot, showlegend=False, **at)
        if name in floors and name != "events_per_second":
            line = {"color": palette.role("control", dark), "dash": "dot", "width": 1.5}
            figure.add_hline(y=floors[name], line=line, **at)
        figure.update_xaxes(type="log", title="steps K", tickvals=x, **at)
        figure.update_yaxes(title=title, **({"type": "log", "dtick": 1} if name == "events_per_second" else {}), **at)
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN))


def published(own: tuple[float, float] | None = None, dark: bool = False, height: int = 320) -> go.Figure:
    """What distillation gained in published calorimeters: times faster, for how much AUC; `own` is that of the student."""
    figure = go.Figure()
    for one, colour in zip(PUBLISHED, palette.categories(len(PUBLISHED), dark), strict=True):
        if one.auc_more is None:
            continue
        figure.add_scatter(
            x=list(one.faster), y=[one.auc_more] * 2, mode="lines+markers", name=f"{one.name} ({one.source})",
            line={"color": colour, "width": 3}, marker={"size": 8},
        )  # fmt: skip
    if own is not None:
        star = {"symbol": "star", "size": 14, "color": palette.role("generated", dark)}
        figure.add_scatter(x=[own[0]], y=[own[1]], mode="markers", marker=star, name="student of this transformer")
    axes = {"xaxis": {"title": "times faster", "type": "log"}, "yaxis": {"title": "AUC given up", "rangemode": "tozero"}}
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def likelihoods(made: Scored, dark: bool = False, height: int = 340) -> go.Figure:
    """Log-likelihoods of usual and of unusual events."""
    figure = go.Figure()
    low, high = (f(float(f(v)) for v in made.values.values()) for f in (min, max))
    edges = np.linspace(low, high, 60)
    looks = iter(("solid", "dash", "dot"))
    for name, values in made.values.items():
        share = np.histogram(values, edges)[0] / len(values)
        usual = name == "usual"
        line = {"color": palette.role("observed" if usual else "warning", dark), "dash": "solid" if usual else next(looks)}
        figure.add_scatter(
            x=(edges[1:] + edges[:-1]) / 2,
            y=share,
            mode="lines",
            line={"shape": "hvh", **line},
            name=words(name),
        )
    axes = {"xaxis": {"title": "log-likelihood (nats)"}, "yaxis": {"title": "share of events", "rangemode": "tozero"}}
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, **axes))


def inpainted(made: Inpainted, dark: bool = False, height: int = 360) -> go.Figure:
    """How often each channel of the region fired when it was drawn anew, under what was there."""
    chance = np.where(made.region, made.hits.mean(0), np.nan)
    figure = go.Figure(
        go.Heatmap(
            z=chance, zmin=0, zmax=1, colorscale=palette.SEQUENTIAL,
            colorbar={"thickness": 10, "outlinewidth": 0, "title": {"text": "share"}},
        )
    )  # fmt: skip
    layer, channel = np.nonzero(made.event)
    side = {"symbol": "square-open", "size": 11, "color": palette.role("observed", dark), "line": {"width": 2}}
    figure.add_scatter(x=channel, y=layer, mode="markers", marker=side, name="observed", showlegend=True)
    return figure.update_layout(palette.layout(dark, height, margin=MARGIN, xaxis={"title": "channel"}, yaxis={"title": "layer"}))
