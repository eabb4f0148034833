"""HDF5 files made by strangers: every one is read or refused in a sentence, and none takes more memory than it should."""

from __future__ import annotations

import resource
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gen_core.errors import InputError
from gen_core.inputs import hdf5, hdf5_values
from gen_core.inputs.hdf5 import MAX_OBJECTS, open_hdf5
from gen_core.inputs.hdf5_values import attribute, read_text, read_values

TEXT = h5py.string_dtype()


def made(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def refused(path: Path) -> str:
    """The sentence with which a file is refused; the test fails where it is not, or not in one line."""
    with pytest.raises(InputError) as caught, open_hdf5(path) as file:
        file.visititems(lambda name, node: node[()] if isinstance(node, h5py.Dataset) else None)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 300
    return text


def plain(file: h5py.File) -> None:
    group = file.create_group("uns/deep")
    group["numbers"] = np.arange(50_000)
    group.create_dataset("packed", data=np.arange(50_000), compression="gzip", shuffle=True, fletcher32=True)
    group.create_dataset("lzf", data=np.zeros(50_000), compression="lzf")
    group.create_dataset("text", data=np.array(["a", "é", ""] * 900, dtype=object), dtype=TEXT)
    group.create_dataset("packed_text", data=np.array(["a", "é", ""] * 900, dtype=object), dtype=TEXT, compression="gzip")
    group.create_dataset(
        "lzf_text", data=np.array(["a", "é", ""] * 900, dtype=object), dtype=TEXT, compression="lzf", shuffle=True
    )
    group["fixed"] = np.array([b"ab", b"\xff"])
    group["records"] = np.array([(1, "x"), (2, "yz")], dtype=[("n", "i4"), ("s", TEXT)])
    group["scalar"], group["flag"] = 3.5, np.array([True, False])
    group["nothing"] = h5py.Empty("f4")
    group["again"] = group["numbers"]  # a second hard link to the same numbers does no harm
    group["soft"] = h5py.SoftLink("/uns/deep/numbers")
    file.attrs["encoding-type"], file.attrs["many"] = "anndata", ["a", "b"]


def test_ordinary_files_are_read(tmp_path: Path) -> None:
    with open_hdf5(made(tmp_path / "a.h5", plain)) as file:
        group = file["uns/deep"]
        for name in ("text", "packed_text", "lzf_text"):
            assert read_values(group[name], name).tolist() == ["a", "é", ""] * 900
        assert read_values(group["fixed"], "fixed").tolist() == ["ab", "\ufffd"]
        assert read_values(group["records"], "records", "s").tolist() == ["x", "yz"]
        assert read_values(group["records"], "records", "n").tolist() == [1, 2]
        assert (read_values(group["packed"], "packed") == np.arange(50_000)).all()
        assert read_text(group["flag"], "flag").tolist() == ["True", "False"]
        assert attribute(file, "encoding-type") == "anndata"
        assert attribute(file, "many") is None
        assert attribute(file, "absent", 7) == 7


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = made(tmp_path / "a.h5", plain).read_bytes()
    for length in [0, 1, 7, 8, 20, 95, 96, 511, 700, *range(1000, len(whole), len(whole) // 60), len(whole) - 1]:
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        refused(tmp_path / "cut.h5")


def test_a_cut_file_is_told_how_much_is_missing(tmp_path: Path) -> None:
    whole = made(tmp_path / "a.h5", plain).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[:10_000])
    assert f"10,000 of {len(whole):,} bytes" in refused(tmp_path / "cut.h5")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04" + b"0" * 99, b"\x1f\x8b" + b"0" * 99, b"<b>hello</b>", b"\x89HDF\r\n\x1a\n" + b"\xff" * 999]
)
def test_what_is_no_hdf5_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    refused(tmp_path / "a.h5")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.h5")
    refused(tmp_path)


def claims(file: h5py.File) -> None:
    file.create_dataset("X", shape=(1_000_000, 1_000_000), dtype="f8")


def claims_packed(file: h5py.File) -> None:
    file.create_dataset("X", shape=(1_000_000, 1_000_000), dtype="f8", chunks=(1000, 1000), compression="gzip")


def claims_partly(file: h5py.File) -> None:
    claims_packed(file)
    file["X"][:1000, :1000] = 1


def claims_text(file: h5py.File) -> None:
    file.create_dataset("X", shape=(1 << 40,), dtype=TEXT, chunks=(1 << 20,))


def huge_chunk(file: h5py.File) -> None:
    file.create_dataset("X", shape=(10,), maxshape=(None,), dtype="f8", chunks=(1 << 27,), compression="gzip")


def external_link(file: h5py.File) -> None:
    file["obs"] = h5py.ExternalLink("/etc/passwd", "/x")


def external_storage(file: h5py.File) -> None:
    file.create_dataset("X", shape=(100,), dtype="u1", external=[("/etc/passwd", 0, 100)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(100,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(100,))
    file.create_virtual_dataset("X", layout)


def soft_loop(file: h5py.File) -> None:
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")


def soft_to_itself(file: h5py.File) -> None:
    file.create_group("uns")["self"] = h5py.SoftLink("/uns")


def hard_loop(file: h5py.File) -> None:
    file.create_group("uns")["root"] = file["/"]


def doubling(file: h5py.File) -> None:  # two links at each of 15 levels: 32,768 ways to the last group
    group = file
    for _ in range(15):
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def deep(file: h5py.File) -> None:
    file.create_group("/".join("g" * 40))


def wide(file: h5py.File) -> None:
    file["x"] = np.arange(3)
    for i in range(MAX_OBJECTS):
        file.id.links.create_hard(f"x{i}".encode(), file.id, b"x")


def references(file: h5py.File) -> None:
    file["X"] = np.array([file.ref], dtype=h5py.ref_dtype)


def ragged(file: h5py.File) -> None:
    file.create_dataset("X", (3,), dtype=h5py.vlen_dtype(np.int32))


def packed_twice(file: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1000,))
    plist.set_deflate(9)
    plist.set_deflate(9)
    h5py.h5d.create(file.id, b"X", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((1000,)), plist)


def other_filter(file: h5py.File) -> None:
    file.create_dataset("X", data=np.arange(100.0), chunks=(100,), scaleoffset=2)


HOSTILE = [
    *(claims, claims_packed, claims_partly, claims_text, huge_chunk, external_link, external_storage, virtual),
    *(soft_loop, soft_to_itself, hard_loop, doubling, deep, wide, references, ragged, packed_twice, other_filter),
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_files_are_refused_without_reading_them(tmp_path: Path, hostile: Callable[[h5py.File], object]) -> None:
    path = made(tmp_path / "a.h5", hostile)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_the_sentence_says_what_is_claimed(tmp_path: Path) -> None:
    assert "claims 7.3 TiB, of which 0 bytes" in refused(made(tmp_path / "a.h5", claims))
    assert "'/obs' points into another file" in refused(made(tmp_path / "b.h5", external_link))


def test_a_piece_that_unpacks_to_more_than_it_should_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5's own filter would grow its buffer to whatever the packed bytes hold."""
    monkeypatch.setattr(hdf5, "BOMB", 1 << 24)

    def small(file: h5py.File) -> None:
        dataset = file.create_dataset("X", (1000,), "u1", chunks=(1000,), compression="gzip")
        dataset.id.write_direct_chunk((0,), zlib.compress(bytes(50 << 20), 9))

    assert "unpacks to more" in refused(made(tmp_path / "a.h5", small))

    def large(file: h5py.File) -> None:  # packed bytes of a plausible length, for a chunk of 4 MiB
        dataset = file.create_dataset("X", (4 << 20,), "u1", chunks=(4 << 20,), compression="gzip")
        dataset.id.write_direct_chunk((0,), zlib.compress(bytes(40 << 20), 9))

    assert "unpacks to more" in refused(made(tmp_path / "b.h5", large))

    def honest(file: h5py.File) -> None:
        file.create_dataset(
            "X", data=np.random.default_rng(0).integers(0, 255, 4 << 20, dtype="u1"), chunks=(4 << 20,), compression="gzip"
        )

    with open_hdf5(made(tmp_path / "c.h5", honest)) as file:
        assert file["X"][-1] >= 0


def test_a_damaged_piece_is_found_on_reading(tmp_path: Path) -> None:
    def damaged(file: h5py.File) -> None:
        dataset = file.create_dataset("X", (1000,), "u1", chunks=(1000,), compression="gzip")
        dataset.id.write_direct_chunk((0,), b"not deflate at all")

    assert "damaged" in refused(made(tmp_path / "a.h5", damaged))


def test_a_file_that_counts_by_other_numbers_of_bytes_is_refused(tmp_path: Path) -> None:
    plist = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    plist.set_sizes(4, 4)
    h5py.h5f.create(bytes(tmp_path / "a.h5"), h5py.h5f.ACC_TRUNC, plist).close()
    assert "unusual way" in refused(tmp_path / "a.h5")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        h5py.h5g.create(file.id, b"caf\xe9")

    assert "not UTF-8 text ('café')" in refused(made(tmp_path / "a.h5", fill))


def test_columns_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.h5", plain)
    monkeypatch.setattr(hdf5_values, "LIMIT", 2000)
    with open_hdf5(path) as file:
        for name in ("numbers", "text", "packed_text"):
            with pytest.raises(InputError):
                read_values(file[f"uns/deep/{name}"], name)


def test_faults_of_our_own_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_hdf5(made(tmp_path / "a.h5", plain)):
        {}["absent"]
    with pytest.raises(ZeroDivisionError), open_hdf5(tmp_path / "a.h5"):
        _ = 1 / 0


def test_names_from_the_file_stay_short_and_on_one_line(tmp_path: Path) -> None:
    def named(file: h5py.File) -> None:
        file["<script>\n" + "x" * 5000] = h5py.ExternalLink("a", "b")

    assert "\\n" in refused(made(tmp_path / "a.h5", named))
