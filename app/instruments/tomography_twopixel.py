"""Two pixels and one ray, for a lecture: all that a measurement, a prior and a sampler do, in one plane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app.instruments.tomography_own import PAGE
from app.parts import figure, session
from app.parts.guard import guard
from gen_core.recipe import Recipe
from gen_core.tomography import twopixel, twopixel_plots
from gen_core.tomography.twopixel import Asked

TEACHES = (
    "One measurement leaves a **line**, and the **prior** chooses on it. The MAP is one point; the posterior may have **two "
    "modes**, and then its mean lies on neither. Least norm and total variation know nothing of the prior: each takes the point "
    "of the line that suits its own rule, the one next to the origin and the one where both pixels are alike (at 45° the same)."
)


def show() -> None:
    """The sliders, the plane, and in words what it shows."""
    st.fragment(_show)()


def _show() -> None:
    with guard():
        left, right = st.columns([1, 3], gap="medium")
        with left:
            asked = _controls()
        found = twopixel.solve(asked)
        _holder()["asked"] = asked
        with right:
            told = "The plane of two pixels with the measured line, the bent prior, single solutions and Langevin's particles"
            figure.show(twopixel_plots.plane(found, figure.dark()), f"{PAGE}.two", told)
        st.markdown(_said(found))
        st.caption(TEACHES)


def _controls() -> Asked:
    start, key = Asked(), f"{PAGE}/two"
    y = st.slider("Measured value y", -1.0, 6.0, start.y, 0.1, format="%.1f", key=f"{key}/y")
    told = "Deviation of the noise of y."
    noise = st.slider("Its noise", 0.02, 1.0, start.noise, 0.01, format="%.2f", key=f"{key}/noise", help=told)
    told = "0: the prior is a straight ridge, and the posterior has one mode."
    bent = st.slider("Curvature of the prior", 0.0, 1.5, start.curvature, 0.1, format="%.1f", key=f"{key}/bent", help=told)
    told = "Which sum of the pixels is measured. 45°: x₁ + x₂. 0°: the first pixel alone. 90°: the second."
    angle = st.slider("Angle of the ray (°)", 0.0, 90.0, start.angle, 1.0, format="%.0f", key=f"{key}/angle", help=told)
    told = "Steps of annealed Langevin dynamics, from noise 2 down to 0.02."
    steps = st.slider("Langevin steps", 3, 300, start.steps, 3, key=f"{key}/steps", help=told)
    asked = Asked(y, noise, bent, angle, steps)
    one, two = asked.ray
    st.caption(f"y = {one:.2f} x₁ + {two:.2f} x₂ + noise")
    return asked


def _said(found: twopixel.Found) -> str:
    numbers = found.numbers
    told = (
        f"The {twopixel.PARTICLES} particles of Langevin dynamics and the exact posterior differ in "
        f"{100 * numbers['distance']:.0f} % of their mass along the line; as many exact draws would differ in "
        f"{100 * numbers['distance_of_exact_draws']:.0f} %."
    )
    if found.split is None:
        return f"The posterior has one mode. {told}"
    exact, drawn = 100 * numbers["exact_right"], 100 * numbers["langevin_right"]
    share = numbers["mean_over_map"]
    where = "less than a thousandth of" if share < 1e-3 else f"{share:.2g} times"
    return (
        f"**Two modes.** The right one holds {exact:.0f} % of the posterior by quadrature, {drawn:.0f} % of the particles. At "
        f"the posterior mean the density is {where} that at the MAP. {told}"
    )


def _holder() -> dict[str, Any]:
    """What was shown last, in one dictionary for the whole session: the export reads it when a file is asked for."""
    held: dict[str, Any] | None = session.get(PAGE, "two/held")
    if held is None:
        held = {}
        session.put(PAGE, "two/held", held)
    return held


def exports(recipe: Recipe) -> tuple[dict[str, Callable[[], Any]], dict[str, Callable[[Path], None]]]:
    """The figure and the table of numbers of what was shown last, by name; nothing where it was never opened."""
    held, dark = _holder(), figure.dark()
    if "asked" not in held:
        return {}, {}
    draw = lambda: twopixel_plots.plane(twopixel.solve(held["asked"]), dark)  # noqa: E731
    return {"two_pixels": draw}, {"two_pixels.csv": lambda path: twopixel.table(path, twopixel.solve(held["asked"]), recipe)}
