"""Symmetry: turn a code and the picture it draws, and see what a symmetry that is built in saves, and what it does not.

The first minute: the page opens on a spiral galaxy turned by an eighth; beside the turned picture stands what the turned code
draws, and their difference. Its user drags the angle and sees the error fall to nothing at the group's own steps.
The first hour: they compare plain, augmented, group and orbit at any angle and read both scales of error; they recover pictures
from few measurements, see what the symmetry gains over turned examples, and that a Gaussian prior gains as much or more; they ask
how many measurements each needs, and learn from few examples themselves, or from their own pictures.
A bad day: an angle that is none, more measurements than pixels, own pictures that are too few or empty, a network of another
size. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

import streamlit as st

from app.instruments import symmetry_learn as learn
from app.instruments import symmetry_views as views
from app.instruments.symmetry_controls import PAGE, VERBS, Asked, controls, of_own, verb_of, widgets
from app.parts import explain, presets, session, stage
from app.parts.guard import guard
from app.parts.header import header
from app.tours.symmetry import STEPS
from gen_core.symmetry.recipe import Fewer, Needed, Recover, Rotate, Train

PRESETS = {
    "A quarter, exactly": Rotate(model="c4", angle=90),
    "Between the steps": Rotate(model="c8", angle=22.5),
    "Any angle": Rotate(model="orbit", angle=33),
    "Fifty measurements": Recover(),
}
TRAPS = [
    (
        (
            "**A good error is not a symmetry.** A network that was shown turned pictures comes within a few percent here, by a "
            "search for the best code. Nothing in it tells how a code turns: at 90° C4 is exact."
        ),
        Rotate(model="augmented", angle=90),
    ),
    (
        (
            "**Decibels flatter dark pictures.** 26 dB sounds fair, where 10 to 14 is called not equivariant; but they "
            "compare with the range from 0 to 1, and most of a galaxy is black. Beside them: 39 % of the contrast is wrong."
        ),
        Rotate(model="plain", angle=90),
    ),
    (
        (
            "**A plain network on turned pictures is no control.** It never saw one, and C8 looks far better. Against a network "
            "that learned turned examples C8, of as many multiplications but an eighth of the weights, gains nothing here."
        ),
        Recover(models=("plain", "augmented", "c8", "orbit")),
    ),
    (
        (
            "**A gain over one control is no gain over all.** The orbit beats turned examples at each of these. A mean and a "
            "covariance of turned pictures, a Gaussian prior, does as well at 10 to 30, and better at 5 and from 45 on: it has "
            "no floor (dotted)."
        ),
        Recover(models=("augmented", "orbit"), measurements=(5, 10, 20, 30, 45, 105)),
    ),
    (
        (
            "**A gap of errors is not a gap of measurements.** With many measurements every network stops at what it can draw "
            "(dotted); the sparse transform, which learned nothing, comes below it at 500."
        ),
        Recover(models=("augmented", "orbit"), measurements=(50, 240, 500)),
    ),
]
IDEA = [
    "A network $G$ draws a picture from a code. It is **equivariant** if a turned code draws the turned picture.",
    (
        "**Group convolutions** (C4, C8, C16) use every filter at 4, 8 or 16 angles: right at the group's own steps. All "
        "networks here multiply as often; those of a group have 4, 8 or 16 times fewer weights."
    ),
    "The **orbit** keeps an angle beside the code and turns the picture itself: right at every angle, for any network.",
    "**Measured**: difference over contrast, and StyleGAN3's decibels, beside the floor of turning back and forth.",
    "**Recovery**: of all pictures that $G$ can draw, the one that fits $m$ random measurements best.",
    "**Beside them**: a Gaussian prior, which is a mean and a covariance of turned pictures, and sparse cosines.",
]
FORMULA = r"\text{error} = \frac{\lVert R_\theta\,G(z) - G(\theta z)\rVert}{\lVert R_\theta\,G(z) - \text{mean}\rVert}"
SOURCE = (
    "Group convolutions: Cohen & Welling 2016, arXiv:1602.07576. EQ-R in decibels: Karras et al. 2021 (StyleGAN3), "
    "arXiv:2106.12423. Recovery with generative priors: Bora et al. 2017, arXiv:1703.03208."
)


def default() -> Rotate:
    """What the page opens on."""
    return Rotate()


def turn() -> None:
    """In a callback: another question, with the networks that were looked at."""
    now, verb = session.current(PAGE), str(session.value(PAGE, "verb"))
    if isinstance(now, Asked) and verb == verb_of(now):
        return
    kind = {VERBS[0]: Rotate, VERBS[1]: Recover}.get(verb, Needed)
    mine = of_own(now) if isinstance(now, Asked) else {}
    if kind is Rotate and mine:
        mine = {"model": mine["models"][0]}
    session.load(PAGE, kind.read(mine))


@st.fragment
def instrument() -> None:
    """Controls, pictures, evidence and export: what a move of a control redraws."""
    now = session.current(PAGE)
    asked = now if isinstance(now, Asked) else default()
    stage.draw(PAGE, lambda: controls(asked), views, notices=views.notices)


asked = session.start(PAGE, "symmetry.rotate", default, widgets)
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
told = "Turn a picture and its code; recover pictures from few measurements; or how many are needed."
st.segmented_control(
    "Ask", VERBS, key=session.choice(PAGE, "verb"), required=True, on_change=turn, help=told, label_visibility="collapsed"
)
instrument()
with guard():
    learn.models()
learn.fewer(asked if isinstance(asked, Fewer) else None)
learn.training(asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
