"""The screen's state: the only file that touches st.session_state and st.query_params.

A page holds one recipe. The link is read once, when a session arrives on the page; from then on the widgets are the
truth, and the page writes the recipe they make back into the link. Streamlit forgets a widget that is not drawn (another
page, a closed branch) and then remembers what it was first seeded with; the page's recipe knows better, and `start` and `keep`
hand its values back.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from gen_core import catalog
from gen_core.errors import RecipeError, UserError
from gen_core.recipe import Recipe

PRESENT = "present"  # the word in the query that is no field of a recipe: `?present=1`
PAST = 50  # moves that can be undone
TOGETHER = 0.6  # seconds within which moves count as one: a drag
OPENED = "opened"  # the word in the query of a link that is pressed in the app, and when it was drawn
ECHO = 60.0  # seconds for which a link that the page has left is taken for an echo: a busy browser may tell of it late

Widgets = Callable[[Recipe], Mapping[str, Any]]


@dataclass
class _Page:
    recipe: Recipe
    widgets: Widgets
    link: dict[str, str]
    left: dict[str, float] = dataclasses.field(default_factory=dict)  # when each link before this one was left
    error: str | None = None
    undrawn: set[str] = dataclasses.field(default_factory=set)
    filled: set[str] = dataclasses.field(default_factory=set)  # fields of widgets that are never empty
    past: list[Recipe] = dataclasses.field(default_factory=list)  # what the page showed before, the latest last
    settling: bool = True  # what is written next is what was loaded, perhaps spelled differently: no move of its own
    moved: float = -math.inf  # when it was moved last


def start(page: str, operation: str, default: Callable[[], Recipe], widgets: Widgets = Recipe.fields) -> Recipe:
    """The page's recipe, called once at the top of the page and outside its fragment.

    On arrival it is the recipe in the link (of any operation of this system; `operation` where it names none), else
    `default()`; a wrong link gives the default, and `take_error` its one sentence. The browser's Back button and an opened
    file arrive like a link. `widgets` turns a recipe into the values of its widgets by field, where a widget wants another
    spelling than the recipe (a list for a tuple, text for null).
    """
    state, link = _state(page), _recipe(_query())
    if state is None:
        state = st.session_state[f"{page}/page"] = _Page(default(), widgets, {})
    state.widgets = widgets
    if st.session_state.get("here") != page:  # arrived from another page, where these widgets were not drawn
        st.session_state["here"] = page
        seed(page, **widgets(state.recipe))
    if link and link != state.link and not _echo(state, _query()):
        _leave(state, state.link)
        state.link, state.error = link, None
        try:
            recipe = catalog.from_query(urlencode(link), operation)
            if page_of(recipe) != page:
                raise RecipeError(f"It is a recipe of {recipe.operation}, which has a page of its own.")
            load(page, recipe)
        except UserError as error:
            state.error = f"The link could not be opened, so this is the default. {error}"
    return state.recipe


def current(page: str) -> Recipe:
    """The page's recipe as it was last written or loaded: what a fragment and a callback go on from."""
    state = _state(page)
    if state is None:
        raise LookupError(f"session.start was not called for {page!r}")
    return state.recipe


def visit(page: str) -> None:
    """Called once in every run with the page that is about to run, so that `start` knows when a page was left."""
    if st.session_state.get("here") != page:
        st.session_state["here"] = None
    if PRESENT not in st.session_state:  # a session begins as its first link says
        st.session_state[PRESENT] = st.query_params.get(PRESENT, "0") not in ("0", "")


def key(page: str, field: str) -> str:
    """The widget key of a field; the widget then shows the recipe's value. Give the widget no value of its own."""
    name, state = f"{page}.{field}", _state(page)
    if state is not None and field in state.undrawn:  # set once more, or the browser draws it with a start value of its own
        state.undrawn.discard(field)
        if name in st.session_state:  # it may be forgotten by now: then the recipe knows
            st.session_state[name] = st.session_state[name]
    if state is not None and field in state.filled and st.session_state.get(name, "") is None:
        del st.session_state[name]
    if name not in st.session_state and state is not None:
        values = state.widgets(state.recipe)
        if field in values:
            st.session_state[name] = values[field]
    return name


