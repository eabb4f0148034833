"""The question of the cells page: which data, which cell type, and in a popover what the columns mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app.parts import figure, session, upload
from app.parts.file_field import file_field
from app.parts.guard import plain
from gen_core.cells import plots, question
from gen_core.cells.question import GUESSED
from gen_core.cells.recipe import Decode, Perturb
from gen_core.datasets import DATA, named
from gen_core.errors import UserError

PAGE = "cells"
MAPS = ("cells.map", "cells.atlas")  # the figures that can be clicked
TYPES = ["h5ad", "h5", "zip", "mtx"]
ASKED = (
    *(*GUESSED, "data", "layer", "replicate_key", "dose_key", "reverse", "second", "target_data", "gene_sets", "seed"),
    *("model", "weights", "latent_dim"),
)
# What the page calls the recipe's fields, so that a sentence written for all faces reads well on this one.
WORDS = {
    "condition_key": "Condition column",
    "cell_type_key": "Context column",
    "replicate_key": "Donor column",
    "dose_key": "Dose column",
    "sources": "Learn from",
    "layer": "Layer",
    "target": "Cell type to predict",
    "second": "Second perturbation",
    "target_data": "Control cells of a new donor",
    "gene_sets": "Gene sets",
} | {f"'{name}'": f"“{title}”" for name, title in plots.NAMES.items()}
RESPONSE, MAP = "Response", "Map"


def worded(text: str) -> str:
    """A sentence of gen_core in the words of this page. A field named like a common word is one only where a colon follows."""
    names = [re.escape(w) + ("" if "_" in w or "'" in w else "(?=:)") for w in sorted(WORDS, key=len, reverse=True)]
    return re.sub(rf"(?<!\w)({'|'.join(names)})(?!\w)", lambda m: WORDS[m[0]], text)


def widgets(recipe: Perturb | Decode) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    fields = recipe.fields() | {"shown": MAP if isinstance(recipe, Decode) else RESPONSE}
    dose = {"dose_multiple": fields["dose"], "dose_measured": fields["dose"]} if "dose" in fields else {}
    return fields | dose | {"sources": list(fields.get("sources") or [])}


def new_data() -> None:
    """In a callback: with other data everything that belonged to the old one starts anew."""
    session.load(PAGE, Perturb(data=session.value(PAGE, "data")))
    forget_spot()


def forget(*fields: str) -> None:
    """In a callback: these fields belong to a choice that was just changed, so they are guessed again."""
    session.seed(PAGE, **{field: [] if field == "sources" else None for field in fields})
    forget_spot()


def forget_spot() -> None:
    """In a callback: the clicked spot was one of another map."""
    session.seed(PAGE, spot=None)
    for key in MAPS:
        figure.forget(key)


def turn_to() -> None:
    """In a callback: from the question to the map of all its cells, and back to the question as it was left."""
    now = session.current(PAGE)
    if isinstance(now, Perturb):
        session.put(PAGE, "question", now)
        session.load(PAGE, Decode(data=now.data, layer=now.layer, model=now.model))
    else:
        left = session.get(PAGE, "question")
        same = isinstance(left, Perturb) and isinstance(now, Decode) and left.data == now.data
        session.load(PAGE, left if same else Perturb(data=session.value(PAGE, "data"), layer=session.value(PAGE, "layer")))


def ask(recipe: Perturb | Decode) -> Perturb | Decode:
    """The row above the instrument; returns the question filled in.

    Where the file holds no question that can be answered, says why in one sentence and returns the recipe of its map.
    """
    shown_column, data_column, target_column, more_column = st.columns([3, 6, 5, 3], vertical_alignment="bottom")
    with data_column:
        name = upload.data_picker(PAGE, "cells", recipe.data, new_data, TYPES, question.check)
    with shown_column:
        told = "The predicted response of one cell type, or the map of all cells of the data."
        shown = st.segmented_control(
            "Show",
            [RESPONSE, MAP],
            key=session.choice(PAGE, "shown"),
            required=True,
            on_change=turn_to,
            help=told,
            width="stretch",
        )
    given = {field: session.value(PAGE, field) for field in ASKED if session.value(PAGE, field) is not None}
    if given.get("model") == "train":  # the answer comes at once; the panel above it trains
        given["model"] = "pca"
        session.seed(PAGE, model="pca")
    sources = [s for s in session.value(PAGE, "sources") or [] if s != given.get("target")]
    known = named(name)
    described = question.described(name, given.get("layer"))
    if shown == MAP:
        return map_of(recipe, name, given.get("layer"))
    wanted, types, problem = None, [], None
    try:
        wanted = question.fill_in(Perturb.read(given | {"data": name, "sources": sources or None}))
        types = question.types(wanted)
        session.seed(PAGE, **{field: getattr(wanted, field) for field in GUESSED})
    except UserError as error:
        problem = error
    if wanted is not None:
        with target_column:
            key = session.settle(PAGE, "target", types, wanted.target)
            told = "Its perturbed cells are never used for the prediction, only to score it."
            st.selectbox("Cell type to predict", types, key=key, on_change=forget, args=("sources",), help=told)
    with more_column, st.popover("Question", icon=":material/tune:", width="stretch"):
        details(described, wanted, types)
    if wanted is None:
        sentence = (
            "Nothing was perturbed in these cells; they are a map to walk on."
            if known and known.map_only
            else f"{worded(str(problem))} Until then: the map."
        )
        st.info(plain(sentence), icon=":material/map:")
        return map_of(recipe, name, given.get("layer"))
    return wanted


def map_of(recipe: Perturb | Decode, name: str, layer: str | None) -> Decode:
    """The recipe of the map of these cells: the page's own where it is one of them."""
    same = isinstance(recipe, Decode) and (recipe.data, recipe.layer) == (name, layer)
    return recipe if same and isinstance(recipe, Decode) else Decode(data=name, layer=layer)


