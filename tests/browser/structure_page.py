"""A small app that shows structures: what the browser tests of them drive."""

import numpy as np
import streamlit as st

from app.instruments import proteins_structure
from app.parts import session, theme
from gen_core.proteins import structure
from gen_core.proteins.recipe import Sample
from gen_core.proteins.sample import draw_samples


def molecules():
    session.put("molecules", "runs", session.get("molecules", "runs", 0) + 1)
    colour = st.segmented_control("Colour", ["conservation", "mutation", "log_likelihood"], default="conservation")
    row = st.number_input("Sample", 0, 9, 0)
    made = draw_samples(Sample(n=10))
    models = [structure.template_itself(made, colour), *structure.models_of(made, np.array([row]), colour)]
    proteins_structure.show([(model.caption, model.pdb()) for model in models], "molecules.view", colour)
    st.text(f"runs {session.get('molecules', 'runs')}")


st.set_page_config(layout="wide")
theme.follow()
page = st.navigation([st.Page(molecules, url_path="molecules", title="Molecules", default=True)])
session.visit("molecules")
page.run()