def choice(page: str, field: str) -> str:
    """`key` for a choice of which one is always taken: a browser that drew it anew while the page was busy may say that none is,
    and then the recipe knows."""
    state = _state(page)
    if state is not None:
        state.filled.add(field)
    return key(page, field)


def settle(page: str, field: str, options: list[Any], otherwise: Any = None) -> str:
    """`key` for a choice: where the value is none of `options`, it becomes `otherwise` (default the first option)."""
    name = key(page, field)
    if options and st.session_state.get(name) not in options:
        st.session_state[name] = options[0] if otherwise is None else otherwise
    return name


def reach(page: str, field: str, low: Any, high: Any) -> tuple[Any, Any]:
    """The ends of a slider, moved out to a value beyond them that a link or a file asks for: a recipe may allow more."""
    asked = value(page, field)
    return (low, high) if asked is None else (min(low, asked), max(high, asked))


def value(page: str, field: str, otherwise: Any = None) -> Any:
    """What the widget of a field holds now."""
    return st.session_state.get(key(page, field), otherwise)


def seed(page: str, **values: Any) -> None:
    """Set widgets by field. Only in a callback, or before the widget is drawn."""
    for field, new in values.items():
        st.session_state[f"{page}.{field}"] = new


def load(page: str, recipe: Recipe) -> None:
    """Make the page show this recipe and forget what was clicked: for presets, reset and opened files.

    Only in a callback, or before the widgets are drawn.
    """
    state = _state(page)
    if state is None:
        raise LookupError(f"session.start was not called for {page!r}")
    _remember(state, recipe)
    state.recipe, state.error, state.settling = recipe, None, True
    seed(page, **state.widgets(recipe))
    for name in [n for n in st.session_state if str(n).startswith(f"figure/{page}")]:
        del st.session_state[name]


def undo(page: str) -> bool:
    """In a callback: show again what the page showed before the last move; False where there was none."""
    state = _state(page)
    if state is None or not state.past:
        return False
    past = state.past[:-1]
    load(page, state.past[-1])
    state.past, state.moved = past, -math.inf
    return True


def write_link(recipe: Recipe) -> None:
    """Note the recipe the page now shows and put all of it into the query string. Called inside the page's fragment."""
    state = _state(page_of(recipe))
    if state is None:
        return
    if recipe != state.recipe:
        if not state.settling:
            _remember(state, recipe)
        state.recipe, state.error = recipe, None
    state.settling = False
    keep()
    link, shown = link_fields(recipe), _query()
    if link != state.link or link != shown:
        _leave(state, state.link, shown)
        state.link = link
        st.query_params.from_dict(link | ({PRESENT: "1"} if presenting() else {}))


def keep() -> None:
    """After the widgets were drawn (or an error kept them from it): those that were not drawn get the recipe's value."""
    page = st.session_state.get("here")
    state = _state(page) if page else None
    if page is None or state is None:
        return
    for name, known in state.widgets(state.recipe).items():
        try:
            st.session_state[f"{page}.{name}"] = known
            state.undrawn.add(name)
        except StreamlitAPIException:  # drawn in this run: it holds its value itself
            state.undrawn.discard(name)


