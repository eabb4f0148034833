"""The plane of an autoencoder of two numbers on the images page: for a lecture on what the divergence does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.parts import figure, map, session
from app.parts.evidence import number
from gen_core.images import plane_plots, plots
from gen_core.images.plainfile import open_plain
from gen_core.images.recipe import Images, Plane
from gen_core.images.space import STRANGE
from gen_core.result import Result

PAGE, MAP = "images", "images.plane"
PLAIN = "None"
WORDS = {0: "an autoencoder", 1: "the evidence bound"}  # of a beta, beside its number


def widgets(recipe: Plane) -> dict[str, Any]:
    """The point of a recipe as the values of two widgets."""
    return {"z0": float(recipe.z[0]), "z1": float(recipe.z[1])}


def controls(now: Images | None = None) -> dict[str, Any]:
    """Beta, the grid, and the point that is drawn large, which a click on the plane sets."""
    asked = now or session.current(PAGE)
    assert isinstance(asked, Plane)
    if (clicked := map.clicked(figure.picked(MAP))) is not None:
        figure.forget(MAP)  # from here on the two numbers hold it, and may be typed over
        session.seed(PAGE, z0=round(clicked[0], 2), z1=round(clicked[1], 2))
    model = open_plain(asked.model, asked.model_sha256, "lecture")
    spelled = {beta: f"{beta:g}" for beta in model.betas}
    told = (
        "Weight of the divergence in training. 0 is an autoencoder, 1 the evidence bound; at the highest the code says nothing."
    )
    key = session.settle(
        PAGE, "beta", list(model.betas), asked.beta if asked.beta in model.betas else model.betas[len(model.betas) // 2]
    )
    beta = st.select_slider("β, weight of the divergence", model.betas, key=key, format_func=spelled.__getitem__, help=told)
    n = st.slider("Pictures on each side", 2, 25, key=session.key(PAGE, "n"), help="Of the grid behind the plane.")
    told = "How far the plane goes from its middle, in deviations of the prior. At β 0 codes lie much farther out."
    reach = float(session.value(PAGE, "extent") or asked.extent)
    low, high = min(1.0, reach), max(20.0, reach)
    extent = st.slider("Reach of the plane", low, high, step=0.5, key=session.key(PAGE, "extent"), help=told)
    left, right = st.columns(2)
    told = "The point that is drawn large: click the plane, or type."
    z = [
        column.number_input(label, -1e6, 1e6, step=0.1, format="%.2f", key=session.key(PAGE, field), help=told)
        for column, label, field in ((left, "z₁", "z0"), (right, "z₂", "z1"))
    ]
    names = [PLAIN, *(row["name"] for row in model.card["known"])]
    told = "What is known of the pictures whose codes are shown."
    st.selectbox("Colour by", names, 1, key="images.plane_colour", format_func=_spelled, help=told)
    return {"beta": float(beta), "n": n, "extent": float(extent), "z": z}


def show(result: Result) -> dict[str, Callable[[], Any]]:
    """The plane to be clicked, what is drawn there, and what the code costs at each beta."""
    made, dark = result.content, figure.dark()
    chosen = session.held("images.plane_colour")
    factor = chosen if chosen in made.values else None
    left, right = st.columns([7, 4], gap="small")
    with left:
        drawn = plane_plots.plane(made, factor, dark)
        reach = plane_plots.edge(made)
        told = f"Pictures decoded over the plane at beta {made.beta:g}, and the codes of {len(made.means)} pictures on it"
        figure.show(map.clickable(drawn, (-reach, reach), (-reach, reach)), MAP, told, select=True)
    with right:
        st.image(plots.large(made.image, 5), width="stretch")
        outside = made.percentile > STRANGE
        st.caption(
            f"Drawn at ({number(made.z[0], 2)}, {number(made.z[1], 2)}). "
            + (":red[Farther out] than " if outside else "Farther out than ")
            + f"{made.percentile:.0f} % of the training pictures. Click the plane, an empty spot too. Dashed: one deviation of "
            "the prior; blue: of all posteriors together."
        )
        bound(result)
    figure.show(plane_plots.costs(made, dark), "images.costs", "Reconstruction term against divergence at each beta")
    st.caption(
        f"One point a β, on {len(made.means)} pictures never trained on. To the right the code says more, higher up the "
        "picture is drawn better. A picture is 12,288 values and its code two, so a nat of the code buys hundreds of the "
        f"picture: that is why β 1 hardly differs from 0 but in where the codes lie. {highest(made)}"
    )
    return {"plane": lambda: plane_plots.plane(made, factor, dark), "costs": lambda: plane_plots.costs(made, dark)}


def highest(made: Any) -> str:
    """Which beta reaches the highest bound, and why that need not be the one that is trained for it."""
    best = max(made.costs, key=lambda cost: cost.elbo).beta
    if best == 1:
        return "The bound is highest at β 1, which is trained for it."
    return (
        f"The bound is highest at β {best:g}, although β 1 is trained for it: after a short training networks differ more "
        "in how well they draw than by the few nats of the divergence."
    )


def bound(result: Result) -> None:
    """The evidence bound and its two parts, beside the mean picture's."""
    told, simple = result.metrics, result.baselines["mean_picture"]
    likely, away, elbo = (_nats(told[name], digits) for name, digits in (("reconstruction", 0), ("kl", 2), ("elbo", 0)))
    words = WORDS.get(int(result.content.beta)) if result.content.beta in WORDS else None
    st.markdown(
        f"**β {result.content.beta:g}**{f', {words}' if words else ''}  \n"
        f"Reconstruction term **{likely}** nats − divergence **{away}** nats = evidence bound **{elbo}** nats a picture; "
        f"{_nats(simple['elbo'], 0)} with the mean picture alone. "
        f"Numbers of the code in use: **{told['active_units']:.0f} of 2**."
    )


def _nats(value: Any, digits: int) -> str:
    return f"{value:,.{digits}f}".replace("-", "−")


def _spelled(name: str) -> str:
    return name.replace("_", " ").capitalize()
