"""A row of small buttons: states worth seeing, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app.parts import session, tour
from gen_core.recipe import Recipe


def row(
    page: str,
    presets: Mapping[str, Recipe],
    default: Callable[[], Recipe],
    after: Callable[[], None] | None = None,
    steps: Sequence[tour.Step] = (),
) -> None:
    """One button per preset, a Reset, an Undo, and the tour. Outside the page's fragment, so that a press redraws the page.

    `after` runs once the recipe is loaded, for page-local state that goes with the old one (a clicked point).
    """
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption("Try this", width="content")
        for name, recipe in presets.items():
            st.button(
                name,
                key=f"{page}/preset/{name}",
                type="tertiary",
                icon=":material/play_arrow:",
                on_click=_load,
                args=(page, recipe, after),
            )
        st.button(
            "Reset",
            key=f"{page}/reset",
            type="tertiary",
            icon=":material/restart_alt:",
            on_click=_reset,
            args=(page, default, after),
        )
        st.button(
            "Undo",
            key=f"{page}/undo",
            type="tertiary",
            icon=":material/undo:",
            help="Takes the last move back: the controls and the picture are as they were before it.",
            on_click=_undo,
            args=(page, after),
        )
        if steps:
            tour.button(page, steps, after)
    tour.show(page, steps, after)


def _undo(page: str, after: Callable[[], None] | None) -> None:
    if not session.undo(page):
        st.toast("There is nothing to undo yet.", icon=":material/undo:")
    elif after:
        after()


def _load(page: str, recipe: Recipe, after: Callable[[], None] | None) -> None:
    session.load(page, recipe)
    if after:
        after()


def _reset(page: str, default: Callable[[], Recipe], after: Callable[[], None] | None) -> None:
    _load(page, default(), after)
