"""Where DICOM files are: one file, a folder, or a zip; read one at a time, each under a limit. Names are never told."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gen_core.errors import InputError
from gen_core.inputs import head, human_size, read_limited, sniff
from gen_core.inputs.archive import open_zip, read_member
from gen_core.inputs.dicom_elements import looks_like_dicom

MAX_FILE = 1 << 30
MAX_FILES, MAX_TOTAL = 20_000, 8 << 30
START = 4096

Read = Callable[[str], bytes]
"""A file's content by its name."""


@contextmanager
def dicom_files(path: Path) -> Iterator[tuple[list[str], Read, Read]]:
    """Names in a fixed order, a function that reads one, and one that reads only its first bytes.

    Raises InputError where there are too many, or the zip was made to mislead.
    """
    kind = sniff(path)
    if kind == "folder":
        found = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if stat.S_ISREG(p.lstat().st_mode)}
        total = sum(p.stat().st_size for p in found.values())
        if len(found) > MAX_FILES or total > MAX_TOTAL:
            raise InputError(
                f"This folder holds {len(found):,} files of {human_size(total)}; at most {MAX_FILES:,} files and "
                f"{human_size(MAX_TOTAL)} are read. Give the folder of one series."
            )
        yield sorted(found), lambda name: read_limited(found[name], MAX_FILE), lambda name: head(found[name], START)
    elif kind == "zip":
        with open_zip(path, MAX_FILES, MAX_TOTAL) as archive:

            def start(name: str) -> bytes:
                try:
                    with archive.open(name) as stream:
                        return stream.read(START)
                except Exception:  # zipfile lets many kinds through on damaged members; `read_member` says it in a sentence
                    return b""

            names = sorted(name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name)
            yield names, lambda name: read_member(archive, name, MAX_FILE), start
    else:
        yield [""], lambda name: read_limited(path, MAX_FILE), lambda name: head(path, START)


def holds_dicom(path: str | Path) -> bool:
    """Whether a file is DICOM, or a folder or zip holds a DICOM file: by content, also without the usual first 132 bytes.

    What cannot be read at all, or is too much, holds none; whoever goes on to read it says what is wrong.
    """
    path = Path(path)
    try:
        if sniff(path) not in ("folder", "zip", "dicom", "unknown", "text"):
            return False
        with dicom_files(path) as (names, _, start):
            return any(looks_like_dicom(start(name)) for name in names)
    except InputError:
        return False
