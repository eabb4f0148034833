"""Error against the range of angles, for the slice, the noise and the methods of the page: a job, its table and figure."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.tomography_own import PAGE
from app.parts import evidence, figure, jobs, session
from app.parts.guard import guard, plain
from gen_core.recipe import Recipe
from gen_core.tomography import methods, ranges, ranges_plots
from gen_core.tomography.ranges import Ranges, Row
from gen_core.tomography.recipe import Reconstruct

STEPS = {30: "30°", 20: "20°", 15: "15°", 10: "10°"}
FROM, TO = 30, 180
SHOWN = 8  # columns of the table


def show(asked: Recipe) -> None:
    """The section; `asked` is a link's or a file's recipe. What its controls change redraws it alone."""
    if isinstance(asked, Ranges) and session.get(PAGE, "ranges/seen") != asked.sha256:  # once: its controls win from then on
        session.put(PAGE, "ranges/seen", asked.sha256)
        session.put(PAGE, "ranges/asked", asked)
    opened = session.get(PAGE, "ranges/seen") is not None
    with st.expander("Error against the range of angles, for this slice", icon=":material/query_stats:", expanded=opened):
        _section()


def _forget() -> None:
    """In a callback: the page's own slice and this section's controls count, no longer a link."""
    session.put(PAGE, "ranges/asked", None)


@st.fragment
def _section() -> None:
    with guard():
        shown, wanted = session.current(PAGE), session.get(PAGE, "ranges/asked")
        if not isinstance(shown, Reconstruct) or shown.sinogram is not None:
            st.info("This needs a slice whose truth is known; a measured sinogram has none.", icon=":material/info:")
            return
        st.caption(
            "The slice, the noise and the methods above, over ranges from 30 to 180 degrees, each with noise drawn anew. The "
            "intervals are over the noise of this one slice; how methods do on other slices, the cards of the priors tell."
        )
        left, right, last = st.columns([2, 1, 1], vertical_alignment="bottom")
        told = "From 180 degrees down to 30."
        step = left.segmented_control(
            "Step", list(STEPS), default=30, key=f"{PAGE}/ranges/step", format_func=STEPS.__getitem__, required=True, help=told,
            on_change=_forget,
        )  # fmt: skip
        told = "Times that each range is measured, with other noise."
        repeats = int(right.number_input("Repeats", 2, 50, 3, key=f"{PAGE}/ranges/repeats", help=told, on_change=_forget))
        told = "After a change of the controls above."
        last.button("Take what the page shows", key=f"{PAGE}/ranges/again", help=told, on_click=_forget)
        made = ranges.asked_of(shown, tuple(float(x) for x in range(TO, FROM - 1, -int(step or 30))), repeats)
        recipe = wanted if wanted is not None and ranges.same_scan(wanted, made) else made
        names = ", ".join(methods.titled(name) for name in recipe.methods)
        about = f"{names}: about {jobs.rounded(ranges.seconds(recipe))} on one core."
        job = jobs.panel(f"{PAGE}/ranges", recipe, "Measure", plain(about), "Percent", opens=shown)
        if job is not None and job.result is not None:
            rows = ranges.opened(job.result, recipe)
            _table(rows, recipe)
            st.page_link("runs.py", label="Its table and drawing are under Runs", icon=":material/bookmarks:")


def _table(rows: list[Row], recipe: Ranges) -> None:
    """The figure, and PSNR by method and range."""
    alt = "PSNR of each method against the range of angles covered, with intervals"
    figure.show(ranges_plots.against_range(rows, figure.dark()), f"{PAGE}.ranges", alt)
    places = list(recipe.ranges)[:: -(-len(recipe.ranges) // SHOWN)]
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.covered in places:
            found.setdefault(methods.titled(row.method), {})[f"{row.covered:g}"] = row.psnr
    evidence.score_table([evidence.Score(f"{x:g}", f"{x:g}°", digits=1) for x in places], found, caption="PSNR in dB.")
