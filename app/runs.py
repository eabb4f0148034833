"""Kept runs: what was kept with "Keep this run", to be reopened in exactly its state, named or deleted."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import streamlit as st

from app.parts import beside, figure, open_file, people, session
from app.parts.guard import guard, plain
from app.parts.kept import called, name_of, numbers, thumbnail, title, words
from gen_core import bundle, catalog, checkpoint, jobs, owner, quotas, runs, store
from gen_core.errors import UserError
from gen_core.inputs import human_size

PAGE = "runs"
FIRST = 10  # runs shown before one asks for more: each brings its picture


def page() -> None:
    """The page, from top to bottom."""
    st.title("Runs", anchor=False)
    if error := session.get(PAGE, "error"):
        st.error(plain(error), icon=":material/error:")
        session.put(PAGE, "error", None)
    found = [run for run in runs.listed() if people.may_see(run.id)]
    if found:
        kept(found)
    else:
        st.caption("Results worth coming back to, each with its files, its recipe and its picture.")
        empty()
    models()


def kept(found: list[runs.Run]) -> None:
    """The runs, the newest first, those that are searched for; the picked ones beside each other."""
    total, most = sum(run.size for run in found), min(runs.limit(), quotas.disk() or runs.limit())
    where = "on this server, as long as this session lasts" if people.hosted() else "on this machine"
    where = "for you on this server" if owner.current() is not None else where
    st.caption(f"{len(found)} kept {where}: {human_size(total)} of {human_size(most)}.")
    if total > 0.9 * most:
        st.warning("Kept runs fill nearly all the room they may (LATENT_RUNS_GIB). Delete some.", icon=":material/warning:")
    matching = search(found)
    picked = [run for run in found if run.id in session.get(PAGE, "picked", [])]
    chosen(picked)
    shown = session.get(PAGE, "shown", FIRST)
    for run in matching[:shown]:
        with guard(), st.container(border=True):
            row(run)
    if not matching:
        st.info("No run matches this search.", icon=":material/search_off:")
    if len(matching) > shown:
        st.button("Show more", icon=":material/expand_more:", on_click=session.put, args=(PAGE, "shown", shown + FIRST))


def search(found: list[runs.Run]) -> list[runs.Run]:
    """Those that hold every word that was typed, of the instrument that was chosen."""
    systems = list(dict.fromkeys(run.recipe.operation.partition(".")[0] for run in found if run.recipe is not None))
    if len(found) < 2:
        return found
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    asked = left.text_input(
        "Search", key=f"{PAGE}/search", placeholder="Name, data, field, value", help="Every word must be found; case is ignored."
    )
    system = None
    if len(systems) > 1:
        system = right.segmented_control(
            "Instrument", systems, key=f"{PAGE}/system", format_func=lambda name: catalog.system(name).title
        )
    wanted = (asked or "").casefold().split()
    return [run for run in found if _fits(run, wanted, system)]


def _fits(run: runs.Run, wanted: list[str], system: str | None) -> bool:
    if system is not None and (run.recipe is None or not run.recipe.operation.startswith(f"{system}.")):
        return False
    if not wanted:  # the words of a run look its files up
        return True
    told = f"{title(run)} {called(run.recipe)} {words(run.recipe)}" if run.recipe is not None else title(run)
    return all(word in told.casefold().replace("\\", "") for word in wanted)


def chosen(picked: list[runs.Run]) -> None:
    """What can be done with the picked runs: see them side by side, or take them away with a report."""
    if not picked:
        return
    with st.container(border=True, key="runs_picked"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{len(picked)} picked**", width="content")
            pairs = [(run, title(run)) for run in picked]
            st.download_button(
                "Save with a report",
                data=owner.bound(lambda: bundle.packed(pairs)),
                file_name="latent-sandbox-runs.zip",
                icon=":material/download:",
                on_click="ignore",
                key=f"{PAGE}/zip",
                help="One zip: the files of each, and report.html, which opens without a network and prints.",
            )
            st.button("Clear", icon=":material/close:", type="tertiary", key=f"{PAGE}/clear", on_click=_clear)
        if len(picked) == 1:
            st.caption("Pick another one to see them side by side.")
        elif len(picked) > beside.MOST:
            st.caption(f"Up to {beside.MOST} fit beside each other; a report holds any number.")
        else:
            told = enumerate(picked, 1)  # in the order of the list, and with the numbers of the report
            cases = [beside.Case(f"{i}. {title(run)}", run.recipe, run.picture(), run.metrics) for i, run in told]
            beside.show(cases, "runs.beside")


def models() -> None:
    """The models that were trained here: what each is, its size, and ways to use it and to delete it."""
    found = [folder for folder in store.models() if people.may_see(f"sha256:{folder.name}")]
    if not found:
        return
    st.header("Trained models", anchor=False)
    for folder in found:
        try:
            card = checkpoint.read_card(folder)
            system, summary = catalog.system(str(card.get("system"))).title, str(card.get("summary", ""))
            data = name_of(str(card.get("data", "")))
        except UserError as error:
            system, summary, data = f"Model {folder.name[:8]}", str(error), ""
        size = human_size(sum(path.stat().st_size for path in folder.glob("*")))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            what = f"**{plain(system)}** · {plain(summary)}  \n:gray[{plain(data)} · {size} · sha256 {folder.name[:8]}…]"
            st.markdown(what, width="stretch")
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                use(folder.name)
                delete(folder.name)


def use(digest: str) -> None:
    """A link to the page of a model that shows it, where there is one."""
    model = f"sha256:{digest}"
    try:
        recipe = catalog.using(model)
        where = open_file.page_of(recipe) if recipe is not None else None
    except UserError:  # the line above says what is wrong with its card
        return
    if recipe is not None and where is not None:
        st.page_link(
            where, label="Use it", icon=":material/arrow_forward:", query_params=session.link_to(recipe), width="content"
        )


def delete(digest: str) -> None:
    """A button that deletes a model, once more asked."""
    with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"runs/model/{digest}"):
        st.markdown("Delete this model? Runs and links that name it can then not be opened until it is trained again.")
        key = f"runs/model/delete/{digest}"
        st.button("Delete it", key=key, type="primary", on_click=_try, args=(lambda: _forget(f"sha256:{digest}"),))


def empty() -> None:
    """What to do where nothing is kept yet."""
    with st.container(border=True):
        st.header(":material/bookmarks: Nothing is kept yet", anchor=False)
        st.markdown(
            "Open an instrument, bring it to a state worth coming back to, and press **Keep this run** under Export. "
            "Its files, its recipe and its picture are then listed here."
        )
        st.page_link("home.py", label="See the instruments", icon=":material/arrow_forward:")


def row(run: runs.Run) -> None:
    """One run: its picture, what it is, and what can be done with it."""
    pick, picture, text = st.columns([1, 8, 18], gap="small", vertical_alignment="center")
    here = session.turn(PAGE, f"runs/pick/{run.id}")
    told = "Pick it, to compare it with others or to save it with a report."
    pick.checkbox(
        f"Pick {plain(title(run))}",  # a label is markdown, too
        run.id in session.get(PAGE, "picked", []),
        key=here,
        label_visibility="collapsed",
        help=told,
        on_change=_pick,
        args=(run.id, here),
    )
    with picture:
        drawn = thumbnail(run.picture(), figure.dark())
        if drawn is None:
            st.caption("No picture was kept.")
        else:
            figure.show(drawn, f"runs.{run.id}", f"Picture of the run {title(run)}")
    with text:
        st.markdown(f"**{plain(title(run))}**")
        if run.recipe is not None:
            st.markdown(words(run.recipe))
        if run.problem is not None:
            st.error(plain(run.problem), icon=":material/warning:")
        if run.metrics:
            st.caption(plain(numbers(run.metrics)))
        when = datetime.datetime.fromtimestamp(run.when).strftime("%-d %B %Y, %H:%M")
        st.caption(f"{when} · {human_size(run.size)}", help=None if people.hosted() else f"The files: `{run.folder}`")
        with st.container(horizontal=True, gap="small"):  # below each other where there is no room beside each other
            actions(run)


def actions(run: runs.Run) -> None:
    """Reopen, rename, delete."""
    if run.recipe is not None and st.button("Reopen", key=f"runs/open/{run.id}", icon=":material/open_in_new:"):
        st.switch_page(open_file.page_of(run.recipe), query_params=session.link_to(run.recipe))
    key = session.turn(PAGE, f"rename/{run.id}")
    with st.popover("Rename", icon=":material/edit:", type="tertiary", key=f"{key}/popover"):
        st.text_input(
            "Name", run.name, max_chars=runs.MAX_NAME, key=key, placeholder=title(run), on_change=_rename, args=(run.id, key)
        )
        st.caption("Press Enter to keep it.")
    with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"runs/delete/{run.id}/popover"):
        st.markdown("Delete this run with all its files? This cannot be undone.")
        st.button("Delete it", key=f"runs/delete/{run.id}", type="primary", on_click=_try, args=(lambda: runs.delete(run.id),))


def _pick(id: str, key: str) -> None:
    """In a callback: a run is picked, or no longer. As its box says: a run that was cut short calls a callback once more."""
    others = [one for one in session.get(PAGE, "picked", []) if one != id]
    session.put(PAGE, "picked", [*others, id] if session.held(key) else others)


def _clear() -> None:
    """In a callback: none is picked any more, and the boxes show it."""
    for id in session.get(PAGE, "picked", []):
        session.turn_over(PAGE, f"runs/pick/{id}")
    session.put(PAGE, "picked", None)


def _forget(model: str) -> None:
    """In a callback: a model and the job that trained it, so that its page offers to train it again."""
    store.delete_model(model)
    for job in jobs.listed():
        if job.model == model:
            jobs.delete(job.id)


def _rename(id: str, key: str) -> None:
    """In a callback: the name that was typed."""
    _try(lambda: runs.rename(id, str(session.held(key) or "")))
    session.turn_over(PAGE, f"rename/{id}")


def _try(act: Callable[[], object]) -> None:
    """In a callback: do what was asked; why it cannot be done stands above the list in the next run."""
    session.put(PAGE, "error", None)
    try:
        act()
    except UserError as error:
        session.put(PAGE, "error", str(error))


page()
