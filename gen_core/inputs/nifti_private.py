"""NIfTI images without the texts of their header: what the content store keeps in place of a user's file.

Converters write names of patients, of files and of people into the description, the names of data base and auxiliary file, and
into header extensions (a whole DICOM header may stand there). All of these become zeros; everything else stays as it is.
"""

from __future__ import annotations

import gzip
import struct
import tempfile
from pathlib import Path

from gen_core.errors import InputError
from gen_core.inputs import head, read_limited, sniff
from gen_core.inputs.archive import gunzip_limited, open_zip, pack, read_member
from gen_core.inputs.nifti import MAX_OFFSET, MAX_STORED

LIMIT = MAX_STORED + MAX_OFFSET
MAX_MEMBERS, MAX_MEMBER, MAX_TOTAL = 20_000, 1 << 30, 8 << 30
# Where texts stand in the header (nifti1.h, nifti2.h): data_type, db_name, descrip, aux_file, intent_name.
_TEXTS = {348: ((4, 14), (14, 32), (148, 228), (228, 252), (328, 344)), 540: ((240, 320), (320, 344), (508, 524))}


def nameless(path: str | Path) -> bytes | None:
    """A NIfTI file, or a zip of some, without texts and extensions; None where it has none, or is no such file.

    The same content gives the same bytes. In a zip files get numbers for names, in the order of their names. Raises InputError
    where a file cannot be unpacked.
    """
    path = Path(path)
    kind = sniff(path)
    if kind == "nifti":
        packed = head(path, 2) == b"\x1f\x8b"
        content = gunzip_limited(path, LIMIT) if packed else read_limited(path, LIMIT)
        return None if (out := blanked(content)) is None else _again(out, packed)
    return _zipped(path) if kind == "zip" else None


def blanked(content: bytes) -> bytes | None:
    """The bytes of a NIfTI image with zeros for its texts and extensions; None where it has none, or is no NIfTI image."""
    little = int.from_bytes(content[:4], "little")
    order: str = "little" if little in _TEXTS else "big"
    length = little if order == "little" else int.from_bytes(content[:4], "big")
    if length not in _TEXTS or len(content) < length + 4:
        return None
    out = bytearray(content)
    for first, last in _TEXTS[length]:
        out[first:last] = bytes(last - first)
    begin = _voxels(content, length, order)
    if content[length] and begin > length + 4:
        out[length:begin] = bytes(begin - length)
    return None if out == content else bytes(out)


def _voxels(content: bytes, length: int, order: str) -> int:
    """The byte at which the voxels begin, within the content."""
    sign = "<" if order == "little" else ">"
    offset = struct.unpack_from(f"{sign}f", content, 108)[0] if length == 348 else struct.unpack_from(f"{sign}q", content, 168)[0]
    return int(min(offset, MAX_OFFSET, len(content))) if offset > 0 else 0  # NaN is not above zero


def _again(content: bytes, packed: bool) -> bytes:
    return gzip.compress(content, 1, mtime=0) if packed else content


def _zipped(path: Path) -> bytes | None:
    """The zip again, where one of its files is a NIfTI image by its name or its first bytes."""
    try:
        with open_zip(path, MAX_MEMBERS, MAX_TOTAL) as archive:
            names = sorted(name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name)
            if not any(_ending(name) for name in names):
                return None
            parts = [(name, read_member(archive, name, MAX_MEMBER)) for name in names]
    except InputError:  # whoever goes on to read it says what is wrong
        return None
    made = [(f"{i:05d}{_ending(name)}", _member(data)) for i, (name, data) in enumerate(parts)]
    return pack(made).getvalue()


def _ending(name: str) -> str:
    return next((ending for ending in (".nii.gz", ".nii") if name.lower().endswith(ending)), "")


def _member(data: bytes) -> bytes:
    """A file of a zip, its texts blanked where it is a NIfTI image, packed or not."""
    if data[:2] != b"\x1f\x8b":
        return blanked(data) or data
    with tempfile.TemporaryDirectory(prefix="latent-") as folder:
        place = Path(folder) / "member"
        place.write_bytes(data)
        return nameless(place) or data
