"""Recipes in pictures: PNG (a text chunk), GIF (a comment), TIFF (the description). The pixels' bytes are not touched."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gen_core.errors import OutputError
from gen_core.inputs import opened
from gen_core.recipe import Recipe, dumps
from gen_core.stamp.common import LIMIT, STEPS, Cursor, Edit, damaged, is_recipe, plain, splice, start_of, text_of

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

# ---- PNG: a tEXt chunk with the key `recipe`, the first chunk after the header (PNG specification, 11.3.3)

_PNG_START = 8  # bytes of the signature
_KEY = b"recipe\0"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")


def png_info(recipe: Recipe) -> PngInfo:
    """What Pillow's `save(pnginfo=…)` takes to write the recipe into a PNG file."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("recipe", text_of(recipe))
    return info


def write_png(path: Path, recipe: Recipe) -> None:
    edits: list[Edit] = []
    with opened(path) as stream:
        chunks = list(_chunks(stream))
        for at, kind, length in chunks:
            if kind in _TEXT and _value(stream, at, length).startswith(_KEY):
                edits.append((at, at + length + 12, b""))
    if not chunks or chunks[0][1] != b"IHDR":
        raise damaged("PNG file")
    after = chunks[0][0] + chunks[0][2] + 12
    body = b"tEXt" + _KEY + text_of(recipe).encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    splice(path, [*edits, (after, after, chunk)])


def read_png(path: Path) -> str | None:
    with opened(path) as stream:
        for at, kind, length in _chunks(stream):
            if kind in _TEXT:
                stream.seek(at + 8)
                if stream.read(len(_KEY)) == _KEY:
                    return _png_text(kind, _value(stream, at, length)[len(_KEY) :])
    return None


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    """Offset, type and length of each chunk, up to the last one; their content is skipped, not read."""
    at, kind = _PNG_START, b""
    end = stream.seek(0, 2)
    for _ in range(STEPS):
        stream.seek(at)
        start = stream.read(8)
        if len(start) < 8:
            raise damaged("PNG file")
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if at + length + 12 > end:
            raise damaged("PNG file")
        yield at, kind, length
        if kind == b"IEND":
            return
        at += length + 12


def _value(stream: BinaryIO, at: int, length: int) -> bytes:
    """A chunk's content, after its checksum was checked; empty where it is too long to hold a recipe."""
    if length > LIMIT:
        return b""
    stream.seek(at + 4)
    body = stream.read(length + 4)
    if zlib.crc32(body) != int.from_bytes(stream.read(4), "big"):
        raise damaged("PNG file")
    return body[4:]


def _png_text(kind: bytes, value: bytes) -> str:
    """The text after the key; editors write the chunk anew as compressed or international text."""
    packed = kind == b"zTXt"
    if kind == b"zTXt":
        value = value[1:]
    elif kind == b"iTXt":
        parts = value[2:].split(b"\0", 2)  # language, translated key, text
        packed, value = value[:1] == b"\1", parts[-1] if len(parts) == 3 else b""
    if packed:
        inflater = zlib.decompressobj()
        try:
            value = inflater.decompress(value, LIMIT)
        except zlib.error:
            raise damaged("PNG file") from None
    return plain(value)


# ---- GIF: a comment extension before the first picture (GIF89a, 24)


def write_gif(path: Path, recipe: Recipe) -> None:
    """Add the comment behind the loop count, which some players want to be the first thing in the file."""
    edits: list[Edit] = [(0, 6, b"GIF89a")]  # comments came with this version; all else is the same
    data = start_of(path)
    at = _gif_blocks_start(data)
    for start, stop, label, content in _gif_extensions(data):
        if label == 0xFF and start == at:
            at = stop
        elif label == 0xFE and is_recipe(plain(content)):
            edits.append((start, stop, b""))
    text = text_of(recipe).encode("ascii")
    parts = [text[i : i + 255] for i in range(0, len(text), 255)]
    new = b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    splice(path, [*edits, (at, at, new)])


def read_gif(path: Path) -> str | None:
    contents = (content for _, _, label, content in _gif_extensions(start_of(path)) if label == 0xFE)
    return next((plain(content) for content in contents if content[:1] == b"{"), None)


