"""Kept runs: what was kept with "Keep this run", to be reopened in exactly its state, named or deleted."""

from __future__ import annotations

import datetime
from typing import Any

import streamlit as st

from app.parts import evidence, figure, open_file, session
from app.parts.guard import guard, plain
from gen_core import catalog, checkpoint, jobs, palette, runs, store
from gen_core.errors import UserError
from gen_core.inputs import human_size
from gen_core.recipe import DIGEST, Recipe, content_fields

PAGE = "runs"
FIRST = 10  # runs shown before one asks for more: each brings its picture


def page() -> None:
    """The page, from top to bottom."""
    st.title("Runs", anchor=False)
    found = [run for run in runs.listed() if session.may_see(run.id)]
    if found:
        kept(found)
    else:
        st.caption("Results worth coming back to, each with its files, its recipe and its picture.")
        empty()
    models()


def kept(found: list[runs.Run]) -> None:
    """The runs, the newest first."""
    total = human_size(sum(run.size for run in found))
    where = "on this server, as long as this session lasts" if session.hosted() else "on this machine"
    st.caption(f"{len(found)} kept {where}, {total}. A run holds its files, its recipe and its picture.")
    shown = session.get(PAGE, "shown", FIRST)
    for run in found[:shown]:
        with guard(), st.container(border=True):
            row(run)
    if len(found) > shown:
        st.button("Show more", icon=":material/expand_more:", on_click=session.put, args=(PAGE, "shown", shown + FIRST))


def models() -> None:
    """The models that were trained here: what each is, its size, and a way to delete it."""
    found = [folder for folder in store.models() if session.may_see(f"sha256:{folder.name}")]
    if not found:
        return
    st.subheader("Trained models", anchor=False)
    for folder in found:
        try:
            card = checkpoint.read_card(folder)
            system, summary = catalog.system(str(card.get("system"))).title, str(card.get("summary", ""))
            data = name_of(str(card.get("data", "")))
        except UserError as error:
            system, summary, data = f"Model {folder.name[:8]}", str(error), ""
        size = human_size(sum(path.stat().st_size for path in folder.glob("*")))
        text, button = st.columns([11, 2], gap="medium", vertical_alignment="center")
        text.markdown(f"**{plain(system)}** · {plain(summary)}  \n:gray[{plain(data)} · {size} · sha256 {folder.name[:8]}…]")
        with button.popover(
            "Delete", icon=":material/delete:", type="tertiary", width="stretch", key=f"runs/model/{folder.name}"
        ):
            st.markdown("Delete this model? Runs and links that name it can then not be opened until it is trained again.")
            delete = f"runs/model/delete/{folder.name}"
            st.button("Delete it", key=delete, type="primary", on_click=_forget, args=(f"sha256:{folder.name}",))


def empty() -> None:
    """What to do where nothing is kept yet."""
    with st.container(border=True):
        st.markdown("#### :material/bookmarks: Nothing is kept yet")
        st.markdown(
            "Open an instrument, bring it to a state worth coming back to, and press **Keep this run** under Export. "
            "Its files, its recipe and its picture are then listed here."
        )
        st.page_link("home.py", label="See the instruments", icon=":material/arrow_forward:")


def row(run: runs.Run) -> None:
    """One run: its picture, what it is, and what can be done with it."""
    picture, text, buttons = st.columns([4, 7, 2], gap="medium", vertical_alignment="center")
    with picture:
        drawn = thumbnail(run.picture(), figure.dark())
        if drawn is None:
            st.caption("No picture was kept.")
        else:
            figure.show(drawn, f"runs.{run.id}", f"Picture of the run {run.name or title(run)}")
    with text:
        st.markdown(f"**{plain(run.name or title(run))}**")
        if run.recipe is not None:
            st.markdown(words(run.recipe))
        if run.problem is not None:
            st.error(plain(run.problem), icon=":material/warning:")
        if run.metrics:
            st.caption(plain(numbers(run.metrics)))
        when = datetime.datetime.fromtimestamp(run.when).strftime("%-d %B %Y, %H:%M")
        st.caption(f"{when} · {human_size(run.size)}", help=None if session.hosted() else f"The files: `{run.folder}`")
    with buttons:
        actions(run)


