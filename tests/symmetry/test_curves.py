"""The bundled curves: of the bundled weights, what is measured anew gives the same, and what they say has intervals."""

from __future__ import annotations

import numpy as np

import gen_core
from gen_core import checkpoint
from gen_core.symmetry import boots, curves, needed


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
        if np.isfinite(numbers[name]):  # else the control never reaches the error
            assert numbers[f"{name}_low"] <= numbers[name] <= numbers[f"{name}_high"]
    said = " ".join(notice.text for notice in notices if notice.code == "saving")
    assert "augmented needs so many times the measurements of orbit" in said


def test_the_bundled_gaussian_prior_comes_out_again() -> None:
    asked, made, _, _ = curves.bundled()
    at = made.measurements.index(45)
    again = gen_core.run(asked.replace(models=["c8"], dims=[5], measurements=[45], images=asked.images, starts=1))
    assert np.allclose(again.content.gaussian[0], made.gaussian[at], rtol=1e-3)
    assert again.baselines["gaussian"].keys() <= again.metrics.keys()


def test_what_the_page_and_the_readme_say_of_the_gaussian_prior_is_so() -> None:
    _, made, _, _ = curves.bundled()
    for at, m in enumerate(made.measurements):
        orbit = boots.mean(made.errors["orbit"][20][at] - made.gaussian[at])
        if 10 <= m <= 30:
            assert orbit[1] < 0 < orbit[2]  # as good, no better
        if m == 5 or m >= 45:
            gaps = [boots.mean(rows[at] - made.gaussian[at]) for sizes in made.errors.values() for rows in sizes.values()]
            assert min(low for _, low, _ in gaps) > 0
    numbers, _ = needed.read(made)
    for target in (0.04, 0.03):
        fewer = [d for d in (5, 10, 20, 40) if numbers[f"orbit.saving_gaussian.{target:g}.{d}_low"] > 1]
        assert fewer == [5]
        for d in (10, 20, 40):  # what the orbit saves is about what a covariance saves
            saved = [numbers[f"{name}.saving.{target:g}.{d}"] for name in ("orbit", "gaussian")]
            assert abs(saved[0] / saved[1] - 1) < 0.1
