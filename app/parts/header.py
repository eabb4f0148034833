"""The head of an instrument's page: one line, so that the picture below is seen without scrolling."""

from __future__ import annotations

import streamlit as st

from app.parts import session
from app.parts.guard import plain
from gen_core import catalog


def header(page: str) -> None:
    """Title and sentence of the instrument, and the one sentence about a link that could not be opened."""
    system = catalog.system(page)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="page_header"):
        st.title(system.title, width="content", anchor=False)
        st.caption(system.summary, width="stretch")
    if error := session.take_error(page):
        st.error(plain(error), icon=":material/link_off:")
