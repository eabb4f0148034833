"""Error against the range of angles as a figure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography.ranges import Row
from gen_core.tomography.ranges_svg import series


def against_range(rows: Sequence[Row], dark: bool = False, height: int = 360) -> go.Figure:
    """PSNR against the degrees covered, a line a method, with the intervals over the noise."""
    figure = go.Figure()
    for line in series(rows):
        x, y, low, high = zip(*line.points, strict=True)
        colour = palette.role("predicted" if line.learned else "control", dark)
        up = [0.0 if h is None else h - v for h, v in zip(high, y, strict=True)]
        down = [0.0 if b is None else v - b for b, v in zip(low, y, strict=True)]
        figure.add_scatter(
            x=x, y=y, name=line.label, mode="lines+markers", marker={"size": 7},
            line={"color": colour, "dash": line.dash, "width": 3 if line.learned else 2},
            error_y={"type": "data", "array": up, "arrayminus": down, "thickness": 1, "width": 3},
            hovertemplate="%{y:.1f} dB over %{x}°<extra>" + line.label + "</extra>",
        )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="ranges"))
    figure.update_xaxes(title="Angles covered (degrees)", autorange="reversed", tickvals=sorted({row.covered for row in rows}))
    figure.update_yaxes(title="PSNR (dB), higher is better")
    return figure
