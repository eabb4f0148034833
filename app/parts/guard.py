"""No page ever shows a traceback: an error is one sentence with what to do, and the log has the rest."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.errors import FragmentHandledException

from app.parts import people, session
from gen_core import store
from gen_core.errors import InputError, MissingContent, UserError

log = logging.getLogger("latent_sandbox")
_ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|(?<=[\w.+-])@(?=[\w-])", re.IGNORECASE)  # what GitHub's markdown makes links of


@contextmanager
def guard(words: Callable[[str], str] = str) -> Iterator[None]:
    """Show what goes wrong inside as one sentence and go on after it; stop and rerun pass through (they are no Exception).

    `words` puts a sentence of gen_core into the words of the page.
    """
    try:
        yield
    except FragmentHandledException:  # a fragment inside has already said what went wrong
        raise
    except Exception as error:
        session.keep()
        if isinstance(error, MissingContent):
            ask_for(error)
        elif isinstance(error, UserError):
            say(error, words)
        else:
            reference = secrets.token_hex(3)
            log.exception("Error %s on a page", reference)
            st.error(
                "Something went wrong here that should not have; the rest of the page still works. "
                f"The log has the details under **{reference}**.",
                icon=":material/report:",
            )


def say(error: UserError, words: Callable[[str], str] = str) -> None:
    """A user's error as its one sentence; markdown in it (a file's or column's name) shows as plain text."""
    st.error(plain(words(str(error))), icon=":material/error:")


def plain(text: str) -> str:
    """`text` for st.error, st.info, st.caption and labels: what markdown would read as markup is escaped, and no address a link.

    Addresses are looked for after escapes are gone, so that only a sign without width between their parts keeps them text.
    """
    apart = _ADDRESS.sub(lambda found: f"{found[0]}\N{WORD JOINER}", text)
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]<>#$~|:" else c for c in apart)
    return re.sub(r"^(\s*(?:\d+(?=[.)]\s)|(?=[+-]\s)))", r"\1\\", escaped, flags=re.MULTILINE)  # "1. Name" begins no list


def ask_for(error: MissingContent) -> None:
    """Ask for the very file a recipe was made with; another file is told apart by its digest and not kept."""
    st.info(
        f"This was made with a file that is not on this machine. Drop it here to go on (sha256 {error.digest[7:19]}…).",
        icon=":material/file_present:",
    )
    name = session.turn("missing", error.digest)
    file = st.file_uploader(
        "The missing file", key=name, help="It is known by the digest of its content; its name does not matter."
    )
    st.caption(people.promise())
    if file is None:
        return
    try:
        people.own(store.add_checked(file, file.name, lambda digest: _the_very(digest, error.digest)))
    except UserError as wrong:
        say(wrong)
        return
    session.turn_over("missing", error.digest)
    st.rerun()


def _the_very(digest: str, needed: str) -> None:
    """Raise InputError where a file is not the one that is needed, as the store would keep it."""
    if digest != needed:
        raise InputError(f"This is another file (sha256 {digest[7:19]}…). The one that is needed starts with {needed[7:19]}.")
