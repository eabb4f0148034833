"""The proteins page's structures: threaded models beside their template, coloured by what the B-factors mean."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.parts import figure, molecule
from app.parts.guard import plain
from gen_core.proteins import structure_plots
from gen_core.proteins.structure import LEGENDS, SAID, Colour

MOST = 4  # side by side
WHY = {
    "script": "3Dmol.js could not be loaded (`python app/vendor.py` fetches it), so the backbone is drawn as a plain trace.",
    "webgl": "This browser does not draw 3-D scenes (WebGL is off), so the backbone is drawn flat, as seen from its broad side.",
}


def show(texts: Sequence[tuple[str, str]], key: str, colour: Colour = "conservation", height: int = 380) -> None:
    """Structures as (caption, PDB text), at most four, side by side; what cannot be shown in 3-D is shown as a trace.

    `key` ("proteins.structure") names the view, and its pictures. `colour` is what the texts' B-factors hold.
    """
    texts = list(texts)[:MOST]
    if not texts:
        st.info("Pick a sequence to see it on the family's template.", icon=":material/view_in_ar:")
        return
    dark, legend = figure.dark(), LEGENDS[colour]
    why = molecule.unable(key)
    if why is None:
        words = {"title": f"Colour: {legend.title}", "low": legend.low_said, "high": legend.high_said}
        scale = words | {"colours": structure_plots.colours(colour, dark)}
        molecule.show(texts, key, structure_plots.style(colour, dark), scale, legend.unit, structure_plots.turn(texts), height)
    else:
        draw = structure_plots.trace if why == "script" else structure_plots.flat
        alt = f"Backbones of {len(texts)} structures, coloured by {legend.title}"
        figure.show(draw(texts, colour, dark), f"{key}_trace", alt, height=height)
        for caption, _ in texts:
            st.caption(plain(caption))
        st.info(WHY[why], icon=":material/view_in_ar:")
    st.caption(f"**{SAID}.** The shape is the template's whatever the sequence; nothing here says whether it folds.")
