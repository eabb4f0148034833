"""Maps of cells on two components: for the page and for notebooks, observed blue, predicted orange, control grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.palette import label

if TYPE_CHECKING:
    from gen_core.cells.decode import Atlas
    from gen_core.cells.perturb import Prediction

Array = np.ndarray
ARROWS = 12  # types whose own response is drawn on a map
SHOWN = 1_500  # cells of one group drawn on a map


def spans(codes: Array, axes: tuple[int, int] = (0, 1)) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of two axes that hold all but the farthest few codes (n, k), with a margin; for maps that stay still."""
    found = []
    for axis in axes:
        low, high = np.quantile(codes[:, axis], [0.002, 0.998])
        margin = 0.12 * (high - low)
        found.append((float(low - margin), float(high + margin)))
    return found[0], found[1]


def cell_map(made: Prediction, dark: bool = False, height: int = 420) -> go.Figure:
    """The target's control, predicted and observed cells on two components, all other cells faint behind them."""
    study = made.study
    axes = study.map_axes
    grey = palette.role("control", dark)
    figure = go.Figure()

    def cloud(codes: Array, name: str, colour: str, symbol: str, size: float, opacity: float) -> None:
        codes = _some(codes)
        figure.add_scattergl(
            x=short(codes[:, axes[0]]),
            y=short(codes[:, axes[1]]),
            mode="markers",
            name=name,
            hoverinfo="skip",
            marker={"color": colour, "symbol": symbol, "size": size, "opacity": opacity},
        )

    others = np.flatnonzero(study.cell_type != study.target)
    cloud(study.places[others], "other types", grey, "circle", 3, 0.18)
    cloud(study.places[study.asked], study.start, grey, "circle", 5, 0.75)
    if len(made.observed):  # below the predicted cells and larger, so that both are seen where they lie on each other
        cloud(study.places[made.observed], "observed", palette.role("observed", dark), "diamond", 7, 0.55)
    cloud(made.places, "predicted", palette.role("predicted", dark), "circle", 4, 0.8 if made.off_manifold <= 95 else 0.35)
    _responses(figure, made, palette.role("control", dark))
    start, end = study.places[study.asked][:, axes].mean(0), made.places[:, axes].mean(0)
    _arrow(figure, start, end, spans(study.places, axes), palette.role("accent", dark))  # seen on the orange cloud
    middles = {study.target: np.median(study.places[study.asked][:, axes], axis=0)}
    middles |= {
        name: np.median(study.places[study.rows(name, False)][:, axes], axis=0) for name in study.sources if name != study.target
    }
    _names(figure, middles, study.places, axes, dark)
    _mark(figure, made.recipe.spot, dark)
    figure.update_layout(palette.layout(dark, height, uirevision=f"{study.recipe.data}{study.recipe.model}{axes}"))
    figure.update_xaxes(title=study.space.title(axes[0]))
    figure.update_yaxes(title=study.space.title(axes[1]))
    return figure


def atlas_map(
    atlas: Atlas,
    column: str | None,
    axes: tuple[int, int] = (0, 1),
    dark: bool = False,
    height: int = 420,
    spot: tuple[float, float] | None = None,
) -> go.Figure:
    """All cells of a file on two components, coloured and labelled by a column."""
    figure = go.Figure()
    codes = atlas.codes
    keys = atlas.obs[column].astype(str).to_numpy() if column else np.full(len(codes), "cells")
    names = sorted(set(keys))
    for name, colour in zip(names, palette.categories(len(names), dark), strict=True):
        own = codes[keys == name]
        figure.add_scattergl(
            x=short(own[:, axes[0]]),
            y=short(own[:, axes[1]]),
            mode="markers",
            name=label(name),
            hoverinfo="name",
            marker={"color": colour, "size": 5, "opacity": 0.75},
        )
    _names(figure, {name: np.median(codes[keys == name][:, axes], axis=0) for name in names if column}, codes, axes, dark)
    _mark(figure, spot, dark)
    legend = 1 < len(names) <= 12  # not every name finds a free place on the map
    figure.update_layout(palette.layout(dark, height, showlegend=legend, uirevision=f"atlas{column}"))
    figure.update_xaxes(title=atlas.space.title(axes[0]))
    figure.update_yaxes(title=atlas.space.title(axes[1]))
    return figure


