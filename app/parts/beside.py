"""Results beside each other: their pictures, zoomed together, what was asked differently, and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.parts import figure, kept, session
from app.parts.guard import plain
from gen_core import compare, scores
from gen_core.recipe import Recipe
from gen_core.result import Result

MOST = 4  # pictures that fit beside each other


@dataclass(frozen=True)
class Case:
    """One of the results, its title unlike the others'. `picture` is a Plotly figure as JSON."""

    title: str
    recipe: Recipe | None
    picture: str | None
    metrics: Mapping[str, Any] = field(default_factory=dict)


def show(cases: Sequence[Case], key: str) -> None:
    """Two to four results in columns, or in rows where they are wide, and a table of what differs. `key` names the plots."""
    pictures = [kept.figure_of(case.picture, figure.dark()) for case in cases]
    wide = any(drawn is not None and (drawn.layout.meta or {}).get("tiles") for drawn in pictures)  # rows of pictures themselves
    places = [st.container() for _ in cases] if wide else st.columns(len(cases), gap="small")
    for i, (place, case, drawn) in enumerate(zip(places, cases, pictures, strict=True)):
        with place:
            st.markdown(f"**{plain(case.title)}**")
            if drawn is None:
                st.caption("No picture was kept.")
            else:
                figure.show(drawn, f"{key}.{i}", f"Picture of {case.title}", group=key)
    asked = [case.recipe for case in cases if case.recipe is not None]
    left, right = st.columns(2, gap="large")
    titles = [case.title for case in cases if case.recipe is not None]
    with left:
        rows = [row for row in compare.recipes(asked) if row.differs and row.name != "weights"] if len(asked) > 1 else []
        st.markdown("**Asked differently**")
        if rows:
            _table("Field", titles, [(row.name.replace("_", " "), [_said(v) for v in row.values]) for row in rows])
        else:
            st.caption("Nothing: the recipes are the same.")
    with right:
        found = [row for row in compare.numbers([case.metrics for case in cases]) if row.differs]
        found = [row for row in found if sum(value is not None for value in row.values) > 1]
        st.markdown("**Numbers that differ**")
        if found:
            several = [case.title for case in cases]
            _table("", several, [(row.name, [value or "–" for value in row.values]) for row in found[: scores.FIRST]])
            if told := scores.more(found):
                st.caption(told)
        else:
            st.caption("None.")


def pin(page: str, result: Result, figures: Mapping[str, Callable[[], Any]]) -> None:
    """Pin the result on the screen as A; from then on what the page shows stands beside it as B. Inside the page's fragment."""
    pinned: Case | None = session.get(page, "pinned")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = "Keeps this picture and its numbers on the page; what you make next is shown beside it."
        draw = next(iter(figures.values()), None)
        st.button(
            "Pin as A" if pinned is None else "Pin this instead",
            icon=":material/push_pin:",
            key=f"{page}/pin",
            type="tertiary",
            help=told,
            on_click=_pin,
            args=(page, result, draw),
        )
        if pinned is not None:
            st.button("Unpin", icon=":material/close:", key=f"{page}/unpin", type="tertiary", on_click=_unpin, args=(page,))
    if pinned is None:
        return
    with st.container(border=True):
        if pinned.recipe == result.recipe:
            st.caption(
                "A is pinned. Move a control: the new picture will stand beside it, zoomed with it, with all that differs."
            )
            return
        now = Case("B, on the page now", result.recipe, _json(draw), result.metrics)
        show([pinned, now], f"{page}.beside")


def _pin(page: str, result: Result, draw: Callable[[], Any] | None) -> None:
    session.put(page, "pinned", Case("A, pinned", result.recipe, _json(draw), dict(result.metrics)))


def _unpin(page: str) -> None:
    session.put(page, "pinned", None)


def _json(draw: Callable[[], Any] | None) -> str | None:
    import plotly.io

    return None if draw is None else plotly.io.to_json(draw(), validate=False)


def _table(first: str, titles: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    columns = {first or "Number": [plain(name) for name, _ in rows]}
    for i, title in enumerate(titles):
        columns[plain(title)] = [plain(values[i]) for _, values in rows]
    st.table(columns, border="horizontal", hide_index=True)


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return kept.name_of(value) if isinstance(value, str) and value.startswith("sha256:") else kept.spelled(value)
