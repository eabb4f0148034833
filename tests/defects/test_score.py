"""Scores and the Fokker-Planck equation against a motion whose density is known in closed form."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ou

from gen_core.defects import data, estimate, fokker_planck, metrics, score, simulate, strong, transport, worlds
from gen_core.defects.recipe import Infer

Array = np.ndarray


@pytest.fixture(scope="module")
def found() -> data.Snapshots:
    return data.made("rotating", 3_000, 11, 0)


def error(of: score.Score, found: data.Snapshots) -> float:
    """Root mean square error of a score at the particles over that of the exact one."""
    told = [
        (of.at(x[:1_500], float(t)), ou.Exact().at(x[:1_500], float(t)))
        for x, t in zip(found.positions, found.times, strict=True)
    ]
    return metrics.relative(np.array([a for a, _ in told]), np.array([b for _, b in told]))


def test_the_simulator_follows_the_exact_moments(found: data.Snapshots) -> None:
    for x, t in zip(found.positions, found.times, strict=True):
        mean, cov = ou.normal(float(t))
        assert np.allclose(x[:, 0].mean(0), mean, atol=0.05)
        assert np.allclose(np.cov(x[:, 0].T), cov, atol=0.04)


def test_the_score_in_closed_form_is_that_of_the_exact_density(found: data.Snapshots) -> None:
    made = score.closed(found)
    assert error(made, found) < 0.12
    x = found.positions[4][:50]
    from gen_core.defects.derivatives import gradient

    assert np.allclose(gradient(lambda at: made.log_density(at, 0.43), x, 1e-5), made.at(x, 0.43), atol=1e-5)
    step = (made.log_density(x, 0.43 + 1e-5) - made.log_density(x, 0.43 - 1e-5)) / 2e-5
    values = score.features(made.tests, made.centre, made.scale, made.periodic, x)[0]
    assert np.allclose(values @ made.change(0.43), step, atol=1e-5)


def test_fokker_planck_holds_for_the_exact_score(found: data.Snapshots) -> None:
    x = found.positions[5][:200]
    expected = fokker_planck.expected_change(ou.Exact(), ou.force, ou.D, x, 0.5, found.scale)
    told = fokker_planck.change(ou.Exact(), x, 0.5, 1.0)
    assert metrics.relative(expected, told) < 1e-2
    wrong = fokker_planck.expected_change(ou.Exact(), ou.force, 2 * ou.D, x, 0.5, found.scale)
    assert metrics.relative(wrong, told) > 0.3


def test_the_flow_of_the_exact_score_has_the_densities_of_the_motion(found: data.Snapshots) -> None:
    flow = fokker_planck._flow(ou.Exact(), ou.force, ou.D, found.positions[0], found.times, found.limits)
    mean, cov = ou.normal(1.0)
    assert np.allclose(flow[-1][:, 0].mean(0), mean, atol=0.04)
    assert np.allclose(np.cov(flow[-1][:, 0].T), cov, atol=0.04)


def test_entropy_production_is_zero_at_rest_and_that_of_the_turn_else() -> None:
    class Rest:
        def at(self, x: Array, t: float) -> Array:
            return -4 * x  # trap of strength 1 at D = 0.25, round: density exp(-2 r^2)

    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.5, (4_000, 1, 2))
    still = data.Snapshots(np.array([0.0, 0.5, 1.0]), [x, x, x])
    at_rest = fokker_planck.check(Rest(), still, lambda at: -at, 0.25, 0)
    assert np.allclose(at_rest.entropy, 0, atol=1e-9)
    turned = fokker_planck.check(Rest(), still, ou.force, 0.25, 0)
    assert turned.entropy.mean() == pytest.approx(4 * 0.5 / 0.25, rel=0.1)  # omega^2 E[r^2] / D


def test_log_density_is_the_potential_of_its_score() -> None:
    x, y = np.linspace(-2, 2, 41), np.linspace(-1.5, 1.5, 31)
    gx, gy = np.meshgrid(x, y)
    log = -(gx**2) - 2 * gy**2 + 0.3 * gx * gy
    s = np.stack([-2 * gx + 0.3 * gy, -4 * gy + 0.3 * gx], -1)
    found = fokker_planck.log_density(s, x[1] - x[0], y[1] - y[0])
    assert np.ptp(found - log) < 1e-9  # a quadratic is exact
    assert np.exp(found).sum() * (x[1] - x[0]) * (y[1] - y[0]) == pytest.approx(1)


def test_the_strong_form_finds_the_turn_and_transport_does_not_see_it(found: data.Snapshots) -> None:
    library = estimate.library_of(Infer(data="rotating", degree=2), found)
    theta, D = strong.fit(ou.Exact(), found, library)  # through the nearest score in closed form
    at = np.concatenate([x[:500] for x in found.positions])
    assert pytest.approx(ou.D, rel=0.1) == D
    assert metrics.relative(estimate.force_of(library, theta)(at), ou.force(at)) < 0.15
    theta, _ = transport.fit(ou.Exact(), found, library)
    assert metrics.relative(estimate.force_of(library, theta)(at), ou.force(at)) > 0.25


def test_scores_of_pairs_push_apart_where_the_motion_does() -> None:
    found = data.made("pairs", 400, 5, 0)
    made = score.closed(found)
    x = found.positions[-1][:1].copy()
    x[0, 1] = x[0, 0] + [0.05, 0.0]
    near = made.at(x, float(found.times[-1]))[0]
    assert near[1, 0] > near[0, 0]


def test_sliced_distances() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3_000, 2))
    assert metrics.w1(a, a) == 0
    assert metrics.w1(a, a + np.array([3.0, 0.0])) == pytest.approx(3 * 2 / np.pi, rel=0.01)  # mean of |cos|
    from scipy.stats import wasserstein_distance

    one, other = rng.normal(size=(800, 1)), rng.exponential(size=(800, 1))
    assert metrics.w1(one, other) == pytest.approx(wasserstein_distance(one[:, 0], other[:, 0]), rel=0.02)


def test_the_steps_of_the_simulator_are_of_second_order() -> None:
    world = worlds.double_well()
    x = np.full((1, 1, 2), 0.4)
    ends = []
    for step in (0.1, 0.05, 0.025, 0.0005):
        ends.append(simulate.followed(x, world.force, 0.0, np.array([0.0, 0.5]), step, 0)[-1][0, 0, 0])
    assert abs(ends[0] - ends[3]) / abs(ends[1] - ends[3]) > 3
    assert abs(ends[1] - ends[3]) / abs(ends[2] - ends[3]) > 3
