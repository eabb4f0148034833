"""What lies behind the images: data and misfit, the lesion, the uncertainty, a line through the picture, convergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from app.instruments import tomography_axis as axis
from app.instruments import tomography_bayes as bayes
from app.instruments import tomography_twopixel as two
from app.instruments.tomography_own import PAGE
from app.instruments.tomography_picture import clicked
from app.parts import evidence, figure, player, session
from app.parts.guard import guard
from gen_core.result import Result
from gen_core.tomography import film, methods, plots

Figures = dict[str, Callable[[], Any]]


def show(result: Result, window: tuple[float, float] | None) -> Figures:
    """The tabs; only the open one is drawn."""
    made, dark = result.content, figure.dark()
    titles = ["Data", "Profile", "Convergence"]
    if made.subject.delta is not None:
        titles.insert(1, "Lesion")
    if made.deviations or made.samples:
        titles.insert(-1, "Uncertainty")
    if made.truth is None:
        titles.insert(1, "Axis and turn")
    titles[-1:-1] = ["Bayes", "Chains"]
    titles.append("Two pixels")
    drawing: dict[str, Callable[[], None]] = {
        "Axis and turn": lambda: axis.show(result.recipe),
        "Data": lambda: data(result),
        "Lesion": lambda: lesion(result),
        "Profile": lambda: profile(result),
        "Uncertainty": lambda: uncertainty(result, window),
        "Bayes": lambda: bayes.row(result, window),
        "Chains": lambda: bayes.chains(result, window),
        "Two pixels": two.show,
        "Convergence": lambda: convergence(result),
    }
    for title, tab in zip(titles, st.tabs(titles, key=f"{PAGE}/tabs", on_change="rerun"), strict=True):
        if tab.open:
            with tab, guard():
                drawing[title]()
    row = row_of(result)
    figures: Figures = {
        "data": lambda: plots.sinogram(made, dark=dark),
        "profile": lambda: plots.profile(made, row, dark),
        "convergence": lambda: plots.convergence(made, dark),
    }
    if made.calibration:
        figures["calibration"] = lambda: plots.calibration(made, dark)
    return figures | bayes.figures(result, window)


def data(result: Result) -> None:
    """The data, what one method's image would have measured, and the misfit."""
    made, dark = result.content, figure.dark()
    names = list(made.images)
    told = "Its image is projected again and compared with the data."
    name = st.segmented_control(
        "Method", names, key=session.settle(PAGE, "method", names), format_func=methods.titled, required=True, help=told
    )
    name = str(name or names[0])
    left, middle, right = st.columns(3, gap="small")
    with left:
        figure.show(plots.sinogram(made, dark=dark), f"{PAGE}.data", "The measured data; missing directions are hatched")
    with middle:
        told = f"What the image of {methods.titled(name)} would have measured"
        figure.show(plots.sinogram(made, name, dark), f"{PAGE}.projected", told)
    with right:
        figure.show(plots.residual(made, name, dark), f"{PAGE}.residual", f"Misfit of {methods.titled(name)} over the noise")
    st.caption(
        "Hatched: directions that no view has measured. Noise alone leaves a misfit without any shape; lines and arcs in it are "
        "unexplained by the method."
    )


def lesion(result: Result) -> None:
    """Whether anyone could see the lesion in the data, and how much of its contrast each method shows."""
    made, numbers = result.content, result.metrics
    seen, hidden = float(numbers["lesion.d_prime"]), float(numbers["lesion.null_share"])
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.metric("d′ of the best observer of the data", f"{seen:.1f}", help=D_PRIME)
        st.metric("Share of it that no view has measured", f"{100 * hidden:.0f} %", help=NULL)
    with right:
        rows = {
            "Method": [methods.titled(name) for name in made.images],
            "Contrast shown": [f"{evidence.number(100 * float(numbers[f'{n}.lesion_recovered']), 0)} %" for n in made.images],
            "Verdict": [_verdict(float(numbers[f"{n}.lesion_recovered"])) for n in made.images],
        }
        st.table(rows, border="horizontal", hide_index=True)
        st.caption(
            "The mean inside the lesion against a ring around it, over the true contrast: 100 % is right, 0 % lost, below 0 "
            "turned round. Streaks in the ring count too."
        )


