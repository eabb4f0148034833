"""What the export panel hands out makes the same result again, and what is dropped on the app opens its page."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.parts import export
from gen_core import catalog
from gen_core.cells.recipe import Perturb
from gen_core.result import Result
from tests.app.running import app

ROOT = Path(__file__).parents[2]
RECIPE = Perturb(data="simulated", target="T helper", predictor="no_change", sources=("B", "Monocyte"), dose=1.5, seed=3)


def test_the_snippet_runs_and_makes_the_same_recipe(tmp_path: Path) -> None:
    _run([sys.executable, "-c", export.snippet(RECIPE)], tmp_path)
    assert _made(tmp_path) == RECIPE.replace(**_filled(tmp_path))


def test_the_command_line_runs_and_makes_the_same_recipe(tmp_path: Path) -> None:
    command = export.command(RECIPE).replace("python", sys.executable, 1)
    _run(["sh", "-c", command], tmp_path)
    assert _made(tmp_path) == RECIPE.replace(**_filled(tmp_path))


def test_a_snippet_names_what_was_chosen_and_nothing_else() -> None:
    text = export.snippet(Perturb(dose=2.0))
    assert re.findall(r"^    (\w+)=", text, re.MULTILINE) == ["seed", "model", "data", "dose"]


def test_a_shell_sees_awkward_names_as_they_are() -> None:
    recipe = Perturb(target='it\'s $HOME; rm -rf / "x" &', condition_key="null")
    printed = export.command(recipe).replace("python -m gen_core run", "printf '%s\\n'", 1)
    done = subprocess.run(["sh", "-c", printed], capture_output=True, text=True, check=True)
    settings = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert settings["target"] == recipe.target
    assert settings["condition_key"] == '"null"'


def test_a_zip_of_everything_is_the_same_bytes_for_the_same_result() -> None:
    result = Result(RECIPE, None, {}, {"r": 0.5})
    files = {"b.csv": lambda: b"1,2\n", "a/c.npz": lambda: b"PK"}
    assert export.everything(result, files) == export.everything(result, dict(reversed(files.items())))


def test_a_figure_becomes_a_page_that_loads_nothing_and_carries_the_recipe(tmp_path: Path) -> None:
    import plotly.graph_objects as go

    path = tmp_path / "map.html"
    export.write_figure(path, lambda: go.Figure(go.Scatter(x=[1], y=[2])), RECIPE, dark=True)
    assert catalog.from_file(path) == RECIPE
    head, script, tail = re.split(r"(<script.*</script>)", path.read_text(), maxsplit=1, flags=re.DOTALL)
    assert "src=" not in re.sub(r"<script[^>]*>.*?</script>", lambda m: m[0].split(">", 1)[0], script, flags=re.DOTALL)
    assert not re.search("<link|@import|https?:", head + tail)


def test_a_link_is_the_page_and_the_whole_recipe() -> None:
    def script() -> None:
        import streamlit as st

        from app.parts import link
        from gen_core.cells.recipe import Perturb

        link.share(Perturb(data="sha256:" + "0" * 64))
        st.text(link.address(Perturb()))

    at = app(script).run()
    assert not at.exception
    assert "drop the same file" in at.caption[0].value
    query = at.text[0].value.split("?", 1)[1]
    assert catalog.from_query(query, "cells.perturb") == Perturb()


def dropping() -> None:
    from app.parts import open_file

    open_file.drop("here")


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Where the app was sent: (page, dose in the link)."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr("app.parts.cache.instruments", lambda: [catalog.system("cells")])
    monkeypatch.setattr("streamlit.switch_page", lambda page, query_params: sent.append((page, query_params["dose"])))
    return sent


def test_a_dropped_file_opens_its_page_and_can_be_dropped_again(switched: list[tuple[str, str]]) -> None:
    at = app(dropping).run()
    for times in (1, 2):
        at.file_uploader[0].upload("recipe.json", RECIPE.json().encode(), "").run()
        assert switched == [("instruments/cells.py", "1.5")] * times
        assert at.file_uploader[0].value is None


def test_of_a_zip_of_several_runs_one_is_chosen(switched: list[tuple[str, str]]) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for folder, dose in (("1-cells-perturb", 0.5), ("2-b", 0.75)):
            archive.writestr(f"{folder}/recipe.json", RECIPE.replace(dose=dose).json())
        archive.writestr("3-damaged/recipe.json", "{")
        archive.writestr("report.html", "")
    at = app(dropping).run()
    at.file_uploader[0].upload("runs.zip", zipped.getvalue(), "").run()
    assert not at.exception
    assert not switched
    assert "2 results" in at.selectbox[0].label
    assert at.selectbox[0].options == ["1-cells-perturb", "2-b"]
    at.selectbox[0].select("1-cells-perturb").run()
    at.selectbox[0].select("2-b").run()  # and another one
    assert switched == [("instruments/cells.py", "0.5"), ("instruments/cells.py", "0.75")]
    at.file_uploader[0].upload("recipe.json", RECIPE.json().encode(), "").run()
    assert not at.selectbox


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"gene,x\nA,1\n", "no recipe"),
        ("recipe.json", b'{"operation": "cells.perturb", "dose": "x"}', "dose"),
        ("recipe.json", b'{"operation": "stars.fold"}', "no operation"),
        ("../../etc/passwd", b"\x00\x01\x02", "."),
        ("empty.png", b"", "empty"),
        ("a.zip", b"PK\x03\x04 and no more", "."),
    ],
)
def test_a_wrong_file_is_one_sentence(name: str, content: bytes, words: str, switched: list[tuple[str, str]]) -> None:
    at = app(dropping).run()
    at.file_uploader[0].upload(name, content, "").run()
    assert not at.exception
    assert len(at.error) == 1
    assert words in at.error[0].value.replace("\\", "")
    assert not switched


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _document(folder: Path) -> dict[str, object]:
    return json.loads((folder / "cells-perturb" / "recipe.json").read_text())


def _made(folder: Path) -> object:
    return catalog.from_document(_document(folder))


def _filled(folder: Path) -> dict[str, object]:
    """Fields that the run itself filled in where the recipe left them open (guessed columns)."""
    return {name: value for name, value in _document(folder).items() if getattr(RECIPE, name, 0) is None}


def test_files_of_one_folder_are_one_row(tmp_path: Path) -> None:
    files = {f"structures/s{i}.pdb": lambda i=i: b"ATOM %d\n" % i for i in range(200)} | {"a.csv": lambda: b"1\n"}  # type: ignore[misc]
    found = export.rows(files, RECIPE)
    assert list(found) == ["structures.zip", "a.csv"]
    make, told = found["structures.zip"]
    assert told == "200 files: PyMOL, ChimeraX, Mol*"
    assert make() == export.rows(dict(reversed(files.items())), RECIPE)["structures.zip"][0]()
    path = tmp_path / "structures.zip"
    path.write_bytes(make())
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 201
        assert archive.read("structures/s7.pdb") == b"ATOM 7\n"
    assert catalog.from_file(path) == RECIPE
