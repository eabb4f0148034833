"""Every operation has an example script, and it does what it says."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from gen_core import catalog
from gen_core.proteins import fold

EXAMPLES = Path(__file__).parents[1] / "assets" / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def test_every_operation_has_one() -> None:
    assert {path.stem for path in SCRIPTS} == {operation.name.replace(".", "_") for operation in catalog.OPERATIONS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_leaves_a_result(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if script.stem == "proteins_relax":
        pytest.importorskip("openmm")
    if script.stem == "proteins_fold" and fold.missing() is not None:
        pytest.skip("transformers or the weights of ESMFold are not here")
    out = tmp_path / "out"
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", [str(script), str(out)])
    runpy.run_path(str(script), run_name="__main__")
    recipe = catalog.from_document(json.loads((out / "recipe.json").read_text()))
    assert recipe.operation.replace(".", "_") == script.stem
    assert len(list(out.iterdir())) > 2
