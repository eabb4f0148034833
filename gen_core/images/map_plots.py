"""The map of a model's training pictures as a figure, for the page and for notebooks."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.images.files import address, eight_bit
from gen_core.images.render import FACTORS, NAMES, SIZE, Factor
from gen_core.images.space import STRANGE
from gen_core.memo import Memo

if TYPE_CHECKING:
    from gen_core.images.atlas import Atlas
    from gen_core.images.map import Mapped

Array = np.ndarray
FRAME = 4  # pixels of a thumbnail's frame, which has the colour of its picture's factor
GAP = 2  # pixels between thumbnails
SMALL = 48  # pixels of a thumbnail as it is sent
TOP = 0.3  # deviation of a pixel that is drawn in full colour
SHEETS = Memo(16 << 20, lambda sheet: len(sheet))


def spoken(name: str) -> str:
    """A factor's name in words, with its unit."""
    return titled(FACTORS[NAMES.index(name)])


def titled(factor: Factor) -> str:
    """What a factor is called, with its unit."""
    return factor.name.replace("_", " ").capitalize() + (f" ({factor.unit})" if factor.unit else "")


def colours(atlas: Atlas) -> list[str]:
    """The factors by which this map can be coloured; none of a user's own pictures."""
    return list(NAMES) if atlas.space.values.shape[1] == len(NAMES) else []


