"""Long work of the defects page: how many snapshots one needs, and a score network of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.defects_controls import PAGE
from app.parts import evidence, figure, jobs, session
from app.parts.guard import guard, plain
from gen_core import checkpoint
from gen_core.defects import power, power_plots
from gen_core.defects.recipe import Infer, Power, Train
from gen_core.recipe import DIGEST, Recipe

COUNTS = [250, 500, 1_000, 2_000, 4_000, 8_000]
SCORES = [
    evidence.Score("denoising_error", "Denoising error (1: nothing learned)", "low", 3),
    evidence.Score("sample_w1", "Samples, W1 over the spread", "low", 4),
    evidence.Score("pair_w1", "Distances of pairs, W1", "low", 4),
]


def need(asked: Power | None) -> None:
    """How many snapshots do I need: simulations of the fitted law with more and with fewer, as a job."""
    wanted, opened = jobs.wanted(PAGE, "need", "defects.power", asked)
    opened = session.get(PAGE, "need/open", opened)
    session.put(PAGE, "need/open", opened or None)  # once open it stays so when its job is done
    with st.expander("How many snapshots do I need?", icon=":material/query_stats:", expanded=opened), guard():
        st.caption(
            "The law that was fitted (or the simulator's own, where it is known) is simulated again with more and with fewer "
            "particles and times, and each is fitted anew: what error is to be expected."
        )
        now = session.current(PAGE)
        recipe = wanted if isinstance(wanted, Power) and session.get(PAGE, "need/own") is None else None
        left, middle, right = st.columns([4, 3, 2], gap="small", vertical_alignment="bottom")
        told = "Replicas in each snapshot."
        counts = left.pills(
            "Replicas", COUNTS, selection_mode="multi", default=[500, 1_000, 2_000, 4_000], key=f"{PAGE}/need/counts",
            format_func=lambda v: f"{v:,}", help=told, on_change=_own,
        )  # fmt: skip
        told = "How many times are looked at."
        times = middle.pills(
            "Snapshots", [3, 5, 11, 21], selection_mode="multi", default=[11], key=f"{PAGE}/need/times", help=told, on_change=_own
        )
        repeats = right.number_input(
            "Repeats", 1, 100, 5, key=f"{PAGE}/need/repeats", help="Simulations of each.", on_change=_own
        )
        if recipe is None:
            if not isinstance(now, Infer):
                st.info("This needs forces: choose *Forces* above.", icon=":material/info:")
                return
            if not counts or not times:
                st.info("Choose at least one number of replicas and of snapshots.", icon=":material/info:")
                return
            recipe = power.asked_of(now, counts=tuple(sorted(counts)), times=tuple(sorted(times)), repeats=int(repeats))
        job = jobs.panel(f"{PAGE}/need", recipe, "Simulate", unit="Percent", opens=now)
        if job is not None and job.result is not None:
            rows = power.opened(job.result, recipe)
            drawn = power_plots.curve(rows, figure.dark())
            figure.show(drawn, f"{PAGE}.need", "Errors of D and of the drift against the number of replicas")
            st.page_link("runs.py", label="Its table is under Runs", icon=":material/bookmarks:")


def _own() -> None:
    """In a callback: the controls count from now on, no longer a link or an earlier job."""
    session.put(PAGE, "need/own", True)


def training(asked: Train | None, now: Recipe) -> None:
    """The panel that learns a score network of the page's snapshots."""
    wanted, opened = jobs.wanted(PAGE, "learn", "defects.train", asked)
    with st.expander("Learn a score network of these snapshots", icon=":material/model_training:", expanded=opened), guard():
        st.caption("It learns to take noise off the particles at any time; new configurations are drawn from it.")
        fields: dict[str, Any] = {"data": getattr(now, "data", "double_well"), "snapshots": getattr(now, "snapshots", 11)}
        mine = wanted if isinstance(wanted, Train) and wanted.data == fields["data"] else Train(**fields)
        epochs = st.slider(
            "Epochs", 5, 200, min(max(mine.epochs, 5), 200), key=f"{PAGE}/learn/epochs", help="Passes over the particles."
        )
        recipe = mine.replace(epochs=epochs)
        job = jobs.panel(f"{PAGE}/learn", recipe, opens=now)
        if (model := jobs.just_done(PAGE, recipe, job)) is not None:
            session.own(model)
        if job is not None and job.model is not None:
            card = checkpoint.known(PAGE).get(job.model)
            if card is not None:
                cards({job.model: card})


def cards(found: dict[str, Any] | None = None) -> None:
    """The networks there are: their numbers beside a normal distribution and two halves of a snapshot."""
    for name, card in (checkpoint.known(PAGE) if found is None else found).items():
        if DIGEST.fullmatch(name) and not session.may_see(name):
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
