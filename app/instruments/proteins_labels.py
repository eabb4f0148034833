"""The controls of assay labels on the proteins page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE
from app.parts import people, session
from app.parts.file_field import file_field
from gen_core.errors import UserError
from gen_core.proteins import question

TYPES = ["csv", "tsv", "txt", "gz"]
KINDS = {"": "As the file looks", "continuous": "A scale", "binary": "Yes or no"}


def labels() -> dict[str, Any]:
    """Assay values of some sequences, and what counts as functional; all null where there are none."""
    with st.expander("Assay labels", expanded=bool(session.value(PAGE, "labels"))):
        told = "A CSV with a column of values and one called `sequence`, `mutations` (A23V:L40P, of the reference) or `id`."
        chosen = file_field(PAGE, "labels", "Labels", {}, told, TYPES, question.check_labels)
        st.caption(f":material/lock: {people.promise()}")
        if chosen is None:
            return dict(question.NO_LABELS)
        named, column = which_column(chosen)
        if not named:
            st.caption("Choose the column that holds the values of the assay. Until then the labels are not used.")
            return dict(question.NO_LABELS)
        told = "The value from which a sequence counts as functional, in the unit of the assay. Empty: ranks are learned."
        key = session.key(PAGE, "label_threshold")
        threshold = st.number_input("Functional from", value=None, key=key, placeholder="no threshold", help=told, format="%g")
        told = "What the values are: a scale, such as an enrichment, or yes and no."
        key = session.settle(PAGE, "label_kind", list(KINDS))
        kind = st.selectbox("Values", list(KINDS), key=key, format_func=lambda name: KINDS[name], help=told)
    return {"labels": chosen, "label_column": column, "label_threshold": threshold, "label_kind": kind or None}


def which_column(labels: str) -> tuple[bool, str | None]:
    """Whether it is said which column holds the values, and its name where it is not the usual one."""
    try:
        columns, usual = question.value_columns(labels)
    except UserError:  # what is wrong is said where the labels are used
        return True, session.value(PAGE, "label_column") or None
    if not columns or columns == [usual]:
        return True, None
    options = columns if usual or len(columns) == 1 else ["", *columns]
    told = "The column of the table that holds the values of the assay."
    key = session.settle(PAGE, "label_column", options, usual or options[0])
    name = st.selectbox("Column of values", options, key=key, format_func=lambda column: column or "choose one", help=told)
    return bool(name), None if name == usual else name or None


def reference() -> dict[str, Any]:
    """The sequence that numbers positions, and by how much its own numbers are off."""
    told = "Gives the residues and numbers the positions, here, in the logo, of labels that are mutations, and in links."
    text = st.text_area("Reference sequence", key=session.key(PAGE, "reference"), help=told, height=90)
    told = "Added to a residue's place in the reference, from 1 on, for its number."
    offset = st.number_input("Offset of its numbers", -10_000, 10_000, key=session.key(PAGE, "reference_offset"), help=told)
    return {"reference": question.one_sequence(text), "reference_offset": int(offset)}