def _responses(figure: go.Figure, made: Prediction, colour: str) -> None:
    """The response of each type that the shift may be taken from, as a thin arrow from the middle of its control cells."""
    study, axes = made.study, list(made.study.map_axes)
    ends = []
    for name in study.sources[:ARROWS]:
        middle = study.places[study.rows(name, False)].mean(0)
        ends += [middle[axes], (middle + study.latent_responses[name].at(made.folds.dose))[axes], [None, None]]
    x, y = zip(*ends, strict=True)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name="responses of types",
        hoverinfo="skip",
        showlegend=False,
        opacity=0.7,
        line={"color": colour, "width": 1.2},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 8, 0] * (len(ends) // 3), "color": colour},
    )


def _arrow(figure: go.Figure, start: Array, end: Array, within: tuple[tuple[float, float], ...], colour: str) -> None:
    """An arrow from start to end (2,), ended at the edge of the map where it would leave it; a dot at its end to hold it by.

    Plotly lets the tail of an arrow be dragged, not its head: so this one is drawn backwards.
    """
    room = [(high - a if b > a else low - a) / (b - a) for a, b, (low, high) in zip(start, end, within, strict=True) if b != a]
    end = start + (end - start) * min([1.0, *(max(r, 0.0) for r in room)])
    if np.hypot(*(end - start)) > 1e-6:
        figure.add_annotation(
            x=float(start[0]),
            y=float(start[1]),
            ax=float(end[0]),
            ay=float(end[1]),
            xref="x",
            yref="y",
            axref="x",
            ayref="y",
            showarrow=True,
            arrowside="start",
            startarrowhead=2,
            startstandoff=4,
            arrowwidth=2.5,
            arrowcolor=colour,
            text="⬤",
            font={"color": colour, "size": 12},
            borderpad=0,
        )


def dose_at(made: Prediction, end: tuple[float, float]) -> float:
    """The dose, in multiples of the shift, whose arrow on the map ends nearest to a place: what dragging the arrow asks for."""
    study, axes = made.study, list(made.study.map_axes)
    start = study.places[study.asked].mean(0)[axes]
    step = (made.places.mean(0)[axes] - start) / made.recipe.dose if made.recipe.dose else np.zeros(2)
    length = float(step @ step)
    return float((np.array(end) - start) @ step / length) if length > 1e-12 else made.recipe.dose


def _mark(figure: go.Figure, spot: tuple[float, float] | None, dark: bool) -> None:
    """A cross where the map was clicked."""
    if spot is not None:
        marker = {"symbol": "cross-thin", "size": 18, "line": {"width": 2.5, "color": palette.role("accent", dark)}}
        figure.add_scatter(
            x=[spot[0]], y=[spot[1]], mode="markers", name="clicked spot", marker=marker, hoverinfo="name", showlegend=False
        )


def _names(figure: go.Figure, places: dict[str, Array], codes: Array, axes: tuple[int, int], dark: bool) -> None:
    """A name at each place (x, y) of a map; one that would be written over another is left out."""
    (left, right), (low, high) = spans(codes, axes)
    written: list[Array] = []
    for name, place in places.items():
        if any(abs(place[0] - x) < 0.2 * (right - left) and abs(place[1] - y) < 0.05 * (high - low) for x, y in written):
            continue
        written.append(place)
        figure.add_annotation(
            x=float(place[0]),
            y=float(place[1]),
            text=label(name, 24),
            borderpad=1,
            font={"size": 11, "color": palette.role("text", dark)},
            bgcolor=palette.veil(dark),
        )


def _some(codes: Array) -> Array:
    """At most SHOWN rows, evenly spread, always the same ones."""
    return codes if len(codes) <= SHOWN else codes[np.linspace(0, len(codes) - 1, SHOWN).astype(int)]


def short(values: Any) -> Array:
    """float32: half the bytes to the browser, and finer than a screen."""
    return np.asarray(values, np.float32)
