"""What the codes of two models tell apart, side by side: for the page and for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from gen_core import palette
from gen_core.images.disentangle import BAND
from gen_core.images.render import FACTORS

ROLES = ("predicted", "control")


def gaps(cards: Mapping[str, Mapping[str, Any]], dark: bool = False, height: int = 300) -> go.Figure:
    """The mutual information gap of each factor; `cards` are models' cards by the name to show, the plain one second."""
    figure = go.Figure()
    names = [factor.name.replace("_", " ").capitalize() for factor in FACTORS]
    for (name, card), role in zip(cards.items(), ROLES, strict=False):
        values = [card["metrics"].get(f"mig.{factor.name}") for factor in FACTORS]
        figure.add_bar(x=names, y=values, name=name, marker_color=palette.role(role, dark), hovertemplate="%{x}: %{y:.2f}")
    figure.add_hrect(y0=BAND[0], y1=BAND[1], fillcolor=palette.role("muted", dark), opacity=0.15, line_width=0, layer="below")
    figure.update_layout(palette.layout(dark, height, uirevision="gaps", margin={"b": 80}))
    figure.update_xaxes(showgrid=False, tickangle=-30)
    figure.update_yaxes(title="Gap (MIG)", rangemode="tozero")
    return figure
