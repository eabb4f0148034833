"""The entry: `streamlit run app/main.py` from the project's folder. Navigation, theme, and what the sidebar says."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts only this file's folder there
    sys.path.insert(0, str(ROOT))
# Before numpy is loaded: where a browser or a training is busy beside, two threads of linear algebra wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("LATENT_THREADS", "1"))

import streamlit as st

from app.parts import cache, jobs, open_file, people, session, sign_in, theme, timers
from gen_core import device

FIRST = 4  # instruments that stand first: images, cells, proteins, tomography

st.set_page_config(
    page_title="Latent Sandbox", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide", initial_sidebar_state=252
)

home = st.Page("home.py", title="Home", icon=":material/home:", default=True)
runs = st.Page("runs.py", title="Runs", icon=":material/bookmarks:", url_path="runs")
pages = [st.Page(f"instruments/{s.name}.py", title=s.title, icon=s.icon, url_path=s.name) for s in cache.instruments()]
more = {"More instruments": pages[FIRST:]} if pages[FIRST:] else {}
stranger = people.must_sign_in()
sections = {"": [home, runs], "Instruments": pages[:FIRST]} | more
page = st.navigation(sections, position="hidden" if stranger else "sidebar")

timers.quiet()
st.logo(str(ROOT / "assets" / f"logo-{'dark' if theme.dark() else 'light'}.svg"), size="large")
if stranger:
    theme.follow()
    sign_in.page()
    st.stop()
with st.sidebar:
    with st.popover(
        "Open a file", icon=":material/folder_open:", width="stretch", help="Any file this app exported opens its page"
    ):
        open_file.drop("sidebar")
    jobs.sidebar()
    with st.container(key="sidebar_foot", gap="xxsmall"):
        st.caption(f":material/memory: {device.likely()}")
        st.caption(f":material/lock: {people.promise()}")
        if people.signed_in():
            sign_in.sidebar()

session.visit(page.url_path)
theme.follow()
theme.present()
page.run()
cache.settle()
cache.warm()
