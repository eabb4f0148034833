"""Results on disk: all or nothing."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from gen_core.cells.recipe import Decode
from gen_core.errors import OutputError
from gen_core.result import Notice, Result, new_folder, unique


def result(write: object = None) -> Result:
    return Result(
        recipe=Decode(),
        content=None,
        files={"a.txt": lambda path: path.write_text("a"), "deep/b.txt": write or (lambda path: path.write_text("b"))},
        metrics={"r": np.float32(0.5), "bad": float("nan"), "n": np.int64(3), "none": None},
        baselines={"nothing": {"r": float("inf")}},
        warnings=(Notice("no_truth", "Nothing to compare with."),),
        seconds={"all": 0.1},
    )


def test_save_writes_everything_and_nan_is_null(tmp_path: Path) -> None:
    result().save(tmp_path / "out")
    assert (tmp_path / "out/deep/b.txt").read_text() == "b"
    said = json.loads((tmp_path / "out/result.json").read_text())
    assert said["metrics"] == {"r": 0.5, "bad": None, "n": 3, "none": None}
    assert said["baselines"] == {"nothing": {"r": None}}
    assert said["files"] == ["a.txt", "deep/b.txt"]
    assert said["warnings"][0]["code"] == "no_truth"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_leaves_nothing_behind_and_the_old_result_as_it_was(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        result(full).save(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    result().save(tmp_path / "out")
    with pytest.raises(OutputError, match="disk is full"):
        result(full).save(tmp_path / "out", force=True)
    assert (tmp_path / "out/deep/b.txt").read_text() == "b"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_error_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails(path: Path) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        result(fails).save(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_refused_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="not empty"):
        result().save(tmp_path / "out")
    assert (tmp_path / "out/mine.txt").read_text() == "precious"
    result().save(tmp_path / "out", force=True)
    assert not (tmp_path / "out/mine.txt").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"), new_folder(tmp_path / "file"):
        pass


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    result().save(tmp_path / "out")
    assert (tmp_path / "out/recipe.json").is_file()


def test_unique_keeps_order() -> None:
    a, b = Notice("a", "x"), Notice("b", "y")
    assert unique([b, a, b]) == (b, a)
