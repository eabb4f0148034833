"""The plane of a code of two numbers, and what a code costs: figures for the page and for notebooks."""

from __future__ import annotations

import io

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.images.files import address, eight_bit
from gen_core.images.plane import Drawn

Array = np.ndarray
WIDE = 704  # pixels of the picture behind the plane, at most


def plane(made: Drawn, factor: str | None = None, dark: bool = False, height: int = 540) -> go.Figure:
    """The decoded grid, on it the codes of pictures that were never trained on, coloured by a factor of theirs.

    The prior's circle of one deviation is dashed; the ellipse of one deviation of all posteriors together is drawn through.
    """
    figure = go.Figure()
    figure.add_layout_image(behind(made))
    turn = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    _ring(figure, circle, "Prior", "control", "dash", dark)
    _ring(figure, ellipse(made.centre, made.covariance, circle), "All posteriors", "observed", "solid", dark)
    marker: dict[str, object] = {"size": 7, "line": {"width": 1, "color": palette.role("paper", dark)}}
    if factor is None:
        marker["color"] = palette.role("observed", dark)
    else:
        unit = f" ({made.units[factor]})" if made.units[factor] else ""
        title = f"{factor.replace('_', ' ').capitalize()}{unit}"
        bar = {"title": {"text": title, "side": "top"}, "orientation": "h", "thickness": 10, "y": -0.13, "yanchor": "top"}
        marker |= {"color": short(made.values[factor]), "colorscale": palette.CIVIDIS, "colorbar": bar}
    figure.add_scatter(
        x=short(made.means[:, 0]), y=short(made.means[:, 1]), mode="markers", name="Pictures", marker=marker,
        hoverinfo="skip",
    )  # fmt: skip
    for width, colour in ((6.0, "paper"), (2.5, "accent")):
        cross = {"symbol": "cross-thin", "size": 20, "line": {"width": width, "color": palette.role(colour, dark)}}
        figure.add_scatter(x=made.z[:1], y=made.z[1:], mode="markers", marker=cross, showlegend=False, hoverinfo="skip")
    reach = edge(made)
    figure.update_layout(palette.layout(dark, height, uirevision=f"plane{reach}", margin={"l": 48, "r": 36, "t": 28, "b": 40}))
    # Both axes alike, so that the prior is a circle.
    figure.update_xaxes(title="z₁, first number of the code", range=[-reach, reach], constrain="domain", showgrid=False)
    figure.update_yaxes(
        title="z₂, second number of the code", range=[-reach, reach], scaleanchor="x", constrain="domain", showgrid=False
    )
    return figure


def costs(made: Drawn, dark: bool = False, height: int = 300) -> go.Figure:
    """What each beta pays in divergence and gets in reconstruction (Alemi et al. 2018, arXiv:1711.00464), this one marked."""
    figure = go.Figure()
    x, y = [c.kl for c in made.costs], [c.reconstruction for c in made.costs]
    here = [c.beta == made.beta for c in made.costs]
    grey, orange = palette.role("control", dark), palette.role("predicted", dark)
    figure.add_scatter(
        x=x, y=y, mode="lines+markers+text", text=[f"β {c.beta:g}" for c in made.costs], textposition="bottom right",
        line={"color": palette.faded("predicted", dark), "width": 1.5}, textfont={"color": palette.role("text", dark)},
        marker={"size": [14 if h else 8 for h in here], "color": orange,
                "line": {"width": [2.5 if h else 0 for h in here], "color": palette.role("accent", dark)}},
        hovertemplate="KL %{x:.2f} nats<br>reconstruction %{y:,.0f} nats<extra></extra>", showlegend=False,
    )  # fmt: skip
    figure.add_hline(y=made.nothing, line={"color": grey, "dash": "dot"})
    figure.add_annotation(x=1, y=made.nothing, xref="paper", text="mean picture", xanchor="right", yanchor="bottom")
    figure.update_layout(palette.layout(dark, height, uirevision="costs", margin={"t": 12, "l": 72}))
    figure.update_xaxes(title="Divergence KL (nats per picture)", range=[-0.06 * max(x), 1.2 * max(x)])
    figure.update_yaxes(title="Reconstruction term (nats per picture)", tickformat=",")
    return figure


def edge(made: Drawn) -> float:
    """How far the outer pictures of the grid reach, half a step beyond their middles."""
    far, n = float(made.places.max()), round(len(made.places) ** 0.5)
    return far * n / (n - 1)


def ellipse(centre: Array, covariance: Array, circle: Array) -> Array:
    """Points (n, 2) one deviation from a centre, from points of the unit circle."""
    value, axes = np.linalg.eigh(covariance)
    return np.asarray(centre + circle * np.sqrt(np.maximum(value, 0)) @ axes.T)


def behind(made: Drawn) -> dict[str, object]:
    """The grid without gaps as the picture behind the axes, each tile centred on its code."""
    from PIL import Image

    n, (_, high, wide, _) = round(len(made.grid) ** 0.5), made.grid.shape
    whole = made.grid.reshape(n, n, high, wide, 3).transpose(0, 2, 1, 3, 4).reshape(n * high, n * wide, 3)
    out, reach = io.BytesIO(), edge(made)
    picture = Image.fromarray(eight_bit(whole))
    if picture.width > WIDE:
        picture = picture.resize((WIDE, WIDE), Image.Resampling.BOX)
    picture.save(out, "JPEG", quality=88, subsampling=0)
    return {
        "source": address(out.getvalue(), "jpeg"),
        "xref": "x", "yref": "y", "x": -reach, "y": reach, "sizex": 2 * reach, "sizey": 2 * reach,
        "sizing": "stretch", "layer": "below",
    }  # fmt: skip


def short(values: Array) -> Array:
    """float32: half the bytes to the browser, and finer than a screen."""
    return np.asarray(values, np.float32)


def _ring(figure: go.Figure, points: Array, name: str, role: str, dash: str, dark: bool) -> None:
    """A closed line on a strip of paper, so that it is seen on any picture."""
    for width, colour, style, shown in ((6.0, palette.veil(dark), "solid", False), (2.5, palette.role(role, dark), dash, True)):
        line = {"color": colour, "width": width, "dash": style}
        figure.add_scatter(
            x=short(points[:, 0]), y=short(points[:, 1]), mode="lines", name=name, line=line, showlegend=shown, hoverinfo="skip"
        )
