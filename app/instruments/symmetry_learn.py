"""How good the bundled networks are, what fewer examples do to them, and a network of one's own, learned as a job."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.symmetry_controls import KINDS, PAGE, SCENES, titled
from app.parts import evidence, figure, jobs, kept, people, session, upload
from app.parts.guard import guard, plain
from gen_core import catalog, checkpoint
from gen_core.recipe import DIGEST
from gen_core.symmetry import fewer as examples
from gen_core.symmetry import plots, question
from gen_core.symmetry.recipe import Fewer, Train

SCORES = [
    evidence.Score("floor_turned", better="low", digits=4),
    evidence.Score("floor_upright", better="low", digits=4),
    evidence.Score("error_50", better="low", digits=4),
    evidence.Score("parameters", "Weights", "none", 0),
    evidence.Score("multiplications", "Multiplications a picture", "none", 0),
]
SIMPLE = ("gaussian", "lasso")
COUNTS = [16, 64, 256, 1_024, 4_096]


def models() -> None:
    """All networks in one table, on pictures they never saw."""
    with st.expander("How good these networks are, on pictures they never saw", icon=":material/fact_check:"):
        rows: dict[str, dict[str, Any]] = {}
        simple: dict[str, dict[str, Any]] = {}
        other: list[str] = []  # measured on other pictures than the bundled ones, and no match for them
        for name, card in checkpoint.known(PAGE).items():
            mine = DIGEST.fullmatch(name) is not None
            if card.get("kind") not in KINDS or (mine and not people.may_see(name)):
                continue
            row = titled(name) if mine else f"{titled(str(card.get('kind')))}, {card.get('dim')} numbers"
            rows[row] = dict(card.get("metrics", {})) | {name: card.get(name) for name in ("parameters", "multiplications")}
            if mine:
                other.append(row)
            else:
                simple |= {titled(key): found for key, found in card["baselines"].items() if key in SIMPLE}
        caption = "As the cards say; 95 % intervals. Yours stand on pictures of the kind they learned: no match for the others."
        rows |= simple
        evidence.score_table(SCORES, rows, question.intervals(rows), reference=other, caption=caption)


def fewer(asked: Fewer | None) -> None:
    """What a symmetry saves in examples: bundled curves, and one's own as a job."""
    wanted, opened = jobs.wanted(PAGE, "fewer", "symmetry.fewer", asked)
    with st.expander("Fewer examples", icon=":material/stacked_line_chart:", expanded=opened):
        _fewer(wanted)


@st.fragment
def _fewer(wanted: Fewer | None) -> None:
    with guard():
        st.caption(
            "Networks learn from fewer and from more pictures, all as long; then each draws new turned ones as well as it can."
        )
        left, right = st.columns([3, 2], gap="small", vertical_alignment="bottom")
        key, forget = f"{PAGE}/fewer", {"on_change": jobs.forget, "args": (PAGE, "fewer")}
        told = "Numbers of pictures that are learned from."
        counts = left.pills(
            "Pictures", COUNTS, selection_mode="multi", default=[16, 64, 256, 1_024], key=f"{key}/counts", help=told,
            format_func=lambda v: f"{v:,}", **forget,
        )  # fmt: skip
        told = "Which networks."
        names = right.pills(
            "Networks", list(KINDS), selection_mode="multi", default=list(Fewer().models), key=f"{key}/models", help=told,
            format_func=titled, **forget,
        )  # fmt: skip
        recipe = jobs.still(PAGE, "fewer", wanted)
        if recipe is None:
            if not counts or not names:
                st.info("Choose at least one number of pictures and one network.", icon=":material/info:")
                return
            recipe = Fewer(counts=tuple(sorted(counts)), models=tuple(name for name in KINDS if name in names))
        job = jobs.panel(key, recipe, "Measure", unit="Percent", opens=session.current(PAGE))
        done = job is not None and job.result is not None
        told = examples.opened(job.result, recipe) if job is not None and job.result is not None else question.examples(recipe)
        if told is None:
            return
        drawn = plots.fewer(told, tuple(sorted(recipe.counts)), figure.dark())
        figure.show(drawn, f"{PAGE}.fewer", "Error on new pictures against the number of pictures learned from")
        bundled = "" if done else " Measured before and bundled."
        st.caption(f"Bands are 95 % intervals over the pictures. The orbit is told the angle of each.{bundled}")
        if done:
            st.page_link("runs.py", label="Its table is under Runs", icon=":material/bookmarks:")


def training(asked: Train | None) -> None:
    """The panel that learns a network of drawn or own pictures."""
    wanted, opened = jobs.wanted(PAGE, "learn", "symmetry.train", asked)
    with st.expander("Learn a network", icon=":material/model_training:", expanded=opened), guard():
        st.caption("Of synthetic pictures, or of a zip of your own: at least 20, square pieces of them in grey, 32 by 32 pixels.")
        first = wanted.data if isinstance(wanted, Train) else "galaxies"
        data = upload.data_picker(
            PAGE, PAGE, first, _other, ["zip"], question.check_pictures, "learn_data", "Pictures", bundled=SCENES
        )  # fmt: skip
        left, middle, right, last = st.columns(4, gap="small")
        key, forget = f"{PAGE}/learn", {"on_change": jobs.forget, "args": (PAGE, "learn")}
        told = "What is built in."
        kind = left.selectbox("Network", list(KINDS), 3, key=f"{key}/kind", format_func=titled, help=told, **forget)
        told = "Of the synthetic pictures; of your own all are used."
        count = middle.number_input(
            "Pictures learned from", 16, 100_000, 1_024, step=256, key=f"{key}/pictures", help=told, **forget
        )
        told = "Passes over the pictures."
        epochs = right.number_input("Epochs", 1, 1_000, 4, key=f"{key}/epochs", help=told, **forget)
        told = "Numbers in a code."
        dim = last.number_input("Numbers in a code", 2, 64, 20, key=f"{key}/dim", help=told, **forget)
        recipe = jobs.still(PAGE, "learn", wanted)
        if recipe is None:
            recipe = Train(kind=kind, data=data, pictures=int(count), epochs=int(epochs), dim=int(dim))
        st.caption(f"{titled(recipe.kind)}, of {plain(kept.name_of(recipe.data))}; {recipe.epochs} passes.")
        job = jobs.panel(key, recipe, opens=session.current(PAGE))
        jobs.just_done(PAGE, recipe, job)
        if job is not None and job.model is not None and (use := catalog.using(job.model)) is not None:
            st.button("Turn with it", key=f"{key}/use", icon=":material/cyclone:", on_click=session.load, args=(PAGE, use))


def _other() -> None:
    jobs.forget(PAGE, "learn")
