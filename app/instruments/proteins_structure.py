"""The proteins page's structures: threaded models beside their template, coloured by what the B-factors mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE
from app.parts import figure, jobs, molecule, people, session
from app.parts.file_field import file_field
from app.parts.guard import plain
from gen_core.proteins import fold, question, relax, structure_plots
from gen_core.proteins.files import name_of
from gen_core.proteins.sample import Drawn
from gen_core.proteins.structure import LEGENDS, SAID, Colour
from gen_core.proteins.structure import MOST as STRUCTURES
from gen_core.proteins.template import BUNDLED

MOST = 4  # side by side
TYPES = ["pdb", "ent", "cif", "mmcif", "gz"]
SHORT = {"conservation": "Conservation", "mutation": "What is new", "log_likelihood": "Log likelihood"}
FORMATS = {"pdb": "PDB", "mmcif": "mmCIF", "both": "PDB and mmCIF"}
WHY = {
    "script": "3Dmol.js could not be loaded (`python app/vendor.py` fetches it), so the backbone is drawn as a plain trace.",
    "webgl": "This browser does not draw 3-D scenes (WebGL is off), so the backbone is drawn flat, as seen from its broad side.",
}


def template(made: Drawn) -> None:
    """Which structure the sequences are put on: the family's own or a file of the user's, and which of its chains."""
    known = question.has_template(made.model)
    names = {} if known else {BUNDLED: "PDB entry 1ECM"}
    told = "A structure of one of the family, as PDB or mmCIF, gzip too. Its backbone is kept as it is."
    nothing = "PDB entry 1ECM" if known else "none"
    chosen = file_field(PAGE, "template", "Template", names, told, TYPES, question.check_template, nothing)
    st.caption(f":material/lock: {people.promise()}")
    if chosen is None or chosen == BUNDLED:
        session.seed(PAGE, template_chain="")
        return
    chains = {"": "The one most like the family"} | {name: f"Chain {name}" for name in question.chains(chosen)}
    key = session.settle(PAGE, "template_chain", list(chains))
    st.selectbox("Chain", list(chains), key=key, format_func=chains.__getitem__, help="Of the template.")


def saved() -> None:
    """Whether the kept sequences are saved as structures, and how."""
    told = (
        f"Under Export: each kept sequence on the template, the first {STRUCTURES} at most. A template backbone, no prediction."
    )
    on = st.toggle("Save as structures", key=session.key(PAGE, "save_structures"), help=told)
    if on:
        key = session.settle(PAGE, "structure_format", list(FORMATS))
        st.selectbox("Format", list(FORMATS), key=key, format_func=FORMATS.__getitem__, help="Of the saved structures.")


def side_chains(made: Drawn, rows: Sequence[int]) -> None:
    """The picked sequences with their side chains, made away from the page; or how what that needs is added."""
    with st.expander("Side chains", icon=":material/hub:"):
        recipe = _asked(relax, made, rows)
        if recipe is None:
            return
        count = len(recipe.sequences)
        st.caption(
            f"Of the {count} sequence{'s' * (count > 1)} above: side chains are placed, then relaxed so that they do not clash, "
            "while the template's backbone is held. Still no prediction."
        )
        about = f"About {jobs.rounded(relax.SECONDS * count)} on one core."
        job = jobs.panel(f"{PAGE}/relax", recipe, "Build side chains", about, "Step", opens=made.recipe)
        models = _models(job, rows, "its own side chains on the template's backbone")
        if models:
            show(models, "proteins.relaxed", height=300, sticks=True)


def predicted(made: Drawn, rows: Sequence[int]) -> None:
    """The picked sequences folded by ESMFold, away from the page; or how what that needs is added."""
    with st.expander("Predicted structure", icon=":material/deployed_code:"):
        recipe = _asked(fold, made, rows)
        if recipe is None:
            return
        st.caption("Predicted from the sequence alone by ESMFold; the colour is its own confidence. No measurement.")
        about = "On a processor minutes a sequence, on a GPU seconds."
        job = jobs.panel(f"{PAGE}/fold", recipe, "Predict", about, "Step", opens=made.recipe)
        models = _models(job, rows, "predicted by ESMFold")
        if models:
            show(models, "proteins.folded", "plddt", height=300, said="**Predicted by ESMFold, not measured.**")


def _asked(how: Any, made: Drawn, rows: Sequence[int]) -> Any:
    """The recipe of `relax` or `fold` for the picked sequences; None where it cannot be made, which is then said."""
    if (why := how.missing()) is not None:
        st.info(why, icon=":material/extension:")
    elif not rows:
        st.info("Pick a sequence first.", icon=":material/view_in_ar:")
    else:
        return how.asked_of(made, list(rows)[:MOST])
    return None


def _models(job: Any, rows: Sequence[int], what: str) -> list[tuple[str, str]]:
    """What a job has made, with a caption each; empty before it has."""
    if job is None or job.result is None:
        return []
    st.page_link("runs.py", label="Their files are under Runs", icon=":material/bookmarks:")
    names = [f"{name_of(row)}: {what}" for row in rows]
    return [(name, text) for name, (_, text) in zip(names, relax.read_models(job.result), strict=False)]


def show(
    texts: Sequence[tuple[str, str]],
    key: str,
    colour: Colour = "conservation",
    height: int = 380,
    sticks: bool = False,
    said: str = f"**{SAID}.** The shape is the template's whatever the sequence; nothing here says whether it folds.",
) -> None:
    """Structures as (caption, PDB text), at most four, side by side; what cannot be shown in 3-D is shown as a trace.

    `key` ("proteins.structure") names the view, and its pictures. `colour` is what the texts' B-factors hold.
    """
    texts = list(texts)[:MOST]
    if not texts:
        st.info("Pick a sequence to see it on the family's template.", icon=":material/view_in_ar:")
        return
    dark, legend = figure.dark(), LEGENDS[colour]
    why = molecule.unable(key)
    if why is None:
        words = {"title": f"Colour: {legend.title}", "low": legend.low_said, "high": legend.high_said}
        scale = words | {"colours": structure_plots.colours(colour, dark)}
        molecule.show(
            texts, key, structure_plots.style(colour, dark, sticks), scale, legend.unit, structure_plots.turn(texts), height
        )
    else:
        draw = structure_plots.trace if why == "script" else structure_plots.flat
        alt = f"Backbones of {len(texts)} structures, coloured by {legend.title}"
        figure.show(draw(texts, colour, dark), f"{key}_trace", alt, height=height)
        for caption, _ in texts:
            st.caption(plain(caption))
        st.info(WHY[why], icon=":material/view_in_ar:")
    st.caption(said)
