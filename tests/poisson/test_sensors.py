"""Sensors: the exact posterior against dense algebra, the samples against the exact posterior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core.errors import InputError, RecipeError
from gen_core.poisson import grid, metrics, modelfile, scenes, sensors, spectrum
from gen_core.poisson.problem import Problem, problem_of
from gen_core.poisson.recipe import Solve

Array = np.ndarray


def posed(seed: int, count: int = 12, size: int = 16, **fields: object) -> tuple[Solve, Problem, Array, sensors.Data]:
    recipe = Solve.read({"sensors": count, "rho": f"random_field:{seed}", "size": size, "seed": seed, **fields})
    problem = problem_of(recipe)
    truth = problem.exact()
    return recipe, problem, truth, sensors.measured(recipe, problem, truth)


def test_the_posterior_agrees_with_dense_algebra() -> None:
    _, _, _, data = posed(3)
    n = 14
    s = np.kron(spectrum.sines(n), spectrum.sines(n))
    covariance = data.amplitude**2 * (s * spectrum.potential(n).ravel() ** 2) @ s
    reads = sensors.reading(data.places, 16)
    # the other form: precisions added, not covariances conditioned
    precision = np.linalg.inv(covariance) + reads.T @ reads / data.noise**2
    whole = np.linalg.inv(precision)
    mean = whole @ reads.T @ data.values / data.noise**2
    found = sensors.posterior(data, 16)
    assert np.allclose(grid.inside(found.mean - data.lift).ravel(), mean, atol=1e-6 * np.abs(mean).max())
    assert np.allclose(grid.inside(found.scale).ravel(), np.sqrt(np.diag(whole)), rtol=1e-3)  # type: ignore[arg-type]
    assert found.freedom == 12


def test_the_field_s_size_is_the_most_likely_one() -> None:
    _, _, _, data = posed(5, 20)
    gram = data.operator @ data.operator.T

    def likelihood(a: float) -> float:
        inner = a * a * (gram + (data.noise / data.amplitude) ** 2 * np.eye(len(gram)))
        return -float(data.values @ np.linalg.solve(inner, data.values)) - float(np.linalg.slogdet(inner)[1])

    best = likelihood(data.amplitude)
    assert likelihood(0.9 * data.amplitude) < best > likelihood(1.1 * data.amplitude)


def test_the_exact_posterior_covers_what_it_says() -> None:
    held, known = [], []
    for seed in range(60):
        _, _, truth, data = posed(seed, 16)
        found = sensors.posterior(data, 16)
        known.append(sensors.scores(found, found, truth, data.lift))
        held.append(known[-1]["coverage90_truth"])
    assert 0.86 < np.mean(held) < 0.94
    assert np.allclose([one["coverage90"] for one in known], 0.9, atol=0.01)
    assert np.allclose([one["mean_error_to_exact_posterior"] for one in known], 0)


def test_what_sensors_say_scales_and_moves_with_the_potential() -> None:
    _, _, truth, data = posed(7)
    given = [[*place, value] for place, value in zip(data.places.tolist(), data.measured.tolist(), strict=True)]
    one = sensors.measured(
        Solve.read({"sensors": given, "size": 16}), Problem(np.zeros((16, 16)), "dirichlet", np.zeros((4, 16))), None
    )
    assert np.allclose(one.values, data.values)
    assert one.amplitude == pytest.approx(data.amplitude, rel=1e-3)
    assert np.allclose(sensors.linear(data.places, truth), data.measured, atol=4 * data.noise)
    more = [[x, y, 1e6 * v] for x, y, v in given]
    large = sensors.measured(
        Solve.read({"sensors": more, "size": 16}), Problem(np.zeros((16, 16)), "dirichlet", np.zeros((4, 16))), None
    )
    a, b = sensors.posterior(one, 16), sensors.posterior(large, 16)
    assert np.allclose(b.mean, 1e6 * a.mean, rtol=1e-6)
    assert np.allclose(b.deviation, 1e6 * a.deviation, rtol=1e-6)


@pytest.mark.parametrize("count", [8, 24, 60])
def test_samples_of_the_flow_agree_with_the_exact_posterior(count: int) -> None:
    result = gen_core.run("poisson.solve", sensors=count, seed=count, rho=f"random_field:{count}")
    told = result.metrics
    assert told["mean_error_to_exact_posterior"] < 0.1
    assert 0.85 < told["coverage90"] < 0.95
    assert told["spread_skill"] > 0.6
    assert result.content.samples.shape == (64, 32, 32)
    exact = result.content.true_posterior
    assert result.baselines["exact_posterior"]["error_l2"] == metrics.error(exact.mean, result.content.exact)
    # every sample goes through the sensors, up to their noise
    data = result.content.data
    reads = np.stack([sensors.linear(data.places, one) for one in result.content.samples])
    assert np.abs(reads.mean(0) - data.measured).max() < 4 * data.noise
    assert reads.std(0).mean() < 2 * data.noise


def test_more_sensors_leave_less_open() -> None:
    left = [float(posterior.deviation.mean()) for posterior in (_of(count) for count in (4, 16, 64))]
    assert left[0] > left[1] > left[2]


def _of(count: int) -> sensors.Posterior:
    _, _, _, data = posed(11, count)
    unit = sensors.Data(data.places, data.values, data.measured, 0.01, 1.0, data.operator, data.lift)
    return sensors.posterior(unit, 16)


def test_measured_values_need_no_truth_and_leave_their_files(tmp_path: Path) -> None:
    given = [[0.3, 0.4, 0.02], [0.6, 0.6, -0.01], [0.5, 0.2, 0.015], [0.8, 0.7, 0.0]]
    result = gen_core.run("poisson.solve", sensors=given, samples=16, steps=4)
    assert result.metrics["error_l2"] is None
    assert "no_truth" in [notice.code for notice in result.warnings]
    result.save(tmp_path / "out")
    with np.load(tmp_path / "out" / "solution.npz") as arrays:
        assert np.isnan(arrays["exact"]).all()
        assert np.allclose(arrays["sensors"], given)
        assert arrays["samples"].shape == (16, 32, 32)
    assert (tmp_path / "out" / "sensors.csv").read_text().startswith("x,y,potential")


def test_the_prior_of_blobs_is_told_apart() -> None:
    result = gen_core.run("poisson.solve", sensors=20, rho="synthetic:8", prior="charges", samples=16, steps=5)
    codes = [notice.code for notice in result.warnings]
    assert "approximate_posterior" in codes
    assert "adds_nothing" not in codes
    assert result.metrics["error_l2"] < 1
    fields = gen_core.run("poisson.solve", sensors=20, rho="synthetic:8", samples=16, steps=5)
    assert {"unlike_prior", "adds_nothing"} <= {notice.code for notice in fields.warnings}


def test_sensors_that_say_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="on an edge"):
        gen_core.run("poisson.solve", sensors=[[0.0, 0.5], [0.5, 0.5], [0.6, 0.5]], rho="random_field:1")
    with pytest.raises(InputError, match="nothing tells"):
        gen_core.run("poisson.solve", sensors=[[0.5, 0.5, 0.0], [0.3, 0.3, 0.0], [0.2, 0.3, 0.0]])
    with pytest.raises(RecipeError, match="set size to 32"):
        gen_core.run("poisson.solve", sensors=5, size=64)
    recipe = Solve(sensors=200, size=16)
    problem = problem_of(recipe)
    with pytest.raises(InputError, match="only 196 inner nodes"):
        sensors.measured(recipe, problem, np.zeros((16, 16)))


def test_a_random_field_shows_the_same_waves_on_a_finer_grid() -> None:
    coarse, fine = (problem_of(Solve(rho="random_field:4", size=size, sensors=4)).exact() for size in (33, 65))
    assert np.corrcoef(coarse.ravel(), fine[::2, ::2].ravel())[0, 1] > 0.9


def test_the_card_of_the_flow_says_how_its_posterior_was_measured() -> None:
    card = modelfile.open_card("poisson-flow-32")
    told, best = card["metrics"], card["baselines"]["exact_posterior"]
    assert told["mean_error_to_exact_posterior"] < 0.1
    assert abs(told["coverage90_truth"] - best["coverage90_truth"]) < 0.03
    assert scenes.TEST_FROM > scenes.TRAIN_FROM + 1_000_000


def test_sensors_that_contradict_each_other_are_one_sentence() -> None:
    with pytest.raises(InputError, match="at one place"):
        gen_core.run("poisson.solve", sensors=[[0.2, 0.2, 1.0], [0.2, 0.2, 1.1], [0.5, 0.5, 2.0]], samples=4, steps=2)
