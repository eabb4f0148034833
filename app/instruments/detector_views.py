"""What the detector page shows: events beside the truth, what tells the two apart, what it costs, and what one code leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.instruments.detector_controls import PAGE, titled
from app.parts import evidence, figure
from app.parts.guard import guard
from gen_core import scores
from gen_core.detector import pareto, plots, question
from gen_core.detector.recipe import Condition, Generate, Inpaint, Score
from gen_core.detector.score import words
from gen_core.result import Result

Figures = dict[str, Callable[[], Any]]
SHOWN = 12  # events
SCORES = [
    evidence.Score("corr_error", better="low"),
    evidence.Score("multiplicity_w1", better="low", digits=2),
    evidence.Score("auc_features", better="low"),
    evidence.Score("auc_cnn", better="low"),
    evidence.Score("events_per_second", digits=0),
]
FLOOR = "Truth against truth"


def show(result: Result) -> Figures:
    """The picture of a result, by what was asked."""
    draw = {Generate: generated, Condition: conditioned, Inpaint: inpainted, Score: scored}[type(result.recipe)]
    return draw(result)


def generated(result: Result) -> Figures:
    """What tells the events from the truth, and both side by side."""
    made, dark, floor = result.content, figure.dark(), result.baselines["floor"]
    _numbers(
        result,
        ("Told by features", "auc_features", 2, "A classifier on physical features: .5 is a coin toss, 1 tells every event."),
        ("Told by a network", "auc_cnn", 2, "A convolutional network on the hits themselves: .5 is a coin toss."),
        ("Correlations off", "corr_error", 2, "Of all pairs of channels, over the true ones (Frobenius norm)."),
        ("Hits off", "multiplicity_w1", 2, "Number of hits an event: distance of the distributions (W1), in hits."),
        floor=floor,
    )
    figures: Figures = {
        "events": lambda: plots.events(made.hits[:SHOWN], "generated", 3, dark),
        "truth": lambda: plots.events(made.truth.first[:SHOWN], "observed", 3, dark),
    }
    left, right = st.columns(2, gap="medium")
    of = titled(result.recipe.model)
    for place, name, said in ((left, "events", f"**{of}**"), (right, "truth", "**Truth**")):
        with place:
            st.markdown(said)
            figure.show(figures[name](), f"{PAGE}.shown.{name}", f"Twelve events: {said.strip('*')}")
    speed, hours = result.metrics["events_per_second"], made.hours
    st.caption(
        f"Layers from the vertex upwards, a mark a hit. {speed:,.0f} events a second in batches of {result.recipe.batch:,}: "
        f"{_long(hours)} for 10⁹ events on this machine, one thread."
    )
    return figures


def tabs(result: Result) -> Figures:
    """What lies behind; only the open tab is drawn."""
    if not isinstance(result.recipe, Generate):
        return {}
    made, dark = result.content, figure.dark()
    drawing: dict[str, Callable[[], None]] = {
        "Fidelity and speed": lambda: trade(result),
        "Steps K": lambda: steps(result),
        "Correlations": lambda: correlations(result),
        "Hits": lambda: hits(result),
        "Tracks": lambda: tracks(result),
        "Speed": lambda: speed(result),
    }
    if question.curved(result.recipe.model) is None:
        del drawing["Steps K"]
    for title, tab in zip(drawing, st.tabs(list(drawing), key=f"{PAGE}/tabs", on_change="rerun"), strict=True):
        if tab.open:
            with tab, guard():
                drawing[title]()
    return {
        "pareto": lambda: plots.pareto(pareto.points(), question.point_of(result), dark),
        "correlations": lambda: plots.correlations(made.hits, "generated", dark),
        "correlations_truth": lambda: plots.correlations(made.truth.first, "truth", dark),
        "multiplicity": lambda: plots.multiplicity(made.hits, made.truth.first, dark),
    }


def trade(result: Result) -> None:
    """Where this model lies among the others."""
    now = question.point_of(result)
    drawn = plots.pareto(pareto.points(), now, figure.dark())
    figure.show(drawn, f"{PAGE}.pareto", "How well a classifier tells events from the truth, against events a second")
    star = (
        f"The star is what was measured just now, here. {_judged(result)}" if now else "This result has other events than theirs."
    )
    several, once = question.SEEN
    st.caption(
        "Bundled models as their cards say; on the dotted line none is both faster and closer to the truth. Classifiers saw "
        f"{several:,} events a side of the models with K, {once:,} of the others. {star}"
    )
    own = question.distilled()
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        drawn = plots.published(own, figure.dark())
        figure.show(drawn, f"{PAGE}.published", "What distillation gained in published calorimeters")
    with right:
        st.markdown("**What others gained**: how many times faster a parallel generator is than its teacher, and what that cost.")
        for one in pareto.PUBLISHED:
            low, high = one.faster
            faster = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            cost = "no AUC that compares" if one.auc_more is None else f"AUC {one.auc_more:+.2f}"
            st.caption(f"{one.name}: {faster} times, {cost} ({one.source}).")


def steps(result: Result) -> None:
    """Correlations, classifiers, hits and speed against K."""
    card = question.curved(result.recipe.model)
    if card is None:
        return
    drawn = plots.steps(card, result.recipe.steps, result.metrics, figure.dark())
    figure.show(drawn, f"{PAGE}.curve", "Errors and speed against the number of steps K")
    st.caption(
        "One network. From 1, all channels at once, to as many steps as channels; as the card says; the star as measured now. "
        + _judged(result)
    )


def correlations(result: Result) -> None:
    """The two matrices, on one scale."""
    made, dark = result.content, figure.dark()
    left, right = st.columns(2, gap="medium")
    for place, some, name in ((left, made.hits, "generated"), (right, made.truth.first, "truth")):
        with place:
            figure.show(
                plots.correlations(some, name, dark), f"{PAGE}.corr.{name}", f"Correlations of channels: {name}", group="corr"
            )
    st.caption("Each pair of channels, layer by layer; bands beside the diagonal are tracks that go from layer to layer.")


def hits(result: Result) -> None:
    """How many hits, and where."""
    made, dark = result.content, figure.dark()
    layer = st.slider("Layer", 0, made.world.layers - 1, 0, key=f"{PAGE}/layer", help="0 is nearest to the vertex.")
    left, right = st.columns(2, gap="medium")
    with left:
        figure.show(plots.multiplicity(made.hits, made.truth.first, dark), f"{PAGE}.hits", "How many hits events have")
    with right:
        drawn = plots.occupancy(made.hits, made.truth.first, min(layer, made.world.layers - 1), dark)
        figure.show(drawn, f"{PAGE}.occupancy", "How often the channels of a layer fire")


def tracks(result: Result) -> None:
    """What a physicist would look at, of both."""
    made = result.content
    rows = {titled(result.recipe.model): made.tracks["generated"], "Truth": made.tracks["truth"]}
    shown = [evidence.Score(name, better="none", digits=3) for name in scores.names(rows.values())]
    evidence.score_table(shown, rows, caption="By a simple track finder, the same for both.")
    if made.truth.tracks is not None:
        number = st.slider("Event", 0, len(made.truth.first) - 1, 0, key=f"{PAGE}/event", help="Of the truth.")
        drawn = plots.event(made.truth.first[number], made.world, made.truth.tracks[number], figure.dark())
        figure.show(drawn, f"{PAGE}.one", "One event of the truth, its hits and true tracks")


def speed(result: Result) -> None:
    """Batches of one and of a hundred apart; hours."""
    numbers, rows = result.metrics, []
    own, simulator = titled(result.recipe.model), result.baselines["floor"]
    for name, values in ((own, numbers), ("Simulator", simulator)):
        for key, said in (("batch1.", "1"), ("batch100.", "100"), ("", f"{result.recipe.batch:,}")):
            rate = values.get(f"{key}events_per_second")
            if rate:
                rows.append((name, said, f"{rate:,.0f}", _long(pareto.hours_for(1e9, rate))))
    columns = ("Model", "Batch", "Events a second", "For 10⁹ events")
    st.table({title: [row[i] for row in rows] for i, title in enumerate(columns)}, border="horizontal", hide_index=True)
    st.caption(
        "On this machine, one thread. The toy simulator beats every model; a real one (Geant4) takes seconds a shower, and there "
        "they pay."
    )


def conditioned(result: Result) -> Figures:
    """One code, all codes, the transformer and the truth: four matrices on one scale."""
    made, dark, numbers = result.content, figure.dark(), result.metrics
    left, middle, right = st.columns(3, gap="small")
    left.metric(
        "One code (r)", evidence.number(numbers["correlation_rms"], 3), help="Correlation of two channels, root mean square."
    )
    by_chance = numbers["correlation_rms_by_chance"]
    middle.metric("By chance alone (r)", evidence.number(by_chance, 3), help="What so many events of independent channels show.")
    right.metric("Truth (r)", evidence.number(result.baselines["truth"]["correlation_rms"], 3), help="The same of the truth.")
    figures: Figures = {
        name: lambda hits=hits, name=name: plots.correlations(hits, name, dark) for name, hits in made.sets.items()
    }  # fmt: skip
    places = [place for _ in range((len(figures) + 1) // 2) for place in st.columns(2, gap="small")]
    for place, (name, draw) in zip(places, figures.items(), strict=False):
        with place:
            figure.show(draw(), f"{PAGE}.sets.{name}", f"Correlations of channels: {plots.SETS[name]}", group=f"{PAGE}.sets")
    st.caption(
        "With the code held still the channels of a plain decoder are independent by construction: what is left is chance. All "
        "correlations it has come from codes that differ."
    )
    return figures


def inpainted(result: Result) -> Figures:
    """The region drawn anew, beside what was there."""
    made, dark = result.content, figure.dark()
    draw = lambda: plots.inpainted(made, dark, 420)  # noqa: E731
    figures: Figures = {"inpainted": draw, "draws": lambda: plots.events(made.hits[:6], "generated", 3, dark, 300)}
    left, right = st.columns(2, gap="medium")
    with left:
        figure.show(draw(), f"{PAGE}.inpainted", "How often each channel of the region fired, under what was there")
        st.caption("Colour: how often a channel fired in the draws. Open squares: the event.")
    with right:
        figure.show(figures["draws"](), f"{PAGE}.draws", "Six of the draws")
        st.caption("Six of the draws. Outside of the region nothing changes.")
    return figures


def scored(result: Result) -> Figures:
    """Log-likelihoods of usual and unusual events."""
    made, dark = result.content, figure.dark()
    draw = lambda: plots.likelihoods(made, dark, 400)  # noqa: E731
    figure.show(draw(), f"{PAGE}.likelihoods", "Log-likelihoods of usual and of unusual events")
    st.caption("Each line is a kind of event. Further left: less likely to the model.")
    return {"likelihoods": draw}


def notices(result: Result) -> None:
    """Warnings; that the exact way wins is no alarm here but the point of the page."""
    evidence.notices(result.warnings, lessons=["adds_nothing"])


def trust(result: Result) -> None:
    """The result beside its floor and what leaves something out."""
    recipe = result.recipe
    if isinstance(recipe, Score):
        return _told_apart(result)
    own = f"{titled(recipe.model)} (this result)"
    rows = {own: result.metrics} | {_row(name): values for name, values in result.baselines.items()}
    shown = SCORES
    if not isinstance(recipe, Generate):
        names = ("correlation_rms", "corr_error") if isinstance(recipe, Condition) else ("surprise_per_channel", "hits_in_region")
        shown = [evidence.Score(name, better="low" if name == "surprise_per_channel" else "none") for name in names]
    shown = [one for one in shown if any(values.get(one.name) is not None for values in rows.values())]
    caption = (
        "The floor is what the truth scores against itself with as many events. 95 % intervals."
        if isinstance(recipe, Generate)
        else ""
    )
    evidence.score_table(shown, rows, intervals(rows), highlight=own, reference=[FLOOR], caption=caption)
    return None


def intervals(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, evidence.Interval]]:
    """The ends that numbers have."""
    return {
        row: {
            name: (values[f"{name}_low"], values[f"{name}_high"])
            for name in values
            if values.get(f"{name}_low") is not None and values.get(f"{name}_high") is not None
        }
        for row, values in rows.items()
    }


def _told_apart(result: Result) -> None:
    """How well each kind of unusual event is told, by likelihood and by counting hits."""
    names = [name for name in result.content.values if name != "usual"]
    rows: dict[str, dict[str, Any]] = {}
    for title, values in (
        (f"Likelihood by {titled(result.recipe.model)}", result.metrics),
        ("Number of hits", result.baselines.get("number_of_hits", {})),
    ):
        rows[title] = {f"{name}{end}": values.get(f"{name}.auc{end}") for name in names for end in ("", "_low", "_high")}
    shown = [evidence.Score(name, f"{words(name).capitalize()} (AUC)", "none", 2) for name in names]
    caption = (
        "How often an unusual event has the lower likelihood, or more hits: .5 is a coin toss, below .5 the other way round."
    )
    evidence.score_table(shown, rows, intervals(rows), highlight=next(iter(rows)), caption=caption)


def _judged(result: Result) -> str:
    """On how many events classifiers judged: the more they learn from, the more they tell."""
    count = result.metrics.get("judged")
    return f"Classifiers tell more the more events they see: here {int(count):,} a side." if count else ""


def _row(name: str) -> str:
    return {"floor": FLOOR, "observed": "What was there", **plots.SETS, "independent": plots.TITLES["independent"]}.get(
        name, name
    )


def _numbers(result: Result, *shown: tuple[str, str, int, str], floor: Mapping[str, Any]) -> None:
    """Numbers beside each other, each with its floor; and events a second."""
    places = st.columns(len(shown) + 1, gap="small")
    for place, (title, name, digits, told) in zip(places, shown, strict=False):
        with place:
            st.metric(title, evidence.number(result.metrics.get(name), digits), help=told)
            st.caption(f"floor {evidence.number(floor.get(name), digits)}")
    with places[-1]:
        rate = result.metrics["events_per_second"]
        shown = f"{rate:,.0f}" if rate < 1e6 else f"{rate / 1e6:.1f} M"
        st.metric("Events a second", shown, help="One thread of this machine.")
        st.caption(f"one by one {result.metrics['batch1.events_per_second']:,.0f}")


def _long(hours: float) -> str:
    """A time in its largest sensible unit."""
    for size, name in ((24 * 365, "years"), (48, "days"), (1.5, "hours"), (0, "minutes")):
        if hours >= size:
            unit = {"years": 24 * 365, "days": 24, "hours": 1, "minutes": 1 / 60}[name]
            return f"{hours / unit:,.{1 if hours / unit < 10 else 0}f} {name}"
    return "–"