def spans(atlas: Atlas) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of both axes with a margin, in which empty spots can be clicked too."""
    low, high = atlas.places.min(0), atlas.places.max(0)
    margin = 0.06 * np.maximum(high - low, 1e-3)
    (left, bottom), (right, top) = low - margin, high + margin
    return (float(left), float(right)), (float(bottom), float(top))


def picture_map(
    made: Mapped, colour: str | None = None, thumbnails: bool = True, dark: bool = False, height: int = 460
) -> go.Figure:
    """The training pictures on their map as points and thumbnails, coloured by a known factor; the spot and the region asked for.

    A thumbnail stands in each cell of a lattice: the picture nearest to its middle. One unit is as long on both axes.
    """
    figure, atlas = go.Figure(), made.atlas
    scaled = factor_scale(atlas, colour)
    _points(figure, atlas, colour, scaled, thumbnails, dark)
    if thumbnails:
        _thumbnails(figure, atlas, colour, scaled)
    if made.outline is not None:
        _region(figure, made, dark)
    if made.shown is not None:
        _mark(figure, made.shown.place, "diamond", 15, palette.role("observed", dark), "the picture shown", dark)
    if made.spot is not None:
        for place in atlas.places[made.spot.nearest]:
            _mark(figure, place, "circle-open", 9, palette.role("text", dark), "nearest in the latent space", dark)
        usual = made.spot.percentile <= STRANGE
        _mark(figure, made.spot.place, "circle-open", 24, palette.role("accent" if usual else "warning", dark), "the spot", dark)
    layout = palette.layout(dark, height, showlegend=False, dragmode="lasso", margin={"l": 36, "r": 8, "t": 44, "b": 36})
    layout |= {"uirevision": f"map{atlas.space.card['sha256']}", "selections": [], "selectionrevision": str(made.outline)}
    figure.update_layout(layout)
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "showline": False, "constrain": "range"}
    figure.update_xaxes(title="UMAP 1", **bare)
    figure.update_yaxes(title="UMAP 2", scaleanchor="x", scaleratio=atlas.upright, **bare)
    return figure


def factor_scale(atlas: Atlas, colour: str | None) -> tuple[Factor, Array] | None:
    """A known factor and its values (n,); None where the map has one colour."""
    if colour is None:
        return None
    i = NAMES.index(colour)
    return FACTORS[i], atlas.space.values[:, i]


def faded(image: Array, percentile: float, dark: bool = False) -> Array:
    """A picture (h, w, 3), half paper where it lies unlike anything that was learned from."""
    if percentile <= STRANGE:
        return image
    paper = np.array([int(palette.role("paper", dark)[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.asarray(0.5 * image + 0.5 * paper)


def heat(values: Array, top: float = TOP) -> Array:
    """Values (h, w) as a picture (h, w, 3): dark at 0, yellow from `top` on."""
    from plotly.colors import sample_colorscale

    scale = np.array(sample_colorscale(palette.CIVIDIS, np.linspace(0, 1, 256).tolist(), colortype="tuple"))
    return np.asarray(scale[np.asarray(np.clip(values / top, 0, 1) * 255, int)])


def _points(
    figure: go.Figure, atlas: Atlas, colour: str | None, scaled: tuple[Factor, Array] | None, behind: bool, dark: bool
) -> None:
    """One point a picture: small and pale where thumbnails say more."""
    marker: dict[str, Any] = {"size": 6, "opacity": 0.85, "color": palette.role("control", dark)}
    text = None
    if scaled is not None:
        factor, values = scaled
        bar = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "len": 0.5, "thickness": 8}
        bar |= {"title": {"text": titled(factor), "side": "right"}, "outlinewidth": 0, "nticks": 5}
        marker |= {"color": np.asarray(values, np.float32), "colorscale": palette.SEQUENTIAL, "colorbar": bar}
        marker |= {"cmin": factor.low, "cmax": factor.high}
        text = f"{titled(factor)}: %{{marker.color:.3g}}<extra></extra>"
    if behind:
        marker |= {"size": 4, "opacity": 0.0}
    figure.add_scatter(
        x=atlas.places[:, 0],
        y=atlas.places[:, 1],
        mode="markers",
        name="pictures",
        marker=marker,
        hovertemplate=text,
        hoverinfo="none" if text is None else None,
        selected={"marker": {"opacity": marker["opacity"]}},
        unselected={"marker": {"opacity": marker["opacity"]}},  # the outline says what was lassoed, also after a reload
    )


def _thumbnails(figure: go.Figure, atlas: Atlas, colour: str | None, scaled: tuple[Factor, Array] | None) -> None:
    """All thumbnails as one picture behind the points, which is sent once and zooms with the map."""
    middles, _, side = atlas.thumbnails
    sheet = SHEETS.get((atlas.space.card["sha256"], colour), partial(thumbnail_sheet, atlas, scaled))
    half = np.array([side, side / atlas.upright]) / 2
    low, high = middles.min(0) - half, middles.max(0) + half
    figure.add_layout_image(
        source=address(sheet, "webp"),
        xref="x",
        yref="y",
        x=float(low[0]),
        y=float(high[1]),
        sizex=float(high[0] - low[0]),
        sizey=float(high[1] - low[1]),
        sizing="stretch",
        layer="below",
    )


def thumbnail_sheet(atlas: Atlas, scaled: tuple[Factor, Array] | None) -> bytes:
    """The thumbnails where they lie on the map, clear between them, as WebP; framed in the colours of a factor."""
    from PIL import Image
    from plotly.colors import sample_colorscale

    middles, rows, side = atlas.thumbnails
    at = np.round((middles - middles.min(0)) / [side, side / atlas.upright]).astype(int)
    wide, high = at.max(0) + 1
    full = SIZE + 2 * FRAME + GAP
    sheet = np.zeros((high * full, wide * full, 4), np.uint8)
    frames = np.full((len(rows), 3), 128, np.uint8)
    if scaled is not None:
        factor, values = scaled
        share = np.clip((values[rows] - factor.low) / (factor.high - factor.low), 0, 1)
        frames = np.array(sample_colorscale(palette.SEQUENTIAL, share.tolist(), colortype="tuple"))
        frames = eight_bit(frames)
    for (column, row), image, frame in zip(at, atlas.pictures(rows), frames, strict=True):
        top, left = (high - 1 - row) * full, column * full
        sheet[top : top + full - GAP, left : left + full - GAP] = [*frame, 255]
        sheet[top + FRAME : top + FRAME + SIZE, left + FRAME : left + FRAME + SIZE, :3] = eight_bit(image)
    small = Image.fromarray(sheet).resize((wide * SMALL, high * SMALL), Image.Resampling.BOX)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


def _region(figure: go.Figure, made: Mapped, dark: bool) -> None:
    """The outline of the region, and the places of the pictures drawn from there."""
    assert made.outline is not None
    closed = np.concatenate([made.outline, made.outline[:1]])
    for wide, shade in ((5, palette.role("paper", dark)), (2.5, palette.role("accent", dark))):
        figure.add_scatter(
            x=closed[:, 0],
            y=closed[:, 1],
            mode="lines",
            fill="toself" if wide < 3 else None,
            fillcolor=palette.band("accent", dark),
            line={"color": shade, "width": wide},
            name="region",
            hoverinfo="skip",
        )
    if made.region is not None:
        dots = {"symbol": "circle", "size": 8, "color": palette.role("generated", dark)}
        _marks(figure, made.region.places, dots | {"line": {"width": 1.5, "color": palette.role("paper", dark)}}, "samples")


def _mark(figure: go.Figure, place: Array, symbol: str, size: int, colour: str, name: str, dark: bool) -> None:
    """One place, with a rim of paper that sets it off from the thumbnails."""
    thick = 2 if size < 12 else 4
    for wide, shade in ((2 * thick, palette.role("paper", dark)), (thick, colour)):
        line = {"width": wide, "color": shade}
        _marks(figure, place[None], {"symbol": symbol, "size": size, "color": shade, "line": line}, name)


def _marks(figure: go.Figure, places: Array, marker: dict[str, Any], name: str) -> None:
    """Places that are seen and not touched: a click goes to the map behind them."""
    figure.add_scatter(x=places[:, 0], y=places[:, 1], mode="markers", name=name, marker=marker, hoverinfo="skip")
