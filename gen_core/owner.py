"""For whom the work of this thread is done: where people sign in, each has a folder of their own, and nothing else is theirs.

On one's own machine nobody signs in, and all of this does nothing. Where people do (`LATENT_SIGN_IN=1`), an owner is a
hash of who they are at their identity provider. The app says how to ask whose page a thread runs (`ask`); work that goes on in
another thread, or in another process, is told (`acting_for`, `bound`). A thread that nobody told works for nobody, and
`store.place` then refuses: what is forgotten here shows up as a sentence, never as another person's file.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

OWNER = re.compile(r"[0-9a-f]{40}")
P = ParamSpec("P")
T = TypeVar("T")

_told: ContextVar[str | None] = ContextVar("owner", default=None)
_asked: list[Callable[[], str | None]] = []


def named(issuer: str, subject: str) -> str:
    """The owner of a person: no other issuer and subject give the same one, and it tells neither."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{subject}".encode()).hexdigest()[:40]


def ask(who: Callable[[], str | None]) -> None:
    """How to find out whose page the current thread runs; None where it runs none, or where nobody signed in."""
    _asked[:] = [who]


def needed() -> bool:
    """Whether people sign in here: `$LATENT_SIGN_IN` is set, to something other than 0."""
    return os.environ.get("LATENT_SIGN_IN", "") not in ("", "0")


def current() -> str | None:
    """Whom this is done for; None on one's own machine, and in a thread that works for nobody."""
    told = _told.get()
    if told is not None or not needed():
        return told
    return next((found for who in _asked if (found := who()) is not None), None)


@contextmanager
def acting_for(owner: str | None) -> Iterator[None]:
    """Inside, this thread works for `owner`. Raises ValueError where that is none, so that it can become part of a path."""
    if owner is not None and not OWNER.fullmatch(owner):
        raise ValueError("not an owner")
    token = _told.set(owner)
    try:
        yield
    finally:
        _told.reset(token)


def bound(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, done for whom it is asked for now, whichever thread does it later."""
    owner = current()

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        with acting_for(owner):
            return work(*args, **kwargs)

    return done


@dataclass
class Watch:
    """Whether what was done while it watched looked at somebody's own things."""

    private: bool = False


_watching: ContextVar[Watch | None] = ContextVar("watching", default=None)


def touch() -> None:
    """Note that somebody's own things were looked at: what is made of them must be kept for them alone."""
    watch = _watching.get()
    if watch is not None:
        watch.private = True


@contextmanager
def watched() -> Iterator[Watch]:
    """Tells afterwards whether `touch` was called inside; whoever watches outside is told, too."""
    watch = Watch()
    token = _watching.set(watch)
    try:
        yield watch
    finally:
        _watching.reset(token)
        if watch.private:
            touch()
