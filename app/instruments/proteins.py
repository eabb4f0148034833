"""Proteins: draw new members of a family, filter them, look at them beside what nature made, and take them away.

The first minute: the page opens on a thousand new chorismate mutases on the map of their family. Its user clicks a spot, an
empty one too, sees what it decodes to, and samples there; the funnel says what each filter takes out.
The first hour: they bring their own alignment, wait half a minute, lasso the clan they care about, lock the active site,
turn the temperature down and see diversity go, sort and pick from the table, read the picked ones beside the nearest known
sequence, compare the logos, score designs that they had already, see what each single change of one does, put the picked ones
on their own structure, and leave with FASTA, table, and a plate as DNA to order.
A bad day: the file is DNA, or no alignment, or has one sequence; a lock stands in no column; a region holds nobody; no sample
passes; a link names a file that is not here. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments import proteins_order
from app.instruments import proteins_own as own
from app.instruments import proteins_views as views
from app.instruments.proteins_controls import controls
from app.instruments.proteins_verbs import PAGE, VERBS, Asked, verb_of, verbs, widgets
from app.parts import beside, evidence, explain, export, presets, session
from app.parts.guard import guard, say
from app.parts.header import header
from app.tours.proteins import STEPS
from gen_core import catalog
from gen_core.errors import UserError
from gen_core.proteins import question
from gen_core.proteins.order_recipe import Order
from gen_core.proteins.recipe import Mutate, Sample, Score, Spot
from gen_core.result import Result

# The middle of another clan of the family, in the latent space of the bundled model
CLAN = (0.54, 0.03, -0.6, -0.01, 0.23, -0.19, -0.45, 0.7, 0.45, -0.2, 0.13, -0.48, 2.36, 0.12, -0.12, 0.69)
PRESETS = {
    "Relatives of E. coli's enzyme": Sample(around=question.COLI, radius=3),
    "The active site stays": Sample(around="naturals", reference=question.COLI, locks=(11, 28, 39, 48, 51, 52, 84, 88)),
    "From one clan to another": Sample(path=(question.COLI, CLAN), steps=20),
    "A plate as DNA": Sample(around="naturals", order=Order()),
}
TRAPS = [
    (
        (
            "**A low temperature passes the filters and explores less.** More are kept (85 of 100 instead of 71), and profile "
            "and energies look splendid; but the samples are more alike among themselves, correlations come out too strong "
            "(slope 1.3), and the logo hardens into single letters."
        ),
        Sample(temperature=0.1),
    ),
    (
        (
            "**What is drawn nearer to the naturals looks better.** Around the naturals the statistics of sites and pairs "
            "rise, because the samples are closer copies. Compare two ways of sampling only at the same identity to the nearest "
            "known sequence."
        ),
        Sample(around="naturals", radius=0.5),
    ),
    (
        (
            "**A high profile score is not function.** Of sequences whose sites were drawn one by one, as if residues did not "
            "depend on each other, most pass the profile; none of the pairs that hold the fold together is right. The coupling "
            "energy tells them apart."
        ),
        Score(sequences="chorismate_mutase_designs"),
    ),
    (
        (
            "**At one spot of the map there are no pair correlations.** A point of the latent space decodes to independent "
            "sites; correlations come from moving about. A tiny radius gives many sequences and one idea."
        ),
        Sample(around=Spot(z=CLAN, radius=0.1)),
    ),
]
IDEA = [
    "The family's alignment is weighted: near-copies (80 % identity) count as one.",
    "A **variational autoencoder** makes each natural a small cloud in a latent space; a mixture fitted to all is the **prior**.",
    "A latent point decodes to probabilities of each residue at each site; a sample draws from them, at a **temperature**.",
    "A **coupling energy** fitted to the same alignment, and a **profile**, judge every sample independently of that model.",
    "The **map** is the plane of the two widest components; what it does not show of a spot is taken from the 15 naturals there.",
    "Filters ask what is asked of naturals that the model never saw; nothing here has measured function.",
]
FORMULA = (
    r"\begin{gathered} E(x) = -\sum_i h_i(x_i) - \sum_{i<j} J_{ij}(x_i, x_j) \\[6pt]"
    r"C_{ij}(a,b) = f_{ij}(a,b) - f_i(a)\,f_j(b) \end{gathered}"
)
SOURCE = (
    "Latent spaces of families: Riesselman et al. 2018, doi:10.1038/s41592-018-0138-4; how to judge them: McGee et al. 2021, "
    "doi:10.1038/s41467-021-26529-9. Chorismate mutase: Russ et al. 2020, doi:10.1126/science.aba3304."
)


def default() -> Sample:
    """What the page opens on."""
    return Sample()


def turn() -> None:
    """In a callback: another verb, with the model and the filters that were looked at."""
    now, verb = session.current(PAGE), session.value(PAGE, "verb")
    if question.training_of(now) is not None:
        now = default()
    assert isinstance(now, Asked)
    model = str(now.model)
    needed: dict[str, Any] = {}
    if verb == "Score":
        needed["sequences"] = question.examples(model)
    if verb == "Single changes":
        needed["reference"] = question.reference_of(model)
    new = VERBS[verb](**needed)
    if new.model != now.model:
        new = question.for_model(new, model)
    shared = ("filters", *question.NO_LABELS, "reference", "reference_offset")
    kept = {name: value for name, value in now.fields().items() if name in shared and name in type(new).model_fields}
    if isinstance(new, Mutate) and kept.get("reference") is None:
        kept.pop("reference", None)
    if kept.get("labels") is None and "filters" in kept:
        kept["filters"] = kept["filters"] | dict.fromkeys(question.NEEDS_LABELS)
    new = new.replace(**kept)
    session.load(PAGE, new)


def run(recipe: Asked, plate: Any) -> Result:
    """The result of a recipe, its plate shown in its place. Where no such plate or structures can be made, that is said, and the
    rest of the page shows the result without them."""
    try:
        result = catalog.run(recipe)
    except UserError as error:
        bare = recipe.replace(order=None, structure=False) if isinstance(recipe, Sample) else recipe
        if bare == recipe:
            raise
        result = catalog.run(bare)  # what else is wrong is raised here
        say(error)
        asked = recipe.fields()
        session.write_link(result.recipe.replace(order=asked["order"], structure=asked["structure"]))
        return result
    session.write_link(result.recipe)
    if plate is not None:
        with plate:
            proteins_order.show(result.content)
    return result


@st.fragment
def instrument(now: Asked) -> None:
    """Controls, picture, evidence and export: what a move of a control redraws."""
    with guard():
        left, right = st.columns([1, 3], gap="medium")
        below = st.container()
        with left:
            recipe, plate = controls(now, below)
        doing = "Scoring every single change" if isinstance(recipe, Mutate) else "Drawing and comparing"
        with right, st.spinner(doing):
            result = run(recipe, plate)
        with right:
            figures = views.picture(result)
        beside.pin(PAGE, result, figures)
        figures |= views.BELOW[verb_of(recipe)](result)
        evidence.notices(notice for notice in result.warnings if notice.code not in views.SAID | proteins_order.CODES)
        st.header("Evidence")
        figures |= views.trust(result)
        st.header("Export")
        export.panel(result, figures)


asked = own.take_next(session.start(PAGE, "proteins.sample", default, widgets))
untrained = question.training_of(asked)
recipe = asked if isinstance(asked, Asked) and untrained is None else default()
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
left, right = st.columns([3, 2], vertical_alignment="bottom")
with left:
    st.segmented_control(
        "Do",
        verbs(recipe),
        key=session.choice(PAGE, "verb"),
        required=True,
        on_change=turn,
        help="Draw new sequences, score given ones, or see what each single change of a sequence does.",
        label_visibility="collapsed",
    )
with right, guard():
    own.choose_model(recipe)
if untrained is not None:
    st.info("This link asks for a model of a family that has to be trained first. Start it below.", icon=":material/info:")
elif not isinstance(asked, Asked):
    st.info(f"What {asked.operation} makes is not shown on this page yet. This makes its files:", icon=":material/info:")
    st.code(export.command(asked), language="bash", wrap_lines=True)
else:
    instrument(recipe)
with guard():
    views.model(recipe)
own.training(recipe, untrained)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
