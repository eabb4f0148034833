"""All images of a slice side by side in one figure, so that zooming into one zooms into all; scores stand below each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography import plots
from gen_core.tomography.subject import Subject

Array = np.ndarray
GAP, TITLE, SCORES = 10, 24, 20  # pixels between two images, above and below each
ROOM = 52  # pixels at the right, for the scale of colours


@dataclass(frozen=True)
class Tile:
    """One image of a mosaic: values (size, size) or None where they are still to come, the line below it, and whether it is
    still the one of before; a `scale` of its own where it is of another kind than the rest."""

    name: str
    values: Array | None
    below: str = ""
    waiting: bool = False
    scale: Scale | None = None
    title: str = ""

    @property
    def titled(self) -> str:
        """What stands above it."""
        return self.title or plots.titled(self.name)


@dataclass(frozen=True)
class Scale:
    """How values become colours, the same in every image."""

    colours: Any
    low: float
    high: float
    unit: str
    title: str = ""


@dataclass(frozen=True)
class Mark:
    """A place on every image, in its own unit of length: the clicked row, or the lesion that was put in."""

    y: float | None = None
    circle: tuple[float, float, float] | None = None  # x, y, radius


NO_MARK = Mark()


def columns_of(count: int) -> int:
    """How many images stand in a row."""
    return count if count <= 3 else 3 if count <= 6 else 4


def grey(level: float, width: float, unit: str) -> Scale:
    """The grey window of CT."""
    return Scale(plots.GREY, level - width / 2, level + width / 2, unit)


def centred(limit: float, unit: str, dark: bool) -> Scale:
    """Purple below zero, orange above."""
    return Scale(palette.diverging(dark), -limit, limit, unit)


def sequential(values: Sequence[Array], unit: str) -> Scale:
    """From 0 to what nearly all values stay below."""
    top = max((float(np.quantile(one, 0.999)) for one in values), default=1.0)
    return Scale(palette.SEQUENTIAL, 0.0, top or 1.0, unit)


def whole(values: Sequence[Array], unit: str) -> Scale:
    """Grey over the range of the first image, which is the truth where there is one."""
    if not values:
        return Scale(plots.GREY, 0.0, 1.0, unit)
    low, high = (float(q) for q in np.quantile(values[0], (0.001, 0.999)))
    return Scale(plots.GREY, low, max(high, low + 1e-9), unit)


def rounded(value: float) -> str:
    """Three digits, without an exponent where it can be read."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def mosaic(
    tiles: Sequence[Tile],
    subject: Subject,
    scale: Scale,
    mark: Mark = NO_MARK,
    dark: bool = False,
    side: int = 232,
    across: int | None = None,
) -> go.Figure:
    """The images in rows, `side` pixels wide on the screen; in a corner that is left free the data, hatched where a direction
    was not measured."""
    from plotly.subplots import make_subplots

    pixel = subject.pixel
    across = across or columns_of(len(tiles))
    down = -(-len(tiles) // across)
    height = down * (side + TITLE + SCORES) + (down - 1) * GAP
    figure = make_subplots(
        down, across, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.012,
        vertical_spacing=(TITLE + SCORES + GAP) / max(height - TITLE - SCORES, 1) if down > 1 else 0.0,
    )  # fmt: skip
    length = "mm" if pixel else "pixels"
    fit = {
        "across": across,
        "down": down,
        "beside": ROOM + 2 + 8 * across,
        "around": TITLE + SCORES + GAP,
        "least": 150,
        "most": 330,
    }
    for i, tile in enumerate(tiles):
        if tile.scale is not None:
            low, high = tile.scale.low, tile.scale.high
            figure.update_layout(coloraxis2={"colorscale": tile.scale.colours, "cmin": low, "cmax": high, "showscale": False})
        row, column = i // across + 1, i % across + 1
        _draw(figure, tile, row, column, pixel, scale, length)
        _words(figure, tile, i, dark)
        _marks(figure, mark, row, column, dark)
    figure.update_xaxes(showgrid=False, constrain="domain", showticklabels=False, ticks="", showline=False)
    figure.update_yaxes(showgrid=False, constrain="domain", showticklabels=False, ticks="", showline=False)
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    if len(tiles) % across:
        _data(figure, subject, len(tiles) // across + 1, len(tiles) % across + 1, len(tiles), dark)
    figure.update_layout(
        palette.layout(
            dark, height, uirevision="mosaic", meta={"tiles": fit}, dragmode="zoom",
            margin={"l": 2, "r": ROOM, "t": TITLE, "b": SCORES},
            coloraxis={
                "colorscale": scale.colours, "cmin": scale.low, "cmax": scale.high,
                "colorbar": {
                    "thickness": 10, "outlinewidth": 0, "len": 1, "xpad": 4, "tickfont": {"size": 11},
                    "title": {"text": scale.unit, "font": {"size": 12}},
                },
            },
        )
    )  # fmt: skip
    return figure


def _draw(figure: go.Figure, tile: Tile, row: int, column: int, pixel: float | None, scale: Scale, length: str) -> None:
    if tile.values is None:
        figure.add_scatter(x=[None], y=[None], row=row, col=column, showlegend=False, hoverinfo="skip")
        return
    size = len(tile.values)
    step = (np.arange(size) - (size - 1) / 2) * (pixel or 1.0)
    used = tile.scale or scale
    fine = used.high - used.low > 200  # Hounsfield units: whole numbers are finer than the eye, and half as much to send
    values = np.clip(np.round(tile.values), -32767, 32767).astype(np.int16) if fine else tile.values.astype(np.float32)
    figure.add_heatmap(
        z=values, x0=step[0], dx=step[1] - step[0], y0=-step[0], dy=step[0] - step[1],
        coloraxis="coloraxis" if tile.scale is None else "coloraxis2",
        opacity=0.35 if tile.waiting else 1, row=row, col=column, name=tile.titled,
        hovertemplate=f"%{{x:.0f}}, %{{y:.0f}} {length}<br>%{{z:.4g}} {used.unit}<extra>{tile.titled}</extra>",
    )  # fmt: skip


def _data(figure: go.Figure, subject: Subject, row: int, column: int, place: int, dark: bool) -> None:
    """The sinogram, which has axes of its own."""
    views = plots.views_of(subject)
    name = f"{place + 1}"
    figure.add_heatmap(
        z=subject.problem.data[views.order].astype(np.float32), x=views.places, y=views.angles, colorscale=plots.GREY, zmin=0,
        zmax=float(np.quantile(subject.problem.data, 0.999)), showscale=False, row=row, col=column,
        hovertemplate="%{x:.0f} " + views.length + ", %{y:.1f}°<extra>Data</extra>",
    )  # fmt: skip
    if views.missing:
        figure.add_trace(plots.hatch(views, dark), row=row, col=column)
    top = max(views.last, views.end)
    figure.update_xaxes(matches=None, range=[views.places[0], views.places[-1]], row=row, col=column)
    square = abs(views.places[-1] - views.places[0]) / (top - views.begin)  # as the images are
    figure.update_yaxes(matches=None, scaleanchor=f"x{name}", scaleratio=square, range=[top, views.begin], row=row, col=column)
    # in the data's own places: the domain of an axis whose range was shrunk is not always the one that is drawn
    about: dict[str, Any] = {"xref": f"x{name}", "yref": f"y{name}", "x": float(views.places[0]), "xanchor": "left"}
    figure.add_annotation(
        text="<b>Data</b>",
        y=views.begin,
        yanchor="bottom",
        yshift=1,
        font={"size": 13, "color": palette.role("observed", dark)},
        **about,
    )
    count = len(views.angles)
    said = f"{count:,} view{'s' * (count != 1)}, {views.end - views.begin + views.step:.0f}°"
    said += "; hatched: not measured" if views.missing else ""
    figure.add_annotation(text=said, y=top, yanchor="top", yshift=-1, font={"size": 12}, **about)


def _words(figure: go.Figure, tile: Tile, place: int, dark: bool) -> None:
    axes = f"{place + 1 if place else ''}"
    about: dict[str, Any] = {"xref": f"x{axes} domain", "yref": f"y{axes} domain", "x": 0, "xanchor": "left", "showarrow": False}
    colour = palette.role(plots.ROLES.get(tile.name, "predicted"), dark)
    figure.add_annotation(
        text=f"<b>{tile.titled}</b>", y=1, yanchor="bottom", font={"size": 13, "color": colour}, yshift=1, **about
    )
    text = "being computed …" if tile.waiting or tile.values is None else tile.below
    figure.add_annotation(text=text, y=0, yanchor="top", font={"size": 12}, yshift=-1, **about)


def _marks(figure: go.Figure, mark: Mark, row: int, column: int, dark: bool) -> None:
    if mark.circle is not None:
        x, y, radius = mark.circle
        turn = np.linspace(0, 2 * np.pi, 49)
        figure.add_scatter(
            x=x + 1.5 * radius * np.cos(turn), y=y + 1.5 * radius * np.sin(turn), mode="lines", hoverinfo="skip",
            line={"color": palette.role("accent", True), "width": 1.2}, row=row, col=column, showlegend=False,
        )  # fmt: skip
    if mark.y is not None:
        figure.add_hline(y=mark.y, line={"color": palette.role("accent", True), "width": 1, "dash": "dot"}, row=row, col=column)


def scores(numbers: Mapping[str, Any]) -> str:
    """The line below an image."""
    told = []
    if numbers.get("psnr") is not None:
        told += [f"{numbers['psnr']:.1f} dB", f"SSIM {numbers['ssim']:.2f}"]
    residual = numbers.get("data_residual")
    if residual is not None and np.isfinite(residual):
        told.append(f"residual {residual:.2g}" if residual < 9.95 else f"residual {residual:.0f}")
    return " · ".join(told)
