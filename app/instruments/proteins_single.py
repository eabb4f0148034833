"""Single changes of a reference on the proteins page: the map of all of them, what one does, the best, and how far to trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.proteins_labels import labels, reference
from app.instruments.proteins_verbs import PAGE, Asked
from app.parts import evidence, figure, map, session
from gen_core.proteins import question, single_plots, table
from gen_core.proteins.mutate import Mutated, changed
from gen_core.proteins.recipe import Mutate
from gen_core.result import Result

KEY = "proteins.single"
HIGH = 330
ASSAY = evidence.Score("spearman_assay", digits=2)
NAMES = {"log_likelihood": "Log likelihood", "coupling_energy": "Coupling energy", "profile_bits": "Profile score"}
Figures = dict[str, Callable[[], Any]]


def controls(now: Asked) -> dict[str, Any]:
    """The reference, how it is numbered, and the labels that add viability."""
    assert isinstance(now, Mutate)
    made = reference()
    if made["reference"] is None:
        st.caption("Give a sequence of the family. Until then: the one that this model starts from.")
        made["reference"] = question.reference_of(str(now.model))
    before = session.get(PAGE, "single/before", [])
    last = before[-1] if before else ""
    if len(last) != len(made["reference"]) or sum(a != b for a, b in zip(last, made["reference"], strict=True)) != 1:
        before = []  # another sequence was given meanwhile
    told = "Takes the change back that was taken last."
    st.button(
        "Take it back",
        icon=":material/undo:",
        key=f"{PAGE}/single/undo",
        disabled=not before,
        help=told,
        on_click=_undo,
        width="stretch",
    )
    made |= labels()
    told = "Another seed, other noise in the bound on the likelihood."
    made["seed"] = int(st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told))
    return made


def picture(result: Result) -> Figures:
    """All single changes as a map, and the change that was clicked."""
    made: Mutated = result.content
    _take_click(made)
    dark, names = figure.dark(), single_plots.measures(made)
    key, told = session.settle(PAGE, "effect", names), "What the colours mean."
    place = st.container()
    left, right = st.columns([2, 5], gap="medium", vertical_alignment="bottom")
    name = left.selectbox("Colour", names, key=key, format_func=single_plots.TITLES.__getitem__, help=told)
    picked = _picked(made, name)

    def drawn() -> Any:
        return single_plots.heat_map(made, name, picked, dark)

    with place:
        alt = f"Map of {len(made.table) // 20} positions by 20 residues: {single_plots.title(name)}"
        figure.show(drawn(), KEY, alt, select=True)
    right.caption(
        "**Click** a cell to see what the change does. Orange is better, purple worse; dots are the reference's own residues."
    )
    return {"single_changes": drawn}


def below(result: Result) -> Figures:
    """The picked change beside the table of the best."""
    made: Mutated = result.content
    name = session.value(PAGE, "effect")
    left, right = st.columns([2, 3], gap="large")
    with right:
        best(made, name)
    with left:
        one(made, name, _picked(made, name))
    return {}


def one(made: Mutated, name: str, picked: tuple[int, str]) -> None:
    """What one change does, and a button that takes it into the reference."""
    position, residue = picked
    found = table.change(made, position, residue)
    st.header(found.name, anchor=False)
    st.dataframe(found.values, hide_index=True, width="stretch")
    st.caption(f"At this site of the family: {found.site}.")
    same = found.own == residue
    told = "Makes it the reference's own residue; the map then shows what a further change would do."
    new = changed(made.recipe.reference, position - made.recipe.reference_offset, residue)
    st.button(
        "Take this change",
        icon=":material/add_task:",
        key=f"{PAGE}/single/take",
        type="primary",
        disabled=same,
        help="This is the reference's own residue." if same else told,
        on_click=_take,
        args=(made.recipe, new),
    )


def best(made: Mutated, name: str) -> None:
    """The changes, the best first."""
    frame, which = table.changes(made, name)
    st.markdown(f"**Best changes by {single_plots.TITLES[name].lower()}**")
    event = st.dataframe(
        frame,
        hide_index=True,
        height=HIGH,
        width="stretch",
        key=f"{PAGE}/table/changes",
        on_select=_row_picked,
        selection_mode="single-row",
    )
    session.put(PAGE, "single/order", which)
    del event
    told = " The first methionine is left out: a gene begins with it." if table.begins(made) else ""
    st.caption(f"Pick a row to see it at the left and on the map.{told}")


def trust(result: Result) -> None:
    """How the scores rank the changes, beside independent sites and, where changes were measured, beside the assay."""
    made: Mutated = result.content
    sites = result.baselines["independent_sites"]
    names = {title: name for name, title in NAMES.items() if f"{name}_spearman_sites" in result.metrics}
    if "spearman_assay" in sites:
        rows: dict[str, Any] = {title: {ASSAY.name: result.metrics[f"{name}_{ASSAY.name}"]} for title, name in names.items()}
        told = f"Rank correlation over the {result.metrics['n_measured']:,} changes that the assay measured itself."
        evidence.score_table([ASSAY], rows | {"Independent sites": sites}, caption=told)
    st.table(
        {
            "Score": list(names),
            "Ranks the changes as independent sites do (r)": [
                evidence.number(result.metrics[f"{name}_spearman_sites"], 2) for name in names.values()
            ],
        },
        border="horizontal",
        hide_index=True,
    )
    likelier = 100 * float(result.metrics["likelier_fraction"] or 0)
    st.caption(
        f"Rank correlation over {result.metrics['n_changes']:,} changes. At 1 a score tells no more than how common each residue "
        "is at its site; below it, the other residues of the sequence matter. "
        f"{likelier:.0f} % of the changes make the sequence likelier. None of this is a measurement of function. {_outside(made)}"
    )


def _outside(made: Mutated) -> str:
    return next((notice.text for notice in made.notices if notice.code == "outside_columns"), "")


def _picked(made: Mutated, name: str) -> tuple[int, str]:
    """The change that was clicked last, else the best one."""
    picked = session.get(PAGE, "single/picked")
    if picked is not None and picked[0] in single_plots.positions(made):
        return int(picked[0]), str(picked[1])
    return table.changes(made, name)[1][0]


def _take_click(made: Mutated) -> None:
    event = figure.picked(KEY)
    if event is None:
        return
    figure.forget(KEY)
    spot = map.clicked(event)
    found = None if spot is None else single_plots.at(made, *spot)
    if found is not None:
        session.put(PAGE, "single/picked", found)


def _row_picked() -> None:
    """In a callback: the row of the table that was picked."""
    event, order = session.held(f"{PAGE}/table/changes"), session.get(PAGE, "single/order", [])
    rows = [i for i in event["selection"]["rows"] if i < len(order)]
    if rows:
        session.put(PAGE, "single/picked", order[rows[0]])


def _take(recipe: Mutate, new: str) -> None:
    """In a callback: go on from the changed sequence."""
    session.put(PAGE, "single/before", [*session.get(PAGE, "single/before", []), recipe.reference])
    session.load(PAGE, recipe.replace(reference=new))


def _undo() -> None:
    """In a callback: the reference before the last change."""
    before, now = session.get(PAGE, "single/before", []), session.current(PAGE)
    if before and isinstance(now, Mutate):
        session.put(PAGE, "single/before", before[:-1])
        session.load(PAGE, now.replace(reference=before[-1]))
