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
WHOLE = "the whole result"  # until the page is drawn with it: it may be gone from where results are kept


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
    begin: Callable[[Recipe, Any], Result | None] = background.first,
    notices: Callable[[Result], None] = lambda result: evidence.notices(result.warnings),
) -> None:
    """Draw it inside the page's fragment. `controls` draws them and returns what they ask; `compute` is given that and a place
    to say how far it is. What goes wrong is said in the place of the pictures, and the controls stay.

    Where `begin` has the pictures before all of the result is there, they are drawn, and once it is there all is drawn again:
    below them stays meanwhile what was there.
    """
    left, right = st.columns(wide, gap="medium")
    below = st.container()
    with right, guard():
        with left:
            recipe = controls()
        place = st.empty()
        result = session.take(page, WHOLE, recipe)
        try:
            if result is None and (begun := begin(recipe, place)) is not None:
                session.keep()  # the link follows with the whole: until then the page is where it was
                views.show(begun)
                whole = compute(recipe, place)
                session.put(page, WHOLE, ([recipe, whole.recipe], whole))
                session.again()
            if result is None:
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
