"""What the Poisson page shows: potentials, errors and broken laws as maps, the dial of corrections, responses, posteriors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.poisson_controls import PAGE, titled
from app.parts import evidence, figure
from app.parts.guard import guard
from gen_core import scores
from gen_core.poisson import plots
from gen_core.poisson.recipe import Green, Solve
from gen_core.result import Result

Figures = dict[str, Callable[[], Any]]
HIGH = 282
SCORES = [
    evidence.Score("error_l2", better="low", digits=2),
    evidence.Score("residual", better="low", digits=2),
    evidence.Score("boundary_violation", better="low", digits=2),
    evidence.Score("gauss_error", better="low", digits=2),
    evidence.Score("milliseconds", better="low", digits=2),
]


def show(result: Result) -> Figures:
    """The picture of a result, by what was asked."""
    if isinstance(result.recipe, Green):
        return response(result)
    return sensed(result) if isinstance(result.recipe, Solve) and result.recipe.sensors is not None else solved(result)


def solved(result: Result) -> Figures:
    """Exact and solved potential, what is wrong with it and where it breaks the law; three numbers, never one."""
    made, dark, numbers = result.content, figure.dark(), result.metrics
    learned = result.recipe.solver != "exact"
    _numbers(
        ("Error", numbers["error_l2"], "Of the potential, over the exact one (root mean squares)."),
        ("Law broken", numbers["residual"], "The charge that the potential misses, over the charge. Not the same as the error."),
        ("Edges missed", numbers["boundary_violation"], "The largest difference on the edges, over the largest potential."),
        ("Gauss law", numbers["gauss_error"], "What flows out of a box less the charge in it."),
    )
    first: Figures = {"exact": lambda: plots.potential(made, "exact", dark, HIGH)}
    if learned:
        first |= {
            "solved": lambda: plots.potential(made, "phi", dark, HIGH),
            "error": lambda: plots.error(made, "phi", dark, HIGH),
            "residual": lambda: plots.residual(made, "phi", dark, HIGH),
        }
    else:
        first |= {"field": lambda: plots.field(made, "phi", dark, HIGH)}
    _grid(first, "maps")
    if learned:
        st.caption(
            "Zoom into one, all follow. Error and broken law are two things: fine ripples hardly move the potential, and the "
            "law, which takes second derivatives, sees nothing else."
        )
    return first | {"charges": lambda: plots.charges(made, dark)}


def tabs(result: Result) -> Figures:
    """What lies behind the maps; only the open tab is drawn."""
    recipe = result.recipe
    if isinstance(recipe, Green) or recipe.sensors is not None:
        return {}
    made, dark = result.content, figure.dark()
    drawing: dict[str, Callable[[], None]] = {}
    figures: Figures = {}
    if made.traces and recipe.solver != "exact":
        drawing["Correction dial"] = lambda: dial(result)
        figures["dial"] = lambda: plots.dial(made, recipe.correction_method, "error", recipe.correction, dark)
    drawing["Time"] = lambda: time(result)
    figures["times"] = lambda: plots.times(made, dark)
    drawing["A line through it"] = lambda: line(result)
    figures["profile"] = lambda: plots.profile(made, None, dark)
    drawing["Field"] = lambda: _field(result)
    if recipe.solver != "exact":
        drawing["Laws"] = lambda: laws(result)
    if len(made.samples) > 1:
        drawing["Spread"] = lambda: spread(result)
        figures["spread"] = lambda: plots.spread(made, dark)
    if made.problem.boundary == "dirichlet" and recipe.solver != "exact":
        drawing["Edges"] = lambda: edges(result)
    for title, tab in zip(drawing, st.tabs(list(drawing), key=f"{PAGE}/tabs", on_change="rerun"), strict=True):
        if tab.open:
            with tab, guard():
                drawing[title]()
    return figures


def dial(result: Result) -> None:
    """Error and residual against correction steps, from the model and from zero."""
    made, recipe, dark = result.content, result.recipe, figure.dark()
    left, right = st.columns(2, gap="large")
    method = recipe.correction_method
    for place, what, alt in ((left, "error", "Error"), (right, "residual", "Broken law")):
        with place:
            alt = f"{alt} against correction steps, from the model and from zero"
            figure.show(plots.dial(made, method, what, recipe.correction, dark), f"{PAGE}.dial.{what}", alt)
    own, zero = (result.metrics.get(f"{method}.steps_to_1_percent{end}") for end in ("", "_from_zero"))
    told = (
        f"To an error of 1 %: {_steps(own)} from the model, {_steps(zero)} from zero. "
        if zero is not None
        else "From zero, 40 steps do not reach an error of 1 %. "
    )
    st.caption(
        told + "Law and edges together fix the potential: correcting all the way is solving, and the model is then only a start."
    )


def _steps(count: int | None) -> str:
    return "more than 40 steps" if count is None else f"{count} step{'s' * (count != 1)}"


def time(result: Result) -> None:
    """Milliseconds of each solver, and the plain sentence."""
    made, recipe = result.content, result.recipe
    figure.show(plots.times(made, figure.dark()), f"{PAGE}.times", "Milliseconds for one answer by each solver")
    exact, own = made.seconds.get("exact"), made.seconds.get(recipe.solver)
    if recipe.solver != "exact" and exact and own:
        st.markdown(
            f"**Where charges and edges are all known, the exact solver wins**: it is {own / exact:,.0f} times as fast here, and "
            "has no error. A learned solver earns its keep where the problem is left open: choose *From sensors*."
        )
    count = len(made.samples)
    of = f"; the flow with {count} sample{'s' * (count > 1)}" if recipe.solver == "flow" else ""
    st.caption(f"Each the fastest of three, on this machine{of}.")


def line(result: Result) -> None:
    """Potentials along a row."""
    made = result.content
    size = made.problem.size
    row = st.slider("Row (from the bottom)", 0, size - 1, size // 2, key=f"{PAGE}/row", help="The nodes the curve runs along.")
    figure.show(plots.profile(made, min(row, size - 1), figure.dark()), f"{PAGE}.profile", "Potentials along a row of nodes")


def _field(result: Result) -> None:
    made, dark = result.content, figure.dark()
    figures = {"field": lambda: plots.field(made, "phi", dark, 340), "field_exact": lambda: plots.field(made, "exact", dark, 340)}
    _grid(figures, "fields")


def laws(result: Result) -> None:
    """What an exact solver obeys by construction, and this one?"""
    found = result.metrics
    told = {
        "superposition_error": "**Superposition**: the answer to all, less those to left half, right half and edges",
        "linearity_error": "**Scale**: the answer to a multiple of the charges, less that multiple of the answer",
        "gauss_error": "**Gauss law**: what flows out of a box, less the charge in it",
    }
    rows = {"Law": list(told.values()), "Broken by": [_percent(found.get(name)) for name in told]}
    st.table(rows, border="horizontal", hide_index=True)
    where = found.get("unlike_percentile")
    if where is not None:
        st.caption(f"These charges are farther from the middle of the training scenes than {100 * where:.0f} % of such scenes.")


def spread(result: Result) -> None:
    """The deviation of the samples, which here means nothing."""
    made, dark = result.content, figure.dark()
    left, right = st.columns(2, gap="large")
    with left:
        figure.show(plots.spread(made, dark, 340), f"{PAGE}.spread", "Deviation of the samples")
    with right:
        figure.show(plots.error(made, "phi", dark, 340), f"{PAGE}.spread.error", "Their mean less the exact potential")
    skill = result.metrics.get("spread_skill")
    st.caption(
        "With everything known there is one right answer, so this spread is the model's own and no uncertainty of the problem. "
        + (f"Its correlation with the true error is {evidence.number(skill, 2)}; 1 would be honest." if skill is not None else "")
    )


def edges(result: Result) -> None:
    """Where the edges are missed."""
    figure.show(
        plots.boundary(result.content, "phi", figure.dark()), f"{PAGE}.edges", "Potential on the edges less what is given"
    )
    st.caption(
        "The Fourier operator learned its own way to the edges, and misses them."
        if result.recipe.solver == "fno"
        else "What is learned is zero on the edges, and what is given there is added exactly: nothing is missed."
    )


def response(result: Result) -> Figures:
    """The response to a point charge beside the Green's function; reciprocity."""
    made, dark, numbers = result.content, figure.dark(), result.metrics
    _numbers(
        ("Error", numbers["error_l2"], "Of the response, over the exact one."),
        ("Law broken", numbers["residual"], "The charge that the response misses, over the charge."),
        (
            "Reciprocity broken",
            numbers["reciprocity_error"],
            "|G(a, b) − G(b, a)| over their mean: a true response is symmetric.",
        ),
        ("Gauss law", numbers["gauss_error"], "What flows out of a box around the charge, less the charge."),
    )
    source, probe = result.recipe.source, result.recipe.probe
    left, right = st.columns(2, gap="small")
    maps: Figures = {
        "response": lambda: marked(plots.response(made, "phi", dark, 320), source, probe),
        "green": lambda: marked(plots.response(made, "exact", dark, 320), source, probe),
    }
    with left:
        figure.show(
            maps["response"](), f"{PAGE}.response", "Response of the solver to the charge", select=True, group=f"{PAGE}.maps"
        )
    with right:
        figure.show(maps["green"](), f"{PAGE}.green", "Exact Green's function", group=f"{PAGE}.maps")
    radial: Figures = {"radial": lambda: plots.radial(made, dark, 250)}
    figure.show(radial["radial"](), f"{PAGE}.radial", "Mean potential by distance from the charge")
    st.caption(
        f"**Click** the left map to move the charge (●) or the probe (✕). One at ● gives {numbers['g_ab']:.4f} at ✕; the same "
        f"charge at ✕ gives {numbers['g_ba']:.4f} at ●. Exactly they are equal."
    )
    return maps | radial


