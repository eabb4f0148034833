"""How good the bundled generators are on events they never saw, and a generator of one's own, learned as a job."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.detector_controls import PAGE, titled
from app.instruments.detector_views import FLOOR, SCORES, intervals
from app.parts import evidence, jobs, kept, people, session
from app.parts.guard import guard, plain
from gen_core import catalog, checkpoint
from gen_core.detector import plots, question
from gen_core.detector.recipe import KINDS, Train
from gen_core.recipe import DIGEST


def models() -> None:
    """All models in one table, each on fresh events, beside the floor."""
    with st.expander("How good these models are, on events they never saw", icon=":material/fact_check:"):
        rows: dict[str, dict[str, Any]] = {}
        simple: dict[str, dict[str, Any]] = {}
        cards = {n: card for n, card in checkpoint.known(PAGE).items() if not DIGEST.fullmatch(n) or people.may_see(n)}
        for name, card in cards.items():
            rows[plain(question.called(name, card))] = dict(card.get("metrics", {}))
            for one, title in (("independent", plots.TITLES["independent"]), ("floor", FLOOR)):
                simple.setdefault(title, dict(card.get("baselines", {}).get(one, {})))
        counts = [int(card["n_judged"]) for card in cards.values() if card.get("n_judged")]
        caption = f"As the cards say; 95 % intervals. Classifiers saw at least {min(counts, default=0):,} events a side."
        evidence.score_table(SCORES, rows | simple, intervals(rows | simple), reference=[FLOOR], caption=caption)


def training(asked: Train | None) -> None:
    """The panel that learns a generator of simulated or own hits."""
    wanted, opened = jobs.wanted(PAGE, "learn", "detector.train", asked)
    with st.expander("Learn a generator", icon=":material/model_training:", expanded=opened):
        _training(wanted)


@st.fragment
def _training(wanted: Train | None) -> None:
    with guard():
        now = session.current(PAGE)
        st.caption("Of the page's hits: simulated with the tracker that is set, or your own.")
        left, middle, right, last = st.columns([3, 3, 3, 2], gap="small", vertical_alignment="bottom")
        forget = {"on_change": jobs.forget, "args": (PAGE, "learn")}
        told = "What draws the events."
        kind = left.selectbox("Kind", list(KINDS), 2, key=f"{PAGE}/learn/kind", format_func=titled, help=told, **forget)
        told = "Events to learn from."
        events = middle.number_input(
            "Events", 256, 2_000_000, 20_000, step=5_000, key=f"{PAGE}/learn/events", help=told, **forget
        )
        told = "Passes over the events."
        epochs = right.number_input("Epochs", 1, 1_000, 5, key=f"{PAGE}/learn/epochs", help=told, **forget)
        told = "After a change of the controls above."
        last.button("As above", key=f"{PAGE}/learn/again", help=told, on_click=jobs.forget, args=(PAGE, "learn"))
        recipe = jobs.still(PAGE, "learn", wanted)
        if recipe is None:
            recipe = question.training_of(now).replace(kind=kind, events=int(events), epochs=int(epochs))
        what = plain(kept.name_of(recipe.data)) if recipe.data else "the simulated tracker"
        st.caption(f"{titled(recipe.kind)}, of {what}: {recipe.events:,} events, {recipe.epochs or 'usual'} passes.")
        job = jobs.panel(f"{PAGE}/learn", recipe, opens=now)
        jobs.just_done(PAGE, recipe, job)
        if job is not None and job.model is not None and (use := catalog.using(job.model)) is not None:
            shown = {"icon": ":material/scatter_plot:", "on_click": session.load, "args": (PAGE, use)}
            if st.button("Draw with it", key=f"{PAGE}/learn/use", **shown):
                st.rerun()  # the whole page: a click within a fragment runs that alone
