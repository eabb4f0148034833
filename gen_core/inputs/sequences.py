"""Protein sequences that a user brings: aligned FASTA, A2M, A3M, Stockholm, or unaligned FASTA, each also inside gzip.

Upper case and `-` stand in the columns of an alignment; lower case and `.` are insert states between them (A2M). What a
file calls itself proves nothing, so whether it is aligned is told by its rows alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, read_limited, sniff
from gen_core.inputs.archive import gunzip_limited
from gen_core.inputs.table import unique_names
from gen_core.result import Notice

Array = np.ndarray
MAX_SEQUENCES = 200_000
MAX_LENGTH = 10_000  # residues of a sequence, columns of an alignment
MAX_ROW = 200_000  # letters, dots and dashes of one row: long inserts make an A2M file wide
MAX_BYTES = 512 << 20
MAX_NAME = 200
EXPECTED = "an alignment (FASTA, A2M, A3M or Stockholm) or sequences in FASTA were expected"

RESIDUES = b"ACDEFGHIKLMNPQRSTVWY"
UNKNOWN = b"BJOUXZ*"  # ambiguous, rare, or a stop: no model here knows them
GAP, DOT, X = ord("-"), ord("."), ord("X")
_LOWER = np.zeros(256, bool)
_LOWER[ord("a") : ord("z") + 1] = True
_INSERT = _LOWER.copy()
_INSERT[DOT] = True
_UPPER = np.zeros(256, bool)
_UPPER[ord("A") : ord("Z") + 1] = True
_ALLOWED = _LOWER | _UPPER
_ALLOWED[list(b"-.*")] = True
_TO_X = bytes.maketrans(UNKNOWN, b"X" * len(UNKNOWN))
_SMALL = bytes(range(ord("a"), ord("z") + 1))
_CLEAN = bytes.maketrans(_SMALL + UNKNOWN, _SMALL.upper().translate(_TO_X) + b"X" * len(UNKNOWN))
_SPACE = b" \t\r\n\v\f"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, eq=False)
class Sequences:
    """What a file holds. `names` (n,) are text, each once, and never markup; `residues` are the whole sequences in upper
    case without gaps, X where a residue is not one of the twenty.

    `columns` (n, L) holds the letters in the alignment's columns as bytes, upper case, `-` for a gap and X for an unknown
    residue; None where the file is not aligned.
    """

    names: Array
    descriptions: tuple[str, ...]
    residues: tuple[bytes, ...]
    columns: Array | None
    notices: tuple[Notice, ...]

    def __len__(self) -> int:
        return len(self.residues)


def read_sequences(path: str | Path) -> Sequences:
    """Read a file of sequences. Raises InputError, one sentence, where it is no such file or goes beyond the limits."""
    text = _bytes_of(Path(path))
    if text.lstrip(b"\xef\xbb\xbf" + _SPACE).startswith(b"# STOCKHOLM"):
        names, descriptions, rows, reference = _stockholm(text)
    else:
        names, descriptions, rows = _fasta(text)
        reference = None
    if not rows:
        raise InputError(f"This file holds no sequence; {EXPECTED}.")
    return _checked(names, descriptions, rows, reference)


def _bytes_of(path: Path) -> bytes:
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind == "gzip":
        start = gunzip_limited(path, 4096, cut=True)
        _refuse_other(start)
        return gunzip_limited(path, MAX_BYTES)
    if kind not in ("fasta", "text", "csv", "pdb", "unknown"):
        what = {"hdf5": "HDF5 file", "mmcif": "mmCIF file"}.get(kind, f"{kind} file" if kind != "folder" else "folder")
        raise InputError(f"This is a {what} and holds no sequences to read here; {EXPECTED}.")
    _refuse_other(head(path, 4096))
    return read_limited(path, MAX_BYTES)


def _refuse_other(start: bytes) -> None:
    """Raise InputError where a file's first bytes are not those of FASTA or Stockholm."""
    begin = start.lstrip(b"\xef\xbb\xbf" + _SPACE)
    if begin.startswith((b">", b"# STOCKHOLM", b";")):
        return
    if begin.upper().startswith(b"CLUSTAL"):
        raise InputError("This is a Clustal alignment, which is not read here; save it as FASTA or Stockholm.")
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("This file is text in UTF-16, as some editors save it; save it as UTF-8.")
    raise InputError(f"This is not a FASTA file: its first line does not begin with '>'; {EXPECTED}.")