def details(described: Any, wanted: Perturb | None, types: list[str]) -> None:
    """The rest of the question: which columns mean what, which types to learn from, which files to add."""
    names = [column.name for column in described.columns]
    numbers = [column.name for column in described.columns if column.kind == "number"]
    labels = next((list(c.levels) for c in described.columns if c.name == session.value(PAGE, "condition_key")), [])
    st.caption(plain(described.state.text))
    left, right = st.columns(2)
    with left:
        choice(
            "Condition column", "condition_key", names, "Tells control from perturbed cells.", ("control", "perturbed", "second")
        )
        choice(
            "Control",
            "control",
            labels,
            "Label of the cells that nothing was done to.",
            change=partial(unlike, "control", "perturbed"),
        )
        choice(
            "Perturbed",
            "perturbed",
            labels,
            "Label of the treated, stimulated or edited cells.",
            change=partial(unlike, "perturbed", "control"),
        )
        choice("Layer", "layer", list(described.layers), "Which matrix of the file to read.", empty="X")
    with right:
        told = "Mostly the cell type: the response is carried across its values."
        choice("Context column", "cell_type_key", names, told, ("target", "sources"))
        choice("Donor column", "replicate_key", names, "Intervals then resample donors, not cells.", empty="none")
        told = "Measured doses, a number. Without it the dose is in multiples of the shift."
        choice("Dose column", "dose_key", numbers, told, ("dose_multiple", "dose_measured"), empty="none")
        told = "Of the split of the control cells and of the resampling."
        st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told)
    more = [label for label in labels if label not in (session.value(PAGE, "control"), session.value(PAGE, "perturbed"))]
    if more or session.value(PAGE, "second"):
        told = "Its shift is added to the first: the sum of two perturbations, as if neither changed what the other does."
        choice("Second perturbation", "second", more, told, empty="none")
    if wanted is not None:
        others = [t for t in types if t != wanted.target or wanted.target_data]
        told = "The types whose response is used."
        st.multiselect("Learn from", others, placeholder="all other types", key=session.key(PAGE, "sources"), help=told)
    st.toggle("Reverse: predict control from perturbed cells", key=session.key(PAGE, "reverse"))
    sets = {d.name: d.title for d in DATA if d.role == "gene_sets"}
    told = "Their mean change, predicted beside observed."
    file_field(PAGE, "gene_sets", "Gene sets (.gmt)", sets, told, ["gmt", "txt"], question.check_gene_sets)
    told = "A second file: its control cells of the chosen type are predicted."
    fits = question.check if wanted is None else partial(question.check_new_donor, wanted)
    file_field(PAGE, "target_data", "Control cells of a new donor", {}, told, TYPES, fits)


def unlike(field: str, other: str) -> None:
    """In a callback: where the label of one condition was given to the other, the first is guessed again."""
    if session.value(PAGE, field) == session.value(PAGE, other):
        forget(other)


def choice(
    label: str,
    field: str,
    options: list[str],
    told: str,
    forgets: tuple[str, ...] = (),
    empty: str = "choose",
    change: Callable[[], None] | None = None,
) -> None:
    """A choice that may be empty; what depends on it is guessed again once it changes."""
    change = change or (partial(forget, *forgets) if forgets else None)
    key = session.settle(PAGE, field, [None, *options]) if options else session.key(PAGE, field)
    st.selectbox(label, options, index=None, placeholder=empty, key=key, help=told, on_change=change)
