"""Detector: choose a generator for fast simulation, and see what each event a second costs in fidelity.

The first minute: the page opens on events of a VAE beside those of the simulator, how well classifiers tell the two apart, and
how many events there are a second; every number has the floor that the truth itself reaches beside it.
The first hour: they move K from all at once to one by one, and correlations, classifiers, hits and speed move together; they hold
a code still and see the correlations of channels vanish; they look for their model on the plot of fidelity against speed, draw a
region anew, score unusual events, bring hit patterns of their own and train.
A bad day: K beyond the channels there are, a model of another shape, hits that are no zeros and ones, numbers of hits nobody has
learned from. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

import streamlit as st

from app.instruments import detector_controls as controls
from app.instruments import detector_learn as learn
from app.instruments import detector_views as views
from app.instruments.detector_controls import PAGE, VERBS, Asked, verb_of, widgets
from app.parts import explain, presets, session, stage
from app.parts.guard import guard
from app.parts.header import header
from app.tours.detector import STEPS
from gen_core.detector.recipe import Condition, Generate, Inpaint, Score, Train

PRESETS = {
    "All at once": Generate(model="vae"),
    "One token after the other": Generate(model="ar"),
    "Eight steps": Generate(model="masked", steps=8),
    "One code held still": Condition(),
    "A layer drawn anew": Inpaint(),
}
TRAPS = [
    (
        (
            "**The same means are not the same events.** Channels that fire on their own have every frequency right, and a "
            "classifier tells each event: nothing hangs together."
        ),
        Generate(model="independent"),
    ),
    (
        (
            "**Few events hide a bad model.** With a hundred of them the floor is as high as the error. Read each number beside "
            "its floor."
        ),
        Generate(model="vae", n=100),
    ),
    (
        (
            "**Speed in large batches is not speed in use.** A simulation chain asks for one event at a time: look at the tab "
            "*Speed*, where batches of 1 and of 100 stand apart."
        ),
        Generate(model="ar", batch=1_000),
    ),
    (
        (
            "**A low likelihood is not an anomaly.** Events with more hits are less likely whatever they are: counting hits "
            "alone tells a track too many better than the likelihood does. It stands beside it."
        ),
        Score(),
    ),
]
IDEA = [
    "An event is a pattern of hits, 0 or 1, in layers and channels. A generator draws new ones.",
    "**Autoregressive**: each token given all before. Exact likelihood, right correlations, one step a token.",
    "**Parallel**: a code, then all channels at once. Fast, and for one code channels are independent by construction.",
    "**Masked, K steps**: some channels at a time, given those drawn. K turns one into the other.",
    "**Distillation**: a parallel student learns what the autoregressive teacher draws.",
    "Every error stands beside its **floor**, what the truth scores against itself with as many events.",
]
FORMULA = (
    r"\begin{gathered} p(x) = \prod_i p(x_i \mid x_{<i}) \\[6pt] \text{or} \quad "
    r"p(x) = \int p(z) \prod_i p(x_i \mid z)\,dz \end{gathered}"
)
SOURCE = (
    "CaloFlow: Krause, Pang & Shih 2022, arXiv:2210.14245. CaloScore: Mikuni & Nachman 2023, arXiv:2308.03847. MADE: Germain et "
    "al. 2015, arXiv:1502.03509. Masked generation: Chang et al. 2022 (MaskGIT), arXiv:2202.04200."
)


def default() -> Generate:
    """What the page opens on."""
    return Generate()


def turn() -> None:
    """In a callback: another question about the same tracker."""
    now, verb = session.current(PAGE), str(session.value(PAGE, "verb"))
    if isinstance(now, Asked) and verb == verb_of(now):
        return
    session.load(PAGE, controls.other(verb, now))


@st.fragment
def instrument() -> None:
    """Controls, pictures, evidence and export: what a move of a control redraws."""
    now = session.current(PAGE)
    asked = now if isinstance(now, Asked) else default()
    stage.draw(PAGE, lambda: controls.controls(asked), views, notices=views.notices)


asked = session.start(PAGE, "detector.generate", default, widgets)
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
told = "New events; one code held still; a region drawn anew; or the likelihood of events."
one, two = st.columns([3, 2], vertical_alignment="bottom")
with one:
    st.segmented_control(
        "Ask", VERBS, key=session.choice(PAGE, "verb"), required=True, on_change=turn, help=told, label_visibility="collapsed"
    )
with two, guard():
    controls.data(asked if isinstance(asked, Asked) else default())
instrument()
with guard():
    learn.models()
learn.training(asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
