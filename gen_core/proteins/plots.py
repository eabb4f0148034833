"""Figures of samples, for the page and for notebooks: naturals blue, samples orange, baselines grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins import filters
from gen_core.proteins.statistics import WIDEST

if TYPE_CHECKING:
    from gen_core.proteins.sample import Draw, Drawn
    from gen_core.proteins.score import Scored

Array = np.ndarray
STEPS = {
    "unique": "Unique",
    "length": "Length",
    "homopolymer": "Runs of one residue",
    "complexity": "Low complexity",
    "motifs": "Forbidden motifs",
    "charge": "Charge",
    "pi": "pI",
    "gravy": "GRAVY",
    "composition": "Composition",
    "instability": "Instability",
    "profile": "Profile score",
    "energy": "Coupling energy",
    "viability": "Viability",
    "novelty": "Identity to the nearest known",
}
COUNTED = {"tickvals": [0, 2, 4, 6], "ticktext": ["1", "10²", "10⁴", "10⁶"]}


def step_title(name: str) -> str:
    """What a filter is called."""
    return STEPS.get(name, name.replace("_", " ").capitalize())


def funnel(made: Drawn | Scored, dark: bool = False) -> go.Figure:
    """How many sequences are left after each filter, and how many it took out of those that were left before it."""
    n = len(made.codes)
    names, left, gone = ["All"], [n], [0]
    for name, count in filters.funnel(made.verdicts, n).items():
        names.append(step_title(name))
        left.append(left[-1] - count)
        gone.append(count)
    places = list(range(len(names)))
    figure = go.Figure()
    common: dict[str, Any] = {"y": places, "orientation": "h", "hoverinfo": "skip", "width": 0.34}
    figure.add_bar(x=left, name="left", marker={"color": palette.role("predicted", dark)}, **common)
    figure.add_bar(x=gone, name="removed", marker={"color": palette.faded("control", dark)}, **common)
    ink = palette.role("text", dark)
    same = {"x": 0, "xanchor": "left", "yshift": 14, "font": {"size": 12, "color": ink}, "showarrow": False}
    words = [same | {"y": place, "text": name} for place, name in zip(places, names, strict=True)]
    told = [f"−{taken:,} → {kept:,}" if taken else f"{kept:,}" for kept, taken in zip(left, gone, strict=True)]
    height = 36 * len(names) + 14
    figure.update_layout(
        palette.layout(
            dark, height, barmode="stack", annotations=words, showlegend=False, margin={"l": 2, "r": 2, "t": 10, "b": 2}
        )
    )
    figure.update_xaxes(visible=False, range=[0, n], fixedrange=True)
    # the numbers end their bars, in room of their own: however narrow the figure, they meet no name
    figure.update_yaxes(
        side="right", tickvals=places, ticktext=told, tickfont={"size": 12, "color": ink}, ticks="", showgrid=False,
        showline=False, range=[len(names) - 0.6, -0.75], fixedrange=True,
    )  # fmt: skip
    return figure


def identities(made: Drawn, other: Draw, dark: bool = False, height: int = 340) -> go.Figure:
    """Identity to the nearest known sequence: of the samples, of naturals that were left out, and of independent sites."""
    figure = go.Figure()
    edges = np.linspace(0, 1, 51)
    parts = (
        ("Independent sites", other.values["nearest_identity"], "control"),
        ("Held-out naturals", made.model.naturals["nearest_identity"], "observed"),
        ("Samples", made.values["nearest_identity"], "predicted"),
    )
    for name, values, role in parts:
        share = 100 * np.histogram(values, edges)[0] / max(len(values), 1)
        figure.add_scatter(
            x=100 * (edges[:-1] + edges[1:]) / 2,
            y=np.asarray(share, np.float32),
            mode="lines",
            name=name,
            line={"color": palette.role(role, dark), "width": 2, "shape": "hvh"},
            fill="tozeroy",
            fillcolor=palette.band(role, dark),
            hovertemplate=f"{name}: %{{y:.1f}} % at %{{x:.0f}} %<extra></extra>",
        )
    chosen = made.recipe.filters
    if not made.known.synthetic:
        for bound in (chosen.max_identity, chosen.min_identity):
            if bound is not None:
                figure.add_vline(x=100 * bound, line={"color": palette.role("muted", dark), "dash": "dot", "width": 1})
    figure.update_layout(palette.layout(dark, height, uirevision="identities"))
    nearest = "stand-in (synthetic)" if made.known.synthetic else "known sequence"
    figure.update_xaxes(title=f"Identity to the nearest {nearest}, %", range=[0, 100])
    figure.update_yaxes(title="Share of sequences (%)", rangemode="tozero")
    return figure


def sites(made: Drawn, dark: bool = False, height: int = 340) -> go.Figure:
    """Frequency of every residue at every site: of the samples against the weighted family."""
    family, found = made.known.moments.sites.ravel(), made.draw.moments.sites.ravel()
    figure = go.Figure()
    _diagonal(figure, 0.0, 1.0, dark)
    figure.add_scattergl(
        x=np.asarray(family, np.float32),
        y=np.asarray(found, np.float32),
        mode="markers",
        marker={"color": palette.role("predicted", dark), "size": 4, "opacity": 0.5},
        hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
    )
    figure.update_layout(palette.layout(dark, height, showlegend=False, uirevision="sites"))
    figure.update_xaxes(title="Frequency of a residue at a site, family")
    figure.update_yaxes(title="… in the samples")
    return figure


def pairs(made: Draw, title: str, dark: bool = False, height: int = 340) -> go.Figure:
    """Connected correlations of all pairs of residues, against those of the whole weighted family, as a density."""
    edges, counts = made.pair_density
    middles = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    figure.add_heatmap(
        x=middles,
        y=middles,
        z=np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan).astype(np.float32),
        colorscale=palette.SEQUENTIAL,
        showscale=True,
        hoverinfo="skip",
        colorbar={
            "title": {"text": "pairs", "font": {"size": 12}},
            "thickness": 8,
            "tickvals": [0, 2, 4, 6],
            "ticktext": ["1", "10²", "10⁴", "10⁶"],
        },
    )
    _diagonal(figure, -WIDEST, WIDEST, dark)
    figure.update_layout(palette.layout(dark, height, showlegend=False, uirevision="pairs"))
    figure.update_xaxes(title="Correlation of two residues, family", range=[-WIDEST, WIDEST])
    figure.update_yaxes(title=f"… in {title}", range=[-WIDEST, WIDEST])
    return figure


def _diagonal(figure: go.Figure, low: float, high: float, dark: bool) -> None:
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        hoverinfo="skip",
        line={"color": palette.role("control", dark), "dash": "dot", "width": 1},
    )
