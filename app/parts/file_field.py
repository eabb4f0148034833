"""A field of a recipe that may name a file: nothing, something bundled, or the user's own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app.parts import people, session
from app.parts.guard import plain
from gen_core import store
from gen_core.errors import UserError


def file_field(
    page: str,
    field: str,
    label: str,
    bundled: Mapping[str, str],
    help: str,
    types: Sequence[str] | None = None,
    check: Callable[[str], object] | None = None,
    nothing: str = "none",
) -> str | None:
    """A choice with an uploader below it; returns a bundled name, a digest or None.

    `check` is called with the digest of a new file and raises the UserError that is shown where it will not do. `nothing` is
    what no choice is called.
    """
    own: dict[str, str] = session.get(page, f"{field}/own", {})
    value = session.value(page, field)
    if value and value not in bundled and value not in own:
        own = own | {value: f"your file {value[7:15]}"}
    options = [None, *bundled, *own]
    names = bundled | own
    st.selectbox(
        label,
        options,
        key=session.settle(page, field, options, None),
        format_func=lambda choice: names.get(choice, nothing),
        placeholder=nothing,
        help=help,
    )
    key = session.turn(page, f"{field}/file")
    st.file_uploader(
        f"Add: {label}", type=types, key=key, label_visibility="collapsed", on_change=_arrived, args=(page, field, key, check)
    )
    if error := session.get(page, f"{field}/file/error"):
        st.error(plain(error), icon=":material/error:")
    chosen = session.value(page, field)
    return chosen or None


def _arrived(page: str, field: str, key: str, check: Callable[[str], object] | None) -> None:
    """The uploader's callback: keep the file, choose it, empty the uploader."""
    file = session.held(key)
    if file is None:
        return
    session.put(page, f"{field}/file/error", None)
    try:
        digest = store.add_checked(file, file.name, check or (lambda digest: None))
        people.own(digest)
        session.put(page, f"{field}/own", session.get(page, f"{field}/own", {}) | {digest: store.name_of(digest)})
        session.seed(page, **{field: digest})
    except UserError as error:
        session.put(page, f"{field}/file/error", str(error))
    session.turn_over(page, f"{field}/file")
