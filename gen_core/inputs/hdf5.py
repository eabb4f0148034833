"""Open an HDF5 file that a stranger made: everything it claims is checked against its real size before a value is read.

HDF5 lets a small file claim terabytes, point into other files, call for plug-ins and contain itself. None of that is
needed for measured data, so all of it is refused here, in one sentence, and the readers behind stay simple.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from h5py import h5d, h5g, h5l, h5o, h5s, h5t, h5z

from gen_core.errors import InputError
from gen_core.inputs import human_size, opened
from gen_core.inputs.hdf5_texts import Texts, shown

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 20_000  # groups and data sets; a table of 5,000 categorical columns holds 15,000
MAX_DEPTH = 16
MAX_BYTES = 1 << 40  # unpacked, all data sets together
MAX_CHUNK = 1 << 29  # HDF5 unpacks a whole chunk to read one number of it
SLACK = 1 << 20  # what a data set may claim without anything stored for it: HDF5 leaves out what is all zero
LZF = 32000
# The most that one stored byte can unpack to. Deflate: 258 bytes from 2 bits; LZF: 264 bytes from 3 bytes.
RATIO = {h5z.FILTER_DEFLATE: 1032, LZF: 88}
PLAIN = (h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)
BOMB = 1 << 31  # chunks that could unpack to more than this are unpacked once in small steps to see that they do not

_HDF5_SAYS = re.compile(r"synchronously|Unable to |Can't |HDF5")


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """The file at `path`, opened to read after its whole structure was checked; no data are read for that.

    Raises InputError where the file is not HDF5, cut short or damaged, refers to other files, contains itself, uses
    filters or types that measured data do not need, or claims more than its size can hold. What HDF5 itself raises
    inside the `with` block (a damaged chunk is only found on reading) becomes an InputError as well.
    """
    size = _check_start(path)
    try:
        # No lock is taken: it fails on read-only and network file systems, and nothing is written.
        file = h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(_why_not_opened(error, size)) from None
    try:
        with file:
            _walk(file, Path(path), size)
            yield file
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, KeyError | ValueError | TypeError) and not _HDF5_SAYS.search(str(error)):
            raise  # a fault of ours, not of the file
        raise InputError("This HDF5 file is damaged: a part of it cannot be read. Copy or export it again.") from None


def _check_start(path: str | Path) -> int:
    """The file's size, once its first bytes are those of HDF5."""
    with opened(path) as stream:
        size, start = os.fstat(stream.fileno()).st_size, stream.read(24)
    if not size:
        raise InputError("This file is empty; an HDF5 file (.h5ad, .h5) was expected.")
    if not start.startswith(SIGNATURE):
        raise InputError("This is not an HDF5 file (.h5ad, .h5): its first bytes are not those of HDF5.")
    return size


def _why_not_opened(error: Exception, size: int) -> str:
    text = str(error)
    if whole := re.search(r"stored_eof = (\d+)", text):
        return f"This HDF5 file is cut short: {size:,} of {int(whole[1]):,} bytes are there. Copy or download it again."
    if "consistency flags" in text or "already open" in text:
        return "This HDF5 file was not closed by the program that wrote it; write it again, or run h5clear -s on it."
    return "This HDF5 file is damaged: its header cannot be read. Copy or export it again."


def _walk(file: h5py.File, path: Path, size: int) -> None:
    """Look at every object once and refuse what is not plain data; `size` is the file's, in bytes."""
    if file.id.get_create_plist().get_sizes() != (8, 8):
        raise InputError("This HDF5 file counts its bytes in an unusual way (not by 8 bytes); write it again with anndata.")
    with opened(path) as stream:
        _walk_groups(file, path, size, Texts(stream.fileno(), size))


def _walk_groups(file: h5py.File, path: Path, size: int, texts: Texts) -> None:
    groups: list[tuple[Any, str, int]] = [(file.id, "", 0)]
    texts.check_attributes(file.id, "/")
    seen = {h5o.get_info(file.id).addr}
    objects = claimed = 0
    while groups:
        group, where, depth = groups.pop()
        objects += group.get_num_objs()
        if objects > MAX_OBJECTS:
            raise InputError(
                f"This HDF5 file holds more than {MAX_OBJECTS:,} groups and data sets; keep only the columns that are needed."
            )
        for link, kind in _links(group):
            name = f"{where}/{_utf8(link)}"
            if kind == h5l.TYPE_EXTERNAL or kind not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
                raise InputError(f"{shown(name)} points into another file; save the data as one file that holds everything.")
            node = _open(group, link, name, kind)
            texts.check_attributes(node, name)
            if isinstance(node, h5d.DatasetID):
                claimed += _check_dataset(node, name, path, size)
                texts.check_dataset(node, name)
                if claimed > MAX_BYTES:
                    raise InputError(
                        f"This HDF5 file unpacks to more than {MAX_BYTES >> 30:,} GiB, which is more than can be read."
                    )
            elif isinstance(node, h5g.GroupID):
                address = h5o.get_info(node).addr
                if kind == h5l.TYPE_SOFT or address in seen:
                    raise InputError(
                        f"{shown(name)} is a second link to a group, so that the file contains itself; save it without links."
                    )
                if depth >= MAX_DEPTH:
                    raise InputError(f"This HDF5 file nests groups more than {MAX_DEPTH} deep, which no single-cell file does.")
                seen.add(address)
                groups.append((node, name, depth + 1))
            else:
                raise InputError(f"{shown(name)} is a type without data; save the file again without it.")


