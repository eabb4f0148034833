"""Rough landscapes at three times: the propagated weak form, and the library it needs."""

from __future__ import annotations

import numpy as np
import pytest

import gen_core
from gen_core.defects import data, derivatives, estimate, gates, propagated
from gen_core.defects.landscapes import LANDSCAPES
from gen_core.defects.recipe import Infer
from gen_core.errors import RecipeError


@pytest.mark.parametrize("name", LANDSCAPES)
def test_forces_are_gradients(name: str) -> None:
    world = LANDSCAPES[name]()
    x = np.random.default_rng(0).uniform(-3, 3, (20, 1, 2))
    step = 1e-5
    up, right = np.array([0, step]), np.array([step, 0])
    turn = (world.force(x + right) - world.force(x - right))[:, 0, 1] - (world.force(x + up) - world.force(x - up))[:, 0, 0]
    assert np.allclose(turn / (2 * step), 0, atol=1e-4)


def test_a_smooth_landscape_is_found_from_three_times() -> None:
    result = gen_core.run("defects.infer", data="appex_styblinski_tang")
    assert result.recipe.snapshots == 3
    assert result.metrics["grid_nmae"] < 0.06
    assert result.metrics["grid_cosine"] > 0.995
    assert result.metrics["D"] == pytest.approx(0.1, rel=0.1)  # matching alone says .083
    assert result.metrics["D_low"] < 0.1 < result.metrics["D_high"]
    assert result.metrics["j_test"] < 2
    assert result.metrics["change_test"] > 50


def test_a_rough_landscape_needs_waves() -> None:
    recipe = Infer(data="appex_wavy_plateau", n=900)
    found = data.opened(recipe)
    library = estimate.library_of(recipe, found)
    theta = propagated.fit(found, [library], 0).theta
    at = np.random.default_rng(1).uniform(-3.5, 3.5, (2_000, 1, 2))
    truth = LANDSCAPES["appex_wavy_plateau"]().force(at)
    error = np.abs(estimate.force_of(library, theta)(at) - truth).sum() / np.abs(truth).sum()
    assert error < 0.2
    smooth = recipe.replace(library="gradient")
    plain = estimate.library_of(smooth, found)
    theta = propagated.fit(found, [plain], 0).theta
    assert np.abs(estimate.force_of(plain, theta)(at) - truth).sum() / np.abs(truth).sum() > error


def test_ends_depend_on_weights_as_the_tangent_says() -> None:
    recipe = Infer(data="appex_bohachevsky", n=100)
    found = data.opened(recipe.replace(n=200))
    library = estimate.library_of(recipe, found)
    theta = np.random.default_rng(0).normal(size=len(library.names))
    x = found.positions[0][:20]
    _, way = propagated._moved(x, library, theta, 0.1, 0.01, 0, True)
    for term in (0, 5, 20, 60):
        step = np.zeros(len(theta))
        step[term] = 1e-4
        ends = [propagated._moved(x, library, theta + sign * step, 0.1, 0.01, 0, False)[0] for sign in (1, -1)]
        assert np.allclose((ends[0] - ends[1])[:, 0] / 2e-4, way[:, :, term], atol=1e-5)
    ends = [propagated._moved(x, library, theta, 0.1 * np.exp(sign * 1e-4), 0.01, 0, False)[0] for sign in (1, -1)]
    assert np.allclose((ends[0] - ends[1])[:, 0] / 2e-4, way[:, :, -1], atol=1e-5)  # on log D


@pytest.mark.parametrize("followed", [False, True])
def test_dense_times_tell_the_diffusion_constant_too(followed: bool) -> None:
    """An exact Ornstein-Uhlenbeck process, of other particles each time or of the same ones: matching them tells no D."""
    rng, times, pull, D = np.random.default_rng(3), np.linspace(0, 1, 6), 1.3, 0.4
    x = np.array([2.0, -1.0]) + rng.normal(size=(800, 2)) * np.sqrt(0.1)
    positions = [x[:, None]]
    for t in times[1:]:
        decay, start = (np.exp(-pull * 0.2), x) if followed else (np.exp(-pull * t), rng.permutation(positions[0][:, 0]))
        x = start * decay + rng.normal(size=x.shape) * np.sqrt(D / pull * (1 - decay**2))
        positions.append(x[:, None])
    found = data.Snapshots(times, positions, followed=followed)
    recipe = Infer(library="gradient", degree=2, estimators=("propagated",))
    fitted = estimate.propagate(recipe, found)
    low, high = np.quantile(fitted.draws[:, -1], [0.025, 0.975])
    assert pytest.approx(D, rel=0.15) == fitted.D
    assert low < fitted.D < high < 1.3 * low
    assert fitted.misfit < 1.5


def test_additive_terms_have_no_turn() -> None:
    recipe = Infer(data="appex_bohachevsky", n=200)
    library = estimate.library_of(recipe, data.opened(recipe))
    x = np.random.default_rng(0).uniform(-3, 3, (5, 1, 2))
    assert len(set(library.names)) == len(library.names) == library.forces(x).shape[2]
    waves = library.forces(x)[:, :, 14:]
    moved = library.forces(x + np.array([0, 0.3]))[:, :, 14:]
    assert np.allclose(waves[:, 0], moved[:, 0])  # along x they depend on x alone
    assert derivatives.divergence(library.forces, x, 1e-5).shape == (5, len(library.names))


def test_change_of_one_population_is_told_from_its_own_moves() -> None:
    found = data.opened(Infer(data="appex_poly"))
    recipe = Infer(data="appex_poly")
    tests = estimate.tests_of(recipe, found, estimate.library_of(recipe, found))
    assert gates.change_test(found.positions, tests) < 2 < gates.change_test(found.positions, tests, True)


def test_estimators_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RecipeError, match="propagated comes first"):
        Infer.read({"estimators": ["weak", "propagated"]})
    with pytest.raises(RecipeError, match="additive needs it"):
        Infer.read({"library": "additive"})
    with pytest.raises(RecipeError, match="single particles without a box"):
        gen_core.run("defects.infer", data="pairs", n=100, snapshots=3, estimators=["propagated"])
