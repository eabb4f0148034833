"""Who is at the screen, where people sign in: the page that stands before all others, and the way out again."""

from __future__ import annotations

import streamlit as st

from app.parts import people, session
from app.parts.guard import guard, plain
from app.parts.headline import headline


def page() -> None:
    """The only page of somebody who has not signed in."""
    with st.container(key="home", gap="medium"):
        with st.container():
            headline()
        with st.container(border=True, width=560), guard():
            _way_in()


def _way_in() -> None:
    if people.signed_in():  # at their provider, but not as anybody that could be told apart
        st.error("Your identity provider did not say who you are, so nothing can be kept for you.", icon=":material/error:")
        _out()
        return
    st.markdown("Sign in to go on. What you add, train and keep here is yours: no other user of this server sees it.")
    if st.button("Sign in", type="primary", icon=":material/login:"):
        st.login()
    if session.asked_for_more():
        st.caption("The link you came by opens then; a very long one has to be opened once more.")


def sidebar() -> None:
    """Who is signed in, and a button to sign out."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/person: {plain(people.person())}", width="stretch")
        _out()


def _out() -> None:
    if st.button("Sign out", icon=":material/logout:", type="tertiary", key="sign_out"):
        st.logout()
