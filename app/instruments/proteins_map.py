"""The map of the proteins page, and what the spot on it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE
from app.parts import evidence, figure, map, session
from app.parts.guard import plain
from gen_core.proteins import map_plots
from gen_core.proteins.atlas import Atlas, atlas_of, percentiles, spot_at
from gen_core.proteins.decode import STRANGE
from gen_core.proteins.landscape import COLOURS, LANDSCAPES, find, landscapes, naturals_of
from gen_core.proteins.landscape import colours as colours_of
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.sample import Drawn
from gen_core.proteins.score import Scored
from gen_core.result import Result

HEIGHT = 470
TITLES = COLOURS | {map_plots.LABELS: "Assay value"}


def show(result: Result, beside: Callable[[Result], None] | None = None) -> dict[str, Callable[[], Any]]:
    """The map; beside it the funnel, and what the spot decodes to. Returns its figure for the export."""
    content, dark = result.content, figure.dark()
    atlas, marks = atlas_of(content.model), map_plots.marks_of(content)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        picture = st.container()
        learned = content.viability if isinstance(content, Drawn | Scored) else None
        colour, ground, searched = looks(content.model, learned is not None)
    if learned is not None and colour == map_plots.LABELS:
        marks = map_plots.with_labelled(marks, learned)
    marks = map_plots.with_found(marks, find(content.model, searched))

    def drawn() -> Any:
        return map.clickable(map_plots.family_map(atlas, marks, colour, ground, dark, HEIGHT), *atlas.spans)

    with picture:
        told, lies = f"Map of {len(atlas.places):,} naturals and what was drawn", "The plane shows a part of the latent space."
        if isinstance(content, Drawn):
            figure.show(drawn(), "proteins.map", told, select="lasso")
            st.caption(
                "**Click** anywhere, an empty spot too, to sample there; **drag** around naturals to sample among them. " + lies
            )
        else:
            figure.show(drawn(), "proteins.places", told)
            st.caption(f"Where they lie among the naturals. {lies}")
    with right:
        if beside is not None:
            beside(result)
        if marks.spot is not None:
            spot(atlas, marks.spot)
    return {"map": drawn}


def looks(model: FamilyModel, labelled: bool = False) -> tuple[str | None, str | None, str]:
    """How the map is drawn, which is no part of the recipe: the naturals' colour, the landscape, a name that is searched."""
    grounds, colours = ["", *landscapes(model)], ["", *([map_plots.LABELS] if labelled else []), *colours_of(model)]
    named = naturals_of(model) is not None
    one, two, *three = st.columns(3 if named else 2, gap="small")
    key, told = session.settle(PAGE, "colour", colours), "What is known of the naturals that the model was trained on."
    title = lambda name: TITLES.get(name, "one colour")  # noqa: E731
    colour = one.selectbox("Colour of the naturals", colours, key=key, format_func=title, help=told)
    key, told = session.settle(PAGE, "ground", grounds, grounds[1]), "A value of the likeliest sequence at each spot."
    title = lambda name: LANDSCAPES.get(name, "none")  # noqa: E731
    ground = two.selectbox("Landscape", grounds, key=key, format_func=title, help=told, disabled=bool(colour))
    told = "A part of a name: the naturals whose names hold it get a ring."
    searched = three[0].text_input("Find a natural", key=f"{PAGE}/find", placeholder="ECOLI", help=told) if three else ""
    return colour or None, ground or None, searched


def spot(atlas: Atlas, z: Any) -> None:
    """What the spot decodes to, how it stands beside the naturals, and how far to trust it."""
    found = spot_at(atlas, z)
    usual = found.percentile <= STRANGE
    evidence.badge(f"farther out than {found.percentile:.0f} %" if usual else "no natural lies here", usual)
    st.code(found.row.replace("-", ""), language=None, wrap_lines=True)
    told = percentiles(found, atlas.model)
    words = [f"profile above {told['profile_bits']:.0f} % of naturals"]
    if "coupling_energy" in told:
        words.append(f"coupling energy above {told['coupling_energy']:.0f} % (lower is better)")
    st.caption(f"The likeliest sequence there: {'; '.join(words)}.")
    known = naturals_of(atlas.model)
    if known is not None:
        names = ", ".join(str(known.names[i]) for i in found.nearest[:3])
        st.caption(f"Nearest: {plain(names)}")