def _fasta(text: bytes) -> tuple[list[str], list[str], list[bytes]]:
    names, descriptions, rows = [], [], []
    lines = b"\n" + text[text.find(b">") :].replace(b"\r", b"\n")  # before it: byte order mark, blank lines, old comments (;)
    if lines.count(b"\n>") > MAX_SEQUENCES:
        raise InputError(f"This file holds more than {MAX_SEQUENCES:,} sequences; give a part of it.")
    for number, record in enumerate(lines.split(b"\n>")[1:], 1):
        title, _, body = record.partition(b"\n")
        name, description = _title(title, number)
        names.append(name)
        descriptions.append(description)
        rows.append(body.translate(None, _SPACE))
    return names, descriptions, rows


def _stockholm(text: bytes) -> tuple[list[str], list[str], list[bytes], bytes | None]:
    """The first alignment of a Stockholm file, its blocks joined, and its reference line (#=GC RF) where it has one."""
    parts: dict[bytes, list[bytes]] = {}
    reference: list[bytes] = []
    for line in text.splitlines():
        if line.startswith(b"//"):
            break
        words = line.split()
        if line.startswith(b"#=GC RF ") and len(words) == 3:
            reference.append(words[2])
        if not words or line.startswith(b"#"):
            continue
        if len(words) != 2:
            raise InputError("This Stockholm file is damaged: a line of it is not a name and its row of the alignment.")
        parts.setdefault(words[0], []).append(words[1])
        if len(parts) > MAX_SEQUENCES:
            raise InputError(f"This file holds more than {MAX_SEQUENCES:,} sequences; give a part of it.")
    titles = [_title(name, i) for i, name in enumerate(parts, 1)]
    rows = [b"".join(row) for row in parts.values()]
    if len({len(row) for row in rows}) > 1:
        _unequal([name for name, _ in titles], [len(row) for row in rows])
    return [t[0] for t in titles], [t[1] for t in titles], rows, b"".join(reference) or None


def _title(title: bytes, number: int) -> tuple[str, str]:
    """Name and description of a record: plain text without control characters, the name at most MAX_NAME long."""
    text = _CONTROL.sub(" ", title.decode("utf-8", "replace")).strip()
    name, _, description = text.partition(" ")
    return name[:MAX_NAME] or f"sequence_{number}", description.strip()[: 10 * MAX_NAME]


def _checked(names: list[str], descriptions: list[str], rows: list[bytes], reference: bytes | None) -> Sequences:
    _letters(names, rows)
    notices: list[Notice] = []
    unknown = sum(len(row) - len(row.translate(None, UNKNOWN + UNKNOWN.lower())) for row in rows)
    stops = all(row.endswith(b"*") for row in rows)
    rows = [row.rstrip(b"*") for row in rows] if stops or not _same_length(rows) else rows  # translations end in *
    if not any(_UPPER[np.frombuffer(row, np.uint8)].any() for row in rows):  # all in lower case: a way of writing
        rows = [row.upper() for row in rows]
    matches = [row.translate(None, _SMALL + b".") for row in rows]
    gapped = any(b"-" in row or b"." in row for row in rows)
    columns = None
    if reference is not None and len(reference) == len(rows[0]):
        columns = _by_reference(rows, reference)
    elif len(rows) > 1 and _same_length(matches) and len(matches[0]):
        columns = _matrix(matches)
    elif len(rows) > 1 and _same_length(rows):
        columns = _mixed(rows)
    elif gapped and len(rows) > 1:
        lengths = [len(row) for row in (rows if _shared(rows) >= _shared(matches) else matches)]
        _unequal(names, lengths)
    residues = tuple(row.translate(_CLEAN, b"-.") for row in rows)
    longest = max(map(len, residues))
    if longest > MAX_LENGTH or (columns is not None and columns.shape[1] > MAX_LENGTH):
        what = f"sequence of {longest:,} residues" if longest > MAX_LENGTH else f"{columns.shape[1]:,} columns"  # type: ignore[union-attr]
        raise InputError(f"This file holds a {what}; at most {MAX_LENGTH:,} are read here.")
    if not longest or (columns is not None and (columns == GAP).all()):
        raise InputError("This alignment holds only gaps and no residue; export it again.")
    _refuse_dna(residues)
    unique, renamed = unique_names(np.array(names, dtype=object))
    if renamed:
        notices.append(Notice("renamed", f"{renamed:,} names occurred before and got a number at their end."))
    if unknown:
        notices.append(
            Notice("unknown_residues", f"{unknown:,} letters (B, J, O, U, X, Z or *) are not one of the twenty amino acids; "
                   "they count as unknown, in an alignment as a gap.")
        )  # fmt: skip
    if columns is not None and (inserts := sum(map(len, residues)) - int((columns != GAP).sum())) > 0:
        notices.append(Notice("inserts", f"{inserts:,} residues are insert states (lower case) and stand in no column."))
    return Sequences(unique, tuple(descriptions), residues, columns, tuple(notices))


