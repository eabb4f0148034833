"""A good file made bad, as disks, careless programs and strangers do it: the same seed gives the same bytes.

Bits are flipped, files cut, blocks doubled, swapped and taken out, numbers made 0, negative or the largest there are, words made
markup, paths, NUL, endless or UTF-16. What is packed is unpacked first and packed again with right checksums, since damage
inside a zip, a gzip, a PNG or a MATLAB file would else never get past the checksum; an HDF5 file is edited as HDF5 as well.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

import h5py
import numpy as np

from gen_core.inputs import archive

MOST = 1 << 20  # bytes of a mutated file
MARKUP = "<img src=x onerror=alert(1)>"
WORDS = (
    *(MARKUP, "<script>alert(1)</script>", "](javascript:alert(1))", "$\\href{javascript:alert(1)}{x}$", "&lt;b&gt;", "{{7*7}}"),
    *(
        "../../../../tmp/out",
        "/etc/passwd",
        "..\\..\\out",
        "C:\\out",
        "file:///etc/passwd",
        "\\\\host\\share",
        "a/../../b",
        "~",
        ".",
    ),
    *(
        "\\ud800",
        "\\u0000",
        "%ED%A0%80",
        "%00",
        "%3Cimg%20src%3Dx%3E",
        '\\"',
        "\0",
        "a\0b",
        "\x1b[31m",
        "\u202egnp.exe",
        "\ufeff",
    ),
    *("\u2028", "\ud800", "😀" * 50, "é" * 300, "A" * 5000, " ", "", "\n", "\r"),
    *("=1+1", "@SUM(A1)", "-", "nan", "inf", "-inf", "1e999", "-1e999", "1e-999", "1e308", "0", "-0", "-1", "1_0", "0x10", "٣"),
    *("9" * 20, "9" * 400, "-" + "9" * 25, "2147483648", "4294967295", "9223372036854775808", "True", "None", "null", "NA", "?"),
)
NAMES = (
    *(MARKUP + ".png", "../../x", "/tmp/x", "..\\..\\x", "C:x", "a/../../x", "./", "", " ", "a" * 300, "\u202egnp.exe"),
    *("x/" * 50, "recipe.json", "recipe.npy", ".zattrs", "zarr.json", ".zgroup", "matrix.mtx", "barcodes.tsv", "image.npy"),
)  # fmt: skip
_NUMBER, _WORD = re.compile(rb"-?\d+(?:\.\d+)?"), re.compile(rb"[A-Za-z_][\w./-]*")
_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
Step = Callable[[bytes, random.Random], bytes]


def mutated(content: bytes, seed: str, others: Sequence[bytes] = ()) -> bytes:
    """`content` after one to six steps; `others` are good files of other formats that may be joined to it."""
    dice = random.Random(seed)
    for i in range(dice.choice((1, 1, 1, 2, 3, 6))):
        # HDF5 is edited by its library while it is whole: it must be the reader that meets the damage, not this.
        content = _step(content, dice, 0, whole=i == 0)[:MOST]
    if others and dice.random() < 0.02:
        other = dice.choice(list(others))
        content = dice.choice((content + other, other[: dice.choice((8, 64, 512))] + content, content[:64] + other))
    return content[:MOST]


def _step(content: bytes, dice: random.Random, depth: int, whole: bool = False) -> bytes:
    """One change, inside what is packed where it can be."""
    if depth < 3 and dice.random() < 0.75:
        for start, inside in _PACKED.items():
            if content.startswith(start):
                with contextlib.suppress(*_UNPACKING):
                    return inside(content, dice, depth, whole)
        if whole and content.startswith(b"\x89HDF") and dice.random() < 0.6:
            with contextlib.suppress(*_UNPACKING):
                return _hdf5(content, dice)
    steps = _ANY if _TEXT.search(content[:1000]) or dice.random() < 0.3 else _OF_TEXT
    return dice.choice(steps)(content, dice)


# ---- bytes


def _place(content: bytes, dice: random.Random) -> int:
    """A place in the file: headers stand at its start, lists of parts at its end."""
    size = max(len(content), 1)
    start = {0: 0, 1: 0, 2: max(size - 600, 0), 3: 0}[kind := dice.randrange(4)]
    return start + dice.randrange(min(size - start, (64, 600, 600, size)[kind]))


def _flip(content: bytes, dice: random.Random) -> bytes:
    out = bytearray(content or b"\0")
    for _ in range(dice.choice((1, 1, 2, 8, 40))):
        out[_place(out, dice)] ^= 1 << dice.randrange(8)
    return bytes(out)


def _other_bytes(content: bytes, dice: random.Random) -> bytes:
    at = _place(content, dice)
    new = dice.choice((dice.randbytes(dice.choice((1, 2, 4, 16))), b"\0" * 8, b"\xff" * 8, b"\xff\xfe", b"\0" * 200))
    return content[:at] + new + content[at + len(new) :]


def _cut(content: bytes, dice: random.Random) -> bytes:
    at = _place(content, dice)
    return content[:at] if dice.random() < 0.8 else content[at:]


def _block(content: bytes, dice: random.Random) -> tuple[int, int]:
    start = _place(content, dice)
    return start, min(start + dice.choice((1, 4, 8, 64, 512, 4096)), len(content))


def _double(content: bytes, dice: random.Random) -> bytes:
    start, stop = _block(content, dice)
    return content[:stop] + content[start:stop] * dice.choice((1, 1, 2, 50)) + content[stop:]


def _take_out(content: bytes, dice: random.Random) -> bytes:
    start, stop = _block(content, dice)
    return content[:start] + content[stop:]


def _swap(content: bytes, dice: random.Random) -> bytes:
    (a, b), (c, d) = sorted((_block(content, dice), _block(content, dice)))
    return content if b > c else content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _whole_number(content: bytes, dice: random.Random) -> bytes:
    """A number where lengths, counts and offsets stand: 0, 1, the largest, a negative one, a little more than it was."""
    width, order = dice.choice((1, 2, 4, 4, 8, 8)), dice.choice(("<", "<", "<", ">"))
    at = _place(content, dice) // width * width if dice.random() < 0.7 else _place(content, dice)
    if at + width > len(content):
        return content
    code, bits = order + {1: "B", 2: "H", 4: "I", 8: "Q"}[width], 8 * width
    (old,) = struct.unpack_from(code, content, at)
    chosen = (0, 1, 2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1, 2**bits - 16, old + 1, old - 1, 2 * old, old << 16, ~old)
    return content[:at] + struct.pack(code, dice.choice(chosen) % 2**bits) + content[at + width :]


def _real_number(content: bytes, dice: random.Random) -> bytes:
    code = dice.choice(("<f", "<d", ">f", ">d"))
    at, new = (
        _place(content, dice) // 4 * 4,
        struct.pack(code, dice.choice((float("nan"), float("inf"), -1e30, 1e38, -0.0, 1e-40))),
    )
    return content[:at] + new + content[at + len(new) :]


# ---- text


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")


def _found(pattern: re.Pattern[bytes], content: bytes, dice: random.Random) -> tuple[int, int] | None:
    at = _place(content, dice)
    found = pattern.search(content, at) or pattern.search(content)
    return found.span() if found else None


def _number_as_text(content: bytes, dice: random.Random) -> bytes:
    """Another number in the place of one; half the time of the same length, so that nothing else moves."""
    if (span := _found(_NUMBER, content, dice)) is None:
        return _flip(content, dice)
    start, stop = span
    if dice.random() < 0.5:
        new = bytes(dice.choice(b"0123456789-.e") for _ in range(stop - start))
    else:
        new = _encoded(dice.choice(WORDS))
    return content[:start] + new + content[stop:]


def _word(content: bytes, dice: random.Random) -> bytes:
    if (span := _found(_WORD, content, dice)) is None:
        return _flip(content, dice)
    new, (start, stop) = _encoded(dice.choice(WORDS)), span
    if dice.random() < 0.3:
        new = (new + b" " * (stop - start))[: stop - start]
    return content[:start] + new + content[stop:]


def _lines(content: bytes, dice: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
    act = dice.randrange(7)
    if act == 0:
        lines[i:i] = [lines[j]] * dice.choice((1, 20, 2000))
    elif act == 1:
        del lines[i]
    elif act == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif act == 3:
        lines[i] = lines[i] * dice.choice((2, 200))
    elif act == 4:
        lines[i] = dice.choice((b"", b" ", b"#", b">", b"//", b"\t", b'"', b"'", b";", b",,,,", b"loop_", b"data_", b"_x"))
    elif act == 5:
        lines[i] = _encoded(dice.choice(WORDS)) + lines[i]
    else:
        lines[i] = lines[i].replace(b",", b"\t").replace(b" ", b"\xa0")
    return b"\n".join(lines)[:MOST]


def _other_letters(content: bytes, dice: random.Random) -> bytes:
    """The whole file in another encoding, or with other line ends."""
    text = content.decode("latin-1")
    return dice.choice((
        text.encode("utf-16"), text.encode("utf-16-be"), b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n"),
        content.replace(b"\n", b"\r"), content.replace(b" ", b"\0"), text.upper().encode("latin-1", "replace"), content + b"\x1a",
    ))  # fmt: skip


def _nested(content: bytes, dice: random.Random) -> bytes:
    """Brackets, quotes and tags without end."""
    at, times = _place(content, dice), dice.choice((20, 2_000, 60_000))
    return (
        content[:at]
        + dice.choice((b"[", b'{"a":', b"(", b'"', b"<g>", b"{", b"[1,", b"'", b"<!--", b"\\")) * times
        + content[at:]
    )


# ---- what is packed


def _zip(content: bytes, dice: random.Random, depth: int, whole: bool) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info), info.external_attr) for info in archive.infolist()]
    i = dice.randrange(len(members))
    name, data, mode = members[i]
    act = dice.randrange(16)
    if act < 8:
        members[i] = (name, _step(data, dice, depth + 1, whole), mode)
    elif act == 8:
        members[i] = (dice.choice(NAMES) if dice.random() < 0.5 else dice.choice(NAMES) + name, data, mode)
    elif act == 9:
        members.append((name, dice.choice(members)[1], mode))
    elif act == 10:
        del members[i]
    elif act == 11:
        members[i] = (name, b"/etc/passwd", 0o120777 << 16)  # a link
    elif act == 12:
        members[i] = (name, dice.choice(members)[1], mode)
    elif act == 13:
        members[i] = (name, data[: len(data) // 2] + bytes(dice.choice((1 << 12, 1 << 22))), mode)
    elif act == 14:
        members += [(f"{k}/{dice.choice(NAMES)}{name}", b"" if k % 2 else data[:500], mode) for k in range(dice.choice((3, 300)))]
    else:
        members[i] = (name, content, mode)  # the archive inside itself
    return packed(members)


def packed(members: Sequence[tuple[str, bytes, int]]) -> bytes:
    """A zip of members (name, content, attributes); whatever the names, and at no time of day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data, mode in members:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename, info.external_attr, info.compress_type = name, mode, zipfile.ZIP_DEFLATED
            archive.fp is not None and archive.NameToInfo.pop(name, None)  # a name may come twice, without a warning
            archive.writestr(info, data, compresslevel=1)
    return out.getvalue()


