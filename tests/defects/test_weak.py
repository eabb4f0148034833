"""The weak form: exact on exact moments, unbiased where plain least squares is not, the same for the same seed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gen_core.defects import data, estimate, simulate, testfunctions, weak, worlds
from gen_core.defects.libraries import Polynomial
from gen_core.defects.recipe import Infer

Array = np.ndarray
PULL, D = np.array([[-1.0, -2.0], [2.0, -1.0]]), 0.25


def exact(times: Array) -> tuple[Array, float]:
    """Weights of a linear drift and D from exact moments of a normal density that drifts, spreads and turns."""
    from scipy.linalg import expm, solve_continuous_lyapunov

    tests = testfunctions.drawn(0.7, 2, 30, 0, 3)
    rest = solve_continuous_lyapunov(PULL, -2 * D * np.eye(2))
    A, y = [], []
    for t in times:
        moved = expm(PULL * t)
        mean, cov = moved @ [1.3, 0.0], rest + moved @ (np.diag([0.25, 0.0625]) - rest) @ moved.T
        angle = tests.waves @ mean + tests.phases
        size = np.exp(-0.5 * np.einsum("ji,ik,jk->j", tests.waves, cov, tests.waves))
        x_sin = size[:, None] * (np.sin(angle)[:, None] * mean + np.cos(angle)[:, None] * (tests.waves @ cov))  # E[x sin]
        terms = -np.einsum("ja,jb->jab", tests.waves, x_sin).reshape(len(tests), 4)
        A.append(np.column_stack([terms, -(tests.waves**2).sum(1) * size * np.cos(angle)]))
        y.append(size * np.cos(angle))
    over = weak.windows(times)
    left = np.einsum("wk,kjp->wjp", over.integral, np.array(A)).reshape(-1, 5)
    right = np.einsum("wk,kj->wj", over.change, np.array(y)).reshape(-1)
    found = np.linalg.lstsq(left, right, rcond=None)[0]
    return found[:4].reshape(2, 2), float(found[4])


def test_exact_moments_give_the_exact_law_and_better_so_with_closer_times() -> None:
    errors = []
    for count in (11, 21, 41):
        pull, found = exact(np.linspace(0, 1, count))
        errors.append(np.abs(pull - PULL).max() + abs(found - D))
    assert errors[0] < 0.005
    assert errors[0] / errors[1] > 8  # Simpson's rule: sixteen times better at half the distance
    assert errors[1] / errors[2] > 8


def test_times_need_not_be_evenly_spaced() -> None:
    pull, found = exact(np.array([0, 0.04, 0.1, 0.15, 0.22, 0.3, 0.37, 0.5, 0.55, 0.7, 0.8, 0.9]))
    assert np.allclose(pull, PULL, atol=0.02)
    assert found == pytest.approx(D, rel=0.02)


def test_windows_integrate_parabolas_exactly() -> None:
    times = np.array([0.0, 0.1, 0.35, 0.4])
    over = weak.windows(times)
    for power in range(3):
        goal = [(c ** (power + 1) - a ** (power + 1)) / (power + 1) for a, c in zip(times[:-2], times[2:], strict=True)]
        assert np.allclose(over.integral @ times**power, goal)
    assert len(weak.windows(np.linspace(0, 1, 11), apart=True).change) == 5


def test_leaving_out_own_products_is_the_mean_over_all_splits() -> None:
    rng = np.random.default_rng(0)
    groups, rows, terms = 8, 12, 3
    A, y = rng.normal(size=(groups, rows, terms)), rng.normal(size=(groups, rows))
    made = (A, y, np.einsum("gsp,gsq->gpq", A, A), np.einsum("gsp,gs->gp", A, y))
    found = weak._solved(made, np.ones(groups), None, True)
    M, v = np.zeros((terms, terms)), np.zeros(terms)
    for one in itertools.combinations(range(groups), groups // 2):  # one half the instrument of the other
        other = [g for g in range(groups) if g not in one]
        M += A[list(one)].sum(0).T @ A[other].sum(0)
        v += A[list(one)].sum(0).T @ y[other].sum(0)
    assert np.allclose(np.linalg.solve(M, v), found)


def test_instruments_take_the_bias_out_of_the_diffusion_constant() -> None:
    plain, fitted = [], []
    recipe = Infer(test_functions=60)
    for seed in range(4):
        found = data.made("double_well", 300, 11, seed)
        library = estimate.library_of(recipe, found)
        tests = estimate.tests_of(recipe, found, library)
        sums = weak.moments(found.times, found.positions, library, tests)
        fitted.append(weak.fit(sums, found.positions, library, tests, seed, 20).D)
        plain.append(weak.fit(sums, found.positions, library, tests, seed, 20, instruments=False).D)
    assert np.mean(plain) < 0.25 * 0.97
    assert abs(np.mean(fitted) - 0.25) < abs(np.mean(plain) - 0.25)


def test_the_double_well_is_found_within_the_noise() -> None:
    recipe = Infer(n=4_000)
    found = data.opened(recipe)
    library = estimate.library_of(recipe, found)
    fitted = estimate.weakly(recipe, found, library)
    low, high = fitted.interval()
    assert pytest.approx(0.25, rel=0.05) == fitted.D
    assert low < 0.25 < high
    assert high - low < 0.1 * 0.25
    again = estimate.weakly(recipe, found, library)
    assert np.array_equal(again.draws, fitted.draws)


def test_replicas_watched_over_time_give_the_same_answer() -> None:
    world = worlds.double_well()
    times = np.linspace(0, 1, 11)
    start = world.start(3_000, np.random.default_rng(4))
    followed = simulate.followed(start, world.force, world.D, times, 0.01, 4)
    library = Polynomial(np.zeros(2), 0.7, 4, True)
    tests = testfunctions.drawn(0.7, 2, 40, 0, 1)
    sums = weak.moments(times, followed, library, tests)
    fitted = weak.fit(sums, followed, library, tests)
    assert pytest.approx(0.25, rel=0.08) == fitted.D


def test_most_intervals_hold_the_truth() -> None:
    recipe = Infer(n=1_000, bootstrap=100)
    held = 0
    for seed in range(8):
        found = data.made("double_well", 1_000, 11, 50 + seed)
        low, high = estimate.weakly(recipe, found, estimate.library_of(recipe, found)).interval()
        held += low <= 0.25 <= high
    assert held >= 5


def test_many_replicas_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Infer(n=700, snapshots=4)
    found = data.opened(recipe)
    library = estimate.library_of(recipe, found)
    tests = estimate.tests_of(recipe, found, library)
    whole = weak.moments(found.times, found.positions, library, tests)
    monkeypatch.setattr(weak, "PART", 230)
    monkeypatch.setattr(testfunctions, "PART", 230)
    parts = weak.moments(found.times, found.positions, library, tests)
    assert np.array_equal(whole.counts, parts.counts)
    assert np.allclose(whole.terms, parts.terms)
    assert np.allclose(tests.values(found.positions[0]), tests.evaluate(found.positions[0])[0])
