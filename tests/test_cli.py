"""The command line as a lab's scripts use it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gen_core.__main__ import main


def test_list_names_systems_operations_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "cells" in [s["name"] for s in told["systems"]]
    assert {"cells.perturb", "cells.decode"} <= {o["name"] for o in told["operations"]}
    assert "dose" in next(o for o in told["operations"] if o["name"] == "cells.perturb")["fields"]
    assert {"simulated", "kang2018"} <= {d["name"] for d in told["data"]}
    assert main(["list"]) == 0
    assert "cells.perturb" in capsys.readouterr().out
    assert main(["list", "cells.perturb"]) == 0
    assert {"dose", "target"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert main(["list", "cells.nonsense"]) == 2


def test_run_show_and_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "cells.perturb", "--set", "target=B", "--set", "dose=0.5", "--out", str(tmp_path / "a")]) == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path / "a/predicted.h5ad")]) == 0
    assert json.loads(capsys.readouterr().out)["dose"] == 0.5
    assert main(["run", "cells.perturb", "--recipe", str(tmp_path / "a/genes.csv"), "--out", str(tmp_path / "b")]) == 0
    for name in ("recipe.json", "genes.csv", "predicted.h5ad", "held_out.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert main(["run", "cells.decode", "--set", "z=[[1,2]]", "--out", str(tmp_path / "c")]) == 0
    assert (tmp_path / "c/profiles.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "cells.perturb", "--set", "does=1"], "did you mean 'dose'"),
        (["run", "cells.perturb", "--set", "dose"], "KEY=VALUE was expected"),
        (["run", "cells.perturb", "--set", "dose.x=1"], "dose"),
        (["run", "cell.perturb"], "did you mean 'cells.perturb'"),
        (["run", "cells.perturb", "--set", "data=nowhere.h5ad"], "There is no file 'nowhere.h5ad'"),
        (["run", "cells.perturb", "--recipe", "nowhere.json"], "There is no file 'nowhere.json'"),
        (["run", "cells.perturb", "--wrong"], "--wrong"),
        (["run"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *(["--out", str(tmp_path / "out")] if len(arguments) > 1 else [])]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    assert main(["run", "cells.perturb", "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_where_a_result_may_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    toss = ["run", "cells.decode", "--set", "z=[[1,2]]", "--force", "--out"]
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for command in (toss, ["batch", "poisson.solve", "--n", "2", "--out"], ["train", "cells", "--out"]):
        for place in (".", "", "..", "/", str(here)):
            assert main([*command, place]) == 2
            assert "this is where the command runs, or above it" in capsys.readouterr().err
    assert list(tmp_path.rglob("*")) == [here]
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    (real / "old.txt").write_text("replaced")
    link.symlink_to(real)
    assert main([*toss, str(link)]) == 0
    assert link.is_symlink()
    assert (link / "profiles.csv").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "link", "real"]
    assert not (real / "old.txt").exists()


def test_a_name_that_is_too_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "n" * 5_000
    for command in (
        ["run", "cells.decode", "--set", "z=[[1,2]]", "--out", str(tmp_path / long)],
        ["batch", "poisson.solve", "--n", "2", "--out", str(tmp_path / long)],
        ["show", long],
        ["run", "cells.perturb", "--set", f"data=/{long}", "--out", str(tmp_path / "out")],
    ):
        capsys.readouterr()
        assert main(command) == 2
        assert "too long for this system" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    assert main(["show", str(tmp_path / "a.csv")]) == 2
    assert "no recipe" in capsys.readouterr().err


def test_as_a_module_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gen_core", "run", "cells.perturb", "--set", "dose=x", "--out", str(tmp_path / "o")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