def _gzip(content: bytes, dice: random.Random, depth: int, whole: bool) -> bytes:
    plain = _step(gzip.decompress(content), dice, depth + 1, whole)
    again = gzip.compress(plain, 1, mtime=0)
    return dice.choice((again, again, again, again + again, again + b"\0" * 100, gzip.compress(again, 1, mtime=0)))


def _png(content: bytes, dice: random.Random, depth: int, whole: bool) -> bytes:
    """Another chunk, with its right checksum."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += length + 12
    i, act = dice.randrange(len(chunks)), dice.randrange(8)
    kind, data = chunks[i]
    if act < 4:
        if kind == b"IDAT" and dice.random() < 0.7:
            data = zlib.compress(_step(zlib.decompress(data), dice, 9))
        chunks[i] = (kind, dice.choice((_flip, _whole_number, _other_bytes, _cut))(data, dice))
    elif act == 4:
        chunks[i:i] = [chunks[dice.randrange(len(chunks))]] * dice.choice((1, 100))
    elif act == 5:
        del chunks[i]
    elif act == 6:
        keys = (
            b"tEXt",
            b"zTXt",
            b"iTXt",
            b"iCCP",
            b"eXIf",
            b"acTL",
            b"fcTL",
            b"tRNS",
            b"PLTE",
            b"gAMA",
            b"sRGB",
            b"bKGD",
            b"pHYs",
        )
        body = dice.choice((b"recipe\0", b"Comment\0\0", b"x\0\0\0\0\0", b"")) + _encoded(dice.choice(WORDS))
        chunks.insert(i, (dice.choice(keys), dice.choice((body, body + zlib.compress(bytes(1 << 20)), dice.randbytes(30)))))
    else:
        chunks[i] = (bytes(dice.choice(b"IDATPLTEtRNSacTLx") for _ in range(4)), data)
    return content[:8] + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)


def _matlab(content: bytes, dice: random.Random, depth: int, whole: bool) -> bytes:
    kind, size = struct.unpack_from("<II", content, 128)
    if kind != 15:
        raise ValueError("not packed")
    inside = zlib.compress(_step(zlib.decompress(content[136 : 136 + size]), dice, 9))
    return content[:128] + struct.pack("<II", 15, len(inside)) + inside + content[136 + size :]


def _json(content: bytes, dice: random.Random, depth: int, whole: bool) -> bytes:
    """A document that is still JSON, with another value, a field too many or one too few."""
    document = json.loads(content)
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key, act = dice.choice(keys), dice.randrange(6)
        if isinstance(at[key], dict | list) and at[key] and act < 4:
            at = at[key]
            continue
        if act == 0 and isinstance(at, dict):
            at[dice.choice(WORDS)] = at[key]
        elif act == 1:
            del at[key]
        else:
            at[key] = dice.choice((*WORDS, *_JSON, [at[key]] * dice.choice((0, 2, 3000)), {"a": at[key]}))
        return json.dumps(document, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")


_JSON: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    2**64,
    -(2**63),
    10**400,
    1e308,
    -1e-320,
    0.5,
    [],
    {},
    [None],
    [[0]],
    "sha256:" + "0" * 64,
)


def _hdf5(content: bytes, dice: random.Random) -> bytes:
    """One object or attribute of an HDF5 file made something else, by the library itself: whole, and not what is expected."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        found: list[str] = []
        file.visit(found.append)
        name = dice.choice(found)
        act, node = dice.randrange(6), file[name]
        attributes = dict(node.attrs)
        if act == 0:
            node.attrs[dice.choice([*attributes, "shape", "encoding-type"])] = dice.choice(_VALUES)
        elif act == 1 and attributes:
            del node.attrs[dice.choice(list(attributes))]
        else:
            del file[name]
            if act == 2:
                links = (h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink("/" + name), h5py.SoftLink(dice.choice(found)))
                file[name] = dice.choice((*links, h5py.SoftLink("../../x"), h5py.ExternalLink("../../x.h5", "/X")))
            elif act == 3:
                wide = dice.choice(((0,), (1 << 40,), (1 << 20, 1 << 20), (3, 0, 3), (1,) * 8))
                kind = dice.choice(("f4", "i8", "u1", h5py.string_dtype(), "S5", "f2", "c16", "?"))
                new = file.create_dataset(name, wide, kind, chunks=tuple(max(1, min(side, 64)) for side in wide), maxshape=wide)
                new.attrs.update(attributes)
            elif act == 4:
                file[name] = dice.choice(_VALUES)
                file[name].attrs.update(attributes)
    return stream.getvalue()


