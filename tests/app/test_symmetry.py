"""What the symmetry page calls networks of one's own, and what it goes on with when another question is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.instruments.symmetry_controls import of_own
from app.instruments.symmetry_views import in_words
from gen_core import catalog, checkpoint
from gen_core.symmetry import modelfile, plots, question
from gen_core.symmetry.recipe import Needed, Recover, Rotate


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))


def test_networks_of_ones_own_have_names_of_their_own_and_no_sentence_a_digest() -> None:
    first, second = (catalog.adopt_model(checkpoint.BUNDLED / f"symmetry-c8-{d}") for d in (5, 10))
    for called in (question.title_of, plots.titled, modelfile.called):
        assert called(first) != called(second)
        assert "sha256" not in called(first)
    assert in_words(f"With 50 measurements {modelfile.called(first)} is worse.").count("C8") == 1
    gone = f"sha256:{'0' * 64}"
    for called in (question.title_of, plots.titled, modelfile.called):
        assert "not on this machine" in called(gone)


def test_another_question_goes_on_with_ones_own_networks_and_what_they_learned() -> None:
    mine = catalog.adopt_model(checkpoint.BUNDLED / "symmetry-c8-5")
    asked = of_own(Rotate(model=mine))
    assert asked == {"models": [mine], "data": "galaxies"}
    assert Recover.read(asked).models == Needed.read(asked).models == (mine,)
    assert of_own(Recover(models=("c8", mine), data="glyphs")) == {"models": [mine], "data": "glyphs"}
    assert of_own(Recover()) == {}
    assert question.learned_from(["c8", mine], 20) == "galaxies"
    assert question.learned_from([], 20) is None
