"""Every st.cache_* of the app. There is little to hold: gen_core keeps what is costly to make (gen_core/memo.py)."""

from __future__ import annotations

import gc
import logging
import os
import threading
from pathlib import Path

import streamlit as st

from app import vendor
from gen_core import catalog

APP = Path(__file__).resolve().parent.parent
log = logging.getLogger("latent_sandbox")


def instruments() -> list[catalog.System]:
    """The systems of the catalogue that have a page."""
    return [system for system in catalog.SYSTEMS if (APP / "instruments" / f"{system.name}.py").is_file()]


@st.cache_resource(show_spinner=False)
def plotly_js() -> str | None:
    """Where a page finds plotly.js: a copy, among the static files, of the installed one; None where there can be none."""
    return vendor.plotly_js()


@st.cache_resource(show_spinner=False)
def warm() -> threading.Thread:
    """Load in the background what the first instrument needs, once per server, after the first page was sent.

    Then the collector is frozen: Streamlit collects after every rerun over every object the heavy libraries made, which
    without this costs a click several times what the click itself costs. `LATENT_WARM=0` switches both off.
    """
    thread = threading.Thread(target=_warm, name="warm", daemon=True)
    if os.environ.get("LATENT_WARM", "1") != "0":
        thread.start()
    return thread


def _warm() -> None:
    for system in instruments()[:1]:
        try:
            catalog.load(system.warm)()
        except Exception:  # whatever it is, the page that needs it says so to a person; here it would only be noise
            log.info("The first instrument could not be warmed up.", exc_info=True)
    gc.collect()
    gc.freeze()