def marked(drawn: Any, source: tuple[float, float], probe: tuple[float, float]) -> Any:
    """A map with the charge and the probe on it."""
    return plots.marked(drawn, source, probe, figure.dark())


def sensed(result: Result) -> Figures:
    """Posterior samples beside the exact posterior."""
    made, dark, numbers = result.content, figure.dark(), result.metrics
    shown = [
        ("Mean off by", numbers.get("mean_error_to_exact_posterior"), "Of the samples' mean, over the exact mean."),
        ("90 % intervals hold", numbers.get("coverage90"), "Of what the exact posterior holds possible; 90 % is honest."),
        ("Truth missed by", numbers.get("error_l2"), "Over the true potential, where it is known."),
    ]
    _numbers(
        *shown,
        plain=(
            "Spread tells error",
            numbers.get("spread_skill"),
            "Correlation, over the nodes, of the deviation with the error that the exact posterior expects.",
        ),
    )
    maps: Figures = {
        "mean": lambda: plots.posterior(made, "mean", "model", dark, HIGH),
        "mean_exact": lambda: plots.posterior(made, "mean", "exact", dark, HIGH),
        "deviation": lambda: plots.posterior(made, "deviation", "model", dark, HIGH),
        "deviation_exact": lambda: plots.posterior(made, "deviation", "exact", dark, HIGH),
    }
    _grid(maps, "sensed", first=f"{PAGE}.sensed")
    st.caption(
        "Rings are sensors. Left: what the model draws for what they leave open; right: the exact answer, known for charges "
        "that are a Gaussian random field."
    )
    figures = maps | {"coverage": lambda: plots.coverage(made, dark)}
    left, right = st.columns(2, gap="large")
    with left:
        figure.show(figures["coverage"](), f"{PAGE}.coverage", "Share inside intervals of each level")
    with right:
        if made.exact is not None:
            figure.show(plots.potential(made, "exact", dark, 300), f"{PAGE}.truth", "The true potential")
            figures["truth"] = lambda: plots.potential(made, "exact", dark)
    return figures


