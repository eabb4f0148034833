"""Recipes in tables: the last column `recipe` of a CSV file, JSON in its first row and nothing in the others."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gen_core.errors import OutputError
from gen_core.recipe import Recipe
from gen_core.stamp.common import STEPS, is_recipe, plain, replacing, start_of, text_of

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMN = b"recipe"
_OWN = "This table has a column named recipe of its own; rename it, because the last column recipe holds how the file was made."


def csv_column(frame: DataFrame, recipe: Recipe) -> DataFrame:
    """The table with the recipe as its last column, in the first row only; written by `to_csv` it is a stamped file.

    An empty table gets the column, so that its header is the same, but no row: a row that is no row of the table would
    be counted as one by every reader. Its recipe is then only in recipe.json. Raises OutputError where the table has
    another column of that name.
    """
    if "recipe" in frame.columns and len(frame) and not is_recipe(str(frame["recipe"].iloc[0])):
        raise OutputError(_OWN)
    cells = [text_of(recipe), *[""] * (len(frame) - 1)] if len(frame) else []
    return frame.drop(columns="recipe", errors="ignore").assign(recipe=cells)


def safe_cell(text: str) -> str:
    """Text that a spreadsheet takes as text: a `'` goes before what it would run as a formula. Not for numbers."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_csv(path: Path, recipe: Recipe) -> None:
    """Add the column to a file, its other bytes unchanged; comma-separated, or by tabs where the name ends in .tsv."""
    delimiter = b"\t" if path.suffix.lower() == ".tsv" else b","
    quoted = b'"' + text_of(recipe).replace('"', '""').encode("ascii") + b'"'
    with replacing(path) as partial, path.open("rb") as source, partial.open("wb") as target:
        cells, stamped = [COLUMN, quoted], False
        for record in _records(source):
            body = record.rstrip(b"\r\n")
            if not body:  # readers skip blank lines; with a delimiter in it, one would become a row
                target.write(record)
                continue
            old = _split(body, delimiter)
            stamped = stamped or (len(cells) == 2 and _unquoted(old[-1]) == COLUMN)  # both are left: this is the header
            if stamped:
                if len(cells) == 1 and not is_recipe(plain(_unquoted(old[-1]))):
                    raise OutputError(_OWN)
                old.pop()
            old.append(cells.pop(0) if cells else b"")
            target.write(delimiter.join(old) + record[len(body) :])


def read_csv(path: Path) -> str | None:
    """The last cell of the first row, where the last column is named `recipe`; any of the usual delimiters."""
    records = (record.rstrip(b"\r\n") for record in _records(islice(io.BytesIO(start_of(path)), STEPS)))
    filled = (record for record in records if record)
    header = next(filled, b"")
    for delimiter in (b",", b"\t", b";"):
        if _unquoted(_split(header, delimiter)[-1]) == COLUMN:
            cell = _unquoted(_split(next(filled, b""), delimiter)[-1])
            return plain(cell) if cell else None
    return None


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Rows of a table, line end included: a row goes on over a line end inside quotes, which come in pairs (RFC 4180)."""
    parts: list[bytes] = []
    quotes = 0
    for line in lines:
        parts.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(parts)
            parts, quotes = [], 0
    if parts:
        yield b"".join(parts)


def _split(record: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of a row as they are spelled; a delimiter inside quotes does not count."""
    if b'"' not in record:
        return record.split(delimiter)
    cells: list[bytes] = []
    parts: list[bytes] = []
    quotes = 0
    for part in record.split(delimiter):
        parts.append(part)
        quotes += part.count(b'"')
        if quotes % 2 == 0:
            cells.append(delimiter.join(parts))
            parts, quotes = [], 0
    return [*cells, delimiter.join(parts)] if parts else cells


def _unquoted(cell: bytes) -> bytes:
    return cell[1:-1].replace(b'""', b'"') if len(cell) > 1 and cell[:1] == cell[-1:] == b'"' else cell