def _letters(names: list[str], rows: list[bytes]) -> None:
    """Raise InputError where a row is too long or holds what is no letter, gap or stop."""
    allowed = bytes(np.flatnonzero(_ALLOWED).astype(np.uint8))
    for name, row in zip(names, rows, strict=True):
        if len(row) > MAX_ROW:
            raise InputError(f"The row of {_shown(name)} has {len(row):,} characters; at most {MAX_ROW:,} are read here.")
        if strange := row.translate(None, allowed):
            at = row.index(strange[:1]) + 1
            raise InputError(
                f"Sequence {_shown(name)} holds {strange[:1].decode('latin-1')!r} at place {at:,}, which is no amino acid; "
                f"{EXPECTED}."
            )


def _refuse_dna(residues: tuple[bytes, ...]) -> None:
    some = b"".join(residues[:2_000])
    letters = len(some)
    if letters >= 20 and letters - len(some.translate(None, b"ACGTUNX")) >= 0.95 * letters:
        raise InputError("These are DNA or RNA sequences (A, C, G, T or U alone); translate them into protein first.")


def _same_length(rows: list[bytes]) -> bool:
    return len({len(row) for row in rows}) == 1


def _shared(rows: list[bytes]) -> int:
    """How many rows have the most common length."""
    return int(np.unique([len(row) for row in rows], return_counts=True)[1].max())


def _unequal(names: list[str], lengths: list[int]) -> None:
    values, counts = np.unique(lengths, return_counts=True)
    usual = int(values[counts.argmax()])
    odd = next(i for i, length in enumerate(lengths) if length != usual)
    raise InputError(
        f"The rows of this alignment differ in length: {_shown(names[odd])} has {lengths[odd]:,} columns, most have {usual:,}; "
        "align the sequences again, or give them without gaps."
    )


def _matrix(rows: list[bytes]) -> Array:
    letters = np.frombuffer(b"".join(rows).translate(_CLEAN), np.uint8)
    return np.where(letters == DOT, np.uint8(GAP), letters).reshape(len(rows), -1)


def _by_reference(rows: list[bytes], reference: bytes) -> Array:
    """The columns that a Stockholm file's reference line marks."""
    kept = ~np.isin(np.frombuffer(reference, np.uint8), list(b".-_~"))
    if not kept.any():
        raise InputError("The reference line (#=GC RF) of this Stockholm file marks no column; leave it out.")
    return np.ascontiguousarray(_matrix(rows)[:, kept])


def _mixed(rows: list[bytes]) -> Array:
    """Rows of equal length in which lower case and upper case share columns: dots are gaps there, lower case residues."""
    raw = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
    return np.ascontiguousarray(_matrix(rows)[:, ~_INSERT[raw].all(0)])


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:39] + "…")
