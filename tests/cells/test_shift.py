"""Shifts: what each predictor must and must not do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen_core.cells.shift import PREDICTORS, Response, dose_weights, estimate, weights_of

GENES, K = 30, 4


def response(name: str, seed: int, doses: tuple[float, ...] = (1.0,), at: float = 0.0) -> Response:
    rng = np.random.default_rng(seed)
    change = rng.normal(size=(len(doses), GENES))
    return Response(
        name, np.array(doses), change, np.full_like(change, 0.01), np.full(len(doses), 50), 60, rng.random(GENES), np.full(K, at)
    )


def axes() -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(9).normal(size=(GENES, K)))[0]


@settings(deadline=None, max_examples=50)
@given(doses=st.lists(st.floats(0.01, 100), min_size=1, max_size=5, unique=True), dose=st.floats(0, 300))
def test_dose_weights_are_exact_where_measured_and_continuous(doses: list[float], dose: float) -> None:
    measured = np.array(sorted(doses))
    if len(measured) > 1 and np.diff(np.log(measured)).min() < 0.01:
        return
    for i, d in enumerate(measured):
        np.testing.assert_allclose(dose_weights(measured, d), np.eye(len(measured))[i], atol=1e-9)
    assert not dose_weights(measured, 0.0).any()
    near = dose_weights(measured, dose * (1 + 1e-9)) - dose_weights(measured, dose)
    assert np.abs(near).max() < 1e-4  # the steepest: 300 / 0.01 times the step


def test_without_measured_doses_the_dose_is_a_multiple() -> None:
    r = response("a", 1)
    np.testing.assert_allclose(r.at(0.5), 0.5 * r.at(1.0))
    np.testing.assert_allclose(r.at(-0.5), -0.5 * r.at(1.0))


@pytest.mark.parametrize("how", ["similarity_weighted", "nearest", "balanced_mean", "mean"])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_shift_is_linear_in_the_dose(predictor: str, how: str) -> None:
    sources = [response(n, i, at=float(i)) for i, n in enumerate("abc")]
    one, half = (estimate(predictor, how, sources, np.full(K, 0.2), axes(), d).vector for d in (1.0, 0.5))
    np.testing.assert_allclose(half, one / 2, atol=1e-12)


@pytest.mark.parametrize("predictor", [p for p in PREDICTORS if p != "no_change"])
def test_if_all_types_respond_alike_every_predictor_says_so(predictor: str) -> None:
    same = axes() @ np.array([1.0, -2, 0.5, 3])  # within the components, so that those predictors can say it
    sources = [
        Response(n, np.ones(1), same[None], np.zeros((1, GENES)), np.array([50]), 60, np.zeros(GENES), np.full(K, float(i)))
        for i, n in enumerate("abc")
    ]
    shift = estimate(predictor, "similarity_weighted", sources, np.full(K, 0.4), axes(), 1.0)
    np.testing.assert_allclose(shift.vector, same, atol=1e-9)
    assert shift.spread.max() < 1e-6
    assert (shift.agreement[np.abs(same) > 1e-6] == 1).all()


def test_similar_types_count_more_and_weights_sum_to_one() -> None:
    sources = [response(n, i, at=float(i)) for i, n in enumerate("abcd")]
    weights = weights_of("similarity_weighted", sources, np.full(K, 0.1))
    assert weights.sum() == pytest.approx(1)
    assert (np.diff(weights) < 0).all()
    assert weights_of("nearest", sources, np.full(K, 2.1)).tolist() == [0, 0, 1, 0]


def test_a_type_at_the_very_same_place_takes_all_the_weight() -> None:
    sources = [response(n, i, at=float(i)) for i, n in enumerate("ab")]
    weights = weights_of("similarity_weighted", sources, np.zeros(K))
    assert np.isfinite(weights).all()
    assert weights[0] == pytest.approx(1)


def test_a_left_out_dose_is_not_used() -> None:
    r = response("a", 3, (1.0, 3.0, 10.0))
    without = r.without(3.0)
    assert without.doses.tolist() == [1.0, 10.0]
    np.testing.assert_allclose(without.at(10.0), r.at(10.0))
    assert not np.allclose(without.at(3.0), r.at(3.0))
