"""DICOM files written from a plain table of elements: explicit little endian, no date, so that the same gives the same bytes."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

from gen_core.inputs.dicom_elements import EXPLICIT

Value = bytes | str | int | float | tuple[float, ...] | list["Table"]
Table = Mapping[int, tuple[str, Value]]
"""Elements by tag: type (VR) and value; a list of tables is a sequence."""

WRITER = "2.25.302043790172249692526321623266752743501"  # names this program as the writer: a number of its own
_LONG = {"OB", "OD", "OF", "OW", "SQ", "UN", "UT"}
_BINARY = {"US": "<H", "SS": "<h", "UL": "<I", "FD": "<d"}


def uid_of(seed: bytes) -> str:
    """An identifier made from bytes: 2.25 and a number of 128 bits (PS3.5, B.2), a UUID of version 8, made by a hash."""
    digest = bytearray(hashlib.sha256(seed).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


def file_of(table: Table, sop_class: str, instance: str) -> bytes:
    """A whole file: 128 zeros, DICM, the file header, and the elements in rising order."""
    meta = elements_of(
        {
            0x00020001: ("OB", b"\0\1"),
            0x00020002: ("UI", sop_class),
            0x00020003: ("UI", instance),
            0x00020010: ("UI", EXPLICIT),
            0x00020012: ("UI", WRITER),
            0x00020013: ("SH", "LATENT_SANDBOX"),
        }
    )
    length = elements_of({0x00020000: ("UL", len(meta))})
    return b"\0" * 128 + b"DICM" + length + meta + elements_of(table)


def elements_of(table: Table) -> bytes:
    return b"".join(_element(tag, *table[tag]) for tag in sorted(table))


def _element(tag: int, kind: str, value: Value) -> bytes:
    content = _content(kind, value)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind.encode()
    if kind in _LONG:
        return head + b"\0\0" + struct.pack("<I", len(content)) + content
    return head + struct.pack("<H", len(content)) + content


def _content(kind: str, value: Value) -> bytes:
    if isinstance(value, list):
        items = [elements_of(item) for item in value]
        return b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
    if isinstance(value, bytes):
        content = value
    elif kind in _BINARY:
        content = struct.pack(_BINARY[kind], value)
    elif isinstance(value, str):
        content = value.encode("ascii", "replace")
    else:
        numbers = value if isinstance(value, tuple) else (value,)
        content = "\\".join(_decimal(number) for number in numbers).encode()
    return content + (b" " if kind not in ("UI", "OB", "OW", "UN") else b"\0") * (len(content) % 2)


def _decimal(number: float) -> str:
    """A decimal (DS) of at most sixteen characters, which ten digits always fit into."""
    text = repr(float(number)).removesuffix(".0")
    return text if len(text) <= 16 else f"{number:.10g}"
