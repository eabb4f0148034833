"""A guided tour of an instrument: a few steps that set its real controls and say what to see; some ask for a guess first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.parts import session
from app.parts.guard import plain
from gen_core.recipe import Recipe

After = Callable[[], None] | None


@dataclass(frozen=True)
class Guess:
    """A question that is answered before its step is shown. `right` is the place of the right option."""

    question: str
    options: Sequence[str]
    right: int
    told: str  # what is then to be seen, and why


@dataclass(frozen=True)
class Step:
    """A state of the page and what to see in it (markdown). With a `guess`, `text` leads up to the question."""

    title: str
    text: str
    recipe: Recipe
    guess: Guess | None = None


def button(page: str, steps: Sequence[Step], after: After = None) -> None:
    """Begins the tour, or ends it."""
    if session.get(page, "tour") is None:
        name, icon, to, told = "Tour", "school", 0, f"{len(steps)} steps: they set the controls and say what to see."
    else:
        name, icon, to, told = "End the tour", "close", None, "Leaves the page as it is."
    key = f"{page}/tour/begin"
    st.button(name, key=key, type="tertiary", icon=f":material/{icon}:", help=told, on_click=_go, args=(page, steps, to, after))


def show(page: str, steps: Sequence[Step], after: After = None) -> None:
    """The step that is on, above the instrument. Outside the page's fragment, so that a press redraws all of the page."""
    at = session.get(page, "tour")
    if at is None:
        return
    step = steps[min(at, len(steps) - 1)]
    answer = session.get(page, f"tour/guess/{at}")
    with st.container(border=True, key="tour"):
        text, buttons = st.columns([5, 1], gap="large", vertical_alignment="center")
        with text:
            st.markdown(f":primary[**{at + 1} of {len(steps)}: {step.title}**]  \n{step.text}")
            if step.guess is not None:
                guess(page, at, step, step.guess, answer, after)
        with buttons:
            waiting = step.guess is not None and answer is None
            last = at + 1 == len(steps)
            move("Done" if last else "Skip" if waiting else "Next", not waiting, page, steps, None if last else at + 1, after)
            if at:
                move("Back", False, page, steps, at - 1, after)


def move(name: str, primary: bool, page: str, steps: Sequence[Step], to: int | None, after: After) -> None:
    """A button to another step."""
    key, kind = f"{page}/tour/{name}", "primary" if primary else "secondary"
    st.button(name, key=key, type=kind, width="stretch", on_click=_go, args=(page, steps, to, after))


def guess(page: str, at: int, step: Step, asked: Guess, answer: int | None, after: After) -> None:
    """The question with its options; once one is chosen, whether it was right and what to see."""
    if answer is None:
        st.markdown(asked.question)
        with st.container(horizontal=True, gap="small"):
            for i, option in enumerate(asked.options):
                st.button(option, key=f"{page}/tour/{at}/{i}", on_click=_answer, args=(page, at, i, step, after))
        return
    if answer == asked.right:
        mark = ":green[:material/check: You saw it coming.]"
    else:
        mark = f":orange[:material/close: Not “{plain(asked.options[answer])}”, but “{plain(asked.options[asked.right])}”.]"
    st.markdown(f"{mark} {asked.told}")


def _go(page: str, steps: Sequence[Step], to: int | None, after: After) -> None:
    """In a callback: another step, with the controls that it sets; a step that asks sets them when it is answered."""
    session.put(page, "tour", to)
    if to is None:
        for i in range(len(steps)):
            session.put(page, f"tour/guess/{i}", None)
    elif steps[to].guess is None or session.get(page, f"tour/guess/{to}") is not None:
        _load(page, steps[to], after)


def _answer(page: str, at: int, chosen: int, step: Step, after: After) -> None:
    session.put(page, f"tour/guess/{at}", chosen)
    _load(page, step, after)


def _load(page: str, step: Step, after: After) -> None:
    session.load(page, step.recipe)
    if after:
        after()
