"""One DICOM file as an image: what its listed elements say, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.dicom_elements import Elements, Parsed
from gen_core.inputs.dicom_words import class_name
from gen_core.inputs.volumes import check_size

CT = {
    "1.2.840.10008.5.1.4.1.1.2",  # CT image
    "1.2.840.10008.5.1.4.1.1.2.1",  # enhanced CT image
    "1.2.840.10008.5.1.4.1.1.2.2",  # legacy converted enhanced CT image
}
DIRECTORY = "1.2.840.10008.1.3.10"
_WORD = re.compile(r"[A-Z][A-Z0-9_ ]{0,15}")
FLOATS = {0x7FE00008: 32, 0x7FE00009: 64}


@dataclass(frozen=True)
class Frame:
    """What differs between the frames of one file: place, orientation, spacing, rescaling; None where the file does not say."""

    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    rescale: tuple[float, float] | None  # slope, intercept
    rescale_type: str


@dataclass(frozen=True, eq=False)
class Image:
    """The header of one file. `series` only tells one series from another; it is never shown, kept or written."""

    parsed: Parsed
    rows: int
    columns: int
    frames: tuple[Frame, ...]
    allocated: int
    stored: int
    high: int
    signed: bool
    inverted: bool  # MONOCHROME1
    sop_class: str
    modality: str
    series: bytes
    number: int | None
    thickness: float | None
    between: float | None
    padding: tuple[int, int] | None  # the range of stored values that were not measured
    burned_in: bool
    lossy: bool

    @property
    def ct(self) -> bool:
        return self.modality == "CT" or (not self.modality and self.sop_class in CT)


def image_of(parsed: Parsed) -> Image:
    """The header of a parsed file, checked against what is read here. Raises InputError, one sentence, for what is not."""
    found = parsed.elements
    sop_class = text_of(found, 0x00080016)
    if parsed.pixels is None:
        if sop_class == DIRECTORY:
            raise InputError("This is the list of a DICOM disc (DICOMDIR), not an image; give the folder of images, as a zip.")
        if " Image " in class_name(sop_class):
            raise InputError("This DICOM file holds the header of an image but no pixels: it is cut short. Copy it again.")
        raise InputError(f"This DICOM file holds no image{_kind_of(sop_class)}; give one with pixels, such as a CT slice.")
    rows, columns = _number(parsed, 0x00280010), _number(parsed, 0x00280011)
    samples = _number(parsed, 0x00280002, 1)
    photometric = text_of(found, 0x00280004)
    if not rows or not columns:
        raise InputError("This DICOM file does not say how many rows and columns its image has; export it again.")
    many = numbers_of(found, 0x00280008) or (1.0,)
    count = int(many[0]) if 1 <= many[0] < 1e6 else 1
    check_size(count, rows, columns)
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise InputError("This DICOM file is a picture in colour, such as a screenshot; give the grey image it was made from.")
    allocated = FLOATS.get(parsed.pixels_tag) or _number(parsed, 0x00280100) or 16
    if allocated not in (1, 8, 16, 32, 64) or (allocated == 64 and parsed.pixels_tag not in FLOATS):
        raise InputError(f"This DICOM file stores {allocated} bits a pixel, which is not read here; export it with 16.")
    stored = _number(parsed, 0x00280101) or allocated
    stored = stored if 1 <= stored <= allocated else allocated
    high = _number(parsed, 0x00280102, stored - 1)
    signed = _number(parsed, 0x00280103, 0) == 1
    return Image(
        parsed,
        rows,
        columns,
        _frames(found, count),
        allocated,
        stored,
        high if stored - 1 <= high < allocated else stored - 1,
        signed,
        photometric == "MONOCHROME1",
        sop_class,
        _word(found, 0x00080060),
        _raw(found, 0x0020000E),
        int(number[0]) if (number := numbers_of(found, 0x00200013)) and abs(number[0]) < 1e9 else None,
        _positive(found, 0x00180050),
        _positive(found, 0x00180088),
        _padding(parsed, signed, stored),
        _word(found, 0x00280301) == "YES",
        text_of(found, 0x00282110) == "01",
    )


def _frames(found: Elements, count: int) -> tuple[Frame, ...]:
    shared = _first(found, 0x52009229)
    each = found.get(0x52009230)
    items = each if isinstance(each, list) else []
    plain = _frame([found])
    if not items and not shared:
        return (plain,) * count
    return tuple(_frame([items[i] if i < len(items) else {}, shared, found]) for i in range(count))


def _frame(places: list[Elements]) -> Frame:
    """A frame's values, each from the first place that has it: its own group, the shared one, the file."""
    flat = []
    for place in places:
        flat.append(place)
        flat += [_first(place, tag) for tag in (0x00209113, 0x00209116, 0x00289110, 0x00289145)]

    def several(tag: int, count: int) -> tuple[float, ...] | None:
        return next((value for place in flat if len(value := numbers_of(place, tag)) == count), None)

    slope, intercept = several(0x00281053, 1), several(0x00281052, 1)
    rescale = None
    if intercept is not None:
        rescale = (slope[0] if slope and slope[0] else 1.0, intercept[0])
    spacing = several(0x00280030, 2)
    kind = next((_word(place, 0x00281054) for place in flat if 0x00281054 in place), "")
    return Frame(
        several(0x00200032, 3),
        several(0x00200037, 6),
        spacing if spacing and all(1e-6 < step < 1e4 for step in spacing) else None,
        rescale,
        kind,
    )


def _padding(parsed: Parsed, signed: bool, stored: int) -> tuple[int, int] | None:
    ends = []
    for tag in (0x00280120, 0x00280121):
        raw = _raw(parsed.elements, tag)
        if len(raw) == 2:
            # The same bits as a pixel's: two's complement where pixels are signed.
            ends.append(int.from_bytes(raw, "big" if parsed.big else "little", signed=signed))
    if not ends or stored > 16:
        return None
    return min(ends), max(ends)


def _first(found: Elements, tag: int) -> Elements:
    items = found.get(tag)
    return items[0] if isinstance(items, list) and items else {}


def _raw(found: Elements, tag: int) -> bytes:
    value = found.get(tag, b"")
    return value if isinstance(value, bytes) else b""


def text_of(found: Elements, tag: int) -> str:
    return _raw(found, tag).decode("ascii", "replace").strip(" \0")


def _word(found: Elements, tag: int) -> str:
    """A word of DICOM's own (CS); "" for anything else."""
    text = text_of(found, tag)
    return text if _WORD.fullmatch(text) else ""


def _number(parsed: Parsed, tag: int, default: int = 0) -> int:
    raw = _raw(parsed.elements, tag)
    return int.from_bytes(raw[:2], "big" if parsed.big else "little") if len(raw) >= 2 else default


def numbers_of(found: Elements, tag: int) -> tuple[float, ...]:
    """Decimal text with backslashes between numbers; () where one of them is none."""
    try:
        numbers = tuple(float(part) for part in text_of(found, tag).split("\\"))
    except ValueError:
        return ()
    return numbers if all(np.isfinite(number) and abs(number) < 1e12 for number in numbers) else ()


def _positive(found: Elements, tag: int) -> float | None:
    numbers = numbers_of(found, tag)
    return abs(numbers[0]) if len(numbers) == 1 and 1e-6 < abs(numbers[0]) < 1e4 else None


def _kind_of(sop_class: str) -> str:
    """What a file without pixels is, in the standard's words and none of the file's."""
    name = class_name(sop_class)
    return f" (it is: {name.removesuffix(' Storage')})" if name else ""
