"""Choose the data: what is bundled, what was used before, an own file, a public data set.

An upload goes into the content store at once and is known by its digest from then on; its name is shown on this machine
and never leaves it. The uploader is emptied straight away, which frees the copy that Streamlit holds in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from app.parts import people, session
from app.parts.guard import plain
from gen_core import catalog, datasets, store
from gen_core.errors import UserError
from gen_core.inputs import human_size

Changed = Callable[[], None]
Check = Callable[[str], object]


def data_picker(
    page: str,
    system: str,
    current: str,
    on_change: Changed | None = None,
    types: Sequence[str] | None = None,
    check: Check = lambda digest: None,
    field: str = "data",
    label: str = "Data",
    bundled: Mapping[str, str] | None = None,
    extra: Changed | None = None,
) -> str:
    """A choice of data sets with a way to add one beside it; returns a bundled name or a digest.

    `on_change` runs in the callback after the choice changed (and before the page runs again): the page resets there
    what belongs to the old data. Outside the page's fragment, so that all of the page follows. `types` are the endings
    the uploader offers to open. `check` is called with the digest of a new file; where it raises a UserError the file is
    not kept, the sentence stands below the uploader, and what was there before stays.
    """
    following = session.get(page, f"{field}/next")
    if following is not None:
        session.put(page, f"{field}/next", None)
        _choose(page, field, following, on_change)
    name, titles = session.key(page, field), _titles(system) if bundled is None else dict(bundled) | _own()
    chosen = session.value(page, field) or current
    if chosen not in titles:
        titles[chosen] = (
            f"A file that is not on this machine (sha256 {chosen[7:15]}…)" if store.DIGEST.fullmatch(chosen) else chosen
        )
    session.seed(page, **{field: chosen})
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        st.selectbox(
            label,
            list(titles),
            key=name,
            format_func=lambda choice: titles.get(choice, choice),
            on_change=on_change,
            help="Bundled data, the files you used last, and public data sets that were fetched.",
        )
        closing = session.turn(page, f"{field}/add")  # a new key closes it: the file that was added is not hidden by it
        with (
            st.popover("", icon=":material/add:", key=closing, help="Use your own file, or fetch a public data set"),
            st.container(width=440),
        ):
            _add(page, system, field, types, on_change, check, extra)
    return str(session.value(page, field, current))


def _titles(system: str) -> dict[str, str]:
    """What can be chosen now, bundled first, then fetched public sets, then own files, the latest first."""
    known, own = catalog.data_sets(system), _own()
    fetched = {d.name: d.title for d in known if d.url and own.pop(f"sha256:{d.sha256}", None)}
    return {d.name: d.title for d in known if not d.url} | fetched | own


def _own() -> dict[str, str]:
    return {entry.digest: f"{entry.name} ({human_size(entry.size)})" for entry in _kept(20)}


def _kept(count: int) -> list[store.Entry]:
    """The stored files used last, of those this person may see."""
    return [entry for entry in store.recent(1000) if people.may_see(entry.digest)][:count]


def _add(
    page: str,
    system: str,
    field: str,
    types: Sequence[str] | None,
    on_change: Changed | None,
    check: Check,
    extra: Changed | None = None,
) -> None:
    """The popover's content: upload, path, public sets, and the list of stored files with a way to delete each."""
    key = session.turn(page, f"{field}/upload")
    st.file_uploader("Your own file", type=types, key=key, on_change=_uploaded, args=(page, field, key, on_change, check))
    if error := session.get(page, f"{field}/error"):
        st.error(plain(error), icon=":material/error:")
    st.caption(f":material/lock: {people.promise()}")
    if not people.hosted():
        path = session.turn(page, f"{field}/path")
        st.text_input(
            "Or a path on this machine",
            key=path,
            placeholder="/data/my_file",
            on_change=_path_given,
            args=(page, field, path, on_change, check),
            help="For files too large to upload: a copy goes into the store. Only offered on the machine the app runs on.",
        )
    if extra is not None:
        extra()
    public = [d for d in catalog.data_sets(system) if d.url]
    for data in public:
        _public(page, field, data, on_change)
    recent = _kept(8)
    if recent:
        st.caption("Files that are kept")
    for entry in recent:
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.caption(f"{plain(entry.name)} · {human_size(entry.size)} · {entry.digest[7:15]}")
        right.button(
            "",
            key=f"{page}/{field}/delete/{entry.digest}",
            icon=":material/delete:",
            type="tertiary",
            help=f"Delete the copy of {plain(entry.name)}",
            on_click=_delete,
            args=(page, field, entry.digest),
        )


def _public(page: str, field: str, data: datasets.DataSet, on_change: Changed | None) -> None:
    """One public data set: fetched on a click, with its licence and size told before."""
    try:
        store.find(f"sha256:{data.sha256}")
        return  # here already, so it is among the choices
    except UserError:
        pass
    st.markdown(f"**{data.title}**", help=data.source)
    st.caption(f"{data.summary} {human_size(data.size or 0)}; {data.licence}.")
    if st.button("Fetch from the network", key=f"{page}/{field}/fetch/{data.name}", icon=":material/cloud_download:"):
        bar = st.progress(0.0, "Fetching …")
        try:
            datasets.fetch(data.name, lambda share, text: bar.progress(share, f"Fetching … {share:.0%}") and None, timeout=4)
        except UserError as error:
            bar.empty()
            st.error(plain(str(error)), icon=":material/cloud_off:")
            return
        session.put(page, f"{field}/next", data.name)
        st.rerun()


def _uploaded(page: str, field: str, key: str, on_change: Changed | None, check: Check) -> None:
    file = session.held(key)
    if file is not None:
        _take(page, field, lambda: store.add_checked(file, file.name, check), on_change)
        session.turn_over(page, f"{field}/upload")


def _path_given(page: str, field: str, key: str, on_change: Changed | None, check: Check) -> None:
    text = str(session.held(key) or "").strip().strip("\"'")
    if text and not people.hosted():  # asked again: a callback's word is a client's word
        path = Path(text).expanduser()
        _take(page, field, lambda: store.add_checked(path, path.name, check), on_change)
        if not session.get(page, f"{field}/error"):
            session.turn_over(page, f"{field}/path")


def _take(page: str, field: str, add: Callable[[], str], on_change: Changed | None) -> None:
    session.put(page, f"{field}/error", None)
    try:
        digest = add()
        people.own(digest)
        _choose(page, field, digest, on_change)
    except UserError as error:
        session.put(page, f"{field}/error", str(error))


def _delete(page: str, field: str, digest: str) -> None:
    session.put(page, f"{field}/error", None)
    try:
        store.delete(digest)
    except UserError as error:
        session.put(page, f"{field}/error", str(error))


def _choose(page: str, field: str, name: str, on_change: Changed | None) -> None:
    session.seed(page, **{field: name})
    session.turn_over(page, f"{field}/add")
    if on_change:
        on_change()
