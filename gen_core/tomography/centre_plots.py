"""The small pictures of `centre` as one figure that can be clicked."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography.centre import SIZE, Choice, best

GAP = 4  # pixels between two pictures
ROWS = ("as stored", "detector flipped", "clockwise", "flipped, clockwise")


def pictures(rows: list[list[Choice]], chosen: tuple[int, int] | None, dark: bool = False, height: int = 520) -> go.Figure:
    """All pictures on one grid, each in its own grey window; the chosen one framed, the best of the data marked."""
    cell = SIZE + GAP
    sheet = np.full((len(rows) * cell - GAP, len(rows[0]) * cell - GAP), np.nan, np.float32)
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            low, high = np.percentile(one.image, (1, 99.5))
            sheet[i * cell : i * cell + SIZE, j * cell : j * cell + SIZE] = np.clip(
                (one.image - low) / max(high - low, 1e-9), 0, 1
            )
    figure = go.Figure()
    figure.add_heatmap(z=sheet, colorscale="gray", showscale=False, zmin=0, zmax=1, hoverinfo="skip")
    if chosen is not None:
        i, j = chosen
        figure.add_shape(
            type="rect", x0=j * cell - 2, x1=j * cell + SIZE + 1, y0=i * cell - 2, y1=i * cell + SIZE + 1,
            line={"color": palette.role("predicted", dark), "width": 3},
        )  # fmt: skip
    middles = lambda count: [k * cell + (SIZE - 1) / 2 for k in range(count)]  # noqa: E731
    axis = [f"{one.centre:+.1f}{', best' * (one.centre == best(rows).centre)}".replace("-", "−") for one in rows[0]]
    figure.update_layout(palette.layout(dark, height, uirevision="axis", clickmode="event", margin={"l": 120, "t": 24}))
    figure.update_xaxes(
        title="Axis (bins from the middle)", tickvals=middles(len(axis)), ticktext=axis, showgrid=False, constrain="domain"
    )
    figure.update_yaxes(
        tickvals=middles(len(rows)),
        ticktext=list(ROWS),
        autorange="reversed",
        showgrid=False,
        scaleanchor="x",
        constrain="domain",
    )
    return figure


def place_of(spot: tuple[float, float], rows: list[list[Choice]]) -> tuple[int, int] | None:
    """Row and column of the picture at a place of the figure; None outside of all."""
    j, i = (int((value + GAP / 2) // (SIZE + GAP)) for value in spot)
    return (i, j) if 0 <= i < len(rows) and 0 <= j < len(rows[0]) else None
