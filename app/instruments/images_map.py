"""The map of the images page: pictures where they lie, and what the clicked spot and the lassoed region hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from app.instruments.images_controls import PAGE, forget_on_map
from app.parts import evidence, figure, map, session
from app.parts.evidence import number
from gen_core.images import map_plots, plots
from gen_core.images.map import Mapped, Region, Shown, Spot
from gen_core.images.render import FACTORS
from gen_core.images.space import STRANGE
from gen_core.result import Result

HEIGHT = 510
UNSURE = 0.5  # R² of a factor below which what is read off a picture is called unsure


def show(result: Result) -> dict[str, Callable[[], Any]]:
    """The map; beside it what the spot shows, below it the region."""
    made: Mapped = result.content
    dark, known = figure.dark(), map_plots.colours(made.atlas)
    colour = session.value(PAGE, "colour") if known else None
    thumbnails = bool(session.value(PAGE, "thumbnails"))  # asked here: an export draws the map outside of this run

    def drawn() -> Any:
        chart = map_plots.picture_map(made, colour, thumbnails, dark, HEIGHT)
        return map.clickable(chart, *map_plots.spans(made.atlas))

    left, right = st.columns([5, 2], gap="medium")
    with right:  # first: the map is large, and what was clicked should not wait for it
        if made.spot is not None:
            spot(made.spot, dark, {name: d.r2 for name, d in made.atlas.space.directions.items()})
        else:
            st.caption("Click the map to see a place on it drawn.")
    with left:
        told = f"Map of {len(made.atlas.places):,} training pictures"
        figure.show(drawn(), "images.map", told, select="lasso")
        framed = f"Frames: {colour.replace('_', ' ')}. " if colour else ""
        st.caption(
            f"{framed}**Click** anywhere, an empty spot too, to see it drawn; **drag** around a region to sum it up. "
            "Near is alike; how far apart distant groups lie, and which way, means little."
        )
        if made.shown is not None:
            shown(made.shown)
    if made.region is not None:
        region(made, made.region)
    elif made.outline is not None:
        _forget("region", "Forget the region")
    return {"map": drawn}


def spot(found: Spot, dark: bool, known: dict[str, float]) -> None:
    """The picture drawn at the clicked spot, how far to trust it, what is read off it, and what is like it."""
    st.image(plots.large(map_plots.faded(found.image, found.percentile, dark), 5), width="stretch")
    usual = found.percentile <= STRANGE
    evidence.badge(f"farther out than {found.percentile:.0f} %" if usual else "hardly any picture lies here", usual)
    st.image(plots.large(plots.laid_out(found.near_images, 5, dark), 2), width="stretch")
    st.caption("Nearest to it in the latent space (small rings).")
    if found.factors is not None:
        st.caption(f"Read off it by the model: {'; '.join(read(found.factors, known))}.")
    _forget("spot", "Forget the spot")


def read(factors: Any, known: dict[str, float]) -> list[str]:
    """Each factor with its unit, and a doubt where the codes hardly tell it (R² `known`)."""
    told = []
    for factor, value in zip(FACTORS, factors, strict=True):
        unsure = ", unsure" if known.get(factor.name, 0) < UNSURE else ""
        text = f"{number(float(value), _digits(factor.high))}\u00a0{factor.unit}".strip()
        told.append(f"{factor.name.replace('_', ' ')} **{text}**{unsure}")
    return told


def shown(found: Shown) -> None:
    """The picture that was put on the map, and what the model makes of it."""
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.image(plots.large(plots.laid_out(np.stack([found.named.image, found.image]), 2, figure.dark()), 2), width="stretch")
    with right:
        usual = found.percentile <= STRANGE
        evidence.badge(f"farther out than {found.percentile:.0f} %" if usual else "unlike any training picture", usual)
        st.caption("The diamond: the picture and what the model draws of it, placed among those nearest in the latent space.")


def region(made: Mapped, found: Region) -> None:
    """The pictures in the region: their mean, how they differ, new ones like them, and their factors beside all."""
    count = len(found.rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**The region: {count:,} picture{'s' * (count != 1)}**", width="content")
        _forget("region", "Forget the region")
    mean, differ, new, table = st.columns([3, 3, 5, 9], gap="small")
    mean.image(plots.large(found.mean, 4), width="stretch")
    mean.caption("Mean: smooth, since structures do not line up.")
    differ.image(plots.large(map_plots.heat(found.deviation), 4), width="stretch")
    differ.caption(f"Spread at each pixel; yellow: {map_plots.TOP:g} of 1.")
    new.image(plots.large(plots.laid_out(found.samples, 4 if len(found.samples) <= 16 else 8, figure.dark()), 3), width="stretch")
    new.caption("New pictures from there (orange dots).")
    if found.values.shape[1]:
        rows = [
            {
                "Factor": map_plots.titled(factor),
                "Region": _spread(found.values[:, i], factor.high),
                "All": _spread(made.atlas.space.values[:, i], factor.high),
            }
            for i, factor in enumerate(FACTORS)
        ]
        table.dataframe(rows, hide_index=True, row_height=24, height=306)
        table.caption("Known factors: mean ± deviation.")


def _spread(values: Any, high: float) -> str:
    digits = _digits(high)
    return f"{number(float(values.mean()), digits)} ± {number(float(values.std()), digits)}"


def _digits(high: float) -> int:
    return 0 if high >= 60 else 1 if high >= 6 else 2


def _forget(field: str, label: str) -> None:
    st.button(
        label, key=f"{PAGE}/forget_{field}", type="tertiary", icon=":material/close:", on_click=forget_on_map, args=(field,)
    )
