"""A small app with nothing but the square to draw in: what its browser tests drive."""

import json

import streamlit as st

from app.parts import canvas, session


def drawn(charges, edges):
    session.put("poisson", "charges", charges)
    session.put("poisson", "edges", edges)


@st.fragment
def square():
    tool = st.radio("Tool", ["charge", "erase"])
    charge = st.number_input("Charge", -10.0, 10.0, 1.0)
    charges = session.get("poisson", "charges", [])
    edges = session.get("poisson", "edges", [[0.0] * 9 for _ in range(4)])
    canvas.show("poisson.canvas", charges, edges, "Charges and edges", drawn, tool=tool, charge=charge, value=2.0)
    st.text("drawn " + json.dumps([charges, edges]))
    if st.button("Clear"):
        drawn([], [[0.0] * 9 for _ in range(4)])
        st.rerun(scope="fragment")


square()
