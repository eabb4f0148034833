"""The bundled curves: of the bundled weights, what is measured anew gives the same, and what they say has intervals."""

from __future__ import annotations

import numpy as np

import gen_core
from gen_core import checkpoint
from gen_core.symmetry import curves, needed


def test_the_bundled_curves_are_of_the_bundled_weights_and_come_out_again() -> None:
    asked, made, _, examples = curves.bundled()
    card = checkpoint.read_card(checkpoint.find(curves.NAME))
    assert card["weights"] == curves.weights_of(asked)
    m = asked.measurements[4]
    again = gen_core.run(asked.replace(models=["c8"], dims=[5], measurements=[m], targets=[0.05]))
    errors = again.content.errors["c8"][5][0]
    assert np.allclose(errors.mean(), made.errors["c8"][5][4].mean(), rtol=0.02)
    assert examples.errors["augmented"].shape[0] == len(examples.counts)


def test_where_a_gain_is_claimed_its_interval_excludes_none() -> None:
    _, made, _, _ = curves.bundled()
    numbers, notices = needed.read(made)
    claimed = [name for name in numbers if ".saving." in name and numbers.get(f"{name}_low", 0) > 1]
    assert any(name.startswith("orbit") for name in claimed)
    for name in claimed:
        assert numbers[f"{name}_low"] <= numbers[name] <= numbers[f"{name}_high"]
    said = " ".join(notice.text for notice in notices if notice.code == "saving")
    assert "augmented needs so many times the measurements of orbit" in said
