"""Which way round a measured sinogram was stored, and where its axis lies: small pictures of what it could be, to click."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import figure, map, session
from gen_core.recipe import Recipe
from gen_core.tomography import centre, centre_plots
from gen_core.tomography.recipe import Reconstruct

PAGE = "tomography"
FIGURE = f"{PAGE}.axis"


def fields() -> dict[str, Any]:
    """The controls of what a file rarely says; a click on one of the pictures sets them."""
    _take(session.current(PAGE))
    told = (
        "Bins from the middle of the detector, as it is stored, to where the axis is seen. 0: as the file says, else the middle."
    )
    bins = st.number_input(
        "Axis (bins from the middle)",
        -2000.0,
        2000.0,
        step=0.5,
        format="%.3f",
        key=session.key(PAGE, "rotation_centre"),
        help=told,
    )
    told = "The bins were stored from the other end. With parallel rays the picture is turned by half a turn."
    flipped = st.toggle("Detector flipped", key=session.key(PAGE, "detector_flipped"), help=told)
    told = "The angles rise as the scanner turns clockwise. The picture is mirrored."
    clockwise = st.toggle("Turned clockwise", key=session.key(PAGE, "clockwise"), help=told)
    st.caption("Doubled edges, or a mirrored picture? The tab *Axis and turn* shows what it could be.")
    return {"rotation_centre": bins, "detector_flipped": flipped, "clockwise": clockwise}


def show(recipe: Recipe) -> None:
    """The pictures: rows for detector and turn, columns for the axis; the chosen one framed."""
    if not isinstance(recipe, Reconstruct):
        return
    with st.spinner("Trying where the axis could be …"):
        rows = centre.choices(recipe)
    found, chosen = centre.best(rows), centre.place(rows, recipe)
    alt = "Small reconstructions for each way round of detector and turn, with the axis at several places"
    figure.show(centre_plots.pictures(rows, chosen, figure.dark()), FIGURE, alt, select=True)
    alike = centre.alike(rows)
    st.caption(
        f"Click the right one. The data agree best with themselves where the axis is {found.centre:+.1f} bins from the middle "
        f"({100 * found.unexplained:.1f} % left unexplained after a few steps). ".replace("-", "−")
        + ("With parallel rays all four rows explain them equally well: only who knows the object can tell." if alike else
           "Of a fan beam, two rows are one reading and its mirror: only who knows the object can tell which.")
    )  # fmt: skip


def _take(now: Recipe) -> None:
    """Before the controls are drawn: what was clicked last, once."""
    spot = map.clicked(figure.picked(FIGURE))
    if spot is None or spot == session.get(PAGE, "axis/taken") or not isinstance(now, Reconstruct) or now.sinogram is None:
        return
    session.put(PAGE, "axis/taken", spot)
    rows = centre.choices(now)
    place = centre_plots.place_of(spot, rows)
    if place is not None:
        session.seed(PAGE, **rows[place[0]][place[1]].fields())