_VALUES: tuple[object, ...] = (
    *(0, -1, 2**63 - 1, float("nan"), 1e300, MARKUP, "../../x", "A" * 5000, "", True, "csr_matrix", "categorical", "array"),
    *(np.array([0, 10**12]), np.array([10**12, 10**12]), np.array([-1, 5]), np.zeros((2, 2, 2)), np.array([np.nan, np.inf] * 40)),
    *(np.array([b"<b>x</b>", b"\xff\xfe", b""] * 20), np.zeros(60, "i8"), np.zeros(0), np.array([(1, 2.0)] * 60, "i4,f4")),
    *(
        np.arange(60)[::-1],
        np.full(61, 2**31, "u8"),
        np.array(["a", "b"], h5py.string_dtype()),
        h5py.Empty("f4"),
        np.zeros((60, 40)),
    ),
)
_UNPACKING = (*archive.RAISES, TypeError)
_PACKED = {b"{": _json, b"PK": _zip, b"\x1f\x8b": _gzip, b"\x89PNG": _png, b"MATLAB": _matlab}
_ANY: tuple[Step, ...] = (_flip, _flip, _other_bytes, _cut, _double, _take_out, _swap, *[_whole_number] * 4, _real_number, _word)
_ANY += (_number_as_text, _number_as_text, _lines, _nested)
_OF_TEXT: tuple[Step, ...] = (*[_number_as_text] * 4, *[_word] * 3, *[_lines] * 3, _other_letters, _nested, _flip, _cut, _double)
