"""What the defects page shows: the verdict first, the ensemble that plays, the drift or the pairs, and what is beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.defects_controls import FIRST, LIBRARIES, PAGE
from app.parts import evidence, figure
from app.parts.guard import guard
from gen_core import scores
from gen_core.defects import film_plots, gates, plots
from gen_core.defects.recipe import Infer, Sample
from gen_core.result import Result

Figures = dict[str, Callable[[], Any]]
HIGH = 430
SCORES = [
    evidence.Score("D_error", better="low", digits=1),
    evidence.Score("drift_error", better="low", digits=1),
    evidence.Score("drift_over_D_error", better="low", digits=1),
    evidence.Score("drift_cosine", digits=3),
    evidence.Score("heldout_w1", better="low", digits=4),
]
J_TEST = (
    "J test: 1 is right, above 3 is wrong. Far below 1 it tells little: fewer conditions than it counts, or forces that follow "
    "the noise."
)
WITHIN = f"{100 * gates.APART:.0f} %"
WAYS = (
    f"Estimates of D apart: at most {WITHIN}. The bar is wide: a second opinion may err by more than the interval of the first."
)
BAND = "The band is 95 % of the noise, and what finer splines would change; above zero is repulsion."
HALF = "Half of what it is compared with, from the other half"


def show(result: Result) -> Figures:
    """The picture of a result, by what was asked."""
    return sampled(result) if isinstance(result.recipe, Sample) else inferred(result)


def inferred(result: Result) -> Figures:
    """Verdict, number, and the ensemble beside the force."""
    made, recipe, dark = result.content, result.recipe, figure.dark()
    verdict(result)
    films: Figures = {"ensemble": lambda: film_plots.ensemble(made, recipe, dark, HIGH)}
    forces: Figures = {}
    if made.pair:
        forces["pair_force"] = lambda: plots.pair_force(made, recipe, dark, HIGH)
    elif made.library is not None:
        forces["drift"] = lambda: plots.drift(made, recipe, dark, HIGH)
    left, right = st.columns(2, gap="small")
    with left:
        figure.show(films["ensemble"](), f"{PAGE}.ensemble", "The particles at each time")
        each = (
            "of the same particles, which are not told apart"
            if made.snapshots.followed
            else "of other particles, none is followed"
        )
        st.caption(f"Press ▶, or drag: every snapshot is {each}.")
    with right:
        for name, draw in forces.items():
            alt = "Force of a pair by distance" if name == "pair_force" else "The drift as arrows, fitted and true"
            figure.show(draw(), f"{PAGE}.{name}", alt)
        st.caption(_said(result))
    return films | forces


def verdict(result: Result) -> None:
    """The three tests, each with its number and what it means; then D, or why not."""
    told, numbers = result.content.verdict, result.metrics
    places = st.columns([3, 3, 3, 4], gap="small")
    shown = (
        ("Snapshots change", f"{told.change:,.1f}", told.identifiable, "2 or more is needed to know D; 1 is noise."),
        ("Forces explain them", _plain(told.j_test), told.accepted, J_TEST),
        ("Ways agree", _share(told.disagreement), told.agreed, WAYS),
    )
    for place, (name, value, good, rule) in zip(places, shown, strict=False):
        with place:
            st.metric(name, value, help=rule)
            known = value != "–"
            yes, no = (f"Within {WITHIN}", f"Not within {WITHIN}") if rule is WAYS else ("Yes", "No")
            evidence.badge((yes if good else no) if known else "Not known", good if known else None)
    with places[-1]:
        if numbers.get("D") is None:
            st.metric("Diffusion constant D", "not known", help="These snapshots cannot tell it.")
        else:
            world = result.content.snapshots.world
            st.metric("Diffusion constant D", f"{numbers['D']:.4g}", help="The interval is by bootstrap.")
            true = f"; true {world.D:.4g}" if world is not None else ""
            known = numbers.get("D_low") is not None
            interval = f"95 %: {numbers['D_low']:.4g} to {numbers['D_high']:.4g}" if known else "No interval"
            st.caption(f"{interval}{true}")


def _said(result: Result) -> str:
    """What is to be seen of the force."""
    made, numbers = result.content, result.metrics
    if made.library is None:
        return "No force is told: the number of particles changes."
    if made.pair:
        error = numbers.get("pair_force_error")
        known = error is not None and error == error
        return BAND + (f" {100 * error:.1f} % off the truth." if known else "")
    what = "drift / D, all that can be known" if made.ratio else "drift"
    error = numbers.get("drift_over_D_error" if made.ratio else "drift_error")
    noise = numbers.get("drift_noise")
    return (
        f"**Orange**: the {what}, fitted; **blue**: true, where it is known."
        + (f" {100 * error:.1f} % off, over the data." if isinstance(error, int | float) else "")
        + (f" By the bootstrap it is known to ± {100 * noise:.1f} %." if isinstance(noise, int | float) else "")
    )


def tabs(result: Result) -> Figures:
    """What lies behind; only the open tab is drawn."""
    if not isinstance(result.recipe, Infer) or result.content.library is None:
        return {}
    made, recipe, dark = result.content, result.recipe, figure.dark()
    drawing: dict[str, tuple[Callable[[], Any], str]] = {
        "Estimates of D": (
            lambda: plots.estimates(made, recipe, dark),
            (
                "The weak form with its interval, and others. Without instruments the noise of the snapshots makes D too small; "
                "forces that are left out make it wrong."
            ),
        ),
    }
    if made.maps is not None:
        drawing["Density and score"] = (
            lambda: film_plots.log_density(made, recipe, dark),
            "How dense the particles lie, on a logarithmic scale, and the score, which points to where they are denser.",
        )
        drawing["Fokker-Planck"] = (
            lambda: film_plots.fokker_planck(made, recipe, dark),
            _checked(result),
        )
    if made.check is not None:
        drawing["Flow"] = (
            lambda: film_plots.flow(made, recipe, dark),
            (
                "The first snapshot moved on by the probability flow, which has no noise, and by the stochastic motion: both "
                "keep to the snapshots if force, D and score are right."
            ),
        )
        drawing["Entropy"] = (
            lambda: film_plots.curves(made, recipe, dark),
            _entropy(result),
        )
    if made.held_out is not None:
        held = made.held_out
        drawing["Left out"] = (
            lambda: plots.held_out(made, recipe, dark),
            (
                f"The last snapshot, predicted from the others: W1 {held.w1:.4f}. Two samples of as many points would be about "
                f"{held.floor:.4f} apart, and the snapshot before is {held.w1_no_change:.4f} from it."
            ),
        )
    for title, tab in zip(drawing, st.tabs(list(drawing), key=f"{PAGE}/tabs", on_change="rerun"), strict=True):
        if tab.open:
            with tab, guard():
                draw, said = drawing[title]
                figure.show(draw(), f"{PAGE}.{title.split()[0].lower()}", title)
                st.caption(said)
    return {title.lower().replace(" ", "_").replace("-", "_"): draw for title, (draw, _) in drawing.items()}


def _checked(result: Result) -> str:
    difference = result.metrics.get("fokker_planck_difference")
    told = "Left: how the score changes in time. Right: what the equation expects of the fitted force and D."
    if difference is None:
        return told
    noise = result.metrics.get("fokker_planck_noise")
    known = isinstance(noise, float) and noise == noise
    alone = (
        f" Noise alone would make it {100 * (noise or 0):.0f} %; the rest is the form of the score, or the fit." if known else ""
    )
    return f"{told} They differ by {100 * difference:.0f} % (median): third derivatives of a score are known badly.{alone}"


def _entropy(result: Result) -> str:
    told = "Entropy production, and how far the flows are from the snapshots."
    whole, noise = result.metrics.get("entropy_production"), result.metrics.get("entropy_noise")
    if not isinstance(whole, float) or not isinstance(noise, float) or noise != noise:
        return told
    return f"{told} It reads high: over all of the time it is {whole:.3g}, of which the noise of the fit adds about {noise:.2g}."


def sampled(result: Result) -> Figures:
    """Drawn configurations beside the snapshot nearest in time."""
    made, recipe, dark = result.content, result.recipe, figure.dark()
    w1, half = result.metrics["w1"], result.baselines["ceiling"]["w1"]
    draw = lambda: plots.drawn(made, recipe, dark, HIGH)  # noqa: E731
    figure.show(draw(), f"{PAGE}.drawn", "Drawn configurations beside the nearest snapshot")
    apart = result.metrics.get("w1_neighbours")
    if made.simulated is None:
        told = f"Their distance (W1) is {w1:.4f}; two halves of the snapshot are {half:.4f} apart"
    else:
        told = (
            f"From the simulator's own at t = {made.time:.3g} the drawn are {w1:.4f} away (W1); two halves of these are "
            f"{half:.4f} apart"
        )
    between = f", the snapshots before and after {apart:.4f}." if isinstance(apart, float) else "."
    st.caption(f"Orange: drawn at t = {made.time:.3g}. Blue: the snapshot at t = {made.nearest_time:.3g}. {told}{between}")
    return {"drawn": draw}


def trust(result: Result) -> None:
    """The estimate beside second opinions and what leaves something out."""
    if not isinstance(result.recipe, Infer):
        rows = {"Drawn": result.metrics, HALF: result.baselines["ceiling"]}
        evidence.score_table([evidence.Score("w1", better="low", digits=4)], rows, highlight="Drawn", reference=[HALF])
        return
    first = FIRST[result.recipe.estimators[0]]
    own = f"{first}, {LIBRARIES[result.recipe.library or 'gradient'].lower()}"
    rows = {own: result.metrics} | {
        plots.TITLES.get(name, name.replace("_", " ").capitalize()): values for name, values in result.baselines.items()
    }
    table = {row: scores.scaled(values) for row, values in rows.items()}
    shown = [score for score in SCORES if any(values.get(score.name) is not None for values in table.values())]
    if shown:
        evidence.score_table(shown, table, highlight=own, caption="Against the simulator's truth.")
    world = result.content.snapshots.world
    if world is None:
        st.caption("The truth of your snapshots is not known: trust the tests, the interval and the snapshot left out.")


def _plain(value: float) -> str:
    return f"{value:.2f}" if value == value else "–"


def _share(value: float) -> str:
    return "–" if value != value else "unlike in sign" if value == float("inf") else f"{100 * value:.0f} %"
