"""Recipes in medical images: NIfTI (a comment in the header's extensions) and DICOM (a private element)."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from gen_core.errors import OutputError
from gen_core.inputs.archive import gunzip_limited
from gen_core.recipe import Recipe
from gen_core.stamp.common import LIMIT, STEPS, Edit, apply, damaged, is_recipe, plain, replacing, splice, start_of, text_of

# ---- NIfTI: a header extension of code 6, comment (nifti1.h, "extended header")

_COMMENT = 6


def write_nifti(path: Path, recipe: Recipe) -> None:
    """Add the extension to a .nii or .nii.gz file; the voxels move back by its length, which the header then says."""
    header = _Nifti(_nifti_start(path))
    edits = header.with_comment(text_of(recipe))
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if not packed:
        splice(path, edits)
        return
    # No name and no date in the gzip header, so that the same image gives the same file; level 1 is what nibabel writes.
    with replacing(path) as partial, partial.open("wb") as raw, gzip.open(path, "rb") as source:
        try:
            with gzip.GzipFile("", "wb", 1, raw, mtime=0) as target:
                apply(cast(BinaryIO, source), cast(BinaryIO, target), edits)
        except EOFError:
            raise damaged("NIfTI file") from None


def read_nifti(path: Path) -> str | None:
    comments = [content for code, content in _Nifti(_nifti_start(path)).extensions if code == _COMMENT]
    return next((plain(text) for content in comments if (text := content.rstrip(b"\0")).startswith(b"{")), None)


def _nifti_start(path: Path) -> bytes:
    start = start_of(path)
    return gunzip_limited(path, LIMIT, cut=True) if start.startswith(b"\x1f\x8b") else start


class _Nifti:
    """A header and its extensions (code, content), of format 1 (348 bytes) or 2 (540 bytes), in either byte order."""

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[:4] in (b"\x5c\x01\0\0", b"\x1c\x02\0\0") else ">"
        self.size = int.from_bytes(data[:4], "little" if self.order == "<" else "big")
        if self.size not in (348, 540) or len(data) < self.size + 4:
            raise damaged("NIfTI file")
        self.single = data[344:347] == b"n+1" or data[4:7] == b"n+2"
        self.place, self.code = (108, "f") if self.size == 348 else (168, "q")  # of vox_offset
        self.voxels = int(struct.unpack_from(self.order + self.code, data, self.place)[0])
        self.extensions: list[tuple[int, bytes]] = []
        at = self.size + 4
        while data[self.size] and at + 8 <= self.voxels:
            length, code = struct.unpack_from(self.order + "ii", data, at)
            if length < 16 or length % 16 or at + length > min(len(data), self.voxels):
                raise damaged("NIfTI file")
            self.extensions.append((code, data[at + 8 : at + length]))
            at += length

    def with_comment(self, text: str) -> list[Edit]:
        if not self.single or self.voxels < self.size + 4:
            raise OutputError("The recipe is written into NIfTI files that hold header and voxels in one (.nii, .nii.gz).")
        kept = [(code, old) for code, old in self.extensions if code != _COMMENT or not is_recipe(plain(old.rstrip(b"\0")))]
        content = text.encode("ascii")
        kept.append((_COMMENT, content + b"\0" * (-(len(content) + 8) % 16)))
        new = b"".join(struct.pack(self.order + "ii", len(content) + 8, code) + content for code, content in kept)
        offset = struct.pack(self.order + self.code, self.size + 4 + len(new))
        return [(self.place, self.place + len(offset), offset), (self.size, self.voxels, b"\1\0\0\0" + new)]


# ---- DICOM: element 01 of a private block in group 0099, as unlimited text (PS3.5, 7.8)

_GROUP, _ELEMENT = 0x0099, 0x01
_CREATOR = b"LATENT SANDBOX"
_IMPLICIT, _BIG_ENDIAN, _DEFLATED = (b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}  # have 4 bytes of length
_UNDEFINED = 0xFFFFFFFF


def write_dicom(path: Path, recipe: Recipe) -> None:
    """Add the private block before the first element above group 0099; no other byte changes."""
    dataset = _Dicom(start_of(path))
    if dataset.end is None:
        reason = "it is compressed as a whole, or its header is very long"
        raise OutputError(f"The recipe cannot be written into this DICOM file: {reason}.")
    text = text_of(recipe).encode("ascii")
    block = dataset.block()
    if block is not None:
        start, stop, _ = dataset.private.get(block << 8 | _ELEMENT, (None, None, b""))
        if start is not None and stop is not None:
            splice(path, [(start, stop, dataset.element(block << 8 | _ELEMENT, b"UT", text))])
            return
    taken = {number for number in dataset.private if 0x10 <= number <= 0xFF}
    edits: list[Edit] = []
    if block is None:
        block = next(number for number in range(0x10, 0x100) if number not in taken)
        edits.append((*dataset.place(block), dataset.element(block, b"LO", _CREATOR)))
    number = block << 8 | _ELEMENT
    splice(path, [*edits, (*dataset.place(number), dataset.element(number, b"UT", text))])


def read_dicom(path: Path) -> str | None:
    dataset = _Dicom(start_of(path))
    block = dataset.block()
    found = dataset.private.get(block << 8 | _ELEMENT) if block is not None else None
    return plain(found[2].rstrip(b" \0")) if found else None


@dataclass
class _Dicom:
    """The elements of group 0099 by number (start, stop, value), and where the group ends (None: not found).

    Elements are stepped over by their lengths; nothing else of the file is parsed.
    """

    data: bytes
    private: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    end: int | None = None
    order: str = "<"
    explicit: bool = True

    def __post_init__(self) -> None:
        at, syntax = 132, b""
        while self.data[at : at + 2] == b"\2\0":
            number, _, start, length = self.head(at, True)
            at = start + length
            if number == 0x00020010:
                syntax = self.data[start:at].rstrip(b"\0 ")
        if not syntax:
            raise damaged("DICOM file")
        self.order = ">" if syntax == _BIG_ENDIAN else "<"
        # Some writers claim to name the types and do not: the first element shows it, as it does to pydicom.
        self.explicit = _is_type(self.data[at + 4 : at + 6]) if at + 6 <= len(self.data) else syntax != _IMPLICIT
        if syntax != _DEFLATED:
            self.walk(at)

    def walk(self, at: int) -> None:
        inside: list[bool] = []  # for every open sequence and item, whether its elements name their type
        for _ in range(STEPS):
            if at == len(self.data) and not inside and at < LIMIT:
                self.end = at
            if at >= len(self.data):
                return
            number, kind, start, length = self.head(at, inside[-1] if inside else self.explicit)
            if not inside and number >= (_GROUP + 1) << 16:
                self.end = at
                return
            stop = start if length == _UNDEFINED else start + length
            if not inside and number >> 16 == _GROUP:
                self.private[number & 0xFFFF] = at, stop, self.data[start:stop]
            if number in (0xFFFEE00D, 0xFFFEE0DD):  # end of an item, of a sequence
                if inside:
                    inside.pop()
                stop = start
            elif length == _UNDEFINED:
                # A sequence of unknown type is written without the types of its elements (PS3.5, 6.2.2).
                inside.append(kind != b"UN" and (inside[-1] if inside else self.explicit))
            at = stop

    def head(self, at: int, explicit: bool) -> tuple[int, bytes, int, int]:
        """Number, type, start of the value and its length (0xFFFFFFFF: it ends with a delimiter) of the element at `at`."""
        start = self.data[at : at + 12].ljust(12, b"\0")
        if at + 8 > len(self.data):
            raise damaged("DICOM file")
        group, element = struct.unpack(self.order + "HH", start[:4])
        if not explicit or group == 0xFFFE or not _is_type(start[4:6]):
            return group << 16 | element, b"", at + 8, struct.unpack(self.order + "I", start[4:8])[0]
        if start[4:6] in _LONG:
            return group << 16 | element, start[4:6], at + 12, struct.unpack(self.order + "I", start[8:12])[0]
        return group << 16 | element, start[4:6], at + 8, struct.unpack(self.order + "H", start[6:8])[0]

    def block(self) -> int | None:
        """The number of the block that is ours: the element of that number holds the creator's name."""
        return next((n for n, (_, _, value) in self.private.items() if n <= 0xFF and value.rstrip(b" \0") == _CREATOR), None)

    def place(self, number: int) -> tuple[int, int]:
        """Where an element of group 0099 is to be inserted: elements stand in rising order."""
        after = [start for other, (start, _, _) in self.private.items() if other > number]
        at = min(after) if after else cast(int, self.end)
        return at, at

    def element(self, number: int, kind: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        tag = struct.pack(self.order + "HH", _GROUP, number)
        if self.explicit and kind == b"LO":
            return tag + kind + struct.pack(self.order + "H", len(value)) + value
        return tag + (kind + b"\0\0" if self.explicit else b"") + struct.pack(self.order + "I", len(value)) + value


def _is_type(code: bytes) -> bool:
    """Whether two bytes are the letters of a type (VR) rather than the lower half of a length."""
    return code.isalpha() and code.isupper()
