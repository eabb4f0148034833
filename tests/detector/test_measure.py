"""The numbers against other ways to get them, and against what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from sklearn.metrics import roc_auc_score

from gen_core.detector import measure, observables
from gen_core.detector.features import features
from gen_core.detector.simulate import CHUNK, World, positions, simulate

WORLD = World()
A, B = simulate(WORLD, 1_500, 1), simulate(WORLD, 1_500, 2)


def test_correlations_are_numpys() -> None:
    own = measure.correlations(A.hits)
    there = np.corrcoef(A.hits.reshape(1_500, -1).T)
    assert np.allclose(own, there, atol=1e-5)


def test_the_distance_of_numbers_of_hits_is_scipys() -> None:
    there = wasserstein_distance(A.hits.sum((1, 2)), B.hits.sum((1, 2)))
    assert measure.multiplicity_w1(A.hits, B.hits).value == pytest.approx(there)


def test_the_area_is_sklearns_with_ties_and_its_interval_holds() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        x, y = rng.normal(0.5, 1, 80).round(1), rng.normal(0, 1, 90).round(1)
        area, variance = measure.auc(x, y)
        assert area == pytest.approx(roc_auc_score(np.repeat([1, 0], [80, 90]), np.concatenate([x, y])))
        held += abs(area - 0.63816) < 1.96 * variance**0.5  # the normal distribution function of 0.5 / sqrt(2)
    assert held >= 180


def test_the_truth_is_not_told_from_the_truth_and_channels_on_their_own_are() -> None:
    found = measure.scores(A.hits, B.hits)
    for name in ("auc_features", "auc_cnn"):
        assert found[f"{name}_low"] - 0.02 < 0.5 < found[f"{name}_high"] + 0.02
    chance = np.random.default_rng(3).random(A.hits.shape)
    alone = measure.scores((chance < B.hits.mean(0)).astype(np.uint8), A.hits)
    assert alone["auc_features"] > 0.97
    assert alone["auc_cnn"] > 0.97
    assert alone["corr_error"] > 2 * found["corr_error"]


def test_the_interval_of_the_correlations_shrinks_as_events_are_added() -> None:
    many = simulate(WORLD, 6_000, 4).hits, simulate(WORLD, 6_000, 5).hits
    wide, narrow = measure.corr_error(A.hits, B.hits), measure.corr_error(*many)
    assert narrow.high - narrow.low < wide.high - wide.low
    assert narrow.value < wide.value


def test_features_of_a_pattern_that_is_known() -> None:
    hits = np.zeros((1, 8, 24), np.uint8)
    hits[0, :, 5] = 1
    hits[0, 2, 6] = 1
    found = features(hits)[0]
    assert found[0] == 9
    assert list(found[1:9]) == [1, 1, 2, 1, 1, 1, 1, 1]
    assert list(found[9:17]) == [1] * 8  # clusters


def test_the_simulator_is_the_same_for_any_number_of_events_and_does_what_it_is_told() -> None:
    assert np.array_equal(simulate(WORLD, CHUNK + 10, 1).hits[:1_500], A.hits)
    dead = simulate(World(dead=(0, 3)), 200, 1).hits
    assert not dead[:, [0, 3]].any()
    assert dead[:, 1].any()
    noise = simulate(World(tracks_min=0, tracks_max=1, efficiency=1e-9, noise=0.03), 5_000, 1).hits
    assert noise.mean() == pytest.approx(0.03, rel=0.03)
    perfect = World(efficiency=1, noise=0, sharing=0)
    made = simulate(perfect, 500, 1, tracks=1)
    at = positions(perfect, made.tracks[:, 0])
    inside = (at >= 0) & (at < 24)
    assert np.array_equal(made.hits.sum(2) == 1, inside)
    assert np.array_equal(made.hits.argmax(2)[inside], at[inside].astype(int))


def test_charge_sharing_and_efficiency_are_those_asked_for() -> None:
    for share in (0.1, 0.3):
        world = World(efficiency=0.9, noise=0, sharing=share)
        made = simulate(world, 4_000, 1, tracks=1)
        at = positions(world, made.tracks[:, 0])
        inner = (at > 1) & (at < 23)
        hits = made.hits.sum(2)[inner]
        assert (hits > 0).mean() == pytest.approx(0.9, abs=0.01)
        assert (hits[hits > 0] == 2).mean() == pytest.approx(2 * share, abs=0.02)


def test_tracks_are_found_where_they_are() -> None:
    world = World(noise=0.0, efficiency=1.0)
    made = simulate(world, 300, 1, tracks=1)
    found = observables.find(made.hits, world)
    told = observables.efficiency(found, made.tracks, world)
    inside = ((positions(world, made.tracks[:, 0]) > 0) & (positions(world, made.tracks[:, 0]) < 24)).all(1)
    assert told["track_efficiency"] > 0.95 * inside.mean()
    assert told["fake_rate"] < 0.02
    assert observables.summary(made.hits, world, found)["residual_rms"] < 0.5
    empty = observables.find(np.zeros((3, 8, 24), np.uint8), world)
    assert not np.isfinite(empty.tracks).any()


def test_sizes_of_clusters() -> None:
    hits = np.zeros((2, 2, 8), np.uint8)
    hits[0, 0, [0, 1, 4]] = 1
    hits[1, 1, 5:] = 1
    assert sorted(observables.cluster_sizes(hits)) == [1, 2, 3]
