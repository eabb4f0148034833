"""The idea in five lines and one formula, and what can mislead."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.parts import session
from gen_core.recipe import Recipe


def explain(lines: Sequence[str], formula: str, source: str, title: str = "How this works") -> None:
    """What is computed, for a reader of the field: a few sentences (markdown), one formula (LaTeX), where it is from."""
    with st.expander(title, icon=":material/menu_book:"):
        text, right = st.columns([3, 2], gap="large", vertical_alignment="center")
        text.markdown("\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))
        right.latex(formula)
        right.caption(source)


def mislead(page: str, items: Sequence[tuple[str, Recipe | None]], title: str = "What can mislead you here") -> None:
    """Each trap in a sentence, with a recipe that shows it happening. Outside the page's fragment, like presets."""
    with st.expander(title, icon=":material/warning:"):
        for number, (text, recipe) in enumerate(items):
            left, right = st.columns([6, 1], vertical_alignment="center")
            left.markdown(text)
            if recipe is not None:
                key = f"{page}/mislead/{number}"
                right.button("Show me", key=key, on_click=session.load, args=(page, recipe), width="stretch")
