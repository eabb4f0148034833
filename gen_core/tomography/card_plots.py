"""A prior's own numbers, as its card has them, beside those of the methods that learned nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from gen_core import palette

NAMES = {
    "fbp": ("Filtered backprojection", "dot"),
    "sirt": ("SIRT", "dash"),
    "tv": ("Total variation", "solid"),
    "gaussian": ("Gaussian prior", "solid"),
    "bundled": ("The bundled prior", "dashdot"),
    "training_mean": ("Mean of the training slices", "longdash"),
}


def ranges(card: Mapping[str, Any]) -> list[int]:
    """The angular ranges (degrees) that a card has numbers for, from the widest on."""
    found = (re.fullmatch(r"psnr_(\d+)", name) for name in dict(card.get("metrics", {})))
    return sorted((int(name[1]) for name in found if name), reverse=True)


def against_range(card: Mapping[str, Any], title: str, dark: bool = False, height: int = 320) -> go.Figure:
    """PSNR on slices that were not learned from against the range of angles, with 95 % intervals."""
    figure, asked = go.Figure(), ranges(card)
    rows = {title: dict(card.get("metrics", {}))} | dict(card.get("baselines", {}))
    for i, (name, row) in enumerate(rows.items()):
        label, dash = NAMES.get(name, (name, "solid"))
        places = [x for x in asked if f"psnr_{x}" in row]
        if not places:
            continue
        middle = [row[f"psnr_{x}"] for x in places]
        up = [row.get(f"psnr_{x}_high", m) - m for x, m in zip(places, middle, strict=True)]
        down = [m - row.get(f"psnr_{x}_low", m) for x, m in zip(places, middle, strict=True)]
        mine = name == title
        colour = palette.role("predicted" if mine else "control", dark)
        figure.add_scatter(
            x=[x + 0.6 * (i - len(rows) / 2) for x in places], y=middle, name=label, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3 if mine else 2}, marker={"size": 7},
            error_y={"type": "data", "array": up, "arrayminus": down, "thickness": 1, "width": 3},
            hovertemplate="%{y:.1f} dB<extra>" + label + "</extra>",
        )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="card"))
    figure.update_xaxes(title="Angles covered (degrees)", autorange="reversed", tickvals=asked)
    figure.update_yaxes(title="PSNR (dB), higher is better")
    return figure
