"""A small app with a job panel and the sidebar's line: what the browser test of jobs drives."""

import streamlit as st

from app.parts import jobs, session, theme
from gen_core.cells.recipe import Perturb

PAGE = "cells"


def cells():
    recipe = session.start(PAGE, "cells.perturb", lambda: Perturb(dose=0.15, latent_dim=200))
    st.title("A long work")
    dose = st.number_input("Seconds a step", 0.0, 1.0, key=session.key(PAGE, "dose"))
    recipe = recipe.replace(dose=dose)
    session.write_link(recipe)
    job = jobs.panel(PAGE, recipe, "Count", "about 30 s", steps="tests.job_steps:count")
    st.text(f"the page sees {job.state if job else 'no job'}")


st.set_page_config(layout="wide")
theme.follow()
page = st.navigation([st.Page(cells, url_path="cells", default=True)])
session.visit(page.url_path or "cells")
page.run()
