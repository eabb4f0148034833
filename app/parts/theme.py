"""The theme: whether it is dark, a rerun when the reader switches it, and the few lines of style that the settings lack."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.parts import session
from gen_core import palette

# Streamlit tells Python the theme with every run, but does not run when only the theme changes: this component does.
# It tells each change once, so that a wrong answer from Streamlit could never make the page run in a circle. And it lets the
# keyboard reach texts that scroll in a box of their own, which Streamlit leaves to the mouse.
_WATCH = """
let told;
export default function ({ data, setTriggerValue }) {
  const look = () => {
    const rgb = getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor.match(/[0-9.]+/g);
    const dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128;
    if (dark !== told) { told = dark; if (dark !== data.dark) setTriggerValue("changed", dark); }
  };
  const reach = () => {
    for (const box of document.querySelectorAll('[data-testid="stCode"] pre:not([tabindex])'))
      if (box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  };
  const timer = setInterval(() => { look(); reach(); }, 400);
  return () => clearInterval(timer);
}
"""

# Static, with no user's data in it. The settings in .streamlit/config.toml have no key for these.
_STYLE = """<style>
[data-testid="stSidebar"] { border-right: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
[data-testid="stSidebarUserContent"] .st-key-sidebar_foot { position: absolute; inset: auto 1.25rem 1.25rem; width: auto; }
[data-testid="stHeader"] { background: transparent; pointer-events: none; }
[data-testid="stHeader"] * { pointer-events: auto; }
[data-testid="stMainBlockContainer"] { max-width: 1720px; padding-left: 2.5rem; padding-right: 2.5rem; }
[data-testid="stHeading"] h1 { padding: 0; letter-spacing: -0.01em; }
.st-key-page_header { align-items: baseline; }
.st-key-page_header p { font-size: 0.95rem; }
.st-key-home { max-width: 76rem; margin: 0 auto; }
.st-key-sidebar_foot p { font-size: 0.78rem; }
.st-key-home h1 { font-size: 2rem; padding: 0.4rem 0 0.6rem; }
.st-key-home [data-testid="stImage"] img { aspect-ratio: 9 / 4; object-fit: contain; } /* titles on one line across */
[data-testid="stButtonGroup"] button { min-height: 2.1rem; }
[data-testid="stButtonGroup"] > div { flex-wrap: wrap; row-gap: 0.3rem; }
@media (max-width: 1100px) {
  [data-testid="stPopoverButton"], [data-testid="stDownloadButton"] button { padding-left: 0.5rem; padding-right: 0.5rem; }
}
.st-key-theme_watch { display: none; }
</style>"""

# Small print as dark as small print must be to be read (WCAG AA); dark words on the light buttons of the dark theme.
_READABLE = """<style>
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {{ color: {muted}; opacity: 1; }}
[data-testid="stBaseButton-primary"] p, [data-testid="stBaseButton-primary"] span {{ color: {on_primary}; }}
</style>"""

# For a room: one reads from the last row, and nobody needs the sidebar.
_LARGE = """<style>
:root { font-size: 20px; }
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stSidebarCollapsedControl"] { display: none; }
[data-testid="stMainBlockContainer"] { max-width: none; padding-top: 1rem; }
.st-key-page_header [data-testid="stCaptionContainer"] { display: none; }
</style>"""
LARGER = 1.35  # how much larger the type of figures is then


def present() -> None:
    """A button that begins a presentation in the sidebar; while there is one, it ends it, above every page."""
    if session.presenting():
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button(
                "End the presentation",
                icon=":material/close_fullscreen:",
                type="tertiary",
                on_click=session.present,
                args=(False,),
            )
        return
    told = "For a room: large type, no sidebar; in a link ?present=1."
    st.sidebar.button(
        "Present", icon=":material/present_to_all:", width="stretch", help=told, on_click=session.present, args=(True,)
    )


def dark() -> bool:
    """Whether the reader looks at the dark theme."""
    return st.context.theme.type == "dark"


def hide(keys: Sequence[str], instead: str) -> None:
    """Until something else is drawn in this place: what the containers of these keys hold is not seen, but keeps its room.

    Streamlit leaves there what was drawn last until there is something new, which may be about something else. Words of the
    page only, no user's.
    """
    st.html(f"<style>{', '.join(f'.st-key-{key}' for key in keys)} {{ visibility: hidden; }}</style><small>{instead}</small>")


def follow() -> None:
    """Apply the style, and rerun the page when the reader switches the theme, so that figures follow. Once, in main.py."""
    st.html(_STYLE)
    st.html(_READABLE.format(muted=palette.role("muted", dark()), on_primary="#0B1114" if dark() else "#FFFFFF"))
    if session.presenting():
        st.html(_LARGE)
    with st.container(key="theme_watch"):
        watch = st.components.v2.component("theme_watch", js=_WATCH)
        watch(data={"dark": dark()}, key="theme", on_changed_change=lambda: None)
