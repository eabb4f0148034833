"""Long work of the defects page: how many snapshots one needs, and a score network of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.defects_controls import LIBRARIES, PAGE
from app.parts import evidence, figure, jobs, kept, people, session
from app.parts.guard import guard, plain
from gen_core import catalog, checkpoint
from gen_core.defects import power, power_plots, question
from gen_core.defects.recipe import Infer, Power, Sample, Train
from gen_core.recipe import DIGEST

COUNTS = [250, 500, 1_000, 2_000, 4_000, 8_000]
SCORES = [evidence.Score(name, better="low", digits=d) for name, d in (("denoising_error", 3), ("sample_w1", 4), ("pair_w1", 4))]


def need(asked: Power | None) -> None:
    """How many snapshots do I need: simulations of the fitted law with more and with fewer, as a job."""
    wanted, opened = _of_these(*jobs.wanted(PAGE, "need", "defects.power", asked), asked)
    with st.expander("How many snapshots do I need?", icon=":material/query_stats:", expanded=opened):
        _need(wanted)


@st.fragment
def _need(wanted: Power | None) -> None:
    with guard():
        st.caption(
            "The law that was fitted (or the simulator's own, where it is known) is simulated again with more and with fewer "
            "particles and times, and each is fitted anew: what error is to be expected."
        )
        now = session.current(PAGE)
        left, middle, right, last = st.columns([4, 3, 2, 2], gap="small", vertical_alignment="bottom")
        forget = {"on_change": jobs.forget, "args": (PAGE, "need")}
        told = "Replicas in each snapshot."
        counts = left.pills(
            "Replicas", COUNTS, selection_mode="multi", default=[500, 1_000, 2_000, 4_000], key=f"{PAGE}/need/counts",
            format_func=lambda v: f"{v:,}", help=told, **forget,
        )  # fmt: skip
        told = "How many times are looked at."
        times = middle.pills(
            "Snapshots", [3, 5, 11, 21], selection_mode="multi", default=[11], key=f"{PAGE}/need/times", help=told, **forget
        )
        repeats = right.number_input("Repeats", 1, 100, 5, key=f"{PAGE}/need/repeats", help="Simulations of each.", **forget)
        _again(last, "need")
        recipe = jobs.still(PAGE, "need", wanted)
        if recipe is None:
            if not isinstance(now, Infer):
                st.info("This needs forces: choose *Forces* above.", icon=":material/info:")
                return
            if not counts or not times:
                st.info("Choose at least one number of replicas and of snapshots.", icon=":material/info:")
                return
            recipe = power.asked_of(now, counts=tuple(sorted(counts)), times=tuple(sorted(times)), repeats=int(repeats))
        st.caption(f"Of {plain(kept.name_of(recipe.data))}; forces: {LIBRARIES[recipe.library or 'gradient'].lower()}.")
        job = jobs.panel(f"{PAGE}/need", recipe, "Simulate", unit="Percent", opens=now)
        if job is not None and job.result is not None:
            rows = power.opened(job.result, recipe)
            evidence.notices(power.notices(job.result))
            drawn = power_plots.curve(rows, figure.dark())
            figure.show(drawn, f"{PAGE}.need", "Errors of D and of the drift against the number of replicas")
            st.page_link("runs.py", label="Its table is under Runs", icon=":material/bookmarks:")


def _again(place: Any, name: str) -> None:
    """A button that takes what the page shows now: the panel does not run with each move of the page's controls."""
    told = "Take what the page shows, after a change of the controls above."
    place.button("As above", key=f"{PAGE}/{name}/again", help=told, on_click=jobs.forget, args=(PAGE, name))


def _of_these(wanted: Any, opened: bool, asked: Any) -> tuple[Any, bool]:
    """A panel's recipe, and whether it stands open: a job of other snapshots than the page's is none of its business."""
    now = session.current(PAGE)
    if asked is None and wanted is not None and isinstance(now, Infer | Sample) and wanted.data != now.data:
        return None, False
    return wanted, opened


def training(asked: Train | None) -> None:
    """The panel that learns a score network of the page's snapshots."""
    wanted, opened = _of_these(*jobs.wanted(PAGE, "learn", "defects.train", asked), asked)
    with st.expander("Learn a score network of these snapshots", icon=":material/model_training:", expanded=opened):
        _training(wanted)


@st.fragment
def _training(wanted: Train | None) -> None:
    with guard():
        st.caption("It learns to take noise off the particles at any time; new configurations are drawn from it.")
        now = session.current(PAGE)
        left, right = st.columns([3, 1], gap="small", vertical_alignment="bottom")
        told = "Passes over the particles."
        epochs = left.slider(
            "Epochs", 5, 200, 60, key=f"{PAGE}/learn/epochs", help=told, on_change=jobs.forget, args=(PAGE, "learn")
        )
        _again(right, "learn")
        recipe = jobs.still(PAGE, "learn", wanted)
        if recipe is None:
            recipe = question.training_of(now if isinstance(now, Infer | Sample) else Infer()).replace(epochs=epochs)
        size = f", {recipe.n:,} replicas" if recipe.n else ""
        st.caption(f"Of {plain(kept.name_of(recipe.data))}{size}; {recipe.epochs} passes.")
        job = jobs.panel(f"{PAGE}/learn", recipe, opens=now)
        jobs.just_done(PAGE, recipe, job)
        if job is not None and job.model is not None:
            card, use = checkpoint.known(PAGE).get(job.model), catalog.using(job.model)
            if card is not None:
                cards({job.model: card})
            drawn = {"icon": ":material/scatter_plot:", "on_click": session.load, "args": (PAGE, use)}
            if use is not None and st.button("Draw from it", key=f"{PAGE}/learn/use", **drawn):
                st.rerun()  # the whole page: a click within a fragment runs that alone


def cards(found: dict[str, Any] | None = None) -> None:
    """The networks there are: their numbers beside a normal distribution and two halves of a snapshot."""
    for name, card in (checkpoint.known(PAGE) if found is None else found).items():
        if DIGEST.fullmatch(name) and not people.may_see(name):
            continue
        st.markdown(f"**{plain(str(card.get('title') or name))}**")
        names = {"normal": "A normal distribution", "ceiling": "Half of a snapshot"}
        rows = {"This network": card.get("metrics", {})} | {
            names.get(one, one): values for one, values in card.get("baselines", {}).items()
        }
        shown = [score for score in SCORES if any(row.get(score.name) is not None for row in rows.values())]
        evidence.score_table(
            shown, rows, highlight="This network", reference=["Half of a snapshot"], caption=plain(str(card.get("summary", "")))
        )
