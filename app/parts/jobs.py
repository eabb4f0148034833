"""Long work on a page: what is being done, how long it still takes, its curve, and the buttons that end it or go on.

A panel finds its job by the recipe, on disk: after a reload, in a second tab and after a restart of the server the same
page shows the same job, and the link holds nothing but the recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.parts import figure, open_file, people, session
from app.parts.guard import plain
from gen_core import catalog, jobs, palette
from gen_core.errors import UserError
from gen_core.recipe import Recipe, content_fields
from gen_core.store import DIGEST

REFRESH = 1.0  # seconds between two looks at a job that is under way
CURVES = {"train_loss": ("Training", "control"), "valid_loss": ("Validation", "accent")}
SAID = {
    "cancelled": "This was cancelled. It can go on from where it stopped.",
    "interrupted": "The server or the worker ended before this was done. It can go on from its last checkpoint.",
}


def panel(
    page: str,
    recipe: Recipe,
    start: str = "Train",
    about: str = "",
    unit: str = "Epoch",
    steps: str | None = None,
    opens: Recipe | None = None,
) -> jobs.Job | None:
    """The long work of a recipe, as far as it is; a button that starts it where there is none. Returns its job.

    `start` is what the button says, `about` how long it will take, in words; `unit` what a step is. `opens` is the
    recipe of the page as it is now, where the sidebar's link to the job leads (default `recipe`); `steps` as in
    `jobs.submit`. When the job begins, ends or is deleted, the whole page runs again and can take up the result.
    """
    job = jobs.find(recipe)
    known = _known(job)

    def draw() -> None:
        now = jobs.find(recipe)
        if error := session.get(page, "job/error"):
            st.error(plain(error), icon=":material/error:")
        if now is None:
            if st.button(start, key=f"{page}/job/start", type="primary", icon=":material/play_arrow:", help=about or None):
                _try(page, lambda: people.own(jobs.submit(recipe, steps, opens)))
                st.rerun()
            if about:
                st.caption(about)
        else:
            _show(page, now, unit)
        if _known(now) != known:
            st.rerun()

    st.fragment(draw, run_every=REFRESH if job and job.active else None)()
    return job


def sidebar() -> None:
    """One line for each job under way, with a link to its page. Reads a few small files and loads nothing."""
    found = [job for job in jobs.active() if people.may_see(job.id)]
    st.fragment(_lines, run_every=5 * REFRESH if found else None)()


def in_words(seconds: float | None) -> str:
    """A time still to wait, as exact as it can honestly be told."""
    if seconds is None:
        return "the time left is not known yet"
    return f"about {rounded(seconds)} left" if seconds >= 1 else "nearly done"


def rounded(seconds: float) -> str:
    """A time in its largest sensible unit."""
    for size, name in ((3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {name}"
    return f"{max(1, round(seconds))} s"


def latest(recipe: Recipe, ignoring: tuple[str, ...] = ()) -> jobs.Job | None:
    """The newest job whose recipe differs from this one at most in these fields; None where there is no such job."""
    alike = lambda other: other.operation == recipe.operation and other.fields() | same == recipe.fields() | same  # noqa: E731
    same = dict.fromkeys(ignoring)
    return next((job for job in jobs.listed() if alike(job.recipe)), None)


def just_done(page: str, recipe: Recipe, job: jobs.Job | None) -> str | None:
    """The model of a training that this session saw under way, once; None before, ever after, and of a training of another day,
    which takes no page over."""
    if job is None or job.active:
        session.put(page, "train/waiting", recipe.sha256)
    if job is None or job.model is None or session.get(page, "train/waiting") != recipe.sha256:
        return None
    session.put(page, "train/waiting", None)
    people.own(job.model)
    return job.model


def wanted(page: str, name: str, operation: str, asked: Recipe | None) -> tuple[Any, bool]:
    """The recipe that a panel of training is about, and whether it stands open: that of a link or a file (`asked`), else what was
    brought in this session (put under `name`), else, after a reload, that of the last job; None where there is none."""
    if asked is not None:
        session.put(page, name, asked)
        session.put(page, f"{name}/own", None)
    last = next((job for job in known(operation) if people.may_see(job.id)), None)
    found = session.get(page, name) or (last.recipe if last is not None else None)
    if asked is not None or (last is not None and last.state != "done"):
        session.put(page, f"{name}/open", True)  # and it stays so when its job is done
    return found, session.get(page, f"{name}/open", False)


def still(page: str, name: str, wanted: Any) -> Any:
    """What a panel that `wanted` found is about, until the person moves a control of the panel (see `forget`); then None."""
    return None if session.get(page, f"{name}/own") else wanted


def forget(page: str, name: str) -> None:
    """In a callback: from now on the page and the panel's controls count, no longer a link or an earlier job."""
    session.put(page, f"{name}/own", True)


