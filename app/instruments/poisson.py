"""Poisson: draw charges and edges, ask a generative model for the potential, and see what it does to a law known exactly.

The first minute: the page opens on a few charges; beside the exact potential stands what the flow drew, how wrong it is, and
where it breaks the law. Its user puts another charge into the square and everything follows.
The first hour: they read that an error of some percent hides a law broken many times as much, turn the dial of correction
steps and see that enough of them solve the problem without any model, put a point charge and compare with Green's function,
hide the charges and let a few sensors speak: there, and only there, samples say something the exact solver cannot.
A bad day: an array is not square, or holds no numbers; a periodic square has charge left over; a point charge is unlike all
that was learned; a sensor lies outside. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

import streamlit as st

from app.instruments import poisson_learn as learn
from app.instruments import poisson_views as views
from app.instruments.poisson_controls import PAGE, VERBS, Asked, controls, verb_of, widgets
from app.parts import explain, presets, session, stage
from app.parts.guard import guard
from app.parts.header import header
from app.tours.poisson import STEPS
from gen_core import catalog, kept
from gen_core.poisson.recipe import Green, Solve, Train

DIPOLE = Solve(charges=((0.36, 0.5, 1.0, 0.06), (0.64, 0.5, -1.0, 0.06)))
PRESETS = {
    "A dipole": DIPOLE,
    "Corrected in ten steps": Solve(correction=10),
    "A point charge": Green(),
    "Twelve sensors": Solve(sensors=12),
}
TRAPS = [
    (
        (
            "**A small error is not a law obeyed.** The potential is near the exact one, and the charge it stands for is not: "
            "second derivatives see every ripple. Read both numbers."
        ),
        Solve(solver="fno"),
    ),
    (
        (
            "**Corrected until it is right, the model is only a start.** Law and edges leave one answer, so enough steps "
            "solve the problem from nothing. The tab *Correction dial* says how many of them the model saves."
        ),
        Solve(correction=30),
    ),
    (
        (
            "**A spread is not an uncertainty.** Where all is known there is one answer; what the samples disagree on is the "
            "model's own noise: look at the tab *Spread*, beside the true error."
        ),
        Solve(samples=16),
    ),
    (
        (
            "**A point charge is nothing it has met.** Those it learned from are wider. The warning says so, and the response "
            "is not symmetric, as every true one is."
        ),
        Green(),
    ),
]
IDEA = [
    "Charges $\\rho$ in a square and the potential $\\varphi$ on its edges fix the potential inside: $-\\Delta\\varphi = \\rho$.",
    "The **exact** solver inverts the law wave by wave (sine transform), in well under a millisecond.",
    "The **flow** draws the waves of the potential from noise, each over its usual size: so it knows half of the law already.",
    "**Regression** is that network asked for one answer; the **Fourier operator** works on the nodes, and ripples there.",
    "**Correction** brings an answer towards the law in $k$ steps, from the model or from zero: that is what it saves.",
    "With a few **sensors** and charges unknown many potentials fit. There samples mean something, and can be checked exactly.",
]
FORMULA = r"-\Delta \varphi = \rho \ \text{inside}, \qquad \varphi = g \ \text{on the edges}"
SOURCE = (
    "Flow matching: Lipman et al. 2023, arXiv:2210.02747. Diffusion for equations: Huang et al. 2024, arXiv:2406.17763. "
    "Fourier operator: Li et al. 2021, arXiv:2010.08895."
)


def default() -> Solve:
    """What the page opens on."""
    return Solve()


def turn() -> None:
    """In a callback: another question, with the solver that was looked at."""
    now, verb = session.current(PAGE), str(session.value(PAGE, "verb"))
    if isinstance(now, Asked) and verb == verb_of(now):
        return
    solver = now.solver if isinstance(now, Asked) else "flow"
    if verb == "Point charge":
        session.load(PAGE, Green(solver=solver))
    elif verb == "From sensors":
        session.load(PAGE, Solve(sensors=12))
    else:
        session.load(PAGE, Solve(solver=solver))


@st.fragment
def instrument() -> None:
    """Controls, pictures, evidence and export: what a move of a control redraws."""
    now = session.current(PAGE)
    asked = now if isinstance(now, Asked) else default()
    stage.draw(
        PAGE,
        lambda: controls(asked),
        views,
        wide=(2, 4),
        compute=lambda recipe, place: kept.run(recipe, lambda: catalog.run(recipe)),
        notices=views.notices,
    )


asked = session.start(PAGE, "poisson.solve", default, widgets)
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
told = "Charges known; a charge at one point; or charges unknown, and a few sensors."
st.segmented_control(
    "Ask", VERBS, key=session.choice(PAGE, "verb"), required=True, on_change=turn, help=told, label_visibility="collapsed"
)
instrument()
with guard():
    learn.models()
learn.training(asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
