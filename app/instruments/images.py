"""Images: walk between micrographs, put the style of one on the structure of another, change one known property.

The first minute: the page opens on a walk that plays, straight beside along the sphere. Its user picks other seeds, turns to
Mix and sees a table of structures and styles beside the rendered truth.
The first hour: they put in a picture of their own, look at what is left of it, change its grain size by one ASTM number, read
how well that direction is known and what it moves besides, click an empty spot of the map, lasso a region and sample there,
and save arrays, pictures and the animation; then they let the model learn from a folder of their own, and find it trained.
A bad day: the picture is cut short, claims to be enormous or is of another kind; a seed is no number; a direction has no
such name; a link names a picture that is not here. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments import images_apart
from app.instruments import images_own as own
from app.instruments import images_views as views
from app.instruments.images_controls import VERBS, controls, verb_of, verbs, widgets
from app.parts import beside, evidence, explain, export, presets, session
from app.parts.guard import guard
from app.parts.header import header
from app.tours.images import STEPS
from gen_core import catalog
from gen_core.images import question
from gen_core.images.recipe import Edit, Images, Interpolate, Map, Mix, Plane, Sample, Train

PAGE = "images"
TEXTURE = Mix(content_seeds=(33, 1, 61), style_seeds=(71, 40, 26, 47), layers=("middle", "fine"))
PRESETS = {
    "Structure and texture": TEXTURE,
    "One ASTM number finer": Edit(seed=157, directions={"grain_size": 1.0}),
    "An empty spot": Map(spot=(0.0, 0.0)),
    "Two numbers": Plane(),
}
TRAPS = [
    (
        (
            "**A straight line passes through pictures that nobody took.** Half way between two codes the code is too short, and "
            "the picture fades: compare the two ways at the middle, and the curve of lengths below them."
        ),
        Interpolate(seeds=(4, 9), path="lerp"),
    ),
    (
        (
            "**A beautiful picture may be a wrong one.** With the middle style switched the table looks right at a glance; the "
            "score against the rendered truth says how much of it is."
        ),
        Mix(content_seeds=(0, 1, 2), style_seeds=(3, 4, 5), layers=("middle",)),
    ),
    (
        (
            "**More of everything is not more variety.** Above a temperature of 1 the pictures leave what the model has learned; "
            "the warning counts them."
        ),
        Sample(n=16, temperature=2.0),
    ),
    (
        (
            "**A code may say nothing at all.** With the divergence weighed heavily the posterior of every picture is the prior, "
            "and the decoder draws one picture wherever it is asked. The number of nats tells; the loss alone does not."
        ),
        Plane(beta=3000),
    ),
]
IDEA = [
    "An encoder splits a picture into a **content map** without channel statistics and three **styles**: coarse, middle, fine.",
    "The decoder draws the content and sets mean and deviation of its channels as the styles say (**AdaIN**).",
    "So structure and style can be exchanged, and a walk can move both or the styles alone.",
    "It learned from rendered micrographs whose eleven factors are known, so that every mix and every edit has a **truth**.",
    "The **map** is a UMAP of training pictures. A spot has the mean style of the 15 nearest and the content of the nearest.",
    "A known factor's direction is found by regression on the styles; its R² and what it moves besides stand beside it.",
]
FORMULA = r"\mathrm{AdaIN}(x, y) = \sigma(y)\,\frac{x - \mu(x)}{\sigma(x)} + \mu(y)"
SOURCE = "AdaIN: Huang & Belongie 2017, arXiv:1703.06868. Styles by layer: Karras et al. 2019, arXiv:1812.04948."
FIRST: dict[str, Images] = {
    "Mix": TEXTURE,
    "Edit": Edit(directions={"grain_size": -0.75}),
}  # what a verb opens on, where not on its defaults


def default() -> Images:
    """What the page opens on."""
    return Interpolate()


def turn() -> None:
    """In a callback: another verb, with the model and the picture that were looked at."""
    now, verb = session.current(PAGE), session.value(PAGE, "verb")
    new = FIRST.get(verb, VERBS[verb]())
    if isinstance(now, Images) and not isinstance(now, Plane) and not isinstance(new, Plane):
        if now.model != new.model:  # it may know other directions
            new = VERBS[verb](model=now.model)
        if (seen := question.first(now)) is not None:
            session.put(PAGE, "looked at", seen)
        new = question.with_first(new, session.get(PAGE, "looked at"))  # a verb in between may look at none
    session.load(PAGE, new)


@st.fragment
def instrument(now: Images) -> None:
    """Controls, picture, evidence and export: what a move of a control redraws."""
    with guard():
        left, right = st.columns([1, 3], gap="medium")
        with left:
            recipe = controls(now)
        with right:
            if isinstance(recipe, Interpolate):
                views.play(recipe)  # before it is measured, which takes longer
        result = catalog.run(recipe)
        session.write_link(result.recipe)
        with right:
            figures: dict[str, Any] = views.SHOWN[verb_of(recipe)](result)
        beside.pin(PAGE, result, figures)
        evidence.notices(result.warnings)
        st.header("Evidence")
        views.trust(result)
        st.header("Export")
        export.panel(result, figures)


asked = session.start(PAGE, "images.interpolate", default, widgets)
recipe = asked if isinstance(asked, Images) else default()
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
left, right = st.columns([3, 1], vertical_alignment="bottom")
told = "What to do with the pictures."
with left:
    st.segmented_control(
        "Do",
        verbs(recipe),
        key=session.choice(PAGE, "verb"),
        required=True,
        on_change=turn,
        help=told,
        label_visibility="collapsed",
    )
with right, guard():
    if not isinstance(recipe, Plane):
        model = own.choose_model(recipe)
        recipe = recipe if model == recipe.model else recipe.replace(model=model, model_sha256=None)
instrument(recipe)
with guard():
    if not isinstance(recipe, Plane):
        views.model(recipe)
    images_apart.show()
own.training(recipe, asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
