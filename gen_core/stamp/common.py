"""What all formats share: the recipe's text, its base64 spelling, and rewriting a file in one step."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gen_core.errors import InputError, OutputError, RecipeError, UserError
from gen_core.inputs import head
from gen_core.recipe import MAX_DOCUMENT, Recipe, loads
from gen_core.result import disk_sentence

LIMIT = 4 << 20  # bytes at the start of a file in which its recipe is looked for; a recipe takes at most an eighth of it
STEPS = 100_000  # parts of a file (chunks, elements, tags) that are looked at before giving up

Edit = tuple[int, int, bytes]
"""Bytes `start` to `stop` of a file, and what stands there afterwards."""


@dataclass(frozen=True)
class Format:
    """One row of the table: which files it is for, where the recipe stands in them, and how it gets in and out.

    `read` gives the recipe's JSON text, or None where the file holds none.
    """

    suffixes: tuple[str, ...]
    place: str
    write: Callable[[Path, Recipe], None]
    read: Callable[[Path], str | None]


def text_of(recipe: Recipe) -> str:
    """The recipe as it is written into files: JSON in plain ASCII without line ends.

    Raises RecipeError where it is too long to be read back.
    """
    text = recipe.json()
    if len(text) > MAX_DOCUMENT:
        size = f"{MAX_DOCUMENT // 1024} KiB"
        raise RecipeError(f"This recipe is longer than {size} and cannot be written into files; give it fewer values.")
    return text


def encode(text: str) -> str:
    """base64url without padding: letters, digits, - and _, which no text format stumbles over."""
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def decode(code: bytes) -> str:
    """The text that `encode` spelled. Raises InputError where `code` is cut or damaged."""
    try:
        return base64.b64decode(code + b"=" * (-len(code) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise damaged() from None


def plain(content: bytes) -> str:
    """Recipe text found in a file; what is not ASCII cannot be one, and its JSON check will say so."""
    return content.decode("ascii", "replace")


def is_recipe(text: str) -> bool:
    """Whether `text` is a recipe's document."""
    try:
        loads(text)
    except UserError:
        return False
    return True


def damaged(what: str = "file") -> InputError:
    return InputError(f"This {what} is damaged or cut short, and its recipe cannot be read. Copy or export it again.")


class Cursor:
    """Bytes read from front to back; going beyond their end is an InputError."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise damaged()
        self.at += size
        return self.data[self.at - size : self.at]


def lines_of(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Start, stop (line end included) and content (without it) of each line."""
    at = 0
    while at < len(data):
        stop = data.find(b"\n", at) + 1 or len(data)
        yield at, stop, data[at:stop].rstrip(b"\r\n")
        at = stop


def line_end(data: bytes) -> bytes:
    """The file's own line end, taken from its first line."""
    first = data.find(b"\n")
    return b"\r\n" if first > 0 and data[first - 1 : first] == b"\r" else b"\n"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to it at the end: readers see the old file or the new one.

    Raises OutputError where the disk refuses; then the file is as it was.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        yield partial
        shutil.copymode(path, partial)
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(disk_sentence(error, path)) from error
    finally:
        partial.unlink(missing_ok=True)


def splice(path: Path, edits: Iterable[Edit]) -> None:
    """Make these edits (offsets in the file as it is), in one step; all other bytes stay as they are."""
    edits = list(edits)
    if edits:
        with replacing(path) as partial, path.open("rb") as source, partial.open("wb") as target:
            apply(source, target, edits)


def apply(source: BinaryIO, target: BinaryIO, edits: Iterable[Edit]) -> None:
    """Copy `source` to `target` with the edits made; memory does not grow with the file."""
    at = 0
    for start, stop, new in sorted(edits, key=lambda edit: edit[:2]):
        while at < start:
            block = source.read(min(start - at, 1 << 20))
            if not block:
                break
            target.write(block)
            at += len(block)
        target.write(new)
        source.seek(stop)  # also forward in a gzip stream
        at = stop
    shutil.copyfileobj(source, target, 1 << 20)


def start_of(path: Path) -> bytes:
    """The part of a file in which its recipe is looked for."""
    return head(path, LIMIT)
