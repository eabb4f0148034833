"""Own hit patterns: what is read, and one sentence for whatever cannot be."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from gen_core.detector.simulate import World, simulate
from gen_core.errors import InputError
from gen_core.inputs.hits import read_hits

HITS = simulate(World(), 100, 1).hits


@pytest.mark.parametrize("dtype", ["u1", "?", "i8", "f4"])
def test_patterns_in_numpy_files(dtype: str, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", hits=HITS.astype(dtype), other=np.zeros(3))
    np.save(tmp_path / "a.npy", HITS.astype(dtype))
    for name in ("a.npz", "a.npy"):
        found = read_hits(tmp_path / name)
        assert found.dtype == np.uint8
        assert np.array_equal(found, HITS)


def test_patterns_in_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("Hits", data=HITS, compression="gzip")
    assert np.array_equal(read_hits(tmp_path / "a.h5"), HITS)


def test_patterns_in_a_group_of_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("evt/raw/hits", data=1 - HITS)
        file.create_dataset("evt/hits", data=HITS)
        file.create_dataset("evt/energy", data=np.ones(3))
    assert np.array_equal(read_hits(tmp_path / "a.h5"), HITS)


def test_patterns_in_root(tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("events", {"hits": ("u1", HITS.shape[1:])}).extend({"hits": HITS})
    assert np.array_equal(read_hits(tmp_path / "a.root"), HITS)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (HITS.reshape(100, -1), "three dimensions"),
        (HITS[0], "three dimensions"),
        (np.uint8(1), "three dimensions"),
        (HITS[:10], "at least 64"),
        (HITS[:, :1], "layers of"),
        (HITS.transpose(0, 2, 1), "events x layers x channels"),
        (2 * HITS, "only 0 and 1"),
        (0.5 * HITS, "only 0 and 1"),
        (np.where(HITS, np.nan, 0), "only 0 and 1"),
        (HITS.astype(complex), "complex"),
        (HITS.astype(str), "no plain numbers"),
        (0 * HITS, "no hit at all"),
        (np.zeros((0, 8, 24)), "empty"),
    ],
)
def test_arrays_that_are_no_patterns(values: np.ndarray, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", hits=values)
    with pytest.raises(InputError, match=said) as error:
        read_hits(tmp_path / "a.npz")
    assert "\n" not in str(error.value)


def test_python_objects_are_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", hits=np.array([{"a": 1}] * 100, object))
    with pytest.raises(InputError, match="Python objects"):
        read_hits(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.npz", b"", "empty"),
        ("a.csv", b"0,1,0\n1,0,0\n", "no hit patterns"),
        ("a.root", b"root" + bytes(200), "ROOT"),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        ("a.npz", b"PK\x03\x04" + bytes(50), "damaged|zip|named"),
    ],
)
def test_files_that_hold_none(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_hits(tmp_path / name)


def test_hdf5_that_holds_nothing_or_claims_too_much(tmp_path: Path) -> None:
    for name, values, said in (("empty", h5py.Empty("f4"), "no plain numbers"), ("large", None, "claims 6 GiB")):
        with h5py.File(tmp_path / name, "w") as file:
            if values is None:  # 1,400 bytes that say they are six gibibytes of zeros
                file.create_dataset("hits", (4 << 20, 4, 48), "f8", chunks=(64, 4, 48))
            else:
                file["hits"] = values
        with pytest.raises(InputError, match=said):
            read_hits(tmp_path / name)


def test_other_names_in_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", tracks=HITS)
    with pytest.raises(InputError, match="named hits"):
        read_hits(tmp_path / "a.npz")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["tracks"] = HITS
        file["hits/inner"] = HITS
    with pytest.raises(InputError, match="no data set hits"):
        read_hits(tmp_path / "a.h5")
