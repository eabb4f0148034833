"""The first page: what this is, what each instrument does, and a place to drop an exported file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.parts import cache, open_file, theme
from app.parts.headline import headline
from gen_core import catalog

PICTURES = Path(__file__).resolve().parent.parent / "assets" / "pictures"


def picture_of(system: catalog.System) -> Path | None:
    """The instrument's picture, in the reader's theme where there is one of it."""
    plain = PICTURES / system.picture
    dark = plain.with_stem(f"{plain.stem}-dark")
    return next((path for path in ([dark] if theme.dark() else []) + [plain] if path.is_file()), None)


def card(system: catalog.System, wide: bool) -> None:
    """One instrument: its picture, what a scientist does with it, and the way in."""
    with st.container(border=True, height="stretch"):
        picture = picture_of(system)
        left, right = (
            st.columns([8, 5], gap="large", vertical_alignment="center") if wide and picture else (st.container(), st.container())
        )
        if picture:
            left.image(str(picture), width="stretch", alt=f"A view of the instrument {system.title}")
        with right:
            st.header(f"{system.icon} {system.title}", anchor=False)
            st.markdown(system.summary)
            if st.button(
                f"Open {system.title}",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
                key=f"home/{system.name}",
            ):
                st.switch_page(f"instruments/{system.name}.py")


def page() -> None:
    """The page, from top to bottom."""
    headline()
    systems = cache.instruments()
    across = 1 if len(systems) == 1 else 2
    for start in range(0, len(systems), across):
        for column, system in zip(st.columns(across, gap="medium"), systems[start : start + across], strict=False):
            with column:
                card(system, wide=across == 1)
    st.markdown(
        "**Come back to a result:** drop any file that was exported here, and its page opens in exactly the state that made it."
    )
    open_file.drop("home")


with st.container(key="home"):
    page()
