"""DICOM images without anything that names a patient: what the content store keeps in place of a user's file.

Nothing is removed; a new file is written from a list of technical elements (PS3.15, annex E, goes further than it needs to):
size, place, spacing and rescaling as numbers, and the pixels unpacked. Identifiers are made from the content itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from gen_core.errors import InputError
from gen_core.inputs.archive import pack
from gen_core.inputs.dicom import holds_dicom, series_of
from gen_core.inputs.dicom_elements import parsed
from gen_core.inputs.dicom_files import dicom_files
from gen_core.inputs.dicom_image import Frame, Image, image_of, numbers_of, text_of
from gen_core.inputs.dicom_pixels import stored_values
from gen_core.inputs.dicom_words import class_name
from gen_core.inputs.dicom_write import Table, Value, elements_of, file_of, uid_of

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"  # what an image of no known class becomes
# Words that may stand in the new file: those of the standard, since any other could be a name.
MODALITIES = {"CT", "MR", "PT", "NM", "US", "CR", "DX", "MG", "XA", "RF", "IO", "OP", "OT", "XC", "SC", "RTIMAGE", "RTDOSE"}
UNITS = {"HU", "US", "OD", "MGML", "Z_EFF", "ED", "EDW", "PCT"}
IMAGE_TYPES = {"ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "LOCALIZER", "VOLUME"}


def deidentified(path: str | Path) -> bytes | None:
    """A DICOM file, or a zip of those in a folder or zip, without any element that names a patient; None where it is no DICOM.

    Every series stays apart; files without an image are left out. The same content gives the same bytes, whatever the
    names of files and patients. Text that is part of a picture stays in it. Raises InputError where no image can be read.
    """
    path = Path(path)
    if not holds_dicom(path):
        return None
    with dicom_files(path) as (names, read, _):
        groups, _, first = series_of(names, read)
        if not groups:
            raise InputError(first or "There is no DICOM image here that can be read.")
        series = []
        for group in groups:
            tables = [_table(image_of(parsed(read(name)))) for name in group]
            # The order of names would tell something of the names.
            hashed = sorted(((hashlib.sha256(elements_of(table)).digest(), table) for table in tables), key=lambda pair: pair[0])
            series.append((hashlib.sha256(b"".join(digest for digest, _ in hashed)).digest(), hashed))
    series.sort(key=lambda one: one[0])
    written = [_file(table, digest, whole) for whole, hashed in series for digest, table in hashed]
    if len(written) == 1:
        return written[0]
    return pack((f"{i:05d}.dcm", data) for i, data in enumerate(written, 1)).getvalue()


def _file(table: dict[int, tuple[str, Value]], digest: bytes, series: bytes) -> bytes:
    sop_class, instance = str(table[0x00080016][1]), uid_of(b"image" + digest)
    identifiers: Table = {
        0x00080018: ("UI", instance),
        0x00100010: ("PN", ""),
        0x00100020: ("LO", ""),
        0x00120062: ("CS", "YES"),
        0x00120063: ("LO", "Latent Sandbox: listed technical elements only"),
        0x0020000D: ("UI", uid_of(b"study" + series)),
        0x0020000E: ("UI", uid_of(b"series" + series)),
        0x00200052: ("UI", uid_of(b"frame of reference" + series)),
    }
    return file_of({**table, **identifiers}, sop_class, instance)


def _table(image: Image) -> dict[int, tuple[str, Value]]:
    """The technical elements of an image, each written anew from its number or from a word of a list."""
    found = image.parsed.elements
    values = stored_values(image)
    bits = 8 * values.dtype.itemsize
    kept = bits if bits != image.allocated else image.stored
    table: dict[int, tuple[str, Value]] = {
        0x00080016: ("UI", _known_class(image.sop_class)),
        0x00200013: ("IS", "" if image.number is None else str(image.number)),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME1" if image.inverted else "MONOCHROME2"),
        0x00280008: ("IS", str(len(image.frames))),
        0x00280010: ("US", image.rows),
        0x00280011: ("US", image.columns),
        0x00280100: ("US", bits),
    }
    if values.dtype.kind == "f":
        tag, kind = (0x7FE00008, "OF") if bits == 32 else (0x7FE00009, "OD")
    else:
        tag, kind = 0x7FE00010, "OB" if bits == 8 else "OW"
        table[0x00280101] = ("US", kept)
        table[0x00280102] = ("US", kept - 1)
        table[0x00280103] = ("US", int(image.signed))
        if image.padding:
            table[0x00280120] = ("SS" if image.signed else "US", image.padding[0])
            table[0x00280121] = ("SS" if image.signed else "US", image.padding[1])
    table[tag] = (kind, values.astype(values.dtype.newbyteorder("<")).tobytes())
    if image.modality in MODALITIES:
        table[0x00080060] = ("CS", image.modality)
    types = [word for word in text_of(found, 0x00080008).split("\\") if word in IMAGE_TYPES]
    if types:
        table[0x00080008] = ("CS", "\\".join(types))
    if image.lossy:
        table[0x00282110] = ("CS", "01")
    if image.burned_in:
        table[0x00280301] = ("CS", "YES")
    for tag, number in ((0x00180050, image.thickness), (0x00180088, image.between)):
        if number is not None:
            table[tag] = ("DS", number)
    for tag in (0x00281050, 0x00281051):
        if window := numbers_of(found, tag):
            table[tag] = ("DS", window[:8])
    if all(frame is image.frames[0] for frame in image.frames):
        table |= _of_frame(image.frames[0])
    else:
        table[0x52009230] = ("SQ", [_group(frame) for frame in image.frames])
    return table


def _of_frame(frame: Frame) -> dict[int, tuple[str, Value]]:
    table: dict[int, tuple[str, Value]] = {}
    for tag, numbers in ((0x00200032, frame.position), (0x00200037, frame.orientation), (0x00280030, frame.spacing)):
        if numbers is not None:
            table[tag] = ("DS", numbers)
    if frame.rescale is not None:
        table[0x00281052], table[0x00281053] = ("DS", frame.rescale[1]), ("DS", frame.rescale[0])
    if frame.rescale_type:
        table[0x00281054] = ("LO", frame.rescale_type if frame.rescale_type in UNITS else "US")  # US: unspecified
    return table


def _group(frame: Frame) -> Table:
    """The elements of a frame in the sequences that an enhanced image has them in (PS3.3, C.7.6.16)."""
    flat = _of_frame(frame)
    places = {
        0x00209113: (0x00200032,),
        0x00209116: (0x00200037,),
        0x00289110: (0x00280030,),
        0x00289145: (0x00281052, 0x00281053, 0x00281054),
    }
    inside = {sequence: {tag: flat[tag] for tag in tags if tag in flat} for sequence, tags in places.items()}
    return {sequence: ("SQ", [table]) for sequence, table in inside.items() if table}


def _known_class(sop_class: str) -> str:
    """The class where the standard has it, since a number of somebody's own could name them."""
    return sop_class if class_name(sop_class) else SECONDARY
