"""A small app that stands on the parts alone: what the browser tests of the parts drive."""

import io

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

from app.parts import export, figure, guard, map, player, presets, session, theme
from gen_core import palette
from gen_core.cells.recipe import Perturb
from gen_core.result import Result
from gen_core.stamp import stamp

PAGE = "cells"


def widgets(recipe):
    return recipe.fields() | {"target": recipe.target or "B cell"}


def save(recipe, path):
    path.write_text(f"gene,dose\nISG15,{recipe.dose}\n")
    stamp(path, recipe)


@st.fragment
def instrument():
    with guard.guard():
        target = st.selectbox("Cell type", ["B cell", "T cell"], key=session.key(PAGE, "target"))
        dose = st.slider("Dose", -2.0, 10.0, key=session.key(PAGE, "dose"))
        if st.toggle("More"):
            st.number_input("Components", 2, 200, key=session.key(PAGE, "latent_dim"))
        if st.button("Fail"):
            raise RuntimeError("secret of the inside")
        recipe = session.current(PAGE).replace(target=target, dose=dose, latent_dim=session.value(PAGE, "latent_dim", 50))
        session.write_link(recipe)
        cloud = np.random.default_rng(0).normal([0, -2], 0.3, (200, 2))
        fig = go.Figure(layout=palette.layout(figure.dark(), 400))
        fig.add_scattergl(x=cloud[:, 0] + dose, y=cloud[:, 1], mode="markers", marker={"color": palette.role("predicted")})
        event = figure.show(map.clickable(fig, (-10, 10), (-4, 4)), "cells.map", "A cloud of cells", select=True)
        st.text(f"clicked {map.clicked(event)} point {map.clicked_point(event)}")
        export.panel(Result(recipe, None, {"genes.csv": lambda path: save(recipe, path)}, {"r2": 0.5}), {"map": lambda: fig})


def cells():
    session.start(PAGE, "cells.perturb", Perturb, widgets)
    st.title("Parts")
    if error := session.take_error(PAGE):
        st.error(guard.plain(error))
    presets.row(PAGE, {"Strong": Perturb(dose=3.0)}, Perturb)
    instrument()


def frames(shade):
    row = np.zeros((8, 8 * 16, 3), np.uint8)
    for i in range(16):
        row[:, 8 * i : 8 * i + 8] = (shade, 16 * i, 0)
    out = io.BytesIO()
    Image.fromarray(row).save(out, "png")
    return out.getvalue()


def moving():
    session.put("moving", "runs", session.get("moving", "runs", 0) + 1)
    labels = [f"t = {i / 15:.2f}" for i in range(16)]
    player.show({"straight": frames(0), "around": frames(255)}, 16, (8, 8), "moving.player", labels, size=96, seconds=1)
    st.text(f"runs {session.get('moving', 'runs')}")


st.set_page_config(layout="wide")
theme.follow()
page = st.navigation(
    [
        st.Page(cells, url_path="cells", default=True),
        st.Page(lambda: st.title("Elsewhere"), url_path="other", title="Other"),
        st.Page(moving, url_path="moving", title="Moving"),
    ]
)
session.visit(page.url_path or "cells")
page.run()