def _gif_blocks_start(data: bytes) -> int:
    """Where the blocks begin: after the screen's size and the global colour table."""
    flags = Cursor(data).take(13)[10]
    return 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def _gif_extensions(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Start, stop, label and content of each extension before the first picture."""
    cursor = Cursor(data, _gif_blocks_start(data))
    while True:
        start = cursor.at
        if cursor.take(1) != b"\x21":
            return
        label = cursor.take(1)[0]
        parts: list[bytes] = []
        while size := cursor.take(1)[0]:
            parts.append(cursor.take(size))
        yield start, cursor.at, label, b"".join(parts)


# ---- TIFF: ImageDescription (tag 270) of the first page, whose list of tags is written anew at the end of the file

_DESCRIPTION = 270
_MAX_TAGS = 4096


def tiff_description(recipe: Recipe) -> str:
    """The ImageDescription that carries the recipe: its JSON, in which tifffile does not see a description of its own.

    tifffile takes a JSON text with the characters `"shape":` for the shape of the picture, and `"mibi.` for a microscope's;
    an escaped letter keeps the value and hides the characters.
    """
    return text_of(recipe).replace('"shape":', '"\\u0073hape":').replace('"mibi.', '"\\u006dibi.')


def write_tiff(path: Path, recipe: Recipe) -> None:
    """Add the recipe to the description; one that is there (the shape of a stack, ImageJ's) stays readable as it was."""
    with opened(path) as stream:
        tiff = _Tiff(stream)
    which = next((i for i, text in tiff.texts.items() if _carried(text) is not None), None)
    if which is None:
        which = next((i for i, text in tiff.texts.items() if text.startswith("{")), next(iter(tiff.texts), None))
    splice(path, tiff.with_description(which, _described(tiff.texts.get(which, "") if which is not None else "", recipe)))


def read_tiff(path: Path) -> str | None:
    with opened(path) as stream:
        texts = _Tiff(stream).texts.values()
    return next((found for text in texts if (found := _carried(text)) is not None), None)


class _Tiff:
    """The first page's list of tags. `texts` are its descriptions by their place in it: tifffile may write two."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.size = stream.seek(0, 2)
        start = self.bytes_at(0, 8)
        self.order = "<" if start[:2] == b"II" else ">"
        self.big = 43 in start[2:4]
        self.word = "Q" if self.big else "I"  # how offsets and counts are stored
        self.width = 8 if self.big else 4
        at = self.number(self.width, self.word)
        many, first = (self.number(at, "Q"), at + 8) if self.big else (self.number(at, "H"), at + 2)
        if many > _MAX_TAGS:
            raise damaged("TIFF file")
        step = 4 + 2 * self.width
        raw = self.bytes_at(first, many * step + self.width)
        self.entries = [raw[i * step : (i + 1) * step] for i in range(many)]
        self.next = raw[many * step :]  # where the next page's list is
        self.texts = {i: self.text(entry) for i, entry in enumerate(self.entries) if self.tag(entry) == _DESCRIPTION}

    def bytes_at(self, at: int, size: int) -> bytes:
        if at + size > self.size:
            raise damaged("TIFF file")
        self.stream.seek(at)
        return self.stream.read(size)

    def number(self, at: int, code: str) -> int:
        return int(struct.unpack(self.order + code, self.bytes_at(at, struct.calcsize(code)))[0])

    def tag(self, entry: bytes) -> int:
        return int(struct.unpack(self.order + "H", entry[:2])[0])

    def text(self, entry: bytes) -> str:
        """A description; empty where it is too long to be read or is not text."""
        _, kind, count, at = struct.unpack(self.order + "HH" + 2 * self.word, entry)
        if kind not in (1, 2, 7) or count > LIMIT:
            return ""
        content = entry[-self.width :][:count] if count <= self.width else self.bytes_at(at, count)
        return content.rstrip(b"\0").decode("utf-8", "surrogateescape")

    def with_description(self, which: int | None, text: str) -> list[Edit]:
        """The edits that set description number `which`, or add one. Offsets of everything else stay the same."""
        content = text.encode("utf-8", "surrogateescape") + b"\0"
        start = self.size + self.size % 2  # a list of tags begins at an even offset
        many = len(self.entries) + (which is None)
        end = start + (8 if self.big else 2) + many * (4 + 2 * self.width) + self.width
        if not self.big and end + len(content) >= 1 << 32:
            raise OutputError("This TIFF file has reached the 4 GiB that the format allows; write it as BigTIFF.")
        entry = struct.pack(self.order + "HH" + 2 * self.word, _DESCRIPTION, 2, len(content), end)
        entries = [entry if i == which else old for i, old in enumerate(self.entries)]
        if which is None:
            at = next((i for i, old in enumerate(entries) if self.tag(old) > _DESCRIPTION), len(entries))
            entries.insert(at, entry)  # tags stand in rising order
        listed = struct.pack(self.order + ("Q" if self.big else "H"), many) + b"".join(entries) + self.next
        pointer = struct.pack(self.order + self.word, start)
        return [
            (self.width, 2 * self.width, pointer),
            (self.size, self.size, b"\0" * (start - self.size) + listed + content),
        ]


def _described(old: str, recipe: Recipe) -> str:
    """`old` with the recipe in it: as a key of its JSON, as a line of ImageJ's list, else as a last line."""
    new = tiff_description(recipe)
    document = _json(old)
    if document is not None and "shape" in document and "operation" not in document:
        document.pop("recipe", None)
        return json.dumps(document)[:-1] + f', "recipe": {new}}}'
    lines = [line for line in old.splitlines() if not line.startswith("recipe=")]
    if not any(lines) or is_recipe(old):
        return new
    if old.rstrip().endswith("OME>"):
        raise OutputError("The description of an OME-TIFF is XML of its own, so no recipe can be written into it.")
    return "\n".join([*lines, f"recipe={new}", ""])


def _carried(text: str) -> str | None:
    """The recipe's JSON in a description, or None."""
    document = _json(text)
    if document is not None:
        inner = document.get("recipe")
        if "operation" in document:
            return text
        return dumps(inner) if isinstance(inner, dict) else None
    return next((line[7:] for line in text.splitlines() if line.startswith("recipe=")), None)


def _json(text: str) -> dict[str, object] | None:
    try:
        document = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
