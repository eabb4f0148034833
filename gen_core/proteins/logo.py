"""Sequence logos of samples and of their family, one above the other, and how much each site differs.

The height of a stack is the site's information (Schneider & Stephens 1990): log2 of 20 less the entropy of its residues,
times the share of sequences that have one there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.family import place_row
from gen_core.proteins.letters import outlines
from gen_core.proteins.statistics import frequencies

if TYPE_CHECKING:
    from gen_core.proteins.decode import Decoded
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.sample import Drawn

Array = np.ndarray
CLASSES = {
    "hydrophobic": "AVLIMC",
    "aromatic": "FWYH",
    "positive": "KR",
    "negative": "DE",
    "polar": "STNQ",
    "glycine, proline": "GP",
}
LEAST = 0.06  # bits from which a letter is drawn: a lower one is a line
WINDOW = 100  # sites seen at first; of longer families the rest is scrolled to
TOLD = 4  # residues that a site names
TEXT = "%{text}<extra></extra>"


def information(sites: Array) -> Array:
    """Heights (L, 20) in bits of the residues at sites whose frequencies (L, 21) count the gap too."""
    residues = np.asarray(sites[:, :GAP], float)
    there = residues.sum(1, keepdims=True)
    p = residues / np.maximum(there, 1e-12)
    bits = np.log2(20) + (p * np.log2(np.maximum(p, 1e-12))).sum(1, keepdims=True)
    return np.asarray(p * bits * there)


def divergence(a: Array, b: Array) -> Array:
    """Jensen-Shannon divergence (L,) in bits of the frequencies (L, 21) of two alignments at each site."""
    entropy = lambda p: -(p * np.log2(np.maximum(p, 1e-12))).sum(1)  # noqa: E731
    return np.asarray(np.maximum(entropy((a + b) / 2) - (entropy(a) + entropy(b)) / 2, 0))


def logos(
    parts: dict[str, tuple[Array, str]], numbers: Sequence[int], axis: str, dark: bool = False, height: int = 430
) -> go.Figure:
    """Two alignments as logos: `parts` maps a name to site frequencies (L, 21) and its role's colour; `numbers` (L,) are the
    sites' numbers, 0 where there is none, and `axis` says of what."""
    (top, (first, first_role)), (bottom, (second, second_role)) = parts.items()
    told = [_told(a, b, top, bottom, n) for a, b, n in zip(first, second, numbers, strict=True)]
    apart, places = divergence(first, second), np.arange(len(first))
    traces: list[dict[str, Any]] = []  # with their axes in one go: piece by piece a figure takes three times as long
    layout: dict[str, Any] = {}
    domains = {"": [0.58, 1.0], "2": [0.15, 0.56], "3": [0.0, 0.1]}
    for axis_, (name, sites, role) in zip(domains, ((top, first, first_role), (bottom, second, second_role)), strict=False):
        heights = information(sites)
        for group, colour in zip(CLASSES, palette.categories(len(CLASSES), dark), strict=True):
            x, y = _letters(heights, CLASSES[group])
            look: dict[str, Any] = {
                "type": "scatter",
                "mode": "lines",
                "fill": "toself",
                "fillcolor": colour,
                "line": {"width": 0},
            }
            look |= {"hoverinfo": "skip", "name": group, "legendgroup": group, "showlegend": axis_ == ""}
            traces.append(look | {"x": x, "y": y, "yaxis": f"y{axis_}"})
        middle = np.asarray(heights.sum(1) / 2, np.float32)  # what is under the mouse
        hover = {"type": "scatter", "mode": "markers", "marker": {"opacity": 0, "size": 14}, "showlegend": False}
        traces.append(hover | {"x": places, "y": middle, "text": told, "hovertemplate": TEXT, "yaxis": f"y{axis_}"})
        title = {"text": f"<b>{name}</b><br>bits", "font": {"color": palette.role(role, dark)}}
        layout[f"yaxis{axis_}"] = {"title": title, "range": [0, 4.4], "nticks": 4}
    bars = {"type": "bar", "marker": {"color": palette.role("control", dark)}, "showlegend": False, "textposition": "none"}
    bars |= {"text": told, "hovertemplate": TEXT.replace("<extra>", "<br>apart by %{y:.2f} bits<extra>")}
    traces.append(bars | {"x": places, "y": np.asarray(apart, np.float32), "yaxis": "y3"})
    layout["yaxis3"] = {"title": "apart", "range": [0, max(0.25, float(apart.max()))], "nticks": 3}
    for axis_, domain in domains.items():
        layout[f"yaxis{axis_}"] |= {"domain": domain, "fixedrange": True, "showgrid": False}
    marked = [i for i, number in enumerate(numbers) if number and (number % 5 == 0 or number == 1)]
    ticks: dict[str, Any] = {
        "tickvals": marked,
        "ticktext": [str(numbers[i]) for i in marked],
        "showgrid": False,
        "title": axis,
        "anchor": "y3",
    }
    layout["xaxis"] = ticks | {"range": [-0.7, min(len(first), WINDOW) - 0.3]}
    layout |= {"bargap": 0.2, "dragmode": "pan", "uirevision": f"logo{len(first)}{axis}", "margin": {"t": 30, "b": 44}}
    return go.Figure(traces, palette.layout(dark, height, **layout))


