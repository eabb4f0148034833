"""Two pixels: the posterior in closed form against quadrature on a plain grid, and Langevin's particles against both."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from gen_core.errors import RecipeError
from gen_core.tomography import twopixel, twopixel_plots
from gen_core.tomography.recipe import Reconstruct
from gen_core.tomography.twopixel import Asked

STEP = np.linspace(-4, 9, 521)
GRID = np.stack(np.meshgrid(STEP, STEP), -1).reshape(-1, 2)
CASES = [Asked(), Asked(angle=70.0, noise=0.3), Asked(y=1.0, curvature=0.0), Asked(y=-1.0, noise=0.5), Asked(angle=0.0, y=2.4)]


@pytest.mark.parametrize("asked", CASES)
def test_the_posterior_is_what_a_plain_grid_says(asked: Asked) -> None:
    found = twopixel.solve(asked)
    likelihood = -0.5 * ((GRID @ asked.ray - asked.y) / asked.noise) ** 2
    prior = np.exp(found.prior.log_density(GRID))
    cell = (STEP[1] - STEP[0]) ** 2
    assert prior.sum() * cell == pytest.approx(1, abs=0.01)
    density = prior * np.exp(likelihood - likelihood.max())
    density /= density.sum()
    mean = density @ GRID
    np.testing.assert_allclose(found.points["mean"], mean, atol=0.01)
    np.testing.assert_allclose(found.posterior.mean, mean, atol=0.01)
    np.testing.assert_allclose(found.points["map"], GRID[density.argmax()], atol=0.03)
    step = found.places[1] - found.places[0]
    assert found.along.sum() * step == pytest.approx(1)
    edges = np.linspace(found.places[0], found.places[-1], 11)
    plain = np.histogram(found.place(GRID), edges, weights=density)[0]
    np.testing.assert_allclose(np.histogram(found.places, edges, weights=found.along * step)[0], plain, atol=0.04)
    if found.split is not None:
        assert found.numbers["exact_right"] == pytest.approx(density[found.place(GRID) > found.split].sum(), abs=0.01)


def test_the_score_is_the_slope_of_the_density() -> None:
    found = twopixel.solve(Asked(angle=60.0))
    x = np.random.default_rng(0).normal(1, 1, (20, 2))
    for mixture in (found.prior, found.posterior.noisy(0.4)):
        slope = np.stack(
            [(mixture.log_density(x + e) - mixture.log_density(x - e)) / 2e-4 for e in 1e-4 * np.eye(2)], 1
        )  # fmt: skip
        np.testing.assert_allclose(mixture.score(x), slope, rtol=1e-3, atol=1e-3)
    assert np.abs(found.posterior.score(found.points["map"][None])).max() < 1e-3


def test_solutions_without_a_prior_lie_on_the_line() -> None:
    asked = Asked(y=2.0, angle=65.0)
    found = twopixel.solve(asked)
    for name in ("least_norm", "tv"):
        assert found.points[name] @ asked.ray == pytest.approx(2.0)
    assert found.points["tv"][0] == found.points["tv"][1]
    assert found.place(found.points["least_norm"]) == pytest.approx(0)
    np.testing.assert_allclose(Asked().ray, [1, 1])


def test_langevin_finds_both_modes_with_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twopixel, "PARTICLES", 2_000)
    for angle in (45.0, 65.0):
        numbers = twopixel.solve(Asked(angle=angle, steps=120)).numbers
        assert numbers["langevin_right"] == pytest.approx(numbers["exact_right"], abs=0.05)
        assert numbers["distance"] < 0.12
        assert numbers["mean_over_map"] < 0.01  # the mean lies on neither mode


def test_exact_draws_are_as_far_as_it_is_said() -> None:
    found = twopixel.solve(Asked())
    rng, step = np.random.default_rng(0), found.places[1] - found.places[0]
    edges = np.linspace(found.places[0], found.places[-1], twopixel.BINS + 1)
    exact = np.histogram(found.places, edges, weights=found.along * step)[0]
    drawn = rng.multinomial(twopixel.PARTICLES, exact / exact.sum(), 400) / twopixel.PARTICLES
    assert found.numbers["distance_of_exact_draws"] == pytest.approx(0.5 * np.abs(drawn - exact).sum(1).mean(), rel=0.1)


def test_a_straight_prior_leaves_one_mode_and_a_bent_one_two() -> None:
    assert twopixel.solve(Asked(curvature=0.0)).split is None
    assert twopixel.solve(Asked()).split is not None
    assert twopixel.solve(Asked()).numbers == twopixel.solve(Asked()).numbers


@pytest.mark.parametrize("wrong", [{"noise": 0.0}, {"angle": 91.0}, {"steps": 1}])
def test_what_cannot_be_is_one_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="Two pixels"):
        Asked(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [2, 3, 90, 300])
def test_the_figure_plays_every_step_it_kept(steps: int) -> None:
    found = twopixel.solve(Asked(steps=steps))
    assert (found.at[0], found.at[-1]) == (0, steps)
    figure = twopixel_plots.plane(found, dark=True)
    assert [frame.name for frame in figure.frames] == [str(at) for at in found.at]
    names = {trace.name for trace in figure.data}
    assert {"Least norm", "Total variation", "Most probable (MAP)", "Posterior mean", "Langevin particles"} <= names


def test_the_numbers_are_a_table_with_the_recipe(tmp_path: Path) -> None:
    found = twopixel.solve(Asked())
    twopixel.table(tmp_path / "two.csv", found, Reconstruct())
    lines = [line for line in (tmp_path / "two.csv").read_text().splitlines() if not line.startswith("#")]
    rows = {row["quantity"]: float(row["value"]) for row in csv.DictReader(lines)}
    assert rows["y"] == 2.8
    assert rows["map_x1"] == pytest.approx(found.points["map"][0], rel=1e-4)
