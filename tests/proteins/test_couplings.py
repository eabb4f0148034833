"""Couplings: energies by brute force, gauges, known Potts models found again, and the sampler's distribution."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from gen_core.device import pick
from gen_core.proteins import couplings
from gen_core.proteins.alphabet import Q
from gen_core.proteins.couplings import Couplings
from gen_core.proteins.statistics import moments, pair_order, pearson


def random_potts(length: int = 3, size: float = 1.0, seed: int = 0) -> Couplings:
    rng = np.random.default_rng(seed)
    fields, pairs = rng.normal(size=(length, Q)), rng.normal(size=(length * (length - 1) // 2, Q * Q)) * size
    return couplings.zero_sum(fields, pairs)


def every(length: int) -> np.ndarray:
    return np.stack(np.meshgrid(*[np.arange(Q)] * length, indexing="ij"), -1).reshape(-1, length).astype(np.uint8)


def exact(model: Couplings) -> np.ndarray:
    weights = np.exp(-model.energy(every(model.length)))
    return weights / weights.sum()


def finish(work: Generator[Any, None, Couplings]) -> Couplings:
    try:
        while True:
            next(work)
    except StopIteration as end:
        return end.value


def test_energy_is_the_sum_over_sites_and_pairs() -> None:
    model = random_potts(6)
    codes = np.random.default_rng(1).integers(0, Q, (20, 6)).astype(np.uint8)
    J = model.matrix().reshape(6, Q, 6, Q)
    for row, energy in zip(codes, model.energy(codes), strict=True):
        slow = -sum(model.fields[i, a] for i, a in enumerate(row)) - sum(J[i, row[i], j, row[j]] for i, j in pair_order(6))
        assert energy == pytest.approx(slow, abs=1e-4)
    np.testing.assert_allclose(J.reshape(6 * Q, -1), J.reshape(6 * Q, -1).T)


def test_the_gauge_changes_energies_by_a_constant_only() -> None:
    rng = np.random.default_rng(2)
    plain = Couplings(rng.normal(size=(4, Q)), rng.normal(size=(6, Q * Q)) + 3)
    fixed = couplings.zero_sum(plain.fields, plain.pairs)
    codes = rng.integers(0, Q, (50, 4)).astype(np.uint8)
    assert np.ptp(plain.energy(codes) - fixed.energy(codes)) < 1e-3
    np.testing.assert_allclose(fixed.pairs.reshape(-1, Q, Q).sum(1), 0, atol=1e-4)
    np.testing.assert_allclose(fixed.fields.sum(1), 0, atol=1e-4)


def test_stored_as_bytes_the_energies_stay() -> None:
    model = random_potts(8)
    codes = np.random.default_rng(1).integers(0, Q, (200, 8)).astype(np.uint8)
    again = Couplings.of_packed(model.fields, *model.packed())
    assert pearson(again.energy(codes), model.energy(codes)) > 0.9999
    assert model.packed()[0].nbytes == model.pairs.size


def test_a_known_model_is_found_again_from_its_samples() -> None:
    truth = random_potts(3, 0.8)
    rng = np.random.default_rng(0)
    codes = every(3)[rng.choice(Q**3, 15_000, p=exact(truth))]
    fitted = finish(couplings.fit(codes, np.ones(len(codes)), "test", 3, 0, pick("cpu")))
    started = couplings.mean_field(moments(codes))
    assert pearson(fitted.pairs, truth.pairs) > 0.85
    assert pearson(fitted.pairs, truth.pairs) > pearson(started.pairs, truth.pairs)
    assert pearson(fitted.energy(every(3)), truth.energy(every(3))) > 0.9


def test_without_correlations_there_are_no_couplings() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, Q, (20_000, 4)).astype(np.uint8)
    assert np.abs(couplings.mean_field(moments(codes)).pairs).mean() < 0.15
    fields = couplings.mean_field(moments(codes), share=0.0)
    assert (fields.pairs == 0).all()


def test_the_sampler_draws_what_the_energy_says() -> None:
    model = random_potts(3, 0.7)
    drawn = model.sample(4_000, 25, np.random.default_rng(0), kept=4)
    assert drawn.shape == (16_000, 3)
    p = exact(model)
    sites = np.stack([np.bincount(every(3)[:, i], p, Q) for i in range(3)])
    found = moments(drawn)
    assert np.abs(found.sites - sites).max() < 0.012
    expected = moments(every(3), p)
    assert pearson(found.pairs, expected.pairs) > 0.97
