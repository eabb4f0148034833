"""Every st.cache_* of the app. There is little to hold: gen_core keeps what is costly to make (gen_core/memo.py)."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from pathlib import Path

import streamlit as st

from app import vendor
from gen_core import catalog

APP = Path(__file__).resolve().parent.parent
MANY = 20  # newly loaded modules that are worth it
_seen = [0]
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
    """Load in the background what the first instrument needs, once per server, after the first page was sent;
    `LATENT_WARM=0` switches it off."""
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
    settle()


def settle() -> None:
    """Called when a page was drawn: take what newly loaded libraries hold out of the collector's sight.

    Streamlit collects after every rerun, before it tells the browser of the next: over the objects of every library that was
    loaded, a fifth of a second in which no session is served. They stay for as long as the server runs.
    """
    if len(sys.modules) > _seen[0] + MANY:
        _seen[0] = len(sys.modules)
        gc.collect()
        gc.freeze()
