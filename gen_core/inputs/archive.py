"""Zip and gzip files that a stranger made: what they claim is checked before they are read, and again while they are.

A zip of a few kilobytes can unpack to terabytes, and a member's name can lead out of the folder it is unpacked to.
Nothing is ever unpacked to disk here: members come back as bytes, each under a limit of its own.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gen_core.errors import InputError
from gen_core.inputs import human_size, opened

MAX_RATIO = 200  # unpacked to packed; measured data stay far below it
RATIO_FROM = 256 << 20  # bytes unpacked below which the ratio does not matter: an empty mask packs 1000 to 1
ENTRY = 320  # bytes of the list of members that one member may take, on average
BLOCK = 1 << 16
MAX_GZIP_PARTS = 100_000  # bgzip makes one part of every 64 KiB

_DAMAGED = "This zip file is damaged or cut short. Copy or download it again."
# What zipfile lets through on damaged files, aside from its own BadZipFile; a compression it does not know is a RuntimeError.
RAISES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, LookupError, OverflowError)


class _Guarded(io.FileIO):
    """A file that refuses a single read larger than `cap`: zipfile would load a list of members of any length."""

    cap: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if self.cap is not None and wanted > self.cap:
            raise InputError("This zip file holds too many members to be read here; pack fewer files into it.")
        return super().read(size) or b""


@contextmanager
def open_zip(path: str | Path, max_members: int, max_total: int, max_ratio: int | None = MAX_RATIO) -> Iterator[zipfile.ZipFile]:
    """A zip file whose list of members was checked; no member is read for that, so use `read_member` for each.

    Raises InputError where it is no zip or damaged, has more than `max_members`, unpacks to more than `max_total` bytes or
    to more than `max_ratio` times its packed size (None: any), is encrypted, packed otherwise than by deflate, or where a
    member is a link or its name leads out of the archive.
    """
    with opened(path):  # says in a sentence what is wrong with the path itself
        pass
    with _Guarded(path) as stream:
        stream.cap = max_members * ENTRY + BLOCK + 1024  # the end of a zip is looked for in its last 64 KiB
        try:
            archive = zipfile.ZipFile(stream)
        except RAISES:
            raise InputError(_DAMAGED) from None
        stream.cap = None
        with archive:
            _check_members(archive.infolist(), max_members, max_total, max_ratio)
            yield archive


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """One member, unpacked, of at most `limit` bytes: counted while it is unpacked, whatever size it declares.

    Raises InputError where there is no such member, it is larger, or it is damaged (its checksum is checked).
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise InputError(f"This zip file holds no {name!r}.") from None
    large = InputError(f"A file inside this zip unpacks to more than {human_size(limit)}, which is more than is read here.")
    if info.file_size > limit:
        raise large
    blocks, total = [], 0
    try:
        with archive.open(info) as stream:
            while block := stream.read(BLOCK):
                total += len(block)
                if total > limit:
                    raise large
                blocks.append(block)
    except RAISES:
        raise InputError(_DAMAGED) from None
    if total != info.file_size:
        raise InputError(_DAMAGED)
    return b"".join(blocks)


def gunzip_limited(path: str | Path, limit: int, cut: bool = False) -> bytes:
    """The content of a gzip file (of several parts, too) of at most `limit` bytes.

    Raises InputError where it unpacks to more, is damaged or cut short. With `cut` the first `limit` bytes come back
    instead, and a file that ends early gives what is there.
    """
    blocks: list[bytes] = []
    total, parts, inflater = 0, 0, zlib.decompressobj(31)
    with opened(path) as stream:
        packed = stream.read(BLOCK)
        while packed and total <= limit:
            try:
                block = inflater.decompress(packed, limit + 1 - total)
            except zlib.error:
                raise InputError("This gzip file is damaged. Copy or download it again.") from None
            blocks.append(block)
            total += len(block)
            packed = inflater.unconsumed_tail or inflater.unused_data.lstrip(b"\0")  # zeros may fill up a tape's block
            if inflater.eof and (packed := packed or stream.read(BLOCK).lstrip(b"\0")):
                inflater, parts = zlib.decompressobj(31), parts + 1
                if parts > MAX_GZIP_PARTS:
                    raise InputError("This gzip file consists of too many parts; pack it again in one.")
            packed = packed or stream.read(BLOCK)
    if cut:
        return b"".join(blocks)[:limit]
    if total > limit:
        raise InputError(f"This gzip file unpacks to more than {human_size(limit)}, which is more than is read here.")
    if not inflater.eof:
        raise InputError("This gzip file is cut short. Copy or download it again.")
    return b"".join(blocks)


def _check_members(members: list[zipfile.ZipInfo], max_members: int, max_total: int, max_ratio: int | None) -> None:
    if len(members) > max_members:
        raise InputError(f"This zip file holds {len(members):,} members; at most {max_members:,} are read here.")
    total = packed = 0
    for info in members:
        total, packed = total + info.file_size, packed + info.compress_size
        if info.flag_bits & 1:
            raise InputError("This zip file is encrypted; pack it again without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError("This zip file is packed by a method that is not read here; pack it again as a plain zip (deflate).")
        if _leads_out(info.filename):
            raise InputError("A name inside this zip file leads out of the archive; pack it again with plain relative names.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError("This zip file holds a link to another file; pack the files themselves.")
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise InputError(_DAMAGED)
    if total > max_total:
        raise InputError(f"This zip file unpacks to {human_size(total)}; at most {human_size(max_total)} are read here.")
    if max_ratio is not None and total > RATIO_FROM and total > max_ratio * packed:
        sizes = f"{human_size(total)} from {human_size(packed)}"
        raise InputError(f"This zip file unpacks to {sizes}: it was made to mislead and was not read.")


def _leads_out(name: str) -> bool:
    """Whether a member's name is absolute, on a drive, or climbs out of the folder; both kinds of slash count."""
    parts = re.split(r"[/\\]", name)
    return not name or parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name) is not None or "\0" in name


def pack(parts: Iterable[tuple[str, bytes]]) -> io.BytesIO:
    """Members by name as a zip that is the same for the same members, not packed any further."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), data)
    content.seek(0)
    return content
