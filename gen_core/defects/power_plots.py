"""How the errors fall with more particles and snapshots, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from gen_core import palette
from gen_core.defects.power import Row


def curve(rows: Sequence[Row], dark: bool = False, height: int = 380) -> go.Figure:
    """The relative errors of D and of the drift against the replicas in a snapshot, a line for each number of times."""
    figure = go.Figure()
    for i, times in enumerate(sorted({row.snapshots for row in rows})):
        here = sorted((row for row in rows if row.snapshots == times), key=lambda row: row.n)
        dash = ("solid", "dash", "dot", "dashdot")[i % 4]
        for title, role, values in (
            ("D", "predicted", [100 * row.D_error for row in here]),
            ("drift", "accent", [100 * row.drift_error for row in here]),
        ):
            figure.add_scatter(
                x=[row.n for row in here], y=values, mode="lines+markers", name=f"{title}, {times} times",
                line={"color": palette.role(role, dark), "dash": dash, "width": 2},
            )  # fmt: skip
    figure.update_xaxes(title="Replicas in each snapshot", type="log")
    figure.update_yaxes(title="Median error (%)", rangemode="tozero")
    figure.update_layout(palette.layout(dark, height))
    return figure