D_PRIME = (
    "How many deviations of the noise the lesion lifts the data, for one who knows where it is and what is around it: below 2 "
    "nobody can find it reliably, whatever the method."
)
NULL = "The part of the lesion that changes none of the measured rays. Only what a method believes can put it back."


def _verdict(share: float) -> str:
    if 0.8 <= share <= 1.25:
        return ":green[:material/check:] shown"
    return ":red[:material/warning:] " + ("lost" if share < 0.3 else "weakened" if share < 0.8 else "exaggerated")


def profile(result: Result) -> None:
    """Values along the row that was clicked."""
    made = result.content
    row = row_of(result)
    unit = "mm" if made.subject.pixel else "pixels"
    at = -(row - (made.subject.problem.size - 1) / 2) * (made.subject.pixel or 1.0)
    figure.show(plots.profile(made, row, figure.dark()), f"{PAGE}.profile", "Values along one row of all images")
    st.caption(f"Along the row {at:.0f} {unit} above the middle. Click a picture to choose another.".replace("-", "−"))


def row_of(result: Result) -> int:
    """The row of pixels that was clicked last; the lesion's, or the middle one, where none was."""
    made = result.content
    size, spot = made.subject.problem.size, clicked()
    spacing = made.subject.pixel or 1.0
    asked = getattr(result.recipe, "lesion", None)
    up = spot[1] if spot is not None else asked.y if asked is not None else 0.0
    return int(np.clip(round((size - 1) / 2 - up / spacing), 0, size - 1))


def uncertainty(result: Result, window: tuple[float, float] | None) -> None:
    """Whether the error bars hold what they promise, the samples as a film, and whether the samplers are right."""
    spread(result, window)
    bayes.check(result)


def spread(result: Result, window: tuple[float, float] | None) -> None:
    """The calibration of the error bars beside the samples as a film."""
    made, numbers = result.content, result.metrics
    left, right = st.columns([2, 3], gap="medium")
    with left:
        if made.calibration:
            figure.show(
                plots.calibration(made, figure.dark()), f"{PAGE}.calibration", "Share of pixels inside intervals of each level"
            )
            for name in made.calibration:
                inside = 100 * float(numbers[f"{name}.coverage90"])
                evidence.badge(f"{methods.titled(name)}: 90 % intervals hold {inside:.0f} %", 85 <= inside <= 95)
            st.caption("Below the diagonal a method is surer than it may be; above it, it is too careful.")
        else:
            st.caption("Without the truth it cannot be told whether the intervals are right.")
    with right:
        strips = {
            methods.titled(name): film.strip(made, samples, window) for name, samples in made.samples.items() if len(samples)
        }
        if not strips:
            st.caption("Ask for posterior samples at the left to see them as a film.")
            return
        frames, size = max(len(samples) for samples in made.samples.values()), made.subject.problem.size
        player.show(
            strips, frames, (size, size), f"{PAGE}.samples", [f"sample {i + 1}" for i in range(frames)], 260, 0.5 * frames
        )
        st.caption("Each frame agrees with the data equally well. What stays is known; what flickers is not.")


def convergence(result: Result) -> None:
    """How the iterative methods ended, and how long each took."""
    made, numbers = result.content, result.metrics
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure.show(plots.convergence(made, figure.dark()), f"{PAGE}.convergence", "How the iterative methods approach their end")
    with right:
        rows = {
            "Method": [methods.titled(name) for name in made.images],
            "Seconds": [evidence.number(numbers.get(f"{name}.seconds"), 2) for name in made.images],
            "Ended after": [made.solutions[name].note for name in made.images],
        }
        st.table(rows, border="horizontal", hide_index=True)
    st.caption("A total variation that is not converged looks worse than it is, and flatters whatever stands beside it.")
