"""Rendered micrographs: what comes from the seed, what from the factors, and that mixes are exactly what they are called."""

import numpy as np
import pytest

from gen_core.images import render
from gen_core.images.rendered import windows

SEEDS = np.arange(6)


@pytest.mark.parametrize("family", render.FAMILIES)
def test_the_same_seeds_give_the_same_pictures_alone_or_together(family: str) -> None:
    together = render.pictures(SEEDS, family)
    assert together.shape == (6, 64, 64, 3)
    assert together.dtype == np.float32
    assert together.min() >= 0
    assert together.max() <= 1
    np.testing.assert_array_equal(render.pictures(SEEDS[3:4], family)[0], together[3])
    assert np.abs(together[0] - together[1]).mean() > 0.02


def test_a_mix_takes_exactly_the_switched_groups() -> None:
    own, other = render.factors(SEEDS), render.factors(SEEDS + 10)
    np.testing.assert_array_equal(render.mixed(own, other, [False] * 3), own)
    np.testing.assert_array_equal(render.mixed(own, other, [True] * 3), other)
    middle = render.mixed(own, other, [False, True, False])
    changed = (middle != own).all(0)
    assert [f.name for f, c in zip(render.FACTORS, changed, strict=True) if c] == [
        f.name for f in render.FACTORS if f.group == "middle"
    ]


@pytest.mark.parametrize("family", render.FAMILIES)
@pytest.mark.parametrize("name", render.NAMES)
def test_every_factor_shows(family: str, name: str) -> None:
    low, high = render.factors(SEEDS), render.factors(SEEDS)
    i = render.NAMES.index(name)
    low[:, i], high[:, i] = render.LOW[i], render.HIGH[i]
    gap = np.abs(render.render(SEEDS, low, family) - render.render(SEEDS, high, family)).mean()
    assert gap > (0.0008 if name in ("density", "light", "contrast") else 0.002)


def test_factors_lie_in_their_ranges_and_cover_them() -> None:
    values = render.factors(np.arange(400))
    assert (values >= render.LOW).all()
    assert (values <= render.HIGH).all()
    np.testing.assert_allclose(render.scaled(values).mean(0), 0, atol=0.12)
    np.testing.assert_allclose(render.scaled(values).std(0), 1 / np.sqrt(3), atol=0.06)


def test_one_astm_number_halves_the_area_and_the_number_counts_grains() -> None:
    side = render.spacing(np.array([6.5, 7.5]))
    assert (side[0] / side[1]) ** 2 == pytest.approx(2)
    # ASTM E112: N = 2^(G - 1) grains in a square inch at a magnification of 100
    inch = 25.4e3 / 100 / render.PIXEL  # in pixels
    assert (inch / render.spacing(np.array([7.0]))[0]) ** 2 == pytest.approx(2**6, rel=0.002)


def test_larger_grains_are_the_same_structure_seen_closer() -> None:
    values = np.tile((render.LOW + render.HIGH) / 2, (2, 1))
    values[:, render.NAMES.index("elongation")] = 1
    values[:, 0] = [6.5, 7.5]
    seen = [render._Window(render.structures(np.array([3])), values[i : i + 1]).at[0][0] for i in range(2)]
    large, small = seen
    step = np.arange(64) - 31.5
    inside = np.abs(step) < 20
    there = np.round(step[inside] / np.sqrt(2) + 31.5).astype(int)
    same = large[np.ix_(inside, inside)] == small[np.ix_(there, there)]
    assert same.mean() > 0.9


def test_no_picture_sees_beyond_the_content_map_or_the_field() -> None:
    corners = np.array(np.meshgrid(*zip(render.LOW[:2], render.HIGH[:2], strict=True))).reshape(2, -1).T
    values = np.tile(render.LOW, (len(corners), 1))
    values[:, :2] = corners
    assert (windows(values) < 0).all()
    assert np.exp(windows(values)).min() > 0.4  # what the model's STRETCH can reach
    window = render._Window(render.structures(np.arange(len(corners))), values)
    field = render.FIELD * render.FIELD
    rows, columns = np.divmod(np.stack(window.at) - window.first[None], render.FIELD)
    assert (np.stack(window.at) // field == np.arange(len(corners))[None, :, None, None]).all()
    assert min(rows.min(), columns.min()) >= 0
    assert max(rows.max(), columns.max()) < render.FIELD


def test_the_three_nearest_grains_are_those_that_a_full_search_finds() -> None:
    values = render.factors(np.array([5]))
    grains = render.structures(np.array([5]))
    window = render._Window(grains, values)
    distance = np.hypot(grains.x[0][:, None] - window.qx.ravel(), grains.y[0][:, None] - window.qy.ravel())
    found = np.sort(distance, axis=0)[:3]
    for k in range(3):
        agree = np.isclose(found[k], window.d[k].ravel(), atol=1e-3)
        assert agree.mean() > (0.99 if k == 2 else 0.999)


def test_the_middle_of_the_light_is_above_and_left_is_left() -> None:
    values = np.tile((render.LOW + render.HIGH) / 2, (3, 1))
    values[:, render.NAMES.index("light")] = [-70, 0, 70]
    images = render.render(np.array([1, 1, 1]), values).mean(3)
    slope = (images * (np.arange(64) - 31.5)).sum((1, 2))
    assert slope[0] < slope[1] < slope[2]
