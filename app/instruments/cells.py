"""Cells: predict how a cell type that was not perturbed would respond.

The first minute: the page opens on a prediction. Its user picks another cell type, moves the dose, sees the cells move on
the map and the genes along the diagonal, and reads how much better than a simple average that was.
The first hour: they add their own .h5ad, check the columns that were guessed, name donors or doses, look at the left-out
types, search their genes, drop a gene-set file, try a new donor's control cells, and save the prediction for scanpy.
A bad day: no column says control; the matrix is scaled; one type only; perturbed cells of the target are missing; donor and
condition coincide; a link names a file that is not here. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments import cells_latent as latent
from app.instruments.cells_question import PAGE, ask, forget_spot, widgets, worded
from app.instruments.cells_views import genes, likeness, score, show_spot, trust
from app.parts import beside, evidence, explain, export, figure, map, presets, session
from app.parts.guard import guard, plain
from app.parts.header import header
from app.tours.cells import STEPS
from gen_core import catalog
from gen_core.cells import decode, explore, heldout, maps, plots, question, warn
from gen_core.cells.opening import open_study
from gen_core.cells.perturb import Prediction, predict
from gen_core.cells.recipe import FREE, Decode, Perturb
from gen_core.cells.shift import PREDICTORS
from gen_core.errors import UserError

SHIFTS = {
    "similarity_weighted": "Similarity-weighted",
    "nearest": "Nearest type",
    "balanced_mean": "Balanced mean",
    "mean": "Mean of all cells",
    "transport": "Optimal transport, cell by cell",
}
PRESETS = {
    "A type with a near relative": Perturb(data="simulated", target="T cytotoxic"),
    "A dose that was never given": Perturb(data="simulated_doses", target="B", dose_key="dose_uM", dose=5.5),
    "The plane is the latent space": Perturb(data="simulated", target="T helper", model="cells-simulated-2d", predictor="latent"),
    "Pathways": Perturb(data="simulated", target="Dendritic", gene_sets="simulated_pathway", replicate_key="donor"),
}
TRAPS = [
    (
        (
            "**An average of unlike types looks fine until the target is unlike them.** Take the balanced mean "
            "for a monocyte: the part of the response that only myeloid cells have is missing. The correlation drops and the "
            "energy distance grows several times over, yet the means of all genes (R² 0.90) still look fine."
        ),
        Perturb(data="simulated", target="Monocyte", predictor="gene_shift"),
    ),
    (
        (
            "**Doing nothing does not score zero.** The reference cells are in both changes that are compared, so their noise "
            "alone makes some correlation, the more the fewer cells there are. Compare with this, not with zero."
        ),
        Perturb(data="simulated", target="Dendritic", predictor="no_change"),
    ),
    (
        (
            "**A dose beyond what was measured is a straight line drawn on.** The correlation hardly notices, since it does not "
            "see how large a change is; the energy distance does."
        ),
        Perturb(data="simulated", target="T helper", dose=2.0),
    ),
    (
        (
            "**A model looks best on what it learned from.** This one learned from the responses of the other types, so it leads "
            "in their rows of the evidence; T helper's it never saw, and there a plain average is as good. A second training "
            "without one more type shows the same, which is why the automatic choice does not take it."
        ),
        Perturb(data="simulated", target="T helper", model="cells-simulated", predictor="latent"),
    ),
    (
        (
            "**A p-value of predicted cells says how many cells there are.** They are their own controls, moved; ten times the "
            "cells make p smaller and the prediction no better. So genes are ranked by the smallest change their interval allows."
        ),
        None,
    ),
]
IDEA = [
    "Each cell type that was measured in both conditions has a **response**: the change of its mean expression.",
    "The response of another type is predicted as an average of these; **types with like control cells count more**.",
    "The control cells are moved by that shift and cut off at zero, so each keeps its own noise.",
    "Every measured type is left out in turn and predicted from the others: that is the evidence, and it chooses the predictor.",
    "The dose multiplies the shift; where doses were measured it interpolates between them.",
]
FORMULA = (
    r"\hat x = \max\Bigl(0,\; x + \alpha \sum_t w_t\,(\bar x_t^{\,\mathrm{perturbed}} - \bar x_t^{\,\mathrm{control}})\Bigr),"
    r"\quad w_t \propto \sqrt{n_t}\; e^{-(d_t/d_{\min} - 1)/0.5}"
)
SOURCE = (
    "Latent arithmetic: Lotfollahi et al. 2019 (scGen), doi:10.1038/s41592-019-0494-8. "
    "Why simple baselines: Ahlmann-Eltze et al. 2025, doi:10.1038/s41592-025-02772-6."
)


def default() -> Perturb:
    """What the page opens on: synthetic cells whose true response is known."""
    return Perturb(data="simulated", target="T helper")


@st.fragment
def instrument(asked: Perturb) -> None:
    """Controls, picture, evidence and export of one question: what a move of a control redraws."""
    with guard(worded):
        controls, picture = st.columns([1, 3], gap="medium")
        if (clicked := map.clicked(figure.picked("cells.map"))) is not None:
            session.seed(PAGE, spot=clicked)
        with controls:
            recipe = choose(asked).replace(spot=session.value(PAGE, "spot"))
            score(predict(recipe))  # the number that follows the slider, before everything that takes longer
            stands = st.container()
        result = catalog.run(recipe)
        made: Prediction = result.content
        session.write_link(result.recipe)
        if (verdict := warn.verdict(made, result.warnings)) is not None:
            with stands:
                evidence.badge(verdict.text, verdict.good)
        with picture:
            pictures(made)
        beside.pin(PAGE, result, {"map": lambda: maps.cell_map(made, figure.dark())})
        evidence.notices(result.warnings, worded)
        genes(made)
        likeness(made)
        trust(result)
        st.header("Export")
        dark = figure.dark()
        drawings = {
            "map": lambda: maps.cell_map(made, dark),
            "changes": lambda: plots.changes(made, dark),
            "volcano": lambda: plots.volcano(made, dark),
            "likeness": lambda: plots.likeness(made, dark),
            "held_out": lambda: plots.held_out(heldout.reference(made), made.study.target, dark),
        }
        export.panel(result, drawings)


def choose(asked: Perturb) -> Perturb:
    """The controls; the recipe they make."""
    asked = latent.choose_space(asked)
    cells = question.described(asked.data, asked.layer).n_cells
    with st.spinner(f"Reading {cells:,} cells; about {1 + cells / 4000:.0f} s the first time", show_time=True):
        try:
            study = open_study(asked)
        except UserError:
            session.write_link(with_choices(asked))  # the link names what is on the screen, answered or not
            raise
    # Two widgets, two keys: a multiple of the shift is no concentration, and one must not become the other
    field = "dose_multiple" if study.dose is None else "dose_measured"
    if session.value(PAGE, field) is None:
        session.seed(PAGE, **{field: float(study.doses[-1])})  # the highest that was measured; 1 where there is one dose
    if (end := figure.dragged("cells.map")) is not None and study.dose is None:
        before = session.current(PAGE)
        asked_for = maps.dose_at(predict(before), end) if isinstance(before, Perturb) else 1.0
        session.seed(PAGE, **{field: round(20 * min(max(asked_for, -0.5), 2.0)) / 20})  # as fine as the slider
    now, key = float(session.value(PAGE, field)), session.key(PAGE, field)
    if study.dose is None:
        told = (
            "1 is the change as measured in the other types. A multiple of it, not a concentration: no dose was measured. "
            "Below 0 and above 1 lies what nobody measured."
        )
        dose = st.slider("Dose (multiples of the shift)", min(-0.5, now), max(2.0, now), step=0.05, key=key, help=told)
    else:
        options, measured = sorted({*study.dose_choices, now}), {float(d) for d in study.doses}
        told = "In the unit of the dose column; ● was measured. Between these it is interpolated, above the highest drawn on."
        spelled = {d: f"● {d:g}" if d in measured else f"{d:g}" for d in options}
        title = f"Dose ({plain(str(asked.dose_key))})"
        dose = st.select_slider(title, options, key=key, format_func=spelled.__getitem__, help=told)
    choices = ["auto", *PREDICTORS]
    told = "Automatic takes the one that predicts the other types best, of equally good ones the simplest."
    key = session.settle(PAGE, "predictor", choices)
    predictor = st.selectbox("Predictor", choices, key=key, format_func=plots.NAMES.__getitem__, help=told)
    shift = session.value(PAGE, "shift") or "similarity_weighted"
    if predictor == "latent":
        told = "How the other types' responses are averaged in the latent space."
        key = session.settle(PAGE, "shift", list(SHIFTS))
        shift = st.selectbox("Average of the types", list(SHIFTS), key=key, format_func=SHIFTS.__getitem__, help=told)
    return asked.replace(dose=float(dose), predictor=predictor, shift=shift)


def with_choices(asked: Perturb) -> Perturb:
    """The question with the dose, predictor and so on that the page had last."""
    now = session.current(PAGE)
    return asked.replace(**{name: getattr(now, name) for name in FREE}) if isinstance(now, Perturb) else asked


def pictures(made: Prediction) -> None:
    """The map that can be clicked anywhere, the change of every gene, and what the clicked spot means."""
    dark, study = figure.dark(), made.study
    left, right = st.columns(2, gap="small")
    with left:
        drawn = map.clickable(maps.cell_map(made, dark), *maps.spans(study.places, study.map_axes))
        told = f"Map of {study.start}, predicted and observed {study.target} cells on two components"
        figure.show(drawn, "cells.map", told, select=True, drag=study.dose is None)
        hint = " Drag its end to change the dose." if study.dose is None else ""
        st.caption(
            f"The arrow is the mean move.{hint} Click anywhere, an empty spot too, to see what a cell there would express."
        )
    with right:
        figure.show(
            plots.changes(made, dark), "cells.changes", f"Predicted against observed change of each gene in {study.target}"
        )
        if made.fold is not None:
            st.caption("One point a gene. On the dotted line the prediction is perfect.")
        else:
            why = "The model learned from what was observed" if study.saw_target else "Nothing was observed"
            st.caption(f"{why} here, so this is the type that counted most. One point a gene.")
    if made.spot is not None:
        show_spot(made.spot, f"against {study.start} {study.target} cells", forget_spot)


def no_spot() -> None:
    """In a callback: the map without its clicked spot."""
    forget_spot()
    session.load(PAGE, session.current(PAGE).replace(z=Decode().z))


@st.fragment
def atlas(recipe: Decode) -> None:
    """A file without a question: its map, coloured by a column, to be clicked anywhere."""
    with guard():
        now = session.current(PAGE)
        recipe = now if isinstance(now, Decode) and now.data == recipe.data else recipe  # with the spot clicked last
        if (clicked := map.clicked(figure.picked("cells.atlas"))) is not None:
            recipe = recipe.replace(z=[list(clicked)])
        # A question that this file cannot answer stays in the link, for the day its user mends it
        session.write_link(now if isinstance(now, Perturb) and clicked is None else recipe)
        made = decode.open_atlas(recipe)
        result = catalog.run(recipe)
        at = None if recipe.z == Decode().z else result.content.z[0]
        spot = None if at is None else (float(at[0]), float(at[1]))
        columns = list(made.obs.columns)
        controls, picture = st.columns([1, 3], gap="medium")
        column: Any = None
        with controls:
            latent.choose_map(recipe)
            if columns:
                guessed = question.described(recipe.data, recipe.layer).guess.cell_type_key
                first = columns.index(guessed) if guessed in columns else 0
                column = st.selectbox("Colour by", columns, index=first, key="cells.colour", help="A column of the file.")
            st.caption(f"{len(made.names):,} cells, {len(made.genes):,} genes.")
        drawn = map.clickable(maps.atlas_map(made, column, dark=figure.dark(), height=480, spot=spot), *maps.spans(made.codes))
        with picture:
            figure.show(drawn, "cells.atlas", "Map of all cells on two components", select=True)
            st.caption("Click anywhere, an empty spot too, to see what a cell there would express.")
        if at is not None:
            groups = made.obs[column].astype(str).to_numpy() if column else made.names
            found = explore.point_at(at, made.codes, groups, made.space, made.genes, made.mean, (0, 1))
            show_spot(found, "against the mean of all cells", no_spot)
        st.header("Export")
        export.panel(result, {"map": lambda: drawn})


recipe = session.start(PAGE, "cells.perturb", default, widgets)
latent.take_next()
header(PAGE)
presets.row(PAGE, PRESETS, default, forget_spot, STEPS)
with guard(worded):
    asked = ask(recipe)
    if isinstance(asked, Perturb):
        latent.training(asked)
        instrument(asked)
    else:
        atlas(asked)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
