"""Samples, scored sequences and decoded points as tables, and the picked ones beside the nearest known sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE
from app.parts import figure
from gen_core.proteins import beside, logo, places, table
from gen_core.proteins.decode import Decoded
from gen_core.proteins.sample import Drawn
from gen_core.proteins.score import Scored

PICKED = 3  # shown beside the nearest before any was picked
MOST = 12
HIGH = 300
Figures = dict[str, Callable[[], Any]]


def show(made: Drawn) -> tuple[Figures, list[int]]:
    """The samples to sort, search and pick from; the picked ones beside the nearest known sequence. Returns figures and rows."""
    everything = st.toggle("Also those that were filtered out", key=f"{PAGE}/everything")
    frame = table.samples(made, everything)
    if frame.empty:
        return {}, []
    return _beside(made, frame, "samples", "Best coupling energy first.")


def show_scores(made: Scored) -> Figures:
    """The given sequences with their scores; the picked ones beside the nearest known sequence."""
    return _beside(made, table.scored(made), "scores", "Percentiles in the filters are of naturals that the model never saw.")[0]


def _beside(made: Drawn | Scored, frame: Any, name: str, more: str) -> tuple[Figures, list[int]]:
    """A table to pick from, and the picked rows (the first ones before that) beside the nearest known sequence."""
    picked = _picked(frame, name)
    rows = [int(frame.index[i]) for i in picked[:MOST] or range(min(PICKED, len(frame)))]
    chosen = f"{len(picked)} picked" if picked else "Pick rows at the left to see them below"
    st.caption(f"{len(frame):,} sequences. {more} Sort by a column's head; search with the table's magnifier. {chosen}.")
    pairs, dark = beside.beside(made, rows), figure.dark()
    locked = places.locks_of(made.recipe, made.model).columns if isinstance(made, Drawn) else []
    drawn = lambda: beside.alignment(pairs, locked, dark)  # noqa: E731
    known = "synthetic stand-in" if made.known.synthetic else "known sequence"
    figure.show(drawn(), f"proteins.beside_{name}", f"Picked sequences beside the nearest {known}, differences marked")
    band = " Green: positions that were kept." if len(locked) else ""
    st.caption(f"Each above the nearest {known}. Orange: what is new; blue: what it stands for.{band}")
    return {"alignment": drawn}, rows


def show_points(made: Decoded) -> Figures:
    """The likeliest sequence at each point, and the residues that each site may hold at the first one."""
    st.dataframe(table.points(made), hide_index=True, width="stretch")
    dark = figure.dark()
    drawn = lambda: logo.of_point(made, dark)  # noqa: E731
    figure.show(drawn(), "proteins.point", "Sequence logos of the first point and of the naturals")
    st.caption("What the first point may hold at each site, above the naturals.")
    return {"point": drawn}


def _picked(frame: Any, name: str) -> list[int]:
    """The table; the rows that are picked in it."""
    columns = {
        "Name": st.column_config.TextColumn(pinned=True),
        "Stopped by": st.column_config.TextColumn(width=200),
        "Sequence": st.column_config.TextColumn(width=380),
    }
    event = st.dataframe(
        frame,
        hide_index=True,
        height=HIGH,
        width="stretch",
        key=f"{PAGE}/table/{name}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config=columns,
    )
    return [i for i in event["selection"]["rows"] if i < len(frame)]
