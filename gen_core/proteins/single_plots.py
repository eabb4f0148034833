"""Single changes as a map: positions across, residues up, what a change does as colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins.mutate import MEASURES, Mutated

RESIDUES = "GAVLIMCFWYPSTNQHKRDE"  # from the top: small, greasy, aromatic, polar, charged
TITLES = {
    "log_likelihood_change": "Log likelihood",
    "coupling_energy_change": "Coupling energy",
    "profile_bits_change": "Profile score",
    "viability_change": "Viability",
    "site_log_odds": "Frequency at the site",
    "assay": "Measured by the assay",
}
UNITS = {
    "log_likelihood_change": "change, nats",
    "coupling_energy_change": "change",
    "profile_bits_change": "change, bits",
    "viability_change": "change",
    "site_log_odds": "log ratio, nats",
    "assay": "value",
}
LOWER = "lower is better"


def measures(made: Mutated) -> list[str]:
    """What the changes of a result can be shown by."""
    return [name for name in TITLES if name in made.table and made.table[name].notna().any()]


def title(name: str) -> str:
    """A measure with its unit."""
    more = f"; {LOWER}" if MEASURES.get(name, 1) < 0 else ""
    return f"{TITLES[name]} ({UNITS[name]}{more})"


def positions(made: Mutated) -> list[int]:
    """The numbers of the positions shown, from left to right."""
    return [int(number) for number in made.table.position[::20]]


def at(made: Mutated, x: float, y: float) -> tuple[int, str] | None:
    """Position and residue of the cell at a place of the map; None outside of it."""
    numbers, column, row = positions(made), round(x), round(y)
    if not (0 <= column < len(numbers) and 0 <= row < len(RESIDUES)):
        return None
    return numbers[column], RESIDUES[row]


def heat_map(made: Mutated, name: str, picked: tuple[int, str] | None = None, dark: bool = False, height: int = 480) -> go.Figure:
    """One measure of all single changes: orange is better, purple worse; a dot is the reference's own residue."""
    numbers = positions(made)
    values = made.matrix(name)[list(RESIDUES)].to_numpy(np.float32).T
    wild = list(made.table.wild_type[::20])
    own = [RESIDUES.index(letter) for letter in wild]
    better = MEASURES.get(name, 1) > 0
    figure = go.Figure()
    scale: Any
    bar = {"title": {"text": title(name), "side": "right"}, "thickness": 12, "len": 1, "outlinewidth": 0}
    known = values[np.isfinite(values)]
    if name == "assay":  # no change against the reference: values, in a scale without a middle
        scale, low, high = palette.SEQUENTIAL, float(known.min()), float(known.max())
    else:
        high = max(float(np.percentile(np.abs(known), 98)), 1e-6)
        scale, low = palette.diverging(dark), -high
    figure.add_heatmap(
        z=values,
        colorscale=scale,
        reversescale=name != "assay" and not better,
        zmin=low,
        zmax=high,
        colorbar=bar,
        xgap=0.5,
        ygap=0.5,
        hoverongaps=False,
        customdata=[[f"{a}{n}{residue}" for a, n in zip(wild, numbers, strict=True)] for residue in RESIDUES],
        hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
    )
    dot = {"size": 4, "color": palette.role("text", dark)}
    figure.add_scatter(x=list(range(len(numbers))), y=own, mode="markers", marker=dot, hoverinfo="skip")
    if picked is not None and picked[0] in numbers:
        x, y = numbers.index(picked[0]), RESIDUES.index(picked[1])
        box = {"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
        figure.add_shape(**box, line={"color": palette.role("paper", dark), "width": 5})
        figure.add_shape(**box, line={"color": palette.role("text", dark), "width": 2.5})
    layout = palette.layout(dark, height, showlegend=False, clickmode="event", margin={"l": 30, "r": 8, "t": 8, "b": 44})
    figure.update_layout(layout | {"uirevision": f"single{len(numbers)}", "dragmode": "zoom", "hovermode": "closest"})
    every = 5 if len(numbers) <= 150 else 10 if len(numbers) <= 400 else 50
    ticks = [i for i, number in enumerate(numbers) if number % every == 0]
    bare = {"showgrid": False, "showline": False, "zeroline": False}
    figure.update_xaxes(
        title="Residue of the reference",
        tickvals=ticks,
        ticktext=[str(numbers[i]) for i in ticks],
        range=[-0.5, len(numbers) - 0.5],
        **bare,
    )
    rows = list(range(len(RESIDUES)))
    figure.update_yaxes(tickvals=rows, ticktext=list(RESIDUES), range=[len(RESIDUES) - 0.5, -0.5], fixedrange=True, **bare)
    return figure
