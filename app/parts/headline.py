"""What this is, in a line and three ideas: the head of the first page, and of the one where people sign in."""

from __future__ import annotations

import streamlit as st

IDEAS = (
    (
        ":material/route:",
        "Move",
        "through the latent space of a model, and see at once what it means in the units of your field.",
    ),
    (
        ":material/balance:",
        "Check",
        "every result against simple baselines, on data the model never saw, with intervals and plain warnings.",
    ),
    (
        ":material/ios_share:",
        "Take away",
        "files that your other tools open. Each carries its recipe and brings you back to exactly this state.",
    ),
)


def headline() -> None:
    """The title and the three ideas side by side."""
    st.title("See what a generative model has learned, and how far to trust it", anchor=False)
    for column, (icon, verb, text) in zip(st.columns(3, gap="large"), IDEAS, strict=True):
        column.markdown(f":primary[{icon}] **{verb}** {text}")