def of_samples(made: Drawn, dark: bool = False, height: int = 430) -> go.Figure:
    """The kept samples (all, where none is kept) above the whole weighted family."""
    codes = made.codes[made.kept] if made.kept.any() else made.codes
    parts = {"Samples": (frequencies(codes), "predicted"), "Naturals": (made.known.moments.sites, "observed")}
    return logos(parts, *numbered(made.model, made.recipe.anchor), dark, height)


def of_point(made: Decoded, dark: bool = False, height: int = 430) -> go.Figure:
    """What the first of some latent points may hold, above the whole weighted family."""
    parts = {"The point": (made.probabilities[0], "predicted"), "Naturals": (made.model.moments.sites, "observed")}
    return logos(parts, *numbered(made.model, None), dark, height)


def numbered(model: FamilyModel, anchor: str | None) -> tuple[list[int], str]:
    """The numbers (L,) of a model's columns: residues of the anchor, 0 where it has a gap; without one the alignment's own."""
    if anchor is None:
        return (model.columns + 1).tolist(), "Column of the alignment"
    _, numbers = place_row(model.profile, model.columns, model.width, anchor, "reference")
    return numbers.tolist(), "Residue of the reference"


def _letters(heights: Array, group: str) -> tuple[Array, Array]:
    """The corners of all letters of a group, stacked at their sites with the tallest on top, a gap after each polygon."""
    order = np.argsort(heights, axis=1, kind="stable")
    stacked = np.take_along_axis(heights, order, 1)
    base = np.empty_like(heights)
    np.put_along_axis(base, order, stacked.cumsum(1) - stacked, 1)
    parts = []
    gap = np.full((1, 2), np.nan)
    for letter in group:
        a = LETTERS.index(letter)
        for i in np.flatnonzero(heights[:, a] >= LEAST):
            for outline in outlines(letter):
                corners = outline * [0.9, heights[i, a]] + [i - 0.45, base[i, a]]
                parts += [corners, corners[:1], gap]
    if not parts:
        return np.zeros(0), np.zeros(0)
    x, y = np.round(np.concatenate(parts), 3).astype(np.float32).T
    return x, y


def _told(a: Array, b: Array, top: str, bottom: str, number: int) -> str:
    """What stands at a site, in both alignments."""
    lines = [f"<b>{number or 'no number'}</b>"]
    for name, sites in ((top, a), (bottom, b)):
        common = np.argsort(-sites, kind="stable")[:TOLD]
        named = [f"{'gap' if i == GAP else LETTERS[i]} {100 * sites[i]:.0f} %" for i in common if sites[i] >= 0.01]
        lines.append(f"{name}: {', '.join(named)}")
    return "<br>".join(lines)
