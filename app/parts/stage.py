"""What a move of a control redraws, in the order in which every page tells it: controls and pictures, evidence, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import streamlit as st

from app.parts import background, beside, evidence, export, session
from app.parts.guard import guard
from gen_core.errors import UserError
from gen_core.recipe import Recipe
from gen_core.result import Result

Figures = dict[str, Callable[[], Any]]


class Views(Protocol):
    """What a page's module of views has: the pictures first seen, those behind tabs, and the table of evidence."""

    show: Callable[[Result], Figures]
    tabs: Callable[[Result], Figures]
    trust: Callable[[Result], None]


def draw(
    page: str,
    controls: Callable[[], Recipe],
    views: Views,
    wide: Sequence[int] = (1, 4),
    compute: Callable[[Recipe, Any], Result] = background.result,
    notices: Callable[[Result], None] = lambda result: evidence.notices(result.warnings),
) -> None:
    """Draw it inside the page's fragment. `controls` draws them and returns what they ask; `compute` is given that and a place
    to say how far it is. What goes wrong is said in the place of the pictures, and the controls stay."""
    left, right = st.columns(wide, gap="medium")
    below = st.container()
    with right, guard():
        with left:
            recipe = controls()
        place = st.empty()
        try:
            result = compute(recipe, place)
        except UserError:
            place.empty()  # no bar stands above the sentence
            raise
        place.empty()
        session.write_link(result.recipe)
        figures = views.show(result)
        with below:
            beside.pin(page, result, figures)
            figures |= views.tabs(result)
            notices(result)
            st.header("Evidence")
            views.trust(result)
            st.header("Export")
            export.panel(result, figures)
