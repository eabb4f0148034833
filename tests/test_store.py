"""The content store: by digest, within its limit, never half a file."""

import errno
import io
from pathlib import Path

import pytest

from gen_core import catalog, datasets, store
from gen_core.errors import InputError, MissingContent, OutputError


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))


def test_same_bytes_same_digest_whatever_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"cells")
    first = store.add(tmp_path / "a.txt")
    assert store.add(io.BytesIO(b"cells"), "../../b.txt") == first
    assert store.find(first).read_bytes() == b"cells"
    assert [e.name for e in store.recent()] == ["b.txt"]
    store.delete(first)
    store.delete(first)
    with pytest.raises(MissingContent, match="drop it here"):
        store.find(first)


def test_paths_in_place_of_digests_find_nothing() -> None:
    for name in ("../../etc/passwd", "sha256:../../etc/passwd", "", "sha256:" + "g" * 64):
        with pytest.raises(MissingContent):
            store.find(name)


def test_files_used_longest_ago_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_STORE_GIB", str(3000 / 1024**3))
    import os

    digests = []
    for i in range(3):
        digests.append(store.add(io.BytesIO(bytes([i]) * 1000), f"{i}"))
        os.utime(store.find(digests[-1]).with_name(digests[-1][7:] + ".json"), (i, i))
    store.find(digests[0])  # used just now
    store.add(io.BytesIO(b"x" * 1000), "new")
    assert {e.name for e in store.recent()} == {"0", "2", "new"}
    with pytest.raises(InputError, match="larger than the store"):
        store.add(io.BytesIO(b"x" * 4000), "huge")
    assert not list((store.home() / "store").glob("*.partial"))


def test_a_full_disk_is_one_sentence_and_leaves_no_half_file() -> None:
    class Full(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        store.add(Full(), "a")
    assert list((store.home() / "store").iterdir()) == []


def test_a_path_is_adopted_and_a_missing_one_told(tmp_path: Path) -> None:
    (tmp_path / "my cells.h5ad").write_bytes(b"x")
    assert catalog.adopt(str(tmp_path / "my cells.h5ad")).startswith("sha256:")
    assert catalog.adopt("simulated") == "simulated"
    assert catalog.adopt(None) is None
    with pytest.raises(InputError, match="There is no file"):
        catalog.adopt("nowhere/cells.h5ad")


def test_a_public_data_set_that_is_not_here_says_where_it_is() -> None:
    with pytest.raises(InputError, match="not on this machine yet"):
        datasets.path_of("kang2018")


def test_what_comes_from_the_network_must_be_what_the_catalogue_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.error
    import urllib.request

    class Answer(io.BytesIO):
        def __enter__(self) -> "Answer":
            return self

    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Answer(b"something else"))
    with pytest.raises(InputError, match="not the file the catalogue names"):
        datasets.fetch("kang2018")
    assert store.recent() == []

    def no_network(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    with pytest.raises(InputError, match="no network"):
        datasets.fetch("kang2018")


def test_bundled_data_sets_are_files_and_say_what_they_are() -> None:
    for data in datasets.DATA:
        if data.path:
            assert datasets.path_of(data.name, data.role).is_file()
        else:
            assert data.url
            assert data.sha256
        assert data.licence
        assert not data.synthetic or "ynthetic" in data.title + data.summary


def test_a_file_that_is_refused_is_not_kept(tmp_path: Path) -> None:
    def refuse(digest: str) -> None:
        raise InputError("no")

    (tmp_path / "rubbish").write_bytes(b"rubbish")
    with pytest.raises(InputError):
        store.add_checked(tmp_path / "rubbish", "rubbish", refuse)
    assert not store.recent()
    digest = store.add_checked(tmp_path / "rubbish", "rubbish", lambda digest: None)
    with pytest.raises(InputError):  # what was kept before stays
        store.add_checked(tmp_path / "rubbish", "rubbish", refuse)
    assert [entry.digest for entry in store.recent()] == [digest]
