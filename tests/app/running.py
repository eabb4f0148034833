"""A script as Streamlit runs it, with patience for a busy machine."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest


def app(script: Callable[[], None]) -> AppTest:
    """`script` ready to run; it is compiled from its source alone, so it imports what it needs itself."""
    return AppTest.from_function(script, default_timeout=120)
