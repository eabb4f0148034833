"""A family's map as a figure: a landscape beneath, its naturals, and what was drawn, clicked or given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins.atlas import Atlas
from gen_core.proteins.decode import STRANGE, Decoded
from gen_core.proteins.landscape import LANDSCAPES, Colouring, colouring, landscape, naturals_of
from gen_core.proteins.model import posterior
from gen_core.proteins.recipe import Region, Spot
from gen_core.proteins.sample import Drawn
from gen_core.proteins.score import Scored
from gen_core.proteins.viability import Viability

Array = np.ndarray
SHOWN, MOST = 1_000, 6_000  # samples, naturals drawn on a map
LABELS = "labels"  # the colouring by assay values
GROUND = 0.45  # opacity of a landscape: points lie on it
FADED = 0.62  # how much paper lies over a landscape where no natural is


@dataclass(frozen=True, eq=False)
class Marks:
    """What lies on the map beside its naturals: samples (n, k) of which `kept` (n,) passed the filters, a spot z (k,), a
    region (v, 2), a path of latent points (s, k), given sequences (m, k) with their names, naturals (r,) that were found,
    labelled sequences (m, k) with their values (m,)."""

    samples: Array | None = None
    kept: Array | None = None
    spot: Array | None = None
    region: Array | None = None
    path: Array | None = None
    given: Array | None = None
    names: Sequence[str] = ()
    found: Array | None = None
    labelled: tuple[Array, Array] | None = None


def marks_of(content: Drawn | Scored | Decoded) -> Marks:
    """What the result of a recipe puts on the map."""
    if isinstance(content, Scored):
        means, _ = posterior(content.model.net, content.codes)
        return Marks(given=means, names=[str(name) for name in content.names])
    if isinstance(content, Decoded):
        if len(content.z) == 1:
            return Marks(spot=content.z[0])
        return Marks(given=content.z, names=[f"point {i}" for i in range(1, len(content.z) + 1)])
    around, z = content.recipe.around, content.draw.z
    path = z[np.flatnonzero(np.diff(content.draw.steps, prepend=-1))] if content.recipe.path is not None else None
    return Marks(
        samples=z,
        kept=content.kept,
        spot=np.array(around.z) if isinstance(around, Spot) else None,
        region=np.array(around.region) if isinstance(around, Region) else None,
        path=path,
    )


def with_found(marks: Marks, found: Array) -> Marks:
    """The same with some naturals ringed."""
    return replace(marks, found=found)


def with_labelled(marks: Marks, learned: Viability) -> Marks:
    """The same with the labelled sequences and their assay values."""
    return replace(marks, labelled=(learned.inputs.latent, learned.labelled.values))


def family_map(
    atlas: Atlas, marks: Marks, colour: str | None = None, ground: str | None = None, dark: bool = False, height: int = 480
) -> go.Figure:
    """The naturals on their map, coloured by `colour`, or, where they are not, over the landscape `ground`."""
    figure = go.Figure()
    if ground is not None and colour is None:  # one scale of colours at a time
        _ground(figure, atlas, ground, dark)
    if colour == LABELS:
        _labelled(figure, atlas, marks, dark)
    else:
        _naturals(figure, atlas, None if colour is None else colouring(atlas, colour), dark)
    if marks.samples is not None:
        _samples(figure, atlas, marks, dark)
    if marks.found is not None and len(marks.found):
        ring = {"symbol": "circle-open", "size": 9, "color": palette.role("text", dark), "line": {"width": 1.5}}
        _marks(figure, atlas.places[marks.found], ring, "found")
    if marks.region is not None:
        _region(figure, marks.region, dark)
    if marks.path is not None:
        places = atlas.place(marks.path)
        line = {"color": palette.role("accent", dark), "width": 3}
        figure.add_scatter(x=places[:, 0], y=places[:, 1], mode="lines", line=line, hoverinfo="skip", name="path")
        for place, symbol in zip(places[[0, -1]], ("circle", "diamond"), strict=True):
            _mark(figure, place, symbol, 11, palette.role("accent", dark), dark)
    if marks.given is not None and len(marks.given):
        _given(figure, atlas, marks, dark)
    if marks.spot is not None:
        strange = float(atlas.percentile(marks.spot[None])[0]) > STRANGE
        colour_ = palette.role("warning" if strange else "accent", dark)
        _mark(figure, atlas.place(marks.spot[None])[0], "circle-open", 22, colour_, dark)
    layout = palette.layout(dark, height, dragmode="lasso", margin={"l": 44, "r": 8, "t": 34, "b": 44})
    layout |= {"uirevision": f"map{atlas.model.card.get('sha256')}", "selections": []}
    layout["selectionrevision"] = str((marks.region, marks.spot))  # a lasso is drawn by the recipe that it made
    still = {"marker": {"opacity": 0.85}}
    figure.update_traces(selected=still, unselected=still, selector={"type": "scatter", "mode": "markers"})
    layout["legend"] = {"itemsizing": "constant", "font": {"size": 12}}
    figure.update_layout(layout)
    bare = {"showgrid": False, "showline": False, "zeroline": False, "nticks": 7}
    figure.update_xaxes(title=atlas.title(0), **bare)
    figure.update_yaxes(title=atlas.title(1), **bare)
    return figure


def _ground(figure: go.Figure, atlas: Atlas, kind: str, dark: bool) -> None:
    """The landscape, under a veil of paper where no natural lies."""
    found = landscape(atlas, kind)
    low, high = np.percentile(found.values, [2, 98])
    figure.add_heatmap(
        x=found.x,
        y=found.y,
        z=found.values,
        zmin=float(low),
        zmax=float(high),
        zsmooth="best",
        opacity=GROUND,
        reversescale=kind == "energy",  # a low energy is likely: bright is likely in each of them
        colorscale=palette.CIVIDIS,
        hoverinfo="skip",
        colorbar=_bar(LANDSCAPES[kind]),
        name=LANDSCAPES[kind],
    )
    paper = palette.role("paper", dark)
    red, green, blue = (int(paper[i : i + 2], 16) for i in (1, 3, 5))
    veil = [[0, f"rgba({red},{green},{blue},0)"], [1, f"rgba({red},{green},{blue},{FADED})"]]
    figure.add_heatmap(
        x=found.x,
        y=found.y,
        z=np.clip((found.percentile - 80) / 20, 0, 1).astype(np.float32),
        zmin=0,
        zmax=1,
        zsmooth="best",
        colorscale=veil,
        showscale=False,
        hoverinfo="skip",
        name="veil",
    )


def _bar(title: str) -> dict[str, Any]:
    text = {"text": title, "side": "right", "font": {"size": 12}}
    return {"title": text, "thickness": 8, "outlinewidth": 0, "len": 1, "nticks": 6, "tickfont": {"size": 11}}


def _naturals(figure: go.Figure, atlas: Atlas, by: Colouring | None, dark: bool) -> None:
    """One point a natural; of very many a seeded part."""
    known = naturals_of(atlas.model)
    names = None if known is None else np.array([palette.label(name, 40) for name in known.names])
    some = np.arange(len(atlas.places))
    if len(some) > MOST:
        some = np.sort(np.random.default_rng(0).choice(len(some), MOST, replace=False))
    if by is not None and by.words:
        words, counts = np.unique(by.values, return_counts=True)
        order = sorted(zip(words.tolist(), counts.tolist(), strict=True), key=lambda pair: (pair[0] == "other", -pair[1]))
        colours = iter(palette.categories(len(words), dark))
        for i, (word, _) in enumerate(order):
            rows = some[by.values[some] == word]
            grey = word == "other"
            colour = palette.role("control", dark) if grey else next(colours)
            figure.add_scatter(**_cloud(atlas, rows, names, {"color": colour}, palette.label(word), i < 12, dark))
        return
    marker: dict[str, Any] = {"color": palette.role("observed", dark)}
    told = ""
    if by is not None:
        low, high = np.percentile(by.values, [1, 99])
        marker = {"color": by.values[some], "colorscale": palette.SEQUENTIAL, "cmin": float(low), "cmax": float(high)}
        marker["colorbar"] = _bar(by.title)
        told = f"{by.title}: %{{marker.color:.4g}}"
    figure.add_scatter(**_cloud(atlas, some, names, marker, "naturals", True, dark, told))


def _cloud(
    atlas: Atlas, rows: Array, names: Array | None, marker: dict[str, Any], name: str, legend: bool, dark: bool, told: str = ""
) -> dict[str, Any]:
    places = atlas.places[rows].astype(np.float32)
    words = [name] if name != "naturals" else []
    template = "<br>".join(filter(None, ["%{customdata}" if names is not None else "", told, *words]))
    return {
        "x": places[:, 0],
        "y": places[:, 1],
        "mode": "markers",
        "name": name,
        "showlegend": legend,
        "customdata": None if names is None else names[rows],
        "marker": marker | {"size": 6, "opacity": 0.85, "line": {"width": 0.7, "color": palette.role("paper", dark)}},
        "hovertemplate": template + "<extra></extra>" if template else None,
        "hoverinfo": None if template else "none",
    }


def _samples(figure: go.Figure, atlas: Atlas, marks: Marks, dark: bool) -> None:
    """The samples that passed the filters in full, the others as rings."""
    assert marks.samples is not None
    kept = np.ones(len(marks.samples), bool) if marks.kept is None else marks.kept
    places = atlas.place(marks.samples).astype(np.float32)
    for rows, name, symbol, size in ((~kept, "filtered out", "circle-open", 4), (kept, "samples kept", "circle", 5)):
        some = np.flatnonzero(rows)[:SHOWN]
        if len(some):
            look = {"symbol": symbol, "size": size, "color": palette.role("predicted", dark), "opacity": 0.85}
            if symbol == "circle":
                look["line"] = {"width": 0.7, "color": palette.role("paper", dark)}
            x, y = places[some].T
            figure.add_scatter(x=x, y=y, mode="markers", name=name, marker=look, hoverinfo="skip")


def _labelled(figure: go.Figure, atlas: Atlas, marks: Marks, dark: bool) -> None:
    """The naturals in grey, and on them the labelled sequences by their values."""
    grey = {"color": palette.role("control", dark), "size": 4, "opacity": 0.35}
    x, y = atlas.places[:MOST].astype(np.float32).T
    figure.add_scatter(x=x, y=y, mode="markers", name="naturals", marker=grey, hoverinfo="none")
    if marks.labelled is None:
        return
    z, values = marks.labelled
    order = np.argsort(values, kind="stable")  # the highest on top
    x, y = atlas.place(z[order]).astype(np.float32).T
    low, high = np.percentile(values, [1, 99])
    marker = {"color": values[order], "colorscale": palette.SEQUENTIAL, "cmin": float(low), "cmax": float(high), "size": 6}
    marker |= {"colorbar": _bar("Assay value"), "line": {"width": 0.7, "color": palette.role("paper", dark)}}
    figure.add_scatter(
        x=x, y=y, mode="markers", name="labelled", marker=marker, hovertemplate="assay %{marker.color:.4g}<extra></extra>"
    )


def _given(figure: go.Figure, atlas: Atlas, marks: Marks, dark: bool) -> None:
    assert marks.given is not None
    places = atlas.place(marks.given).astype(np.float32)
    figure.add_scatter(
        x=places[:, 0],
        y=places[:, 1],
        mode="markers",
        name="sequences",
        customdata=[palette.label(name, 40) for name in marks.names],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"symbol": "diamond", "size": 8, "color": palette.role("text", dark)},
    )


def _region(figure: go.Figure, outline: Array, dark: bool) -> None:
    closed = np.concatenate([outline, outline[:1]])
    for wide, shade in ((5, palette.role("paper", dark)), (2.5, palette.role("accent", dark))):
        figure.add_scatter(
            x=closed[:, 0],
            y=closed[:, 1],
            mode="lines",
            line={"color": shade, "width": wide},
            hoverinfo="skip",
            showlegend=False,
        )


def _mark(figure: go.Figure, place: Array, symbol: str, size: int, colour: str, dark: bool) -> None:
    """One place with a rim of paper, which sets it off from what lies below."""
    for wide, shade in ((7, palette.role("paper", dark)), (3.5, colour)):
        _marks(figure, place[None], {"symbol": symbol, "size": size, "color": shade, "line": {"width": wide, "color": shade}}, "")


def _marks(figure: go.Figure, places: Array, marker: dict[str, Any], name: str) -> None:
    """Places that are seen and not touched: a click goes to the map behind them."""
    x, y = places.T
    figure.add_scatter(x=x, y=y, mode="markers", name=name, marker=marker, hoverinfo="skip", showlegend=bool(name))
