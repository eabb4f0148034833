"""Readers with the faults that mutated files are to find: whoever finds none of them finds nothing elsewhere either."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from gen_core.errors import InputError
from tests.fuzz.readers import Reader

GOOD = b"a good file of forty letters and a space"


def _bad(act: Callable[[Path], object]) -> Reader:
    def read(path: Path) -> object:
        return "read" if path.read_bytes() == GOOD else act(path)

    return Reader(read)


def _endless(path: Path) -> object:
    while True:
        time.sleep(0.1)


def _refuse(sentence: str) -> Callable[[Path], object]:
    def act(path: Path) -> object:
        raise InputError(sentence)

    return act


BROKEN: dict[str, tuple[Reader, str]] = {
    # what it is called: the reader, and a word of the finding
    "another error": (_bad(lambda path: {}["x"]), "KeyError"),
    "a crash": (_bad(lambda path: os.abort()), "ended with -6"),
    "a hang": (_bad(_endless), "hung"),
    "memory": (_bad(lambda path: len(bytearray(600 << 20).replace(b"x", b"y"))), "MiB"),
    "addresses": (_bad(lambda path: bytes(1 << 33)), "memory"),
    "a file outside": (
        _bad(lambda path: (path.parent.parent / path.parent.name.replace("fuzz-", "out-")).write_bytes(b"x")),
        "open ",
    ),
    "a program": (_bad(lambda path: os.system("true")), "os.system"),
    "no sentence": (_bad(_refuse("oh\x1b[31m")), "control"),
    "an endless sentence": (_bad(_refuse("a" * 5000 + ".")), "endless"),
    "no text": (_bad(lambda path: ["\ud800"]), "UnicodeEncodeError"),
}
