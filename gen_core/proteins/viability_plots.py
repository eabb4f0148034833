"""Figures of what labels teach, for the page and for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from gen_core import palette

if TYPE_CHECKING:
    from gen_core.proteins.viability import Viability

MEASURES = {"auc": "AUC", "spearman": "Rank correlation"}
BASELINES = {"profile": ("Profile score", "dash"), "independent_sites": ("Independent sites", "dot")}


def learning_curve(made: Viability, dark: bool = False, height: int = 320) -> go.Figure:
    """How well the labelled sequences left out are told apart after so many labels; the band holds 90 % of the repeats.

    Without a point where the labels are too few for one.
    """
    curve, name = made.curve, made.name
    figure = go.Figure()
    x = list(curve.labels)
    for baseline, numbers in made.baselines.items():
        title, dash = BASELINES[baseline]
        line = {"color": palette.role("control", dark), "width": 2, "dash": dash}
        told = f"{title}: %{{y:.2f}}<extra></extra>"
        ends = [min(x, default=25), max(x, default=200)]
        figure.add_scatter(x=ends, y=[numbers[f"viability_{name}"]] * 2, mode="lines", name=title, line=line, hovertemplate=told)
    orange = palette.role("predicted", dark)
    band = np.concatenate([curve[f"{name}_high"], curve[f"{name}_low"][::-1]])
    figure.add_scatter(
        x=x + x[::-1],
        y=band,
        mode="lines",
        fill="toself",
        fillcolor=palette.band("predicted", dark),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=x,
        y=curve[name],
        mode="lines+markers",
        name="Learned from labels",
        line={"color": orange, "width": 2},
        hovertemplate="%{x} labels: %{y:.2f}<extra></extra>",
    )
    figure.update_layout(palette.layout(dark, height, uirevision="learning"))
    figure.update_xaxes(title="Labels learned from", type="log", tickvals=x, ticktext=[str(size) for size in x])
    figure.update_yaxes(title=f"{MEASURES[name]} on the others")
    return figure
