"""The elements of a DICOM file (PS3.5): only those on a list are ever read, all others are stepped over by their lengths.

So no name, date or number of a patient is in memory as such, whatever group, private block or sequence it stands in, and
no text of the file can come into a sentence or a log.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from gen_core.errors import InputError

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"

# What is read, by tag: the type of its value (VR). Sequences (SQ) are gone into, and hold elements of this same list.
WANTED = {
    0x00080008: "CS",  # image type
    0x00080016: "UI",  # SOP class
    0x00080060: "CS",  # modality
    0x00180050: "DS",  # slice thickness
    0x00180088: "DS",  # spacing between slices
    0x0020000E: "UI",  # series, only to tell slices of one from those of another
    0x00200013: "IS",  # instance number
    0x00200032: "DS",  # position
    0x00200037: "DS",  # orientation
    0x00209113: "SQ",  # plane position
    0x00209116: "SQ",  # plane orientation
    0x00280002: "US",  # samples per pixel
    0x00280004: "CS",  # photometric interpretation
    0x00280008: "IS",  # frames
    0x00280010: "US",  # rows
    0x00280011: "US",  # columns
    0x00280030: "DS",  # pixel spacing
    0x00280100: "US",  # bits allocated
    0x00280101: "US",  # bits stored
    0x00280102: "US",  # high bit
    0x00280103: "US",  # pixel representation: 1 is signed
    0x00280120: "US",  # pixel padding value
    0x00280121: "US",  # pixel padding range limit
    0x00280301: "CS",  # burned-in annotation
    0x00281050: "DS",  # window centre
    0x00281051: "DS",  # window width
    0x00281052: "DS",  # rescale intercept
    0x00281053: "DS",  # rescale slope
    0x00281054: "LO",  # rescale type
    0x00282110: "CS",  # lossy compression: 01 or 00
    0x00289110: "SQ",  # pixel measures
    0x00289145: "SQ",  # pixel value transformation
    0x52009229: "SQ",  # shared functional groups
    0x52009230: "SQ",  # functional groups of each frame
}
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # floats, doubles, integers
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # types whose length takes four bytes
_TYPES = _LONG | frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
MAX_ELEMENTS = 200_000
MAX_VALUE = 1 << 16  # bytes of a listed value
MAX_INFLATED = 1 << 30
_CUT = "This DICOM file is cut short or damaged: an element ends beyond its last byte. Copy or export it again."

Items = list["Elements"]
Elements = dict[int, "bytes | Items"]


@dataclass(frozen=True, eq=False)
class Parsed:
    """The listed elements of a file; where its pixels are in `data` (start, stop; None: there are none), and their form."""

    data: bytes
    elements: Elements
    syntax: str
    big: bool
    pixels: tuple[int, int] | None
    pixels_tag: int
    encapsulated: bool
    short: bool  # whether the pixels are said to go on beyond the end of the file


def looks_like_dicom(start: bytes) -> bool:
    """Whether a file begins as DICOM does: with DICM after 128 bytes, or at once with elements of group 0002 or 0008."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 32:
        return False
    for order in "<>":
        group = struct.unpack_from(order + "H", start)[0]
        if group not in (0x0002, 0x0008) or (group == 2 and order == ">"):
            continue
        reader = _Reader(start, order, start[4:6] in _TYPES)
        at, last = 0, 0
        for found in range(3):
            try:
                tag, _, at, length = reader.head(at)
            except InputError:
                return found > 1
            if tag <= last or tag >> 16 > 0x0028 or (length > 1 << 20 and length != _UNDEFINED):
                return False
            if length == _UNDEFINED or at + length > len(start):
                return found > 0 or tag < 0x00090000
            last, at = tag, at + length
        return True
    return False


def parsed(data: bytes) -> Parsed:
    """The listed elements of a DICOM file, with or without preamble and file header; big-endian and deflated ones, too.

    Raises InputError where it is cut short before its pixels, damaged, or holds more elements than any image does.
    """
    at = 132 if data[128:132] == b"DICM" else 0
    syntax = ""
    meta = _Reader(data, "<", True)
    while data[at : at + 2] == b"\2\0":
        tag, _, start, length = meta.head(at)
        if length == _UNDEFINED or start + length > len(data):
            raise InputError(_CUT)
        at = start + length
        if tag == 0x00020010:
            syntax = data[start:at].rstrip(b"\0 ").decode("ascii", "replace")
    if at >= len(data):
        raise InputError("This DICOM file ends after its file header: there is nothing in it. Copy or export it again.")
    if syntax == DEFLATED:
        data, at = _inflated(data[at:]), 0
    order, explicit = _form(data, at, syntax)
    if not syntax:
        syntax = BIG_ENDIAN if order == ">" else EXPLICIT if explicit else IMPLICIT
    reader = _Reader(data, order, explicit)
    elements, pixels = reader.dataset(at, len(data), 0)
    if pixels is None:
        return Parsed(data, elements, syntax, order == ">", None, 0, False, False)
    tag, start, length = pixels
    if length == _UNDEFINED:
        return Parsed(data, elements, syntax, order == ">", (start, len(data)), tag, True, False)
    stop = start + length
    return Parsed(data, elements, syntax, order == ">", (start, min(stop, len(data))), tag, False, stop > len(data))


