"""Assay values that a user brings: a CSV of `id`, `sequence` or `mutations`, and `value`. What its rows mean is not said here."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, read_limited, sniff
from gen_core.inputs.archive import gunzip_limited
from gen_core.inputs.table import MISSING

Array = np.ndarray
MAX_BYTES = 64 << 20
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
MAX_CELL = 20_000  # characters of an id, a sequence or a list of mutations
EXPECTED = "a CSV with a column id, sequence or mutations and a column value was expected"

Kind = Literal["sequence", "mutations", "id"]
# What other programs call them; the first kind of key that is there is taken, a sequence being the surest.
KEYS: dict[Kind, tuple[str, ...]] = {
    "sequence": ("sequence", "seq", "aligned", "mutated_sequence"),
    "mutations": ("mutations", "mutation", "mutant", "variant"),
    "id": ("id", "name", "identifier"),
}
VALUES = ("value", "label", "score", "fitness", "dms_score")
WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


@dataclass(frozen=True, eq=False)
class LabelFile:
    """keys (n) as they stand in the file, of one kind; values (n,); rows (n), their numbers in the file, the header being 1;
    `missing` rows had no value."""

    kind: Kind
    keys: tuple[str, ...]
    values: Array
    rows: tuple[int, ...]
    missing: int


def value_columns(path: str | Path) -> tuple[list[str], str | None]:
    """The columns of numbers in a file of labels beside the one that says whose they are, in the file's order; and which one is
    read where none is named, None where one must be. Raises InputError where the file is no table or says of no sequence."""
    text = _text_of(Path(path))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
    try:
        names = [cell.strip() for cell in next(lines, [])]
        header = [name.lower() for name in names]
        _, key = _key(header)
        numeric, told = [True] * len(header), [False] * len(header)
        for number, cells in enumerate(lines):
            if number > MAX_ROWS:
                break
            for i, cell in enumerate(cells[: len(header)]):
                if numeric[i] and (word := cell.strip()) not in MISSING:
                    told[i], numeric[i] = True, _is_number(word)
    except csv.Error as error:
        raise InputError(f"This table is damaged ({error}); {EXPECTED}.") from None
    usual = next((name for name in VALUES if name in header), None)
    found = [name for i, name in enumerate(names) if name and i != key and ((numeric[i] and told[i]) or name.lower() == usual)]
    return found, names[header.index(usual)] if usual else None


def read_labels(path: str | Path, column: str | None = None) -> LabelFile:
    """Read a file of labels, their values from a column: `value` or the like where none is named.

    Raises InputError, one sentence that names the row, where it is none, a value is no number, or the column must be named.
    """
    text = _text_of(Path(path))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
    try:
        header = [cell.strip().lower() for cell in next(lines, [])]
        if len(header) > MAX_COLUMNS:
            raise InputError(f"This table has {len(header):,} columns; at most {MAX_COLUMNS:,} are read here.")
        kind, key = _key(header)
        if column is None and not any(name in VALUES for name in header) and (others := value_columns(path)[0]):
            raise InputError(
                f"This table has no column value; name one of its columns of numbers ({_shown(others)}) as label_column."
            )
        at = _only(header, VALUES if column is None else (column.strip().lower(),), "value" if column is None else repr(column))
        if at == key:
            raise InputError(f"The column {column!r} says which sequence a value is of; name the column of the values.")
        keys: list[str] = []
        values: list[float] = []
        rows: list[int] = []
        missing = 0
        for number, cells in enumerate(lines, 2):
            if not any(cell.strip() for cell in cells):
                continue
            if number > MAX_ROWS + 1:
                raise InputError(f"This table has more than {MAX_ROWS:,} rows; give a part of it.")
            if len(cells) <= max(at, key):
                raise InputError(f"Row {number:,} has {len(cells)} cells, the header {len(header)}; export the table again.")
            word = cells[key].strip()
            if len(word) > MAX_CELL:
                raise InputError(f"Row {number:,}: its {kind} has {len(word):,} characters; at most {MAX_CELL:,} are read here.")
            if (given := cells[at].strip()) in MISSING:
                missing += 1
                continue
            if not word and kind != "mutations":  # no mutation is the reference itself
                raise InputError(f"Row {number:,} has a value but no {kind}.")
            keys.append(word)
            values.append(_number(given, number))
            rows.append(number)
    except csv.Error as error:
        raise InputError(f"This table is damaged ({error}); {EXPECTED}.") from None
    if not keys:
        raise InputError(f"This table holds no value; {EXPECTED}.")
    return LabelFile(kind, tuple(keys), np.array(values), tuple(rows), missing)


def _text_of(path: Path) -> str:
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind == "gzip":
        data = gunzip_limited(path, MAX_BYTES)
        if b"\0" in data[:4096]:
            raise InputError(f"This gzip file holds no text; {EXPECTED}.")
    elif kind in ("csv", "text"):
        data = read_limited(path, MAX_BYTES)
    elif head(path, 2) in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("This table is text in UTF-16, as some editors save it; save it as UTF-8.")
    else:
        raise InputError(f"This is no table of labels but a {kind}{'' if kind == 'folder' else ' file'}; {EXPECTED}.")
    return data.decode("utf-8-sig", "replace")


def _is_number(word: str) -> bool:
    if word.lower() in WORDS:
        return True
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max((",", "\t", ";"), key=first.count)


def _key(header: list[str]) -> tuple[Kind, int]:
    for kind, names in KEYS.items():
        if any(name in header for name in names):
            return kind, _only(header, names, kind)
    raise InputError(f"This table has the columns {_shown(header)}; {EXPECTED}.")


def _only(header: list[str], names: tuple[str, ...], what: str) -> int:
    found = next((name for name in names if name in header), None)
    if found is None:
        raise InputError(f"This table has no column {what} (its columns are {_shown(header)}); {EXPECTED}.")
    if header.count(found) > 1:
        raise InputError(f"This table has {header.count(found)} columns {found!r}; keep one of them.")
    return header.index(found)


def _number(word: str, row: int) -> float:
    found = WORDS.get(word.lower())
    if found is None:
        try:
            found = float(word)
        except ValueError:
            raise InputError(f"Row {row:,}: the value {word[:30]!r} is not a number.") from None
    if not math.isfinite(found) or abs(found) > 1e30:
        raise InputError(f"Row {row:,}: the value {word[:30]!r} is not a finite number.")
    return found


def _shown(header: list[str]) -> str:
    words = ", ".join(repr(cell[:30]) for cell in header[:8])
    return words + (" …" if len(header) > 8 else "")
