"""Shifts in latent space: what each must give where the truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from gen_core.cells import latent_shift
from gen_core.cells.latent_shift import (
    HOW,
    Group,
    cosines,
    displacements,
    each,
    estimate,
    share_explained,
    weights_of,
)

K = 4
CHANGE = np.array([1.0, -2.0, 0.5, 0.0])


def group(name: str, at: float, change: np.ndarray = CHANGE, n: int = 80, seed: int = 0) -> Group:
    rng = np.random.default_rng([seed, *name.encode()])
    control = rng.normal(size=(n, K)) + at
    return Group(name, control, control[: n // 2] - control[: n // 2].mean(0) + control.mean(0) + change)


@pytest.mark.parametrize("how", HOW)
def test_where_all_types_shift_alike_every_way_finds_that_shift(how: str) -> None:
    groups = [group("a", 0), group("b", 3), group("c", -8)]
    z = np.random.default_rng(1).normal(size=(30, K)) + 2
    found = estimate(how, groups, z)
    assert found.weights.sum() == pytest.approx(1)
    # the types are of equal shares in both states, so that pooling them adds nothing of the mixture
    np.testing.assert_allclose(np.broadcast_to(found.dz, z.shape).mean(0), CHANGE, atol=0.35 if how == "transport" else 1e-9)


def test_a_like_type_counts_more_and_a_given_distance_decides() -> None:
    groups = [group("near", 0.5, CHANGE), group("far", 6, -CHANGE)]
    z = np.zeros((5, K))
    weights = weights_of("similarity_weighted", groups, z)
    assert weights[0] > 0.99
    assert estimate("nearest", groups, z).dz == pytest.approx(CHANGE)
    assert estimate("balanced_mean", groups, z).dz == pytest.approx(np.zeros(K), abs=1e-9)
    assert weights_of("nearest", groups, z, np.array([2.0, 1.0])).tolist() == [0, 1]
    with pytest.raises(ValueError, match="how"):
        estimate("median", groups, z)


def test_pooling_adds_what_the_mixture_does_and_balance_does_not() -> None:
    a, b = group("a", 0, np.zeros(K)), group("b", 10, np.zeros(K))
    b = Group("b", b.control[:10], b.perturbed)
    b = Group("b", b.control, b.perturbed - b.perturbed.mean(0) + b.control.mean(0))
    z = np.zeros((3, K))
    assert np.linalg.norm(estimate("mean", [a, b], z).dz) > 3
    assert np.linalg.norm(estimate("balanced_mean", [a, b], z).dz) < 1e-9


def test_transport_gives_each_cell_the_shift_of_its_own_place() -> None:
    rng = np.random.default_rng(3)
    control = rng.normal(size=(300, K))
    stretch = lambda x: x + CHANGE + np.outer(0.8 * x[:, 0], [1.0, 0, 0, 0])  # noqa: E731  # more to the right, more shift
    source = Group("a", control, stretch(rng.normal(size=(300, K))))
    z = rng.normal(size=(200, K))
    truth = stretch(z) - z
    found = estimate("transport", [source], z).dz
    constant = estimate("balanced_mean", [source], z).dz
    assert found.shape == z.shape
    assert np.corrcoef(found[:, 0], truth[:, 0])[0, 1] > 0.9
    assert ((found - truth) ** 2)[:, 0].mean() < 0.5 * ((constant - truth) ** 2)[:, 0].mean()


def test_transport_pairs_cells_as_the_exact_assignment_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_shift, "BLUR", 0.005)
    rng = np.random.default_rng(4)
    control, perturbed = rng.normal(size=(60, 2)) * 3, rng.normal(size=(60, 2)) * 3 + 5
    here, there = control - control.mean(0), perturbed - perturbed.mean(0)
    cost = ((here[:, None] - there[None]) ** 2).sum(2)
    _, partner = linear_sum_assignment(cost)
    exact = perturbed[partner] - control
    found = displacements(control, perturbed)
    np.testing.assert_allclose(found.mean(0), perturbed.mean(0) - control.mean(0), atol=1e-9)
    apart = lambda shift: ((shift - exact) ** 2).sum(1).mean()  # noqa: E731
    assert apart(found) < 0.2 * apart(np.broadcast_to(exact.mean(0), exact.shape))


def test_share_explained_and_cosines_of_known_shifts() -> None:
    assert share_explained(np.tile(CHANGE, (5, 1))) == pytest.approx(1)
    assert share_explained(np.eye(4)) == pytest.approx(1 / 4)
    assert share_explained(np.array([[1.0, 0], [-1, 0]])) == pytest.approx(0)
    assert np.isnan(share_explained(np.zeros((3, 2))))
    assert cosines(np.array([[2.0, 0], [0, 3], [-1, 0], [0, 0]])) == pytest.approx(
        np.array([[1, 0, -1, 0], [0, 1, 0, 0], [-1, 0, 1, 0], [0, 0, 0, 0]])
    )
    assert each([group("a", 1), group("b", 2)]) == pytest.approx(np.stack([CHANGE, CHANGE]))


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(0, 100))
def test_share_explained_lies_between_0_and_1_and_does_not_change_with_scale_or_rotation(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shifts = rng.normal(size=(n, K)) + rng.normal(size=K)
    share = share_explained(shifts)
    assert 0 <= share <= 1
    turn = np.linalg.qr(rng.normal(size=(K, K)))[0]
    assert share_explained(7 * shifts @ turn) == pytest.approx(share)
    assert np.abs(cosines(shifts)).max() <= 1 + 1e-12
