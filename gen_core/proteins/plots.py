"""Figures of samples, for the page and for notebooks: naturals blue, samples orange, baselines grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins import filters

if TYPE_CHECKING:
    from gen_core.proteins.sample import Draw, Drawn

Array = np.ndarray
STEPS = {
    "unique": "Unique",
    "length": "Length",
    "homopolymer": "Runs of one residue",
    "complexity": "Low complexity",
    "profile": "Profile score",
    "energy": "Coupling energy",
    "novelty": "Identity to the nearest known",
}
CELLS = 56  # of the density of pair correlations, a side
COUNTED = {"tickvals": [0, 2, 4, 6], "ticktext": ["1", "10²", "10⁴", "10⁶"]}
WIDEST = 0.2  # connected correlation at which it ends: the few beyond are drawn at its edge


def step_title(name: str) -> str:
    """What a filter is called."""
    return STEPS.get(name, name.replace("_", " ").capitalize())


def funnel(made: Drawn, dark: bool = False) -> go.Figure:
    """How many samples are left after each filter, and how many it took out of those that were left before it."""
    n = len(made.codes)
    names, left, gone = ["Drawn"], [n], [0]
    for name, count in filters.funnel(made.verdicts, n).items():
        names.append(step_title(name))
        left.append(left[-1] - count)
        gone.append(count)
    places = list(range(len(names)))
    figure = go.Figure()
    common: dict[str, Any] = {"y": places, "orientation": "h", "hoverinfo": "skip", "width": 0.34}
    figure.add_bar(x=left, name="left", marker={"color": palette.role("predicted", dark)}, **common)
    figure.add_bar(x=gone, name="removed", marker={"color": palette.faded("control", dark)}, **common)
    text = palette.role("text", dark)
    for place, name, kept, taken in zip(places, names, left, gone, strict=True):
        words = {"y": place, "yshift": 14, "font": {"size": 12, "color": text}}
        figure.add_annotation(x=0, text=name, xanchor="left", **words)
        figure.add_annotation(x=n, text=f"−{taken:,} → {kept:,}" if taken else f"{kept:,}", xanchor="right", **words)
    height = 36 * len(names) + 14
    figure.update_layout(
        palette.layout(dark, height, barmode="stack", showlegend=False, margin={"l": 2, "r": 2, "t": 10, "b": 2})
    )
    figure.update_xaxes(visible=False, range=[0, n], fixedrange=True)
    figure.update_yaxes(visible=False, range=[len(names) - 0.6, -0.75], fixedrange=True)
    return figure


def identities(made: Drawn, other: Draw, dark: bool = False, height: int = 300) -> go.Figure:
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


def pairs(made: Draw, family: Array, title: str, dark: bool = False, height: int = 340) -> go.Figure:
    """Connected correlations of all pairs of residues, against those of the whole weighted family, as a density."""
    edges = np.linspace(-WIDEST, WIDEST, CELLS + 1)
    counts = density(family.ravel(), made.moments.pairs.ravel(), edges)
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


def density(x: Array, y: Array, edges: Array) -> Array:
    """Counts (rows by y, columns by x) of pairs of values; what lies outside is counted at the edge."""
    n, low, wide = len(edges) - 1, edges[0], edges[1] - edges[0]
    place = lambda values: np.clip(((values - low) / wide).astype(np.int32), 0, n - 1)  # noqa: E731
    return np.bincount(place(y) * n + place(x), minlength=n * n).reshape(n, n)


def _diagonal(figure: go.Figure, low: float, high: float, dark: bool) -> None:
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        hoverinfo="skip",
        line={"color": palette.role("control", dark), "dash": "dot", "width": 1},
    )