def _utf8(name: bytes) -> str:
    try:
        return name.decode("utf8")
    except UnicodeDecodeError:
        raise InputError(
            f"This HDF5 file holds a name that is not UTF-8 text ({shown(name.decode('latin1'))}); rename it."
        ) from None


def _links(group: Any) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    group.links.iterate(lambda name, info: found.append((name, info.type)), info=True)
    return found


def _open(group: Any, link: bytes, name: str, kind: int) -> Any:
    try:
        return h5o.open(group, link)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        if kind == h5l.TYPE_SOFT:
            raise InputError(f"{shown(name)} is a link that leads nowhere; save the file without links.") from None
        raise InputError(f"This HDF5 file is damaged: {shown(name)} cannot be read. Copy or export it again.") from None


def _check_dataset(node: Any, name: str, path: Path, size: int) -> int:
    """The bytes that a data set claims, once they are plausible for what is stored of it."""
    plist = node.get_create_plist()
    layout = plist.get_layout()
    if layout == h5d.VIRTUAL or plist.get_external_count():
        raise InputError(f"The data set {shown(name)} lies in another file; save the data as one file that holds everything.")
    kind = node.get_type()
    if not (_plain(kind) and _known_to_numpy(kind)):
        raise InputError(f"The data set {shown(name)} holds neither numbers nor text; remove it, or save it as numbers or text.")
    ratio, deflate = _filters(plist, name)
    space = node.get_space()
    simple = space.get_simple_extent_type() != h5s.NULL
    claimed = int(space.get_simple_extent_npoints()) * int(kind.get_size()) if simple else 0
    stored = claimed if layout == h5d.COMPACT else int(node.get_storage_size())
    if stored > size or claimed > stored * ratio + SLACK:
        raise InputError(
            f"The data set {shown(name)} claims {human_size(claimed)}, of which {human_size(min(stored, size))} are stored: "
            "the file is damaged or was made to mislead; export it again."
        )
    if layout == h5d.CONTIGUOUS and stored and (node.get_offset() or 0) + stored > size:
        raise InputError(f"This HDF5 file is cut short: {shown(name)} ends beyond its last byte. Copy or download it again.")
    if layout == h5d.CHUNKED:
        chunk = int(kind.get_size())
        for length in plist.get_chunk():
            chunk *= int(length)
        if chunk > MAX_CHUNK:
            raise InputError(
                f"The data set {shown(name)} is stored in pieces of more than {MAX_CHUNK >> 20} MiB; save it with smaller chunks."
            )
        if ratio > 1:
            _check_chunks(node, name, path, size, chunk, ratio, deflate)
    return claimed


def _plain(kind: Any, depth: int = 0) -> bool:
    """Numbers, text, booleans, and records of those; no references and no lists of varying length."""
    family = kind.get_class()
    if family in (h5t.INTEGER, h5t.FLOAT, h5t.BITFIELD, h5t.ENUM, h5t.OPAQUE, h5t.STRING):
        return True
    if depth > 3:
        return False
    if family == h5t.ARRAY:
        return kind.get_super().get_class() in (h5t.INTEGER, h5t.FLOAT)
    return family == h5t.COMPOUND and all(_plain(kind.get_member_type(i), depth + 1) for i in range(kind.get_nmembers()))


def _known_to_numpy(kind: Any) -> bool:
    try:
        return kind.dtype is not None
    except (TypeError, ValueError, RuntimeError):  # numbers of 200 bits, names of fields that are not text
        return False


def _filters(plist: Any, name: str) -> tuple[int, bool]:
    """How many bytes one stored byte may unpack to, and whether by deflate."""
    codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    for code in codes:
        if code not in RATIO and code not in PLAIN:
            raise InputError(
                f"The data set {shown(name)} is packed by HDF5 filter {code}, which is not read here; save it with gzip or lzf."
            )
    packers = [code for code in codes if code in RATIO]
    if len(packers) > 1 or (packers and [code for code in codes if code != h5z.FILTER_FLETCHER32][-1] != packers[0]):
        raise InputError(f"The data set {shown(name)} is compressed more than once; save it with gzip or lzf.")
    return (RATIO[packers[0]], packers[0] == h5z.FILTER_DEFLATE) if packers else (1, False)


def _check_chunks(node: Any, name: str, path: Path, size: int, chunk: int, ratio: int, deflate: bool) -> None:
    """Refuse chunks that unpack to more than the file says: the filters would fill the memory before HDF5 finds out."""
    large: list[tuple[int, int]] = []
    wrong = InputError(
        f"The data set {shown(name)} is damaged or was made to mislead: a piece of it unpacks to more than it should."
    )

    def look(info: Any) -> bool | None:
        if info.size > chunk + chunk // 8 + 4096 or info.byte_offset + info.size > size:
            return True  # a packed chunk is never much longer than the plain one
        if info.size * ratio > BOMB:
            large.append((info.byte_offset, info.size))
        return None

    if node.chunk_iter(look):
        raise wrong
    with open(path, "rb") as stream:
        for offset, length in large:
            stream.seek(offset)
            if not deflate or _inflated(stream.read(length), chunk) > chunk:
                raise wrong


def _inflated(packed: bytes, limit: int) -> int:
    """Bytes that `packed` inflates to, counted in small steps, and no further than just beyond `limit`."""
    stream, total = zlib.decompressobj(), 0
    try:
        while packed and not stream.eof and total <= limit:
            total += len(stream.decompress(packed, 1 << 22))
            packed = stream.unconsumed_tail
    except zlib.error:
        return limit + 1
    return total