def known(operation: str) -> list[jobs.Job]:
    """The jobs of an operation, the newest first."""
    return [job for job in jobs.listed() if job.recipe.operation == operation]


def curve(points: list[dict[str, float]], unit: str, dark: bool) -> Any:
    """The losses of training and validation by step, one small figure; None as long as there is no line to draw."""
    import plotly.graph_objects as go

    drawn = go.Figure(
        layout=palette.layout(
            dark,
            height=210,
            margin={"t": 28, "b": 40},
            xaxis={"title": {"text": unit}},
            yaxis={"title": {"text": "Loss"}, "nticks": 5},
        )
    )
    for name, (title, role) in CURVES.items():
        line = [(point["done"], point[name]) for point in points if name in point]
        if len(line) > 1:
            x, y = zip(*line, strict=True)
            drawn.add_scatter(x=x, y=y, name=title, mode="lines", line={"color": palette.role(role, dark), "width": 2})
    return drawn if drawn.data else None


def _known(job: jobs.Job | None) -> tuple[str, str] | None:
    """What the page as a whole goes by: which job it is, and how it ended if it did."""
    return job and (job.id, "active" if job.active else job.state)


def _show(page: str, job: jobs.Job, unit: str) -> None:
    """One job in its state."""
    counted = f"{unit} {job.done:,} of {job.total:,}" if job.total else ""
    if job.state == "queued":
        st.progress(job.share, "Waiting for its turn")
    elif job.state == "running":
        text = job.text[:1].upper() + job.text[1:] or "Starting"
        told = [text, "" if unit.lower() in text.lower() else counted, in_words(job.seconds_left) if job.total else ""]
        st.progress(job.share, plain(" · ".join(filter(None, told))))
    elif job.state == "done":
        st.caption(f":material/check: Done{f' · {plain(counted)}' if counted else ''}")
    else:
        st.progress(job.share, plain(job.text if unit.lower() in job.text.lower() else counted) or " ")
        if job.state == "failed":
            st.error(plain(job.error or "This failed."), icon=":material/error:")
        else:
            st.info(SAID[job.state], icon=":material/pause_circle:")
    drawn = curve(jobs.curve(job.id), unit, figure.dark())
    if drawn is not None:
        figure.show(drawn, f"{page}.job", "Loss of training and validation by step")
    with st.container(horizontal=True, gap="small"):
        if job.active and _may_end(job):
            _button(page, job, "Cancel", ":material/stop:", jobs.cancel)
        if job.state in ("failed", "cancelled", "interrupted"):
            _button(page, job, "Resume", ":material/play_arrow:", jobs.resume)
        if not job.active and _may_end(job):
            _button(page, job, "Delete", ":material/delete:", jobs.delete)


def _button(page: str, job: jobs.Job, name: str, icon: str, act: Callable[[str], None]) -> None:
    help = {"Cancel": "Ends before the next step and keeps what is done.", "Delete": "Forgets this job; its result stays."}
    st.button(
        name,
        key=f"{page}/job/{name}",
        icon=icon,
        help=help.get(name, "Goes on from the last checkpoint."),
        on_click=_try,
        args=(page, lambda: act(job.id)),
    )


def _try(page: str, act: Callable[[], None]) -> None:
    """Do what a button asks; what its user can mend is said in the panel."""
    session.put(page, "job/error", None)
    try:
        act()
    except UserError as error:
        session.put(page, "job/error", str(error))


def _may_end(job: jobs.Job) -> bool:
    """Whether this person may stop or forget a job: on a server only the one who started it, or who has the very file."""
    named = [str(getattr(job.recipe, field)) for field in content_fields(type(job.recipe))]
    return people.may_see(job.id) or any(DIGEST.fullmatch(name) for name in named)


def _lines() -> None:
    for job in jobs.active():
        if not people.may_see(job.id):
            continue
        try:
            where = open_file.page_of(job.opens)
            title = catalog.system(session.page_of(job.opens)).title
        except UserError:  # started by a program, of a system without a page
            continue
        share = "waiting" if job.state == "queued" else f"{job.share:.0%}"
        st.page_link(
            where,
            label=f"{title}: {share}",
            icon=":material/hourglass_top:" if job.state == "queued" else ":material/progress_activity:",
            query_params=session.link_to(job.opens),
            help=plain(job.text) or None,
        )
