"""pydicom without a word of the file's, and the standard's own names of things."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """pydicom without its warnings and log lines: they hold values of the file. One thread at a time, since both are global."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils")]
        before = [logger.disabled for logger in loggers]
        try:
            for logger in loggers:
                logger.disabled = True
            yield
        finally:
            for logger, was in zip(loggers, before, strict=True):
                logger.disabled = was


def class_name(uid: str) -> str:
    """What the standard calls a class of files (SOP class), "" where it has none of that number."""
    with quiet():
        from pydicom._uid_dict import UID_dictionary

        entry = UID_dictionary.get(uid)
    return entry[0] if entry and entry[1] == "SOP Class" else ""
