"""Settings from the environment. One that is nonsense is a sentence that names it."""

from __future__ import annotations

import os

from gen_core.errors import InputError

MOST = 2**40  # GiB: what is beyond was not meant


def gib(name: str, default: float) -> int:
    """The bytes that `$name` tells in GiB, else those of `default`. Raises InputError where it tells no number from 0 on."""
    told = os.environ.get(name) or str(default)
    try:
        found = float(told)
    except ValueError:
        found = -1.0
    if not 0 <= found < MOST:
        raise InputError(f"{name}: {told[:20]!r} is no number of GiB, such as 20.")
    return int(found * (1 << 30))


def threads() -> int:
    """Threads of torch and linear algebra: `$LATENT_THREADS`, else 1. Raises InputError where it tells no number from 1 on."""
    told = os.environ.get("LATENT_THREADS") or "1"
    if not told.isdecimal() or int(told) < 1:
        raise InputError(f"LATENT_THREADS: {told[:20]!r} is no number of threads, such as 2.")
    return int(told)
