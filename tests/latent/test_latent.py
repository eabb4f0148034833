"""Paths, directions and flat maps of a latent space: properties, and truths that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from gen_core.latent import directions, paths
from gen_core.latent.density import Density
from gen_core.latent.maps import FlatMap

T = np.linspace(0, 1, 11)


@pytest.mark.parametrize("way", [paths.lerp, paths.slerp])
@given(seed=st.integers(0, 1000), k=st.integers(2, 40))
def test_a_way_begins_and_ends_where_it_should_and_back_is_the_same_way(way: object, seed: int, k: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, k))
    points = way(a, b, T)
    np.testing.assert_allclose(points[[0, -1]], [a, b], atol=1e-9)
    np.testing.assert_allclose(way(b, a, T)[::-1], points, atol=1e-9)


def test_slerp_keeps_the_length_and_turns_evenly() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 64))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    points = paths.slerp(a, b, T)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), np.linalg.norm(a))
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    turns = np.arccos((unit[1:] * unit[:-1]).sum(1))
    np.testing.assert_allclose(turns, turns[0])
    assert np.linalg.norm(paths.lerp(a, b, T), axis=1)[5] < 0.9 * np.linalg.norm(a)  # the line cuts through the inside


def test_slerp_agrees_with_scipys_on_the_sphere() -> None:
    a, b = Rotation.random(2, rng=1).apply([1.0, 0, 0])
    axis = np.cross(a, b)
    turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.arccos(a @ b))
    theirs = Slerp([0, 1], Rotation.concatenate([Rotation.identity(), turn]))(T).apply(a)
    np.testing.assert_allclose(paths.slerp(a, b, T), theirs, atol=1e-12)


def test_slerp_where_there_is_no_circle() -> None:
    a = np.array([1.0, 2, 3])
    for b in (a, -a, np.zeros(3)):
        np.testing.assert_allclose(paths.slerp(a, b, T), paths.lerp(a, b, T))


def test_a_way_through_points_visits_each() -> None:
    points = np.random.default_rng(0).normal(size=(4, 5))
    walked = paths.through(points, 31, paths.slerp)
    np.testing.assert_allclose(walked[::10], points, atol=1e-9)
    assert len(walked) == 31
    with pytest.raises(ValueError, match="two"):
        paths.through(points[:1], 3)


def test_the_direction_of_a_planted_value_is_found_and_can_be_taken_out() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2000, 10)) * np.linspace(0.5, 2, 10)
    truth = rng.normal(size=10)
    truth /= np.linalg.norm(truth)
    value = codes @ truth + 0.1 * rng.normal(size=2000)
    found = directions.along(codes, value, ridge=1e-6)
    assert found @ truth > 0.99
    assert np.ptp(directions.without(codes, found) @ found) < 1e-9
    with pytest.raises(ValueError, match="vary"):
        directions.along(codes, np.ones(2000))
    second = value > 0
    assert directions.between(codes, second) @ truth > 0
    np.testing.assert_allclose(directions.analogy(codes[0], codes[1], codes[0]), codes[1])


def test_a_flat_map_leads_spots_to_their_points_and_knows_the_empty_ones() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 200)
    codes = rng.normal(size=(400, 8)) + 10 * groups[:, None]
    flat = FlatMap(codes, codes[:, :2] * [1, 0.5] + 3)  # a map whose truth is known
    inside = flat.places[:5]
    np.testing.assert_allclose(flat.place(codes[:5]), inside, atol=1.2)
    assert (flat.latent(inside).mean(1) < 2).all()
    between = np.array([[8.0, 5.5]])
    assert flat.strangeness(between)[0] > 95
    assert np.median(flat.strangeness(flat.places[::7])) < 80
    assert Density.of(codes).percentile(flat.latent(between))[0] > 95
