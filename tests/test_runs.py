"""Kept results: what is kept comes back as it was, and a damaged folder hurts nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gen_core import runs
from gen_core.cells.recipe import Perturb
from gen_core.errors import InputError, OutputError
from gen_core.result import Result

ROOT = Path(__file__).parents[1]
PICTURE = json.dumps({"data": [{"type": "scatter", "x": [1], "y": [2]}], "layout": {}})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    return tmp_path


def result(dose: float = 1.5) -> Result:
    return Result(Perturb(dose=dose), None, {"genes.csv": lambda path: path.write_text("gene\nISG15\n") and None}, {"r2": 0.5})


def test_a_kept_run_comes_back_as_it_was() -> None:
    assert runs.listed() == []
    id = runs.keep(result(), PICTURE, "  First\ntry ")
    (run,) = runs.listed()
    assert (run.id, run.name, run.recipe, run.problem) == (id, "First try", result().recipe, None)
    assert run.metrics == {"r2": 0.5}
    assert run.picture() == PICTURE
    assert run.size == sum(path.stat().st_size for path in run.folder.iterdir())
    assert {path.name for path in run.folder.iterdir()} == {
        *("genes.csv", "recipe.json", "result.json", "run.json", "picture.json")
    }
    assert runs.kept(result().recipe) == [id]
    assert runs.kept(result(2.0).recipe) == []


def test_the_newest_comes_first_and_a_new_name_changes_nothing_else() -> None:
    first, second = runs.keep(result(1.0)), runs.keep(result(2.0))
    before = {run.id: run for run in runs.listed()}
    runs.rename(first, "<b>é</b>\x00" + "x" * 1000)
    after = {run.id: run for run in runs.listed()}
    assert list(after) == [second, first]
    assert after[first].when == before[first].when
    assert after[first].name.startswith("<b>é</b> xxx")
    assert len(after[first].name) == runs.MAX_NAME
    assert after[second] == before[second]


def test_a_deleted_run_is_gone_with_its_files(home: Path) -> None:
    id = runs.keep(result(), PICTURE)
    runs.delete(id)
    runs.delete(id)
    assert runs.listed() == []
    assert not list((home / "runs").iterdir())
    with pytest.raises(InputError, match="no such run"):
        runs.rename(id, "x")


def test_a_figure_too_large_is_left_out() -> None:
    runs.keep(result(), '"' + "x" * runs.MAX_PICTURE + '"')
    (run,) = runs.listed()
    assert run.picture() is None


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"\xff\xfe", b'{"operation": "stars.fold"}', b'{"operation": "cells.perturb", "dose": "x"}', b"9" * (1 << 20)],
)
def test_a_damaged_run_says_so_beside_the_others(document: bytes) -> None:
    whole, damaged = runs.keep(result(1.0)), runs.keep(result(2.0))
    folder = runs.path_of(damaged)
    for name in ("recipe.json", "result.json", "run.json"):
        (folder / name).write_bytes(document)
    told = {run.id: run for run in runs.listed()}
    assert told[whole].problem is None
    assert told[damaged].recipe is None
    assert "run" in str(told[damaged].problem)
    assert told[damaged].metrics == {}
    for name in ("recipe.json", "result.json", "run.json"):
        (folder / name).unlink()
    assert "damaged" in str({run.id: run for run in runs.listed()}[damaged].problem)
    runs.delete(damaged)
    assert [run.id for run in runs.listed()] == [whole]


def test_what_is_no_run_is_not_listed(home: Path) -> None:
    (home / "runs" / ".half.partial").mkdir(parents=True)
    (home / "runs" / "notes.txt").write_text("mine")
    assert runs.listed() == []


def test_a_finished_folder_is_adopted_whole(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    result().save(folder)
    assert runs.adopt(folder, "j" * 24) == runs.path_of("j" * 24)
    assert not folder.exists()
    (run,) = runs.listed()
    assert run.recipe == result().recipe


@pytest.mark.parametrize("id", ["", "..", "../store", "a/b", "x" * 15, "x" * 97, "\n" * 20, "/etc/" + "x" * 20])
def test_an_id_is_checked(id: str) -> None:
    for ask in (runs.path_of, runs.delete, lambda id: runs.rename(id, "x")):
        with pytest.raises(InputError, match="no such run"):
            ask(id)


def test_a_full_disk_leaves_nothing(home: Path) -> None:
    script = (
        "from gen_core import runs; from tests.job_steps import no_room; from tests.test_runs import result\n"
        "from gen_core.errors import OutputError\n"
        "with no_room():\n"
        "    try: runs.keep(result())\n"
        "    except OutputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stdout.strip().splitlines()) == 1
    assert not list((home / "runs").iterdir())


def test_where_nothing_can_be_written_it_is_said(home: Path) -> None:
    (home / "runs").write_text("a file where the folder should be")
    with pytest.raises(OutputError):
        runs.keep(result())
