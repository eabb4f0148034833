"""In a periodic box what leaves on one side comes in on the other: predictions and distances know it."""

from __future__ import annotations

import numpy as np
import pytest

from gen_core.defects import data, estimate, fokker_planck, heldout, metrics, score, spread
from gen_core.defects.recipe import Infer

Array = np.ndarray
SIDE, WIND, D = 4.0, np.array([3.0, 0.0]), 0.2


def carried(n: int = 1_500) -> data.Snapshots:
    """Particles that a steady wind carries around a box, in closed form."""
    rng, times = np.random.default_rng(2), np.linspace(0, 1, 6)
    found = [
        np.mod(np.array([1.0, 2.0]) + WIND * t + rng.normal(size=(n, 1, 2)) * np.sqrt(0.05 + 2 * D * t), SIDE) for t in times
    ]
    return data.Snapshots(times, found, np.full(2, SIDE))


def wind(x: Array) -> Array:
    return np.broadcast_to(WIND, x.shape)


def test_the_true_motion_predicts_as_well_as_half_of_a_snapshot_does() -> None:
    found = carried()
    held = heldout.predicted(found, wind, D, 0)
    assert held.w1 < 1.3 * held.floor
    assert held.w1_no_change > 4 * held.floor
    check = fokker_planck.check(score.closed(found, 0), found, wind, D, 0)
    assert check.stochastic_w1[-1] < 2 * held.floor
    assert check.stochastic.min() >= 0
    assert check.flow.max() <= SIDE


def test_a_drift_that_is_not_known_is_called_so() -> None:
    found = carried()
    recipe = Infer(library="full", bootstrap=50)
    library = estimate.library_of(recipe, found)
    fitted = estimate.weakly(recipe, found, library)
    apart = spread.of(fitted.draws, fitted.theta, fitted.D, library, found, None)
    at = found.pooled()[::5, None]
    error = metrics.relative(estimate.force_of(library, fitted.theta)(at), wind(at))
    print(apart, error, fitted.j_test)
    assert error / 3 < apart.drift < 3 * error
    assert spread.notices(spread.Spread(0.6, 0.0), 0.17)[0].code == "drift_uncertain"
    assert "no praise" in spread.notices(spread.Spread(0.6, 0.0), 0.17)[0].text
    assert spread.notices(spread.Spread(0.1, 0.0), 0.17) == ()


def test_the_way_around_is_the_shorter_one() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0, 0.1, (4_000, 1))
    far = metrics.w1(np.mod(a, SIDE), np.mod(a + 3.5, SIDE), np.array([SIDE]))
    assert far == pytest.approx(0.5, abs=0.01)
    near = metrics.w1(np.mod(a + 1, SIDE), np.mod(a + 1.3, SIDE), np.array([SIDE]))
    assert near == pytest.approx(metrics.w1(a, a + 0.3), abs=0.01)


def test_the_floor_of_a_prediction_is_that_of_as_many_points() -> None:
    """Two samples of one law, of 500 and of 4,000: the halves of one are compared with others of other sizes."""
    rng = np.random.default_rng(1)
    apart = lambda a, b: metrics.w1(a[:, 0], b[:, 0])  # noqa: E731
    floors = [heldout._floor(rng.normal(size=(4_000, 1, 2)), 500, apart, k) for k in range(5)]
    told = [apart(rng.normal(size=(500, 1, 2)), rng.normal(size=(4_000, 1, 2))) for _ in range(30)]
    assert np.mean(floors) == pytest.approx(np.mean(told), rel=0.25)
