"""Texts in HDF5 files are checked before HDF5 follows its references to them, in every version of the format."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from gen_core.inputs.hdf5 import open_hdf5
from gen_core.inputs.hdf5_values import attribute, attribute_texts, read_text
from tests.test_hdf5 import TEXT, made, plain, refused


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_million_references_to_one_long_text_are_refused(tmp_path: Path, compression: str | None) -> None:
    path, long = tmp_path / "a.h5", "x" * 30_000

    def fill(file: h5py.File) -> None:
        file.create_dataset("one", data=np.array([long], dtype=object), dtype=TEXT)
        file.create_dataset("names", (100_000,), TEXT, chunks=(100_000,) if compression else None, compression=compression)
        reference = file["one"].id.get_offset()
        file.flush()
        raw = path.read_bytes()[reference : reference + 16]
        assert struct.unpack("<I", raw[:4])[0] == len(long)
        if compression:
            file["names"].id.write_direct_chunk((0,), zlib.compress(raw * 100_000))
        else:
            file["names"][:] = "y"

    made(path, fill)
    if not compression:
        with h5py.File(path) as file:
            one, names = file["one"].id.get_offset(), file["names"].id.get_offset()
        content = bytearray(path.read_bytes())
        content[names : names + 1_600_000] = content[one : one + 16] * 100_000
        path.write_bytes(content)
    tracemalloc.start()
    assert "take 2.8 GiB; at most 1 GiB" in refused(path)
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()


def heap(content: bytearray, text: bytes) -> int:
    """Where the size of `text` stands in the heap that holds it."""
    return content.index(text + bytes(-len(text) % 8), content.index(b"GCOL")) - 8


@pytest.mark.parametrize("where", ["attribute", "list", "text", "packed_text", "scalar_text", "records"])
@pytest.mark.parametrize("size", [2**64 - 16, 2**64 - 1, 2**63, 3000, 1, 0])
def test_a_wrong_size_in_a_heap_neither_loops_nor_overruns(tmp_path: Path, where: str, size: int) -> None:
    """HDF5 2.0 itself goes round for ever on the first of these sizes, and copies as many bytes as the heap says."""
    text = "a word that stands here once only"

    def fill(file: h5py.File) -> None:
        plain(file)
        if where == "attribute":
            file.attrs["word"] = text
        elif where == "list":
            file.attrs["word"] = ["x", text]
        elif where == "records":
            file["word"] = np.array([(1, "x", text)], dtype=[("n", "i1"), ("s", TEXT), ("t", TEXT)])
        elif where == "scalar_text":
            file["word"] = text
        else:
            packer = "gzip" if where == "packed_text" else None
            file.create_dataset("word", data=np.array(["x", text], dtype=object), dtype=TEXT, compression=packer)

    path = made(tmp_path / "a.h5", fill)
    with open_hdf5(path):
        pass
    content = bytearray(path.read_bytes())
    at = heap(content, text.encode())
    assert content[at : at + 8] == struct.pack("<Q", len(text))
    content[at : at + 8] = struct.pack("<Q", size)
    path.write_bytes(content)
    assert "damaged" in refused(path)


@pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])
def test_files_of_every_version_of_hdf5_are_read(tmp_path: Path, libver: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=(libver, "latest"), track_order=True) as file:
        plain(file)
        for i in range(6):
            file["uns"].attrs[f"a{i}"] = f"text {i}" * 50
        file["uns"].attrs["list"] = [f"x{i}" for i in range(900)]
    with open_hdf5(tmp_path / "a.h5") as file:
        assert attribute(file["uns"], "a5") == "text 5" * 50
        assert attribute_texts(file["uns"], "list") == [f"x{i}" for i in range(900)]
        assert read_text(file["uns/deep/lzf_text"], "x").tolist() == ["a", "é", ""] * 900