def notices(result: Result) -> None:
    """Warnings; that the exact way wins is no alarm here but the point of the page."""
    evidence.notices(result.warnings, lessons=["adds_nothing"])


def trust(result: Result) -> None:
    """The solver beside the baselines."""
    own = "Response" if isinstance(result.recipe, Green) else titled(result.recipe.solver)
    rows = {f"{own} (this result)": result.metrics} | {titled(name): values for name, values in result.baselines.items()}
    if not result.recipe.correction:
        rows.pop(titled("zero_start"), None)  # no step from zero is no solver
    table = {row: scores.scaled(values) for row, values in rows.items()}
    shown = [score for score in SCORES if any(values.get(score.name) is not None for values in table.values())]
    if shown:
        evidence.score_table(shown, table, highlight=f"{own} (this result)", caption="Of this one problem.")


def _percent(value: Any) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{100 * value:.3g} %" if abs(value) > 1e-9 else "0 %"  # less is rounding


def _numbers(*shown: tuple[str, Any, str], plain: tuple[str, Any, str] | None = None) -> None:
    """Shares as numbers beside each other, never merged into one."""
    places = st.columns(len(shown) + (plain is not None), gap="small")
    for place, (name, value, told) in zip(places, shown, strict=False):
        place.metric(name, _percent(value), help=told)
    if plain is not None:
        places[-1].metric(plain[0], evidence.number(plain[1], 2), help=plain[2])


def _grid(figures: Figures, name: str, first: str | None = None) -> None:
    """Figures two by two, zoomed together; the `first` can be clicked, under that key."""
    places = [place for _ in range((len(figures) + 1) // 2) for place in st.columns(2, gap="small")]
    for i, (place, (one, draw)) in enumerate(zip(places, figures.items(), strict=False)):
        drawn = draw()
        with place:
            key = first if first and not i else f"{PAGE}.{one}"
            alt = str(drawn.layout.title.text or one)
            figure.show(drawn, key, alt, select=bool(first) and not i, group=f"{PAGE}.{name}")
