"""What the symmetry page shows: a picture and its code turned, pictures recovered from few measurements, and what they needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from app.instruments.symmetry_controls import PAGE, titled
from app.parts import evidence, figure
from app.parts.guard import guard
from gen_core.result import Result
from gen_core.symmetry import plots, question
from gen_core.symmetry.recipe import KINDS, Needed, Recover, Rotate

Figures = dict[str, Callable[[], Any]]
PARTS = ("pictures", "turned", "drawn", "difference")
ALTS = ("What the code draws", "That picture, turned", "What the turned code draws", "The difference of the two")
TURNED = [
    evidence.Score("equivariance_db", digits=1),
    evidence.Score("relative_error", better="low", digits=2),
]


def show(result: Result) -> Figures:
    """The picture of a result, by what was asked."""
    if isinstance(result.recipe, Rotate):
        return turned(result)
    return recovered(result) if isinstance(result.recipe, Recover) else needed(result)


def turned(result: Result) -> Figures:
    """The picture turned beside what the turned code draws."""
    made, dark, numbers = result.content, figure.dark(), result.metrics
    one, two, three, four = st.columns(4, gap="small")
    told = "Difference over contrast: 0 is equivariant, 100 % as wrong as a flat grey. Nobody gains by drawing nothing."
    one.metric("Relative error", _percent(numbers["relative_error"]), help=told)
    told = "Of the range of a picture: 10 to 14 dB is not equivariant, 40 to 48 good. It flatters flat pictures."
    two.metric("Equivariance", f"{numbers['equivariance_db']:.1f} dB", help=told)
    told = "Turning a picture back and forth alone: about as right as anything can be that is turned on pixels."
    three.metric("Floor of turning", f"{numbers['floor_db']:.1f} dB", help=told)
    four.metric(
        "Code turned by", f"{numbers['angle_used']:g}°", help="By the element of the group that is nearest, or the angle."
    )
    figures: Figures = {part: lambda part=part: plots.turned(made, part, 0, dark) for part in PARTS}
    for place, part, alt in zip(st.columns(4, gap="small"), PARTS, ALTS, strict=True):
        with place:
            figure.show(figures[part](), f"{PAGE}.{part}", alt, group=f"{PAGE}.pictures")
    curve: Figures = {"curve": lambda: plots.curve(made, dark)}
    figure.show(curve["curve"](), f"{PAGE}.curve", "Relative error against the angle")
    codes, every = made.curve_codes, len(made.codes)
    over = f"all {codes} codes, as above" if codes == every else f"the first {codes} of {every} codes; the number above is of all"
    white = f" White is a brightness of {top:.2g}." if (top := plots.white(made)) < 1 else ""
    st.caption(
        f"Drag the angle: the line is where you are. Errors are means over {over}; below 10⁻⁷ nothing is told apart.{white}"
    )
    return figures | curve


def recovered(result: Result) -> Figures:
    """Pictures recovered by each model beside the truth, and the curve of errors."""
    made, recipe, dark = result.content, result.recipe, figure.dark()
    m = recipe.measurements[-1]
    if len(recipe.measurements) > 1:
        m = st.select_slider(
            "Shown with measurements", list(recipe.measurements), m, key=f"{PAGE}/shown", help="Of those that were made."
        )  # fmt: skip
    sheet: Figures = {"pictures": lambda: plots.recovered(made, m, 8, dark)}
    figure.show(sheet["pictures"](), f"{PAGE}.recovered", f"The truth above what each recovers from {m} measurements")
    seconds = sum(made.seconds.values())
    count = f"{len(made.truth)} pictures" if len(made.truth) > 1 else "One picture"
    turned = f", of {made.different} different ones turned again" if made.different < len(made.truth) else ""
    st.caption(f"{count}{turned}, of 1,024 pixels, from {m} random measurements each; all took {seconds:.1f} s.")
    curves: Figures = {"recovery": lambda: plots.recovery(made, dark)}
    if len(recipe.measurements) > 1:
        figure.show(curves["recovery"](), f"{PAGE}.recovery", "Error against the number of measurements, with intervals")
        bands = "Bands are 95 % intervals over the pictures. " if made.different > 1 else ""
        st.caption(f"{bands}Dotted: the best a network can draw with all pixels known. A Gaussian prior has no such floor.")
    return sheet | curves


def needed(result: Result) -> Figures:
    """Measurements needed against the numbers in a code."""
    made, dark = result.content, figure.dark()
    figures: Figures = {
        f"needed_{target:g}": lambda target=target: plots.needed(made, target, dark) for target in made.targets
    }  # fmt: skip
    for start in range(0, len(made.targets), 2):
        for place, target in zip(st.columns(2, gap="medium"), made.targets[start : start + 2], strict=False):
            with place:
                alt = f"Measurements needed for an error of {target:g} against the numbers in a code"
                figure.show(figures[f"needed_{target:g}"](), f"{PAGE}.shown.{target:g}", alt)
    st.caption(
        "Bars are 95 % intervals over the pictures; points of one size stand side by side. Missing: not reached. Pale: known on "
        "one side alone (the fewest reach it already, or other pictures may never); the straight line leaves it out."
    )
    return figures


def tabs(result: Result) -> Figures:
    """What lies behind; only the open tab is drawn."""
    if not isinstance(result.recipe, Recover):
        return {}
    made, dark = result.content, figure.dark()
    drawing: dict[str, Callable[[], None]] = {
        "Residual and error": lambda: residual(result),
        "One picture": lambda: single(result),
    }
    for title, tab in zip(drawing, st.tabs(list(drawing), key=f"{PAGE}/tabs", on_change="rerun"), strict=True):
        if tab.open:
            with tab, guard():
                drawing[title]()
    return {"residuals": lambda: plots.residuals(made, dark)}


def residual(result: Result) -> None:
    """What the measurements see, and what is wrong."""
    figure.show(
        plots.residuals(result.content, figure.dark()), f"{PAGE}.residuals", "True error against the measurements' residual"
    )
    st.caption(
        "A small residual is no small error: with few measurements much fits them. The starts are chosen by the residual alone."
    )


def single(result: Result) -> None:
    """One picture: truth, recovered, and the best a network can draw."""
    made, dark = result.content, figure.dark()
    left, right = st.columns(2, gap="small")
    key = f"{PAGE}/single"
    number = left.number_input("Picture", 0, len(made.truth) - 1, 0, key=key, help="Of those recovered, from 0.")
    name = right.selectbox("By", made.models, key=f"{key}/by", format_func=titled, help="Which of them.")
    m = result.recipe.measurements[-1]
    shown = {"Truth": made.truth[number], f"From {m} measurements": made.pictures[name][m][number]}
    if name in made.best:
        shown["The best it can draw"] = made.best[name][number]
    for place, (title, picture) in zip(st.columns(4, gap="small"), shown.items(), strict=False):
        with place:
            figure.show(plots.picture(picture, title, dark), f"{PAGE}.single.{title.split()[0]}", title, group=f"{PAGE}.single")


def trust(result: Result) -> None:
    """Models beside each other, with intervals and floors."""
    if isinstance(result.recipe, Rotate):
        own = f"{titled(result.recipe.model)} (this result)"
        rows = {own: result.metrics} | {titled(name): values for name, values in result.baselines.items()}
        table = {row: dict(values) | {"relative_error": 100 * values["relative_error"]} for row, values in rows.items()}
        ends = {
            row: {
                "equivariance_db": (v["equivariance_db_low"], v["equivariance_db_high"]),
                "relative_error": (100 * v["relative_error_low"], 100 * v["relative_error_high"]),
            }
            for row, v in rows.items()
        }
        caption = f"At {result.recipe.angle:g}°, over {result.recipe.codes} codes; 95 % intervals."
        evidence.score_table(TURNED, table, ends, highlight=own, caption=caption)
        return
    if isinstance(result.recipe, Needed):
        _needs(result)
        return
    made = result.content
    every = result.metrics
    shown = [evidence.Score(f"m{m}", f"Error from {m}", "low", 4) for m in made.measurements]
    rows: dict[str, dict[str, Any]] = {}
    ends: dict[str, dict[str, Any]] = {}
    for name in made.models:
        title = titled(name)
        rows[title] = {f"m{m}": every.get(f"{name}.error.{m}") for m in made.measurements} | {"floor": every.get(f"{name}.floor")}
        ends[title] = {f"m{m}": question.ends(every, f"{name}.error.{m}") for m in made.measurements}
    floor = evidence.Score("floor", "Floor (all pixels known)", "low", 4)
    caption = "Squared error over the pictures' energy" + (", 95 % intervals." if made.different > 1 else ".")
    evidence.score_table([*shown, floor], rows, ends, caption=caption)


def _needs(result: Result) -> None:
    """How many, by model and error; how many times fewer than without a symmetry; and where the straight lines begin."""
    made, numbers = result.content, result.metrics
    by_size = {
        f"{titled(name)}, {d} numbers" if name in KINDS else titled(name): (name, str(d))
        for name in made.errors
        for d in made.errors[name]
    }
    best = {f"{titled(name)}, best size": (name, "best") for name in made.errors if len(made.errors[name]) > 1}
    simple = {} if made.gaussian is None else {titled("gaussian"): ("gaussian", "")}
    read = (
        "Read off between the numbers that were measured; 95 % intervals. A dash: not reached with the most; as an end of an "
        "interval: with other pictures perhaps never."
    )
    _by_target(result, "needed", "Measurements for {}", 0, by_size | best | simple, read, better="low")
    beside = {f"{titled('gaussian')}, against {d} numbers": ("gaussian", str(d)) for d in made.errors.get("augmented", ())}
    every = by_size | beside
    gains = {title: (name, d) for title, (name, d) in every.items() if f"{name}.saving.{made.targets[0]:g}.{d}" in numbers}
    if gains:
        told = (
            f"The measurements of {titled('augmented')} over these. With 1 in the interval it may be no gain; below 1 is a loss."
        )
        _by_target(result, "saving", "Times fewer for {}", 2, gains, told)
    told = (
        "Where the figures' lines begin, if three sizes are known: with 0 outside of the interval, twice the numbers do not need "
        "twice the measurements."
    )
    lines = {titled(name): (name, "") for name in made.errors}
    _by_target(result, "intercept", "At zero numbers, for {}", 0, lines, told, better="none")


def _by_target(
    result: Result,
    what: str,
    title: str,
    digits: int,
    named: dict[str, tuple[str, str]],
    caption: str,
    better: Literal["high", "low", "none"] = "high",
) -> None:
    """A table with a column for each error: of `named`, model and size by row, the number called `what`."""
    targets = [f"{target:g}" for target in result.content.targets]
    keys = {row: {t: ".".join(filter(None, (name, what, t, size))) for t in targets} for row, (name, size) in named.items()}
    rows = {row: {t: result.metrics.get(key) for t, key in found.items()} for row, found in keys.items()}
    ends = {row: {t: question.ends(result.metrics, key) for t, key in found.items()} for row, found in keys.items()}
    shown = [evidence.Score(t, title.format(t), better, digits) for t in targets]
    known = question.marks(result.content, result.metrics)
    marks = {row: {t: known.get(key, "") for t, key in found.items()} for row, found in keys.items()}
    evidence.score_table(shown, rows, ends, caption=caption, marks=marks)


def notices(result: Result) -> None:
    """Warnings, with models called as the page calls them."""
    tabled = ("saving", "no_proportion") if isinstance(result.recipe, Needed) else ()  # they stand under Evidence
    lessons = ("gaussian_wins", "adds_nothing")  # what this page is about, and no alarm
    evidence.notices([one for one in result.warnings if one.code not in tabled], in_words, lessons=lessons)


def in_words(text: str) -> str:
    """A sentence with models called as the page calls them."""
    return re.sub(rf"\b({'|'.join(KINDS)})\b", lambda found: titled(found[0]).partition(":")[0], text)


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"
