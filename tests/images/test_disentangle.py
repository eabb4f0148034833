"""Measures of what a code tells apart: known truths, invariances, and implementations written anew from the papers."""

import numpy as np
import pytest

from gen_core.images import disentangle as d

RNG = np.random.default_rng(0)
FACTORS = RNG.random((1_000, 3))
ROTATION = np.linalg.qr(RNG.normal(size=(3, 3)))[0]


def test_a_code_of_one_number_a_factor_is_perfect_and_a_random_one_is_nothing() -> None:
    perfect = d.measured(np.column_stack([-3 * FACTORS[:, [2, 0, 1]], RNG.normal(size=(1_000, 1))]), FACTORS)
    told = perfect.metrics()
    assert told["mig"] > 0.9
    assert told["sap"] > 0.95
    assert told["dci_disentanglement"] > 0.95
    assert told["dci_completeness"] > 0.95
    assert told["dci_informativeness"] > 0.95
    nothing = d.measured(RNG.normal(size=(1_000, 4)), FACTORS).metrics()
    assert nothing["mig"] < 0.05
    assert nothing["sap"] < 0.03
    assert nothing["dci_disentanglement"] < 0.3  # what trees make of noise is not even
    assert nothing["dci_informativeness"] < 0.05


def test_a_rotated_code_tells_all_the_same_and_lies_between() -> None:
    turned = d.measured(FACTORS @ ROTATION, FACTORS).metrics()
    assert turned["dci_informativeness"] > 0.8
    for name in ("mig", "sap", "dci_disentanglement", "dci_completeness"):
        assert 0 < turned[name] < 0.6, name


def test_a_factor_told_twice_has_no_gap_but_each_number_serves_one_factor() -> None:
    twice = np.column_stack([FACTORS[:, 0], FACTORS[:, 0] + 1e-9 * RNG.normal(size=1_000), FACTORS[:, 1], FACTORS[:, 2]])
    np.testing.assert_allclose(d.mig(twice, FACTORS)[0], 0, atol=0.01)
    np.testing.assert_allclose(d.sap(twice, FACTORS)[0], 0, atol=1e-6)
    assert d.mig(twice, FACTORS)[1:].min() > 0.9


def test_order_sign_and_scale_of_the_numbers_change_nothing() -> None:
    codes = FACTORS @ ROTATION + 0.1 * RNG.normal(size=FACTORS.shape)
    other = codes[:, [1, 2, 0]] * [-4.0, 100.0, 0.01] + 7
    np.testing.assert_allclose(d.mig(other, FACTORS), d.mig(codes, FACTORS), atol=0.01)  # a value may cross an edge
    np.testing.assert_allclose(d.sap(other, FACTORS), d.sap(codes, FACTORS), atol=1e-9)
    weights, told = d.importances(codes, FACTORS)
    again, same = d.importances(other, FACTORS)
    np.testing.assert_allclose(again, weights[[1, 2, 0]], atol=0.01)
    np.testing.assert_allclose(same, told, atol=0.01)


def test_the_gap_is_that_of_an_implementation_written_anew() -> None:
    from sklearn.metrics import mutual_info_score

    codes = FACTORS @ ROTATION
    binned = lambda v: np.digitize(v, np.histogram(v, 20)[1][:-1])  # noqa: E731
    for j, gap in enumerate(d.mig(codes, FACTORS)):
        y = binned(FACTORS[:, j])
        shared = sorted(mutual_info_score(binned(codes[:, i]), y) for i in range(3))
        assert gap == pytest.approx((shared[-1] - shared[-2]) / mutual_info_score(y, y), abs=1e-3)


def test_the_separation_is_that_of_fitted_lines() -> None:
    codes = FACTORS @ ROTATION
    for j, gap in enumerate(d.sap(codes, FACTORS)):
        scores = []
        for x in codes.T:
            line = np.polyval(np.polyfit(x, FACTORS[:, j], 1), x)
            scores.append(1 - np.square(FACTORS[:, j] - line).sum() / np.square(FACTORS[:, j] - FACTORS[:, j].mean()).sum())
        assert gap == pytest.approx(sorted(scores)[-1] - sorted(scores)[-2], abs=1e-9)


def test_disentanglement_and_completeness_are_the_entropies_of_the_paper() -> None:
    from scipy.stats import entropy

    weights = RNG.random((5, 3)) ** 3
    rows = np.array([1 - entropy(row / row.sum(), base=3) for row in weights])
    assert d.disentanglement(weights) == pytest.approx(rows @ weights.sum(1) / weights.sum())
    columns = [1 - entropy(column / column.sum(), base=5) for column in weights.T]
    np.testing.assert_allclose(d.completeness(weights), columns)
    assert d.disentanglement(np.eye(3)) == pytest.approx(1)
    np.testing.assert_allclose(d.completeness(np.eye(3)), 1)
    assert d.disentanglement(np.ones((4, 3))) == pytest.approx(0)
    np.testing.assert_allclose(d.completeness(np.ones((4, 3))), 0, atol=1e-12)


def test_numbers_that_do_not_vary_tell_nothing_and_break_nothing() -> None:
    still = d.measured(np.zeros((200, 2)), FACTORS[:200]).metrics()
    assert all(np.isfinite(value) for value in still.values())
    assert still["mig"] == still["sap"] == still["dci_informativeness"] == 0
    assert d.measured(FACTORS[:200, :1], FACTORS[:200]).mig_of[0] > 0.9  # one number alone leads by all it knows


def test_two_cards_side_by_side() -> None:
    from gen_core.images import disentangle_plots
    from gen_core.images.render import NAMES

    cards = {name: {"metrics": {f"mig.{f}": 0.1 * i for i, f in enumerate(NAMES)}} for name in ("Styles", "Plain")}
    for dark in (False, True):
        bars = disentangle_plots.gaps(cards, dark).data
        assert [bar.name for bar in bars] == list(cards)
        assert len(bars[0].y) == len(NAMES)
        assert bars[0].marker.color != bars[1].marker.color
    assert set(d.measured(FACTORS[:100, :2], FACTORS[:100]).metrics("content_")) >= {"content_mig", "content_mig.grain_size"}
