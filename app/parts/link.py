"""Share what is on the screen: the link that opens the page in exactly this state."""

from __future__ import annotations

import streamlit as st

from gen_core.recipe import Recipe, content_fields
from gen_core.store import DIGEST

LONG = 350  # letters, which take some ten lines at 1280 pixels


def address(recipe: Recipe) -> str:
    """The full address of this recipe's page in this state, on the server it is seen on."""
    root = (st.context.url or "").split("?", 1)[0]
    return f"{root}?{recipe.query()}"


def to_copy(text: str, language: str | None = None) -> None:
    """A text with a copy button, no taller than a list of files beside it: what is longer scrolls."""
    st.code(text, language=language, wrap_lines=True, height=240 if len(text) > LONG else "content")


def share(recipe: Recipe) -> None:
    """The link as text with a copy button, and what the other side needs for it."""
    to_copy(address(recipe))
    own = [field for field in content_fields(type(recipe)) if DIGEST.fullmatch(str(getattr(recipe, field)))]
    if own:
        st.caption(
            "The link names your file by its digest and does not contain it: who opens the link is asked to drop the same file."
        )
