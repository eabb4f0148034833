"""The only place that opens a user's bytes: first what the file is, then whether it fits a budget, then its content.

Names and endings of files prove nothing, and a file's own account of its size is a claim. So `sniff` looks at the first
bytes, `read_limited` stops at a limit, `archive` does the same inside zip and gzip files and `hdf5` inside HDF5 files.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gen_core.errors import InputError

HEAD = 4096  # bytes that tell what a file is
MARKUP = 1 << 16  # bytes of an SVG or HTML file in which its first tag is looked for: licences stand before it
SNIFF_MEMBERS = 50_000  # zip members that are looked at to tell what the archive is

_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"PAR1", "parquet"),
    (b"\x93NUMPY", "npy"),
)
_NIFTI1, _NIFTI2 = (348).to_bytes(4, "little"), (540).to_bytes(4, "little")
_PDB = re.compile(
    r"(HEADER|OBSLTE|TITLE |SPLIT |CAVEAT|COMPND|SOURCE|KEYWDS|EXPDTA|NUMMDL|MDLTYP|AUTHOR|REVDAT|SPRSDE|JRNL  |REMARK|DBREF "
    r"|SEQRES|HET   |HETNAM|HELIX |SHEET |SSBOND|LINK  |CRYST1|ORIGX1|SCALE1|MODEL |ATOM  |HETATM)([ \d]|$)"
)
_BEFORE_ROOT = re.compile(rb"(?:\s++|<\?(?:(?!\?>).)*+\?>|<!--(?:(?!-->).)*+-->)++", re.DOTALL)
_DOCTYPE = re.compile(rb"<!doctype(?:\[[^\]]*+\]|[^>\[])*+>", re.DOTALL | re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # never in text; tab, line ends, form feed and escape may be


def sniff(path: str | Path) -> str:
    """What a file is, by its first bytes and never by its name.

    One of hdf5, png, jpeg, gif, tiff, npy, npz, zarr (also a folder), parquet, nifti (also inside gzip), dicom, svg, html,
    json, fasta, pdb, mmcif, csv (comma, tab or semicolon), zip, gzip, text, empty, unknown, folder. At most 64 KiB of the
    file are read, and for a zip its list of members. Raises InputError where the file cannot be read at all.
    """
    path = Path(path)
    if path.is_dir():
        return "zarr" if any((path / name).is_file() for name in ("zarr.json", ".zgroup")) else "folder"
    start = head(path, HEAD)
    if not start:
        return "empty"
    # Before all others: DICOM leaves the first 128 bytes free, and some devices put the header of a TIFF there.
    if start[128:132] == b"DICM":
        return "dicom"
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _sniff_zip(path)
    if start.startswith(b"\x1f\x8b"):
        return "nifti" if _is_nifti(_inflate_head(start)) else "gzip"
    if _is_nifti(start):
        return "nifti"
    # HDF5 may begin after a block of the user's own (MATLAB 7.3 files do), at 512 bytes or a power of two above.
    if any(start.startswith(_MAGIC[0][0], offset) for offset in (512, 1024, 2048)):
        return "hdf5"
    return _sniff_text(path, start)


def head(path: str | Path, size: int) -> bytes:
    """The first `size` bytes of a file, fewer where it is shorter. Raises InputError where it cannot be read."""
    with opened(path) as stream:
        return stream.read(size)


def read_limited(path: str | Path, limit: int) -> bytes:
    """A whole file of at most `limit` bytes. Raises InputError where it is larger (nothing is read then) or cannot be read."""
    with opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = b"" if size > limit else stream.read(size + 1)  # room is made for as much as is asked for
        if len(content) > size:  # it grows while it is read
            content += stream.read(limit + 1 - len(content))
    if max(size, len(content)) > limit:
        raise InputError(f"This file holds {human_size(max(size, len(content)))}; at most {human_size(limit)} are read here.")
    return content


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """A file opened to read its bytes. What the disk refuses, there or inside the `with` block, becomes an InputError."""
    name = Path(path).name
    try:
        # A pipe or a device would make the reader wait for ever, so it is refused before it is opened.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(f"{name!r} is not a file that can be read; name a file.")
        with open(path, "rb") as stream:
            yield stream
    except FileNotFoundError:
        raise InputError(f"There is no file {name!r}.") from None
    except PermissionError:
        raise InputError(f"{name!r} may not be read: permission denied.") from None
    except OSError as error:
        raise InputError(f"{name!r} cannot be read ({error.strerror or error}).") from None


def human_size(size: int) -> str:
    """A number of bytes for a sentence: `340 bytes`, `1.5 KiB`, `12 GiB`."""
    if size < 1024:
        return f"{size} byte{'' if size == 1 else 's'}"
    value, units = size / 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1024
        units.pop(0)
    unit = units[0]
    return f"{value:.1f}".removesuffix(".0") + f" {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def markup_root(start: bytes) -> int:
    """Where the first tag of an SVG or HTML file begins: after byte order mark, declaration, comments and doctype."""
    at = 3 if start.startswith(b"\xef\xbb\xbf") else 0
    for _ in range(3):  # before, doctype, after
        for pattern in (_BEFORE_ROOT, _DOCTYPE):
            if found := pattern.match(start, at):
                at = found.end()
    return at


def _sniff_zip(path: Path) -> str:
    from gen_core.inputs.archive import open_zip  # it needs the helpers of this file

    try:
        with open_zip(path, SNIFF_MEMBERS, max_total=1 << 62, max_ratio=None) as archive:
            names = archive.namelist()
    except InputError:
        return "zip"  # what is wrong with it is said by whoever goes on to read it
    if "zarr.json" in names or ".zgroup" in names:
        return "zarr"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _inflate_head(start: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(start, HEAD)
    except zlib.error:
        return b""


def _is_nifti(start: bytes) -> bool:
    if start[:4] in (_NIFTI1, _NIFTI1[::-1]):
        return start[344:348] in (b"n+1\0", b"ni1\0")
    return start[:4] in (_NIFTI2, _NIFTI2[::-1]) and start[4:8] in (b"n+2\0", b"ni2\0")


def _sniff_text(path: Path, start: bytes) -> str:
    if _CONTROL.search(start):
        return "unknown"
    text = start.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("<"):
        return _sniff_markup(head(path, MARKUP))
    if text.startswith(("{", "[")):
        return "json"
    if text.startswith(">"):
        return "fasta"
    lines = text.splitlines()
    if lines and _PDB.match(lines[0]):
        return "pdb"
    spoken = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if re.fullmatch(r"data_\S*", spoken.rstrip(), re.IGNORECASE) and "," not in spoken:
        return "mmcif"
    for delimiter in (",", "\t", ";"):
        if spoken and delimiter in lines[0] and (len(lines) < 3 or any(delimiter in line for line in lines[1:-1])):
            return "csv"
    return "text"


def _sniff_markup(start: bytes) -> str:
    doctype = re.search(rb"<!doctype\s+(\w+)", start[: markup_root(start)], re.IGNORECASE)
    tag = re.match(rb"<(?:[\w.-]+:)?(\w+)", start[markup_root(start) :])
    names = {found[1].lower() for found in (doctype, tag) if found}
    if tag and tag[1] == b"svg":
        return "svg"
    return "html" if names & {b"html", b"head", b"body"} else "text"
