"""Pictures and figures of results, for the page and for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gen_core import palette
from gen_core.images.files import address, png

if TYPE_CHECKING:
    from gen_core.images.interpolate import Path
    from gen_core.images.statistics import Layer

Array = np.ndarray
NAMES = {"lerp": "Straight (lerp)", "slerp": "Along the sphere (slerp)"}
ROLES = {"lerp": "control", "slerp": "predicted"}


def strip(images: Array) -> bytes:
    """Frames (n, h, w, 3) side by side, without a gap, as PNG: what a player cuts its frames from."""
    n, high, wide, _ = images.shape
    return png(images.transpose(1, 0, 2, 3).reshape(high, n * wide, 3))


def large(image: Array, scale: int) -> str:
    """A picture (h, w, 3) with every pixel repeated, sharp however it is shown, as an address that holds the picture itself.

    A server that keeps it for a page may have dropped it, a move of a control later, before the browser asks.
    """
    return address(png(image, scale))


def signed(residual: Array) -> Array:
    """A difference (h, w, 3) as a picture: its mean over the channels, purple below zero, orange above, 0.25 at full colour."""
    value = np.clip(residual.mean(2) / 0.25, -1, 1)
    low, middle, high = (np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in ("#542788", "#f7f7f7", "#b35806"))
    share = np.abs(value)[..., None]
    return np.asarray(middle * (1 - share) + np.where(value[..., None] < 0, low, high) * share)


def table(rows: Sequence[Array], columns: Sequence[Array], cells: Array, dark: bool = False, gap: int = 4) -> Array:
    """A mixing table as one picture in [0, 1]: the pictures of structure down the left, those of style along the top.

    cells (len(rows) * len(columns), h, w, 3), row by row; a wider gap sets the headings apart.
    """
    high, wide = cells.shape[1:3]
    paper = palette.role("paper", dark)
    colour = np.array([int(paper[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    down = [0, *(high + 3 * gap + i * (high + gap) for i in range(len(rows)))]
    across = [0, *(wide + 3 * gap + i * (wide + gap) for i in range(len(columns)))]
    made = np.broadcast_to(colour, (down[-1] + high, across[-1] + wide, 3)).copy()
    for i, image in enumerate(rows):
        made[down[i + 1] : down[i + 1] + high, :wide] = image
    for j, image in enumerate(columns):
        made[:high, across[j + 1] : across[j + 1] + wide] = image
    for k, image in enumerate(cells):
        i, j = divmod(k, len(columns))
        made[down[i + 1] : down[i + 1] + high, across[j + 1] : across[j + 1] + wide] = image
    return made


def norms(paths: Mapping[str, Path], dark: bool = False, height: int = 260) -> go.Figure:
    """How long the latent vectors on each way are, over the usual length: a straight way cuts through where nothing lies."""
    figure = go.Figure()
    for name, path in paths.items():
        line = {"color": palette.role(ROLES[name], dark), "width": 2}
        figure.add_scatter(x=path.at, y=path.norm, name=NAMES[name], mode="lines", line=line)
    figure.add_hline(y=1, line={"color": palette.role("grid", dark), "dash": "dot"})
    figure.update_layout(palette.layout(dark, height, uirevision="norms"))
    figure.update_xaxes(title="Place on the way")
    figure.update_yaxes(title="Length of the code / usual", rangemode="tozero")
    return figure


def changes(paths: Mapping[str, Path], dark: bool = False, height: int = 260) -> go.Figure:
    """How much the picture changes at each step of each way: level where the way has constant speed."""
    figure = go.Figure()
    for name, path in paths.items():
        steps = np.sqrt(np.square(np.diff(path.images, axis=0)).mean((1, 2, 3)))
        line = {"color": palette.role(ROLES[name], dark), "width": 2, "shape": "hvh"}
        figure.add_scatter(x=np.arange(1, len(steps) + 1), y=steps, name=NAMES[name], mode="lines", line=line)
    figure.update_layout(palette.layout(dark, height, uirevision="changes"))
    figure.update_xaxes(title="Step")
    figure.update_yaxes(title="Change of the picture (RMS, 0 to 1)", rangemode="tozero")
    return figure


def channels(layers: Sequence[Layer], names: Sequence[str], dark: bool = False, height: int = 280) -> go.Figure:
    """A strip a row: what each latent vector (named by `names`) gives the channels of each layer, mean above deviation.

    Where a group is switched, the row of the mix is that of the style; where it is not, that of the content.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.16)
    gap = 6  # columns left free between two layers
    for row, (what, scale) in enumerate((("mean", palette.diverging(dark)), ("deviation", palette.SEQUENTIAL)), 1):
        parts = [getattr(layer, what) for layer in layers]
        limit = float(np.quantile(np.abs(np.concatenate([p.ravel() for p in parts])), 0.98))
        blank = np.full((len(names), gap), np.nan)
        strip = np.concatenate([p for part in parts for p in (part, blank)][:-1], 1)
        low = -limit if what == "mean" else 0.0
        ticks = [round(v, 1) for v in (low, (low + limit) / 2, limit)]
        bar = {
            "len": 0.5,
            "y": 0.78 if row == 1 else 0.2,
            "thickness": 10,
            "tickvals": ticks,
            "title": {"text": what.capitalize()},
        }
        figure.add_heatmap(
            z=strip[::-1], y=list(names)[::-1], colorscale=scale, zmin=low, zmax=limit, colorbar=bar, hoverongaps=False,
            hovertemplate="%{y}, channel %{x}: %{z:.2f}<extra></extra>", row=row, col=1,
        )  # fmt: skip
    start, places, titles = 0, [], []
    for group in dict.fromkeys(layer.group for layer in layers):
        width = sum(layer.mean.shape[1] + gap for layer in layers if layer.group == group)
        places.append(start + (width - gap) / 2)
        titles.append(group.capitalize())
        start += width
    figure.update_layout(palette.layout(dark, height, uirevision="channels", margin={"l": 70, "t": 8, "b": 30}))
    figure.update_xaxes(showgrid=False, zeroline=False, tickvals=places, ticktext=titles, ticks="")
    figure.update_yaxes(showgrid=False, zeroline=False)
    return figure