def actions(run: runs.Run) -> None:
    """Reopen, rename, delete."""
    if run.recipe is not None and st.button("Reopen", key=f"runs/open/{run.id}", icon=":material/open_in_new:", width="stretch"):
        st.switch_page(open_file.page_of(run.recipe), query_params=session.link_fields(run.recipe))
    key = session.turn(PAGE, f"rename/{run.id}")
    with st.popover("Rename", icon=":material/edit:", type="tertiary", width="stretch", key=f"{key}/popover"):
        st.text_input(
            "Name", run.name, max_chars=runs.MAX_NAME, key=key, placeholder=title(run), on_change=_rename, args=(run.id, key)
        )
        st.caption("Press Enter to keep it.")
    with st.popover("Delete", icon=":material/delete:", type="tertiary", width="stretch"):
        st.markdown("Delete this run with all its files? This cannot be undone.")
        st.button("Delete it", key=f"runs/delete/{run.id}", type="primary", on_click=runs.delete, args=(run.id,))


def title(run: runs.Run) -> str:
    """What a run without a name of its own is called: its system, and the verb."""
    if run.recipe is None:
        return f"Run {run.id[:8]}"
    system, _, verb = run.recipe.operation.partition(".")
    return f"{catalog.system(system).title}: {verb.replace('_', ' ')}"


def words(recipe: Recipe) -> str:
    """A recipe for reading: what it works on, and every field that is not as the recipe would be by default."""
    content = content_fields(type(recipe))
    changed = recipe.model_dump(mode="json", exclude_defaults=True)
    told = [(name, name_of(str(getattr(recipe, name)))) for name in content if getattr(recipe, name) is not None]
    told += [(name, spelled(value)) for name, value in changed.items() if name not in (*content, "weights")]
    return " · ".join(f":gray[{plain(name.replace('_', ' '))}] {plain(value)}" for name, value in told)


def name_of(content: str) -> str:
    """A data set's title, or what its user called a stored file."""
    known = {data.name: data.title for data in catalog.DATA} | {f"sha256:{d.sha256}": d.title for d in catalog.DATA if d.sha256}
    if content in known or not DIGEST.fullmatch(content):
        return known.get(content, content)
    own = {entry.digest: entry.name for entry in store.recent(1000) if session.may_see(entry.digest)}
    return own.get(content) or f"a file of sha256 {content[7:15]}…"


def spelled(value: Any) -> str:
    """A field's value in few words."""
    if isinstance(value, list):
        return (
            f"{len(value)} values"
            if len(value) > 4 or any(isinstance(v, list | dict) for v in value)
            else ", ".join(map(str, value))
        )
    if DIGEST.fullmatch(str(value)):
        return f"sha256 {str(value)[7:15]}…"
    text = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def numbers(metrics: Any) -> str:
    """The first few metrics that are numbers."""
    told = [(name, value) for name, value in metrics.items() if isinstance(value, float) and evidence.number(value) != "–"]
    return " · ".join(f"{name.replace('_', ' ')} {evidence.number(value)}" for name, value in told[:4])


def thumbnail(picture: str | None, dark: bool) -> Any:
    """A kept figure, small and bare; None where there is none that can be read."""
    import plotly.io

    if picture is None:
        return None
    try:
        drawn = plotly.io.from_json(picture, skip_invalid=True)
    except (ValueError, TypeError, KeyError):
        return None
    drawn.update_layout(height=190, margin={"l": 4, "r": 4, "t": 4, "b": 4}, showlegend=False, title=None)
    drawn.update_xaxes(visible=False).update_yaxes(visible=False)
    if drawn.layout.paper_bgcolor == palette.role("paper", dark):  # else it was drawn for the other theme, and keeps its paper
        drawn.update_layout(paper_bgcolor="rgba(0,0,0,0)")
    return drawn


def _forget(model: str) -> None:
    """In a callback: a model and the job that trained it, so that its page offers to train it again."""
    store.delete_model(model)
    for job in jobs.listed():
        if job.model == model:
            jobs.delete(job.id)


def _rename(id: str, key: str) -> None:
    """In a callback: the name that was typed."""
    try:
        runs.rename(id, str(session.held(key) or ""))
    except UserError:  # deleted in another tab: the list says so
        return
    session.turn_over(PAGE, f"rename/{id}")


page()
