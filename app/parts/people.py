"""Who looks at the pages and from where: on their own machine, from another, or signed in; and what they may then see."""

from __future__ import annotations

import os

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.parts import session
from gen_core import owner

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def hosted() -> bool:
    """Whether this page may be seen from another machine. Where in doubt it is, and paths of this machine are not offered."""
    headers = st.context.headers
    host = (headers.get("Host") or "127.0.0.1").rsplit(":", 1)[0]
    return bool(
        os.environ.get("LATENT_HOSTED")
        or st.get_option("server.address") not in LOOPBACK
        or host not in LOOPBACK
        or any(headers.get(name) for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip"))
        or st.user.get("is_logged_in")
    )


def own(name: str) -> None:
    """Note that this session added a file to the store (its digest), started a job or kept a run (their ids)."""
    session.put("store", "added", [*session.get("store", "added", []), name])


def may_see(name: str) -> bool:
    """Whether a stored file, a job or a run may be named to this person: on their own machine all, on a server their own.

    Where people sign in, gen_core finds nothing but their own (gen_core/owner.py); else their own are those of this session.
    """
    return not hosted() or owner.current() is not None or name in session.get("store", "added", [])


def promise() -> str:
    """Where the user's data stays, to be said wherever it is asked for."""
    if not hosted():
        return "Your data stays on this machine."
    others = ", and no other user sees it" if owner.current() is not None else ""
    return f"Your data stays on the server that runs this page{others}."


def must_sign_in() -> bool:
    """Whether people sign in here, and this one has not."""
    return owner.needed() and owner.current() is None


def signed_in() -> bool:
    """Whether an identity provider knows this person."""
    return bool(st.user.get("is_logged_in"))


def person() -> str:
    """What the identity provider calls this person."""
    return str(st.user.get("name") or st.user.get("email") or "Signed in")


def _who() -> str | None:
    """Whose page this thread runs: as the identity provider said it in the signed cookie that the session began with."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not context.user_info.get("is_logged_in"):
        return None
    issuer, subject = context.user_info.get("iss"), context.user_info.get("sub")
    return owner.named(str(issuer), str(subject)) if issuer and subject else None


owner.ask(_who)