def _form(data: bytes, at: int, syntax: str) -> tuple[str, bool]:
    """Byte order and whether elements name their type, by the first element: some headers promise what is not so."""
    explicit = data[at + 4 : at + 6] in _TYPES
    if syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED):
        return (">" if syntax == BIG_ENDIAN else "<"), explicit
    if syntax:  # compressed pixels
        return "<", explicit
    group = int.from_bytes(data[at : at + 2], "little")
    return (">" if group >= 0x0100 and group & 0xFF == 0 else "<"), explicit


def _inflated(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, MAX_INFLATED)
    except zlib.error:
        raise InputError("This DICOM file is packed as a whole (deflated), and damaged. Copy or export it again.") from None
    if inflater.unconsumed_tail:
        raise InputError("This DICOM file unpacks to more than 1 GiB, which is more than is read here.")
    return data


class _Reader:
    """Steps through elements of one byte order; never by recursion, since a file may nest them as deep as it is long."""

    def __init__(self, data: bytes, order: str, explicit: bool) -> None:
        self.data, self.explicit, self.steps = data, explicit, 0
        self.tag, self.short, self.long = struct.Struct(order + "HH"), struct.Struct(order + "H"), struct.Struct(order + "I")

    def head(self, at: int) -> tuple[int, bytes, int, int]:
        """Tag, type (b"" where not named), start of the value, and its length."""
        self.steps += 1
        if self.steps > MAX_ELEMENTS:
            raise InputError(f"This DICOM file holds more than {MAX_ELEMENTS:,} elements, which no image does; export it again.")
        if at + 8 > len(self.data):
            raise InputError(_CUT)
        group, element = self.tag.unpack_from(self.data, at)
        kind = self.data[at + 4 : at + 6]
        # Within sequences of unknown type the types are left out (PS3.5, 6.2.2), and some writers leave them out at will.
        if group == 0xFFFE or not self.explicit or kind not in _TYPES:
            return group << 16 | element, b"", at + 8, self.long.unpack_from(self.data, at + 4)[0]
        if kind not in _LONG:
            return group << 16 | element, kind, at + 8, self.short.unpack_from(self.data, at + 6)[0]
        if at + 12 > len(self.data):
            raise InputError(_CUT)
        return group << 16 | element, kind, at + 12, self.long.unpack_from(self.data, at + 8)[0]

    def dataset(self, at: int, end: int, depth: int) -> tuple[Elements, tuple[int, int, int] | None]:
        """Listed elements from `at` to `end`, and tag, start and length of the pixels, which end the reading."""
        found: Elements = {}
        while at < end:
            if depth == 0 and end - at < 8:  # bytes that fill up a file
                break
            tag, _, start, length = self.head(at)
            if depth == 0 and tag in PIXELS:
                return found, (tag, start, length)
            if length != _UNDEFINED and start + length > end:
                if depth == 0 and not self.data[at:end].strip(b"\0"):
                    break
                raise InputError(_CUT)
            wanted = WANTED.get(tag)
            if wanted == "SQ" and depth < 6:
                found[tag], at = self.sequence(start, length, end, depth)
            elif length == _UNDEFINED:
                at = self.skipped(start)
            else:
                at = start + length
                if wanted not in (None, "SQ") and length <= MAX_VALUE:
                    found.setdefault(tag, self.data[start:at])
        return found, None

    def sequence(self, at: int, length: int, end: int, depth: int) -> tuple[Items, int]:
        """The items of a listed sequence, and where it ends."""
        stop = end if length == _UNDEFINED else at + length
        items: Items = []
        while at < stop:
            tag, _, start, size = self.head(at)
            if tag == _SEQUENCE_END:
                return items, start
            if tag != _ITEM:
                raise InputError(_CUT)
            if size == _UNDEFINED:
                at = self.skipped(start, item=True)
                items.append(self.dataset(start, at - 8, depth + 1)[0])
            else:
                if start + size > stop:
                    raise InputError(_CUT)
                items.append(self.dataset(start, start + size, depth + 1)[0])
                at = start + size
        return items, at

    def skipped(self, at: int, item: bool = False) -> int:
        """Where a sequence (or one item) of undefined length ends that begins at `at`."""
        open_items = [item]  # what is open, outermost first: whether it is an item
        while open_items:
            tag, _, start, length = self.head(at)
            if tag in (_ITEM_END, _SEQUENCE_END):
                open_items.pop()
                at = start
            elif length == _UNDEFINED:
                open_items.append(tag == _ITEM)
                at = start
            else:
                at = start + length
                if at > len(self.data):
                    raise InputError(_CUT)
        return at
