"""Defects: forces and diffusion constant from snapshots without trajectories, and whether the snapshots can tell them at all.

The first minute: the page opens on particles that cross between two wells. Three tests say that the snapshots change, that a
potential explains them and that two ways agree; then D with its interval beside the true one, and the drift. It plays.
The first hour: they take snapshots at rest and see D refused; a trap that turns, which no potential explains; ten defects that
repel each other, and what becomes of D when that is ignored; they bring their own positions, declare box and units, see the
last snapshot predicted, and ask how many they need for five percent.
A bad day: two times only, equal snapshots, a lost unit of time, particles that vanish, a box that was not declared, one
position at a million. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments import defects_controls as controls
from app.instruments import defects_learn as learn
from app.instruments import defects_views as views
from app.instruments.defects_controls import PAGE, VERBS, Asked, verb_of, widgets
from app.parts import background, explain, jobs, presets, session, stage
from app.parts.guard import guard
from app.parts.header import header
from app.tours.defects import STEPS
from gen_core.defects import question
from gen_core.defects.recipe import Infer, Power, Sample, Train
from gen_core.recipe import Recipe
from gen_core.result import Result

PRESETS = {
    "At rest": Infer(data="stationary"),
    "A trap that turns": Infer(data="rotating", library="gradient"),
    "Defects that repel": Infer(data="pairs"),
    "A time nobody looked at": Sample(data="double_well", time=0.55),
}
TRAPS = [
    (
        (
            "**Snapshots at rest cannot tell D.** Any force with any D leaves them as they are, if their ratio is right. A fit "
            "gives a number all the same; the change test refuses it."
        ),
        Infer(data="stationary"),
    ),
    (
        (
            "**A potential explains no rotation.** The fit looks reasonable, its interval is narrow, and it is wrong: the J test "
            "says so. Choose *Any drift*."
        ),
        Infer(data="rotating", library="gradient"),
    ),
    (
        (
            "**Interactions that are ignored do not go away.** They end up in the trap and in D, which may come out negative: "
            "compare under *Evidence*."
        ),
        Infer(data="pairs"),
    ),
    (
        (
            "**Few particles make D too small.** The noise of each snapshot looks like order. Instruments, half of a snapshot "
            "for the other, take that away: compare the row without them."
        ),
        Infer(data="double_well", n=500),
    ),
]
IDEA = [
    "Particles move by $dx = f\\,dt + \\sqrt{2D}\\,dW$; only snapshots are seen, each of other particles.",
    "**Weak form**: the mean of any test function changes by drift and diffusion, as the formula below says.",
    "Random waves give linear equations for force and D; half of each snapshot is the **instrument** of the other.",
    "**Change test**: nothing changes, nothing known. **J test**: do these forces explain more than they were fitted to?",
    "The **score** $s=\\nabla\\log p$ gives a second opinion, the probability flow, and entropy production.",
    "Fokker-Planck, $\\partial_t s = \\nabla[-\\nabla f - f s + D(\\nabla s + |s|^2)]$, is checked with the fitted force.",
]
FORMULA = r"\frac{d}{dt}\,\mathbb E[\varphi] = \mathbb E[f\cdot\nabla\varphi] + D\,\mathbb E[\Delta\varphi]"
SOURCE = (
    "What marginals tell: Guan et al. 2025 (nn-APPEX), arXiv:2505.21770. J test: Hansen 1982, doi:10.2307/1912775. Score and "
    "Fokker-Planck: Boffi & Vanden-Eijnden 2023, arXiv:2206.04642."
)


def default() -> Infer:
    """What the page opens on."""
    return Infer()


def turn() -> None:
    """In a callback: another question about the same snapshots."""
    now, verb = session.current(PAGE), str(session.value(PAGE, "verb"))
    if isinstance(now, Asked) and verb == verb_of(now):
        return
    name = now.data if isinstance(now, Asked) else "double_well"
    session.load(PAGE, Sample(data=name) if verb == VERBS[1] else Infer(data=name))


def _computed(recipe: Recipe, place: Any) -> Result:
    return background.result(recipe, place, _about(recipe))


def _begun(recipe: Recipe, place: Any) -> Result | None:
    return background.first(recipe, place, _about(recipe))


def _about(recipe: Recipe) -> str:
    return f"About {jobs.rounded(question.seconds(recipe))}" if isinstance(recipe, Infer) else ""


@st.fragment
def instrument() -> None:
    """Controls, pictures, evidence and export: what a move of a control redraws."""
    now = session.current(PAGE)
    asked = now if isinstance(now, Asked) else default()
    stage.draw(PAGE, lambda: controls.controls(asked), views, compute=_computed, begin=_begun)


asked = session.start(PAGE, "defects.infer", default, widgets)
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
told = "Forces and diffusion constant, or new configurations at any time from a score network."
one, two = st.columns([3, 2], vertical_alignment="bottom")
with one:
    st.segmented_control(
        "Ask", VERBS, key=session.choice(PAGE, "verb"), required=True, on_change=turn, help=told, label_visibility="collapsed"
    )
with two, guard():
    controls.data(asked if isinstance(asked, Asked) else default())
instrument()
with st.expander("How good the score networks are", icon=":material/fact_check:"), guard():
    learn.cards()
learn.need(asked if isinstance(asked, Power) else None)
learn.training(asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
