"""Shifts in latent space: what each must give where the truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from gen_core.cells import latent_shift
from gen_core.cells.latent_shift import Group, LatentResponse, cosines, displacements, moves, share_explained

K = 4
CHANGE = np.array([1.0, -2.0, 0.5, 0.0])


def group(name: str, at: float, change: np.ndarray = CHANGE, n: int = 80, seed: int = 0) -> Group:
    rng = np.random.default_rng([seed, *name.encode()])
    control = rng.normal(size=(n, K)) + at
    return Group(name, control, control[: n // 2] - control[: n // 2].mean(0) + control.mean(0) + change)


def move(how: str, groups: list[Group], z: np.ndarray, dose: float = 1.0) -> np.ndarray:
    """What cells at z (n, k) are moved by, all groups counting alike."""
    responses = [LatentResponse(np.ones(1), (g,)) for g in groups]
    return moves(how, responses, np.full(len(groups), 1 / len(groups)), z.mean(0), dose)(z)


@pytest.mark.parametrize("how", ["mean", "balanced_mean", "transport"])
def test_where_all_types_shift_alike_every_way_finds_that_shift(how: str) -> None:
    groups = [group("a", 0), group("b", 3), group("c", -8)]
    z = np.random.default_rng(1).normal(size=(30, K)) + 2
    for dose in (0.0, 0.5, 1.0):
        # the types are of equal shares in both states, so that pooling them adds nothing of the mixture
        found = np.broadcast_to(move(how, groups, z, dose), z.shape).mean(0)
        np.testing.assert_allclose(found, dose * CHANGE, atol=0.35 if how == "transport" else 1e-9)


def test_types_count_by_their_weights() -> None:
    responses = [LatentResponse(np.ones(1), (g,)) for g in (group("near", 0.5, CHANGE), group("far", 6, -CHANGE))]
    z = np.zeros((5, K))
    for weights in ([1.0, 0.0], [0.5, 0.5], [0.25, 0.75]):
        found = moves("similarity_weighted", responses, np.array(weights), z.mean(0), 1.0)(z)
        assert found == pytest.approx((weights[0] - weights[1]) * CHANGE, abs=1e-9)


def test_a_dose_that_was_measured_is_given_back() -> None:
    half, whole = group("a", 0, CHANGE / 4), group("a", 0, CHANGE)
    response = LatentResponse(np.array([1.0, 10.0]), (half, whole))
    z = np.zeros((3, K))
    for dose, share in ((0.0, 0.0), (1.0, 0.25), (10.0, 1.0)):
        assert moves("nearest", [response], np.ones(1), z.mean(0), dose)(z) == pytest.approx(share * CHANGE, abs=1e-9)


def test_pooling_adds_what_the_mixture_does_and_balance_does_not() -> None:
    a, b = group("a", 0, np.zeros(K)), group("b", 10, np.zeros(K))
    b = Group("b", b.control, b.perturbed - b.perturbed.mean(0) + b.control.mean(0))
    a = Group("a", a.control, np.concatenate([a.perturbed] * 4))  # the mixture of the perturbed cells is another one
    z = np.zeros((3, K))
    assert np.linalg.norm(move("mean", [a, b], z)) > 3
    assert np.linalg.norm(move("balanced_mean", [a, b], z)) < 1e-9


def test_transport_gives_each_cell_the_shift_of_its_own_place() -> None:
    rng = np.random.default_rng(3)
    control = rng.normal(size=(300, K))
    stretch = lambda x: x + CHANGE + np.outer(0.8 * x[:, 0], [1.0, 0, 0, 0])  # noqa: E731  # more to the right, more shift
    source = Group("a", control, stretch(rng.normal(size=(300, K))))
    z = rng.normal(size=(200, K))
    truth = stretch(z) - z
    found = move("transport", [source], z)
    constant = move("balanced_mean", [source], z)
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
    assert np.stack([group("a", 1).shift, group("b", 2).shift]) == pytest.approx(np.stack([CHANGE, CHANGE]))


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
