"""Recovery: each part against an independent oracle, and known truths."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

import gen_core
from gen_core import catalog, checkpoint
from gen_core.errors import UserError
from gen_core.result import Result
from gen_core.symmetry import (
    boots,
    dense,
    gaussian,
    invert,
    modelfile,
    recover,
    rotate,
    scenes,
    sensing,
)
from gen_core.symmetry.recipe import KINDS
from gen_core.symmetry.solved import Recovered


@pytest.fixture(scope="module")
def found() -> Result:
    return gen_core.run("symmetry.recover", measurements=[8, 100], images=12, models=["augmented", "c8", "orbit"], starts=64)


@pytest.mark.parametrize("kind", ["augmented", "c8", "orbit"])
def test_the_dense_network_is_the_network_with_its_derivatives(kind: str) -> None:
    model = modelfile.opened(kind, 20)
    torch.manual_seed(0)
    z, measure = torch.randn(4, 20), torch.randn(9, 1024)
    seen = dense.Dense(model.net, measure)
    value, slope = seen.both(z)
    assert torch.allclose(value, model.net.decode(z).flatten(1) @ measure.T, atol=1e-3)
    net, last, step = copy.deepcopy(model.net).double().train(False), measure.double().T, 1e-6
    for k in range(20):
        aside = step * torch.eye(20, dtype=torch.float64)[k]
        ahead, behind = (net.decode(z.double() + sign * aside).flatten(1) @ last for sign in (1, -1))
        oracle = (ahead - behind) / (2 * step)
        assert torch.allclose(slope[:, k].double(), oracle, atol=2e-2 * float(oracle.abs().max()))
    assert torch.allclose(seen.value(z), value)


def test_all_pixels_are_seen_with_the_distances_they_have() -> None:
    model = modelfile.opened("c8", 20)
    seen = dense.Dense(model.net, None)
    torch.manual_seed(0)
    a, b = model.net.decode(torch.randn(2, 3, 20).flatten(0, 1)).split(3)
    far = (a - b).flatten(1).norm(dim=1)
    assert torch.allclose((seen.seen(a) - seen.seen(b)).norm(dim=1), far, rtol=1e-4)


@pytest.mark.parametrize("kind", ["augmented", "c8", "orbit"])
def test_a_picture_of_the_model_is_recovered_from_more_measurements_than_numbers(kind: str) -> None:
    model = modelfile.opened(kind, 20)
    codes = torch.from_numpy(model.codes[:12]).clone()
    if kind == "orbit":
        codes[:, -1] = torch.linspace(0, 6, 12)
    truth = model.net.decode(codes).numpy()
    rows = sensing.matrix(120, 0)
    y, deviation = sensing.measured(truth, rows, 0.0, 0)
    made = invert.search(model, y, rows, deviation, seed=3)
    error = recover.error(made.pictures, truth, float((truth**2).sum((1, 2)).mean()))
    assert np.median(error) < 1e-3


def test_the_sparse_transform_is_that_of_scikit_learn() -> None:
    from scipy import fft
    from sklearn.linear_model import Lasso

    truth = scenes.pictures(range(2)).astype(np.float64)
    rows = sensing.matrix(60, 1)
    y, _ = sensing.measured(truth, rows, 0.01, 1)
    ours = sensing.lasso(y, rows, 0.05, 3_000)
    basis = fft.idctn(np.eye(1024).reshape(1024, 32, 32), axes=(1, 2), norm="ortho").reshape(1024, 1024)
    for picture, one in zip(ours, y, strict=True):
        design = rows @ basis.T
        weight = 0.05 * np.abs(design.T @ one).max()
        oracle = Lasso(alpha=weight / len(one), fit_intercept=False, max_iter=50_000, tol=1e-8).fit(design, one)
        theirs = (oracle.coef_ @ basis).reshape(32, 32)
        assert np.linalg.norm(picture - theirs) < 0.02 * np.linalg.norm(theirs)


def test_the_gaussian_prior_is_the_posterior_mean_in_its_other_form() -> None:
    learned = gaussian.of("galaxies")
    prior = gaussian.Gaussian(learned.mean, learned.covariance + 1e-3 * np.eye(1024))
    truth = scenes.pictures(range(3)).astype(np.float64)
    rows = sensing.matrix(40, 1)
    y, deviation = sensing.measured(truth, rows, 0.05, 1)
    ours = prior.recovered(y, rows, deviation).reshape(3, -1)
    inverse = np.linalg.inv(prior.covariance)  # precisions add up, where ours adds up covariances
    right = rows.T @ y.T / deviation**2 + (inverse @ prior.mean)[:, None]
    theirs = np.linalg.solve(rows.T @ rows / deviation**2 + inverse, right).T
    assert np.allclose(ours, theirs, atol=1e-6)
    clean, none = sensing.measured(truth, sensing.matrix(900, 1), 0.0, 1)
    assert np.isfinite(prior.recovered(clean, sensing.matrix(900, 1), none)).all()


def test_the_gaussian_prior_learns_what_is_asked_for_and_nothing_that_is_tested() -> None:
    turned, upright = gaussian.of("galaxies"), gaussian.of("galaxies", turned=False)
    shown = turned.mean.reshape(32, 32)
    assert np.abs(shown - np.rot90(shown)).max() < 0.2 * shown.max()  # at every angle alike
    lopsided = upright.mean.reshape(32, 32)
    assert np.abs(lopsided - np.rot90(lopsided)).max() > 0.2 * lopsided.max()
    assert np.linalg.eigvalsh(turned.covariance).min() > -1e-9


def test_the_sparse_transform_is_given_a_smaller_weight_where_more_is_measured() -> None:
    tuning = scenes.pictures(scenes.TUNE_FROM + np.arange(2)).astype(np.float64)
    chosen = [sensing.best_shrink(sensing.matrix(m, 0), 0.01, tuning, 0) for m in (50, 600)]
    assert chosen[0] >= 0.01 > 0.003 >= chosen[1]


def test_pictures_that_are_shown_again_add_nothing_to_an_interval() -> None:
    each = np.random.default_rng(3).uniform(size=12)
    alone, again = boots.mean(each), boots.mean(np.tile(each, 20), np.tile(np.arange(12), 20))
    assert np.allclose(alone, again)
    assert boots.mean(np.tile(each, 20))[2] - alone[0] < 0.5 * (alone[2] - alone[0])
    value, low, high = boots.mean(each, np.zeros(12))
    assert value == each.mean()
    assert np.isnan([low, high]).all()


def test_of_one_picture_no_interval_is_given() -> None:
    told = gen_core.run("symmetry.recover", models=["c8"], measurements=[20], images=1, starts=4)
    assert np.isnan([told.metrics["c8.error.20_low"], told.metrics["gaussian.error.20_high"]]).all()
    assert told.summary()["metrics"]["c8.error.20_low"] is None
    assert any("intervals need more" in w.text for w in told.warnings)


def test_measurements_keep_lengths_on_average_and_go_on_from_fewer() -> None:
    pictures = scenes.pictures(range(40)).astype(np.float64)
    few, many = sensing.matrix(50, 0), sensing.matrix(400, 0)
    assert np.allclose(few * np.sqrt(50), many[:50] * np.sqrt(400))
    y, deviation = sensing.measured(pictures, many, 0.1, 0)
    assert 0.85 < (y**2).sum() / (pictures**2).sum() < 1.2
    clean, none = sensing.measured(pictures, many, 0.0, 0)
    assert none == 0
    assert np.isclose((y - clean).std(), deviation, rtol=0.03)


def test_intervals_hold_the_mean_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        _, low, high = boots.mean(rng.uniform(size=60))
        held += low <= 0.5 <= high
    assert 0.88 < held / 200 < 0.985


def test_more_measurements_less_error_down_to_the_floor(found: Result) -> None:
    made: Recovered = found.content
    for name in ("augmented", "c8", "orbit"):
        told = [found.metrics[f"{name}.error.{m}"] for m in (8, 100)]
        assert told[0] > told[1] > 0.95 * found.metrics[f"{name}.floor"]
        assert found.metrics[f"{name}.error.100_low"] < told[1] < found.metrics[f"{name}.error.100_high"]
        assert made.pictures[name][8].shape == (12, 32, 32)
        for m in (8, 100):  # measured and true error are told apart
            assert made.residuals[name][m].mean() < made.errors[name][m].mean()
    for name in ("lasso", "gaussian"):  # a number has one name, as a metric and as a baseline
        assert found.baselines[name].items() <= found.metrics.items()
        assert found.metrics[f"{name}.error.100"] < found.metrics[f"{name}.error.8"]
    assert "gaussian_wins" in {w.code for w in found.warnings}
    assert {"few_samples", "fewer_than_code"} <= {w.code for w in found.warnings}


def test_files_hold_what_was_found(found: Result, tmp_path: Path) -> None:
    folder = found.save(tmp_path / "out")
    with np.load(folder / "recover.npz") as file:
        assert file["orbit"].shape == (2, 12, 32, 32)
        assert np.allclose(file["orbit_error"][1].mean(), found.metrics["orbit.error.100"])
        assert "recipe" in file
    again = catalog.from_file(folder / "recover.npz")
    assert again == found.recipe
    assert catalog.from_file(folder / "recover.png") == found.recipe
    assert catalog.from_file(folder / "recover.csv") == found.recipe


def test_the_same_recipe_gives_the_same_numbers(found: Result) -> None:
    again = gen_core.run(found.recipe)
    assert again.metrics == found.metrics


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"measurements": [0]}, "1 to 1024"),
        ({"measurements": [1025]}, "1 to 1024"),
        ({"measurements": []}, "1 to 24 numbers"),
        ({"models": ["c5"]}, "no model here"),
        ({"models": []}, "at least one"),
        ({"images": 0}, "images"),
        ({"data": "cells"}, "no pictures here"),
        ({"dim": 5, "models": ["c16"]}, "bundled with codes of 20"),
        ({"noise": float("nan")}, "noise"),
        ({"models": ["symmetry-nowhere"]}, "is no model here; choose of plain"),
    ],
)
def test_wrong_questions_of_recovery_are_one_sentence(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        gen_core.run("symmetry.recover", **({"images": 2, "measurements": [5], "models": ["c8"]} | fields))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"targets": [0.05, 2]}, "^targets: give 1 to 6 errors"),
        ({"dims": [7]}, "^dims: give some of 5, 10, 20, 40"),
        ({"counts": [16, 4]}, "^counts: give 1 to 8 whole numbers"),
    ],
)
def test_wrong_entries_of_lists_are_named_as_a_person_names_them(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        gen_core.run("symmetry.fewer" if "counts" in fields else "symmetry.needed", **fields)


def test_the_curve_is_over_the_codes_of_the_headline() -> None:
    result = gen_core.run("symmetry.rotate", model="c8", angle=22.5, codes=9)
    at = int(np.flatnonzero(rotate.CURVE == 22.5)[0])
    assert np.isclose(result.content.curves["c8"][at], result.metrics["relative_error"], rtol=1e-4)
    assert result.content.curve_codes == 9


@pytest.mark.parametrize("angle", [float("nan"), float("inf"), 1e9, "east", True])
def test_wrong_angles_are_one_sentence(angle: object) -> None:
    with pytest.raises(UserError, match="no angle") as error:
        gen_core.run("symmetry.rotate", angle=angle)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bundled_cards_hold_what_they_promise(kind: str) -> None:
    folder = checkpoint.find(modelfile.bundled(kind, 20))
    assert (folder / checkpoint.WEIGHTS).stat().st_size < 1 << 20
    card = checkpoint.read_card(folder)
    told = card["metrics"]
    assert told["floor_turned_low"] <= told["floor_turned"] <= told["floor_turned_high"]
    assert card["synthetic"] is True
    assert card["baselines"]["gaussian"]["error_50"] < told["error_50"]
    reached = {"c4": ("90", 100), "c8": ("45", 40), "c16": ("22.5", 38), "orbit": ("30", 55)}
    if kind in reached:
        angle, least = reached[kind]
        assert told[f"equivariance_db_{angle}"] > least
    for other in ("c4", "c8", "c16", "orbit"):
        if kind == other:
            assert told["equivariance_db_90"] > 100


def test_turning_a_code_of_a_trained_model(tmp_path: Path) -> None:
    result = gen_core.run("symmetry.rotate", model="orbit", angle=-323.0, codes=4)
    assert result.recipe.angle == 37.0
    told = result.metrics
    assert told["equivariance_db"] > 55
    assert told["equivariance_db_low"] <= told["equivariance_db"] <= told["equivariance_db_high"]
    assert told["relative_error"] < 0.01
    assert told["floor_db"] > 55
    near = gen_core.run("symmetry.rotate", model="c8", angle=40.0, codes=4)
    assert near.metrics["angle_used"] == 45.0
    assert "nearest_element" in {w.code for w in near.warnings}
    assert near.baselines["plain"]["relative_error"] > near.baselines["orbit"]["relative_error"]
    folder = near.save(tmp_path / "out")
    with np.load(folder / "rotate.npz") as file:
        assert file["drawn"].shape == (4, 32, 32)
        assert "drawn_orbit" in file
