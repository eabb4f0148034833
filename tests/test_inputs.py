"""What a file is told by its bytes; archives are read within their budgets, whatever they claim."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import os
import random
import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_core.errors import InputError
from gen_core.inputs import HEAD, head, human_size, markup_root, read_limited, sniff
from gen_core.inputs.archive import gunzip_limited, open_zip, read_member

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'
PROLOG = b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD" "http://x" [<!ENTITY a "b">]>\n'

ENDLESS = 30  # seconds of the processor's time, a hundred times what any of these takes: what grows with a square is above it


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


NIFTI = struct.pack("<i", 348) + b"\0" * 340 + b"n+1\0" + b"\0" * 4
NIFTI2 = struct.pack(">i", 540) + b"n+2\0\r\n\x1a\n" + b"\0" * 532
KINDS = [
    ("hdf5", b"\x89HDF\r\n\x1a\n\0\0"),
    ("hdf5", b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n\0\0"),
    ("png", b"\x89PNG\r\n\x1a\n\0\0"),
    ("jpeg", b"\xff\xd8\xff\xe0"),
    ("gif", b"GIF87a"),
    ("gif", b"GIF89a"),
    ("tiff", b"II*\0\x08\0\0\0"),
    ("tiff", b"MM\0*\0\0\0\x08"),
    ("tiff", b"II+\0\x08\0\0\0"),
    ("npy", npy(np.arange(3))),
    ("npz", zipped({"a.npy": b"", "b.npy": b""})),
    ("zarr", zipped({".zgroup": b"{}", "x/.zarray": b""})),
    ("zarr", zipped({"zarr.json": b"{}"})),
    ("zip", zipped({"a.npy": b"", "b.txt": b""})),
    ("zip", zipped({})),
    ("zip", b"PK\x03\x04 and then nothing of a zip"),
    ("parquet", b"PAR1\x15\x04"),
    ("nifti", NIFTI),
    ("nifti", NIFTI2),
    ("nifti", gzip.compress(NIFTI + b"\0" * 9999, mtime=0)),
    ("gzip", gzip.compress(b"text", mtime=0)),
    ("gzip", b"\x1f\x8b\x08 and then nothing of gzip"),
    ("dicom", b"\0" * 128 + b"DICM\2\0"),
    ("dicom", b"II*\0".ljust(128, b"\0") + b"DICM\2\0"),
    ("svg", SVG),
    ("svg", PROLOG + SVG),
    ("svg", b"<!-- " + b"a licence, " * 2000 + b"-->" + SVG),
    ("svg", b'<?xml version="1.0"?><s:svg xmlns:s="http://www.w3.org/2000/svg"/>'),
    ("html", b"<!DOCTYPE html>\n<html></html>"),
    ("html", b"\n <!-- c --> <HTML lang=en>"),
    ("html", b"<!doctype html><title>x</title>"),
    ("text", b"<xml><svg></svg></xml>"),
    ("json", b'\xef\xbb\xbf {"a": 1}'),
    ("json", b"[1, 2]"),
    ("fasta", b">s1 x\nMKV\n"),
    ("pdb", b"HEADER    HYDROLASE"),
    ("pdb", b"ATOM      1  N   ALA A   1      11.104   6.134  -6.504"),
    ("pdb", b"ATOM  100001  N   ALA A"),
    ("csv", b"HEADER,TITLE\n1,2\n"),
    ("mmcif", b"# made by hand\n#\ndata_1ABC\n_entry.id 1ABC\n"),
    ("csv", b"data_1,data_2\n1,2\n"),
    ("csv", b"gene,x\nA,1\n"),
    ("csv", b"gene\tx\nA\t1\n"),
    ("csv", b"gene;x\nA;1,5\n"),
    ("csv", "größe,x\nä,1\n".encode("latin-1")),
    ("text", b"# STOCKHOLM 1.0\ns1 MKV\n//\n"),
    ("text", b"Dear reader,\nno table here\nat all\n"),
    ("text", b" \n\n"),
    ("empty", b""),
    ("unknown", b"\x00\x01\x02\x03"),
    ("unknown", bytes(range(256))),
]


@pytest.mark.parametrize(("kind", "content"), KINDS)
def test_kinds_by_content_and_not_by_name(kind: str, content: bytes, tmp_path: Path) -> None:
    for name in ("file", "image.png", "table.csv", "data.h5ad"):
        (tmp_path / name).write_bytes(content)
        assert sniff(tmp_path / name) == kind


def test_folders_and_what_is_no_file(tmp_path: Path) -> None:
    assert sniff(tmp_path) == "folder"
    (tmp_path / ".zgroup").write_text("{}")
    assert sniff(str(tmp_path)) == "zarr"
    os.mkfifo(tmp_path / "pipe")
    for read in (sniff, lambda path: read_limited(path, 9), lambda path: gunzip_limited(path, 9), lambda path: head(path, 9)):
        with pytest.raises(InputError, match="not a file"):
            read(tmp_path / "pipe")
        with pytest.raises(InputError, match="There is no file 'missing'"):
            read(tmp_path / "missing")


STARTS = st.tuples(st.sampled_from([content[:99] for _, content in KINDS]), st.binary(max_size=40)).map(b"".join)


@given(st.binary(max_size=600) | STARTS)
@QUICK
def test_any_bytes_are_of_some_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert sniff(tmp_path / "file") in {kind for kind, _ in KINDS}


@pytest.mark.parametrize(
    "content",
    [
        b"<!--" * 50_000,
        b"<!-- -->" * 50_000,
        b"<? ?>" * 50_000,
        b"<!doctype " + b"[" * 90_000,
        b" " * 90_000,
        b"<" * 90_000,
        b"a;" * 90_000,
    ],
)
def test_text_made_to_cost_time_does_not(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    start = time.process_time()
    sniff(tmp_path / "file")
    assert time.process_time() - start < ENDLESS


def test_only_the_start_of_a_large_file_is_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as stream:
        stream.write(b"a,b\n1,2\n" * 1000)
        stream.truncate(1 << 40)  # a file with a hole: a terabyte that takes no room
    start = time.process_time()
    assert sniff(tmp_path / "large") == "csv"
    assert len(head(tmp_path / "large", HEAD)) == HEAD
    with pytest.raises(InputError, match=r"holds 1 TiB; at most 1 MiB"):
        read_limited(tmp_path / "large", 1 << 20)
    assert time.process_time() - start < ENDLESS


def test_limits_are_exact(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert read_limited(tmp_path / "file", 100) == b"x" * 100
    with pytest.raises(InputError, match="holds 100 bytes; at most 99 bytes"):
        read_limited(tmp_path / "file", 99)


def test_markup_root() -> None:
    assert PROLOG[markup_root(PROLOG) :] == b""
    assert markup_root(b"<svg>") == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (10_240, "10 KiB"),
        (1023 * 1024, "1 MiB"),
        (1 << 20, "1 MiB"),
        (int(1.4 * (1 << 30)), "1.4 GiB"),
        (1 << 43, "8 TiB"),
        (1 << 70, "1024 EiB"),
    ],
)
def test_sizes_in_words(size: int, text: str) -> None:
    assert human_size(size) == text


# ---- zip


def opens(path: Path, content: bytes, members: int = 100, total: int = 1 << 30, ratio: int | None = 200) -> dict[str, bytes]:
    path.write_bytes(content)
    with open_zip(path, members, total, ratio) as archive:
        return {name: read_member(archive, name, 1 << 20) for name in archive.namelist()}


NAMES = st.text("abcäø_. -", min_size=1, max_size=9).filter(lambda name: name not in (".", ".."))


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=5), st.sampled_from([0, 8]))
@QUICK
def test_zip_round_trip(tmp_path: Path, members: dict[str, bytes], method: int) -> None:
    assert opens(tmp_path / "file", zipped(members, method)) == members


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "C:\\x", "c:x", "\\\\host\\x", "a\\..\\..\\x", ".."])
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leads out of the archive"):
        opens(tmp_path / "file", zipped({name: b""}))


def test_what_a_zip_may_not_hold(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    encrypted = bytearray(zipped({"a": b"text"}))
    encrypted[encrypted.find(b"PK\1\2") + 8] |= 1
    cases = {
        "a link": stream.getvalue(),
        "encrypted": bytes(encrypted),
        "packed by a method": zipped({"a": b"text"}, zipfile.ZIP_BZIP2),
        "holds 101 members; at most 100": zipped({str(i): b"" for i in range(101)}),
        "damaged": b"PK\3\4 not a zip",
    }
    for sentence, content in cases.items():
        with pytest.raises(InputError, match=sentence):
            opens(tmp_path / "file", content)
    with pytest.raises(InputError, match="unpacks to 300 KiB; at most 200 KiB"):
        opens(tmp_path / "file", zipped({"a": b"x" * 100 * 1024, "b": b"x" * 200 * 1024}), total=200 * 1024)
    with pytest.raises(InputError, match="holds no 'c'"), open_zip(tmp_path / "file", 9, 1 << 20) as archive:
        read_member(archive, "c", 9)


def bomb(size: int) -> bytes:
    """A zip of one member that unpacks to `size` zero bytes, made without holding them."""
    packer, block, crc = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(1 << 20), 0
    parts = []
    for _ in range(size >> 20):
        parts.append(packer.compress(block))
        crc = zlib.crc32(block, crc)
    packed = b"".join(parts) + packer.flush()
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, 1, 0)
    central = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a"
    body = b"PK\3\4" + fields + b"a" + packed
    return body + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(body), 0)


def test_bombs(tmp_path: Path) -> None:
    content = bomb(300 << 20)
    assert len(content) < 1 << 20
    with pytest.raises(InputError, match="made to mislead"):
        opens(tmp_path / "file", content)
    with pytest.raises(InputError, match="unpacks to more than 1 MiB"):  # where the ratio is allowed, the member's limit holds
        opens(tmp_path / "file", content, ratio=None)
    # It says 10 bytes and unpacks to 300 MiB; and it says 10 bytes and holds 5.
    lying = content.replace(struct.pack("<I", 300 << 20), struct.pack("<I", 10))
    short = zipped({"a": b"12345"}).replace(struct.pack("<II", 7, 5), struct.pack("<II", 7, 10))
    start = time.process_time()
    for wrong in (lying, short):
        with pytest.raises(InputError):
            opens(tmp_path / "file", wrong)
    assert time.process_time() - start < ENDLESS


def test_endless_list_of_members_is_not_loaded(tmp_path: Path) -> None:
    entry = b"PK\1\2" + b"\0" * 24 + struct.pack("<H", 60_000) + b"\0" * 16 + b"x" * 60_000
    body = entry * 500  # 30 MB
    content = body + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 500, 500, len(body), 0, 0)
    with pytest.raises(InputError, match="too many members"):
        opens(tmp_path / "file", content)


@pytest.mark.parametrize("content", [zipped({"a": b"text " * 99, "b/c": bytes(range(256))}), bomb(1 << 20)])
def test_damaged_zips(content: bytes, tmp_path: Path) -> None:
    for seed in range(300):
        dice, data = random.Random(seed), bytearray(content)
        for _ in range(dice.choice([1, 1, 5, 30])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        if seed % 5 == 0:
            del data[dice.randrange(len(data)) :]
        with contextlib.suppress(InputError):  # anything else is a failure
            opens(tmp_path / "file", bytes(data))


# ---- gzip


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(0, 600))
@QUICK
def test_gzip_round_trip_of_several_parts(tmp_path: Path, parts: list[bytes], padding: int) -> None:
    whole = b"".join(parts)
    (tmp_path / "file").write_bytes(b"".join(map(gzip.compress, parts)) + b"\0" * padding)
    assert gunzip_limited(tmp_path / "file", len(whole)) == whole
    assert gunzip_limited(tmp_path / "file", 10, cut=True) == whole[:10]
    if whole:
        with pytest.raises(InputError, match="unpacks to more than"):
            gunzip_limited(tmp_path / "file", len(whole) - 1)


def test_gzip_bombs_and_damage(tmp_path: Path) -> None:
    whole = gzip.compress(random.Random(1).randbytes(200_000), mtime=0)
    cases = {
        "cut short": whole[:-9],
        "damaged": whole[:1000] + b"\0" * 50 + whole[1050:],
        "too many parts": gzip.compress(b"", mtime=0) * 100_002,
        "unpacks to more": gzip.compress(bytes(1 << 26), 9, mtime=0),
        "damaged. Copy": whole + b"something else",
    }
    for sentence, content in cases.items():
        (tmp_path / "file").write_bytes(content)
        start = time.process_time()
        with pytest.raises(InputError, match=sentence):
            gunzip_limited(tmp_path / "file", 1 << 20)
        assert time.process_time() - start < 2
    (tmp_path / "file").write_bytes(bz2.compress(b"text"))
    with pytest.raises(InputError, match="damaged"):
        gunzip_limited(tmp_path / "file", 99)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cut short"):
        gunzip_limited(tmp_path / "file", 99)
