"""How good the learned solvers are on scenes they never saw, and a solver of one's own, learned as a job."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.poisson_controls import PAGE, SOLVERS, titled
from app.instruments.poisson_views import SCORES
from app.parts import evidence, jobs, people, session
from app.parts.guard import guard, plain
from gen_core import catalog, checkpoint, scores
from gen_core.poisson.recipe import KINDS, Train
from gen_core.recipe import DIGEST


def models() -> None:
    """The card of each model: its numbers on held-out scenes beside the baselines."""
    with st.expander("How good these models are, on scenes they never saw", icon=":material/fact_check:"):
        for name, card in checkpoint.known(PAGE).items():
            if DIGEST.fullmatch(name) and not people.may_see(name):
                continue
            st.markdown(f"**{plain(str(card.get('title') or name))}**")
            rows: dict[str, dict[str, Any]] = {"This model": scores.scaled(card.get("metrics", {}))}
            rows |= {titled(one): scores.scaled(values) for one, values in card.get("baselines", {}).items()}
            shown = [score for score in SCORES if any(row.get(score.name) is not None for row in rows.values())]
            if shown:
                evidence.score_table(shown, rows, highlight="This model", caption=plain(str(card.get("summary", ""))))


def training(asked: Train | None) -> None:
    """The panel that learns a solver away from the page; `asked` is a link's or a file's."""
    wanted, opened = jobs.wanted(PAGE, "learn", "poisson.train", asked)
    with st.expander("Learn a solver", icon=":material/model_training:", expanded=opened), guard():
        st.caption("From random charges made here. A short training shows what an undertrained solver does to the law.")
        recipe = wanted or Train(scenes=2048, epochs=20)
        left, middle, right = st.columns(3, gap="small")
        names = list(KINDS)
        kind = left.selectbox(
            "Kind", names, names.index(recipe.kind), key=f"{PAGE}/learn/kind", format_func=SOLVERS.__getitem__,
            help="Samples, one answer, or the Fourier operator.",
        )  # fmt: skip
        scenes = middle.number_input(
            "Scenes", 64, 100_000, recipe.scenes, step=512, key=f"{PAGE}/learn/scenes", help="To learn from."
        )
        epochs = right.number_input(
            "Epochs", 1, 10_000, recipe.epochs or 20, key=f"{PAGE}/learn/epochs", help="Passes over them."
        )
        recipe = recipe.replace(kind=kind, scenes=int(scenes), epochs=int(epochs))
        job = jobs.panel(f"{PAGE}/learn", recipe, opens=session.current(PAGE))
        jobs.just_done(PAGE, recipe, job)
        if job is not None and job.model is not None and (use := catalog.using(job.model)) is not None:
            st.button("Solve with it", key=f"{PAGE}/learn/use", icon=":material/bolt:", on_click=session.load, args=(PAGE, use))