def again() -> None:
    """Run the fragment once more, or the whole page where that is what runs: for work that is shown step by step."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def page_of(recipe: Recipe) -> str:
    """The page that shows this recipe: each system has one, of its name."""
    return recipe.operation.partition(".")[0]


def link_fields(recipe: Recipe) -> dict[str, str]:
    """The recipe as query parameters."""
    return dict(parse_qsl(recipe.query(), keep_blank_values=True))


def link_to(recipe: Recipe) -> dict[str, str]:
    """The same as st.switch_page and st.page_link take them: the page opens it even where it has just left it."""
    return link_fields(recipe) | {OPENED: f"{time.time():.0f}"}


def take_error(page: str) -> str | None:
    """The one sentence about a link that could not be opened; it stays until the recipe changes."""
    state = _state(page)
    return state.error if state else None


def get(page: str, name: str, otherwise: Any = None) -> Any:
    """A value of this page and session that is no part of the recipe (a clicked point)."""
    return st.session_state.get(f"{page}/{name}", otherwise)


def put(page: str, name: str, new: Any) -> None:
    """Remember a value of this page and session; None forgets it."""
    if new is None:
        st.session_state.pop(f"{page}/{name}", None)
    else:
        st.session_state[f"{page}/{name}"] = new


def take(page: str, name: str, of: Any) -> Any:
    """What was put there as (all that it is of, the value), once: None where it is of something else."""
    known, found = st.session_state.pop(f"{page}/{name}", ((), None))
    return found if of in known else None


def held(name: str) -> Any:
    """What the widget of this full key holds (an uploader's file, inside its callback).

    A callback may be called once more for what it has dealt with (while a job is under way, the lines in the sidebar run by
    themselves, with what the browser still knows of a widget that is gone): a file that was let go of then counts as none.
    """
    found = st.session_state.get(name)
    if isinstance(found, list):
        return [one for one in found if not isinstance(one, DeletedFile)]
    return None if isinstance(found, DeletedFile) else found


def turn(page: str, name: str) -> str:
    """A widget key that `turn_over` changes: the only way to empty an uploader."""
    return f"{page}/{name}/{get(page, f'{name}/turn', 0)}"


def turn_over(page: str, name: str) -> None:
    """From the next run on the widget of `turn(page, name)` is a new, empty one, and a file in the old one is let go of.

    Streamlit itself keeps the bytes of an upload until its session ends, even where its uploader is gone.
    """
    file, context = held(turn(page, name)), get_script_run_ctx()
    if context is not None and hasattr(file, "file_id"):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    put(page, f"{name}/turn", get(page, f"{name}/turn", 0) + 1)


def presenting() -> bool:
    """Whether the pages are shown to a room: large type, no sidebar. The link begins it, and so does a button of the page."""
    return bool(st.session_state.get(PRESENT))


def present(on: bool) -> None:
    """Begin or end that; on another page too."""
    st.session_state[PRESENT] = on
    if on:
        st.query_params[PRESENT] = "1"
    elif PRESENT in st.query_params:
        del st.query_params[PRESENT]


def asked_for_more() -> bool:
    """Whether the link that was opened asks for more than the first page."""
    return bool(st.query_params) or bool(st.context.url and st.context.url.rstrip("/").count("/") > 2)


def _state(page: str) -> _Page | None:
    found: _Page | None = st.session_state.get(f"{page}/page")
    return found


def _echo(state: _Page, link: dict[str, str]) -> bool:
    """Whether the browser only tells what it showed before the link written last had reached it.

    A press on a control takes the link in the address bar along. While the server is busy that may be one which the page left
    long ago; were it opened, the press would be undone. Back and Forward are told apart by Streamlit.
    """
    context = get_script_run_ctx()
    back = context is not None and context.is_history_navigation
    return not back and time.monotonic() - state.left.get(urlencode(link), -ECHO) < ECHO


def _leave(state: _Page, *links: dict[str, str]) -> None:
    now = time.monotonic()
    state.left = {link: when for link, when in state.left.items() if now - when < ECHO} | {urlencode(x): now for x in links}


def _remember(state: _Page, recipe: Recipe) -> None:
    """What the page shows now is past once it shows `recipe`; of a drag only where it began."""
    now = time.monotonic()
    if state.recipe != recipe and now - state.moved > TOGETHER:
        state.past = [*state.past, state.recipe][-PAST:]
    state.moved = now


def _query() -> dict[str, str]:
    """The link that the browser shows, but for how it is shown."""
    return {name: value for name, value in st.query_params.to_dict().items() if name != PRESENT}


def _recipe(link: dict[str, str]) -> dict[str, str]:
    """The fields of a recipe in a link."""
    return {name: value for name, value in link.items() if name != OPENED}
