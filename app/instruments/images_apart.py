"""What the numbers of a code stand for: the model with styles beside a plain autoencoder as large."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import evidence, figure
from gen_core import checkpoint
from gen_core.images import disentangle_plots
from gen_core.images.recipe import BUNDLED, PLAIN

SCORES = [
    evidence.Score("mig", digits=2),
    evidence.Score("sap", digits=2),
    evidence.Score("dci_disentanglement", digits=2),
    evidence.Score("dci_completeness", digits=2),
    evidence.Score("dci_informativeness", digits=2),
]
TITLES = {BUNDLED: "Styles, 48 numbers", PLAIN: "Plain, 48 numbers"}


def show() -> None:
    """Both models' numbers; nothing where one of them was not measured."""
    known = checkpoint.known("images")
    cards: dict[str, Any] = {
        title: known[name] for name, title in TITLES.items() if "mig" in dict(known.get(name, {}).get("metrics", {}))
    }
    if len(cards) < len(TITLES):
        return
    with st.expander("Does each number of the code stand for one thing?", icon=":material/tune:"):
        rows = {title: card["metrics"] for title, card in cards.items()}
        seen = " and ".join(dict.fromkeys(f"{card['pictures_seen']:,}" for card in cards.values()))
        told = (
            f"On 10,000 rendered pictures never trained on. Both models are equally large and were trained on the same pictures "
            f"({seen} seen)."
        )
        evidence.score_table(SCORES, rows, caption=told)
        figure.show(disentangle_plots.gaps(cards, figure.dark()), "images.gaps", "Gap of each factor for both models")
        st.caption(
            "The gap: of all there is to know of a factor, how much more the best single number knows than the next best. 1: one "
            "number, one factor. A factor of the styles lies in several of the sixteen numbers of its vector: the gap is "
            "small though each number serves few factors (DCI). The styles were shown the factors in training, the plain model "
            "was not. "
            "Grey band: plain models and their relatives on dSprites, another data set (Locatello et al. 2019)."
        )
