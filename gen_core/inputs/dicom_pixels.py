"""The pixels of a DICOM file as the numbers that are stored; compressed ones by what pydicom can decode here."""

from __future__ import annotations

from typing import Any

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs.dicom_elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, Parsed
from gen_core.inputs.dicom_image import FLOATS, Image
from gen_core.inputs.dicom_words import quiet
from gen_core.inputs.volumes import Array

_NATIVE = {IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED}


def stored_values(image: Image) -> Array:
    """The pixels (frames, rows, columns) as stored: integers (of bits stored, sign extended) or floats. Raises InputError."""
    parsed = image.parsed
    shape = (len(image.frames), image.rows, image.columns)
    count = shape[0] * shape[1] * shape[2]
    start, stop = parsed.pixels or (0, 0)
    if parsed.encapsulated or parsed.syntax not in _NATIVE:
        values = _decoded(image, parsed.data[start:stop])
    else:
        needed = (count * image.allocated + 7) // 8
        if stop - start < needed:
            raise InputError(
                f"This DICOM file is cut short: {stop - start:,} of {needed:,} bytes of pixels are there. Copy it again."
            )
        content = memoryview(parsed.data)[start : start + needed]
        if image.allocated == 1:
            return np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[:count].reshape(shape)
        order = ">" if parsed.big else "<"
        kind = "f" if parsed.pixels_tag in FLOATS else "i" if image.signed else "u"
        # In explicit big-endian files bytes of one pixel are swapped in pairs where the element is one of 16-bit words.
        values = np.frombuffer(content, f"{order}{kind}{image.allocated // 8}").reshape(shape)
        if parsed.big and image.allocated == 8:
            values = _unswapped(values, parsed, start)
    if values.dtype.kind == "f":
        return values.astype(values.dtype.newbyteorder("="))
    return _only_stored_bits(values.astype(values.dtype.newbyteorder("=")), image)


def _unswapped(values: Array, parsed: Parsed, start: int) -> Array:
    if parsed.data[start - 8 : start - 6] != b"OW" or values.size % 2:
        return values
    return values.reshape(-1, 2)[:, ::-1].reshape(values.shape)


def _only_stored_bits(values: Array, image: Image) -> Array:
    """Without what old files keep in the bits above those of the pixel (overlays), and with its sign."""
    spare = image.allocated - image.stored
    bits = 8 * values.dtype.itemsize
    if not spare or bits != image.allocated:
        return values
    return (values << (bits - 1 - image.high)) >> (bits - image.stored)


def _decoded(image: Image, content: bytes) -> Array:
    """Compressed pixels, by what pydicom can decode here."""
    with quiet():
        from pydicom.pixels.decoders.base import get_decoder
        from pydicom.uid import UID

        uid = UID(image.parsed.syntax)
        name = uid.name if uid.is_valid and not uid.is_private and uid.name != str(uid) else "an unknown compression"
        try:
            decoder = get_decoder(uid)
            possible = decoder.is_available and decoder.is_encapsulated
        except NotImplementedError:  # what pydicom says of a compression that it does not know
            possible = False
        if not possible:
            raise InputError(
                f"This DICOM file is compressed by {name}, which is not read here; write it uncompressed first "
                "(gdcmconv --raw, or dcmdjpeg of DCMTK)."
            )
        if image.allocated not in (8, 16, 32) or image.parsed.pixels_tag in FLOATS:
            raise InputError("This DICOM file is compressed in a way that is not read here; write it uncompressed first.")
        options: dict[str, Any] = {
            "rows": image.rows,
            "columns": image.columns,
            "number_of_frames": len(image.frames),
            "samples_per_pixel": 1,
            "bits_allocated": image.allocated,
            "bits_stored": image.stored,
            "pixel_representation": int(image.signed),
            "photometric_interpretation": "MONOCHROME2",
            "pixel_keyword": "PixelData",
        }
        shape = (len(image.frames), image.rows, image.columns)
        try:
            # Not frame by frame: pydicom 3.0 cannot correct the sign of a frame that it has not copied.
            values, _ = decoder.as_array(content, raw=True, **options)
            return np.asarray(values).reshape(shape)
        except Exception:  # whatever a stranger's bytes make a decoder raise, the user reads one sentence
            raise InputError(
                f"The pixels of this DICOM file, compressed by {name}, cannot be unpacked here: they are damaged, or of a "
                "kind that is not read. Write it uncompressed (gdcmconv --raw, or dcmdjpeg of DCMTK)."
            ) from None
