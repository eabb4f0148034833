"""A model that was trained here is used where its system has a use for it, on what it was trained for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen_core import catalog, checkpoint, store
from gen_core.cells.recipe import Perturb
from gen_core.errors import CheckpointError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("cells-simulated", "cells.perturb"),
        ("images-micrographs", "images.interpolate"),
        ("images-lecture", "images.plane"),
        ("images-plain", None),
        ("proteins-chorismate-mutase", "proteins.sample"),
        ("tomography-vae-64", "tomography.reconstruct"),
        ("defects-pairs", "defects.sample"),
        ("poisson-fno-32", "poisson.solve"),
        ("symmetry-c8-20", "symmetry.rotate"),
        ("detector-vae", "detector.generate"),
    ],
)
def test_a_model_trained_here_has_a_recipe_that_uses_it(name: str, operation: str | None) -> None:
    model = catalog.adopt_model(checkpoint.BUNDLED / name)
    recipe = catalog.using(model)
    assert (recipe and recipe.operation) == operation
    if recipe is not None:
        assert recipe.fields()["model"] == model
        assert catalog.from_query(recipe.query(), "") == recipe


def test_cells_are_asked_for_the_type_that_was_left_out() -> None:
    recipe = catalog.using(catalog.adopt_model(checkpoint.BUNDLED / "cells-simulated"))
    card = checkpoint.read_card(checkpoint.BUNDLED / "cells-simulated")
    assert isinstance(recipe, Perturb)
    fields = recipe.fields()
    assert fields["predictor"] == "latent"
    assert {name: fields[name] for name in ("target", "data", "control", "perturbed")} == {
        name: card["recipe"][name] for name in ("target", "data", "control", "perturbed")
    }


def test_a_damaged_card_is_a_sentence_or_no_use() -> None:
    model = catalog.adopt_model(checkpoint.BUNDLED / "cells-simulated")
    path = store.model_folder(model) / checkpoint.CARD
    card = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in card.items() if name != "recipe"}))
    assert catalog.using(model) is None
    path.write_text("{")
    with pytest.raises(CheckpointError):
        catalog.using(model)
    with pytest.raises(CheckpointError, match="not on this machine"):
        catalog.using("sha256:" + "0" * 64)
