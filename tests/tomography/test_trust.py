"""The warning that a slice is unlike what a prior learned from: silent on what it knows, there on what it does not."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gen_core import catalog
from gen_core.tomography import kinds, modelfile, phantoms, traits, trust
from gen_core.tomography.geometry import scanner
from gen_core.tomography.measure import measured
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import Reconstruct
from gen_core.tomography.reconstruct import run
from gen_core.tomography.standard import standard
from gen_core.tomography.subject import subject_of

TRUNK, LUNG = "tomography/totalsegmentator_trunk_3mm.nii.gz", "tomography/lungmask_thorax.dcm"


@cache
def whole(kind: str, seed: int) -> np.ndarray:
    return phantoms.sinogram(phantoms.phantom(kind, seed), scanner(128, 60, 180))


def seen(kind: str, seed: int, covered: int, noise: float) -> Problem:
    """A synthetic slice over some degrees, 3 from view to view."""
    views = covered // 3
    data = measured(whole(kind, seed)[:views], noise, seed=seed)
    return Problem(scanner(128, views, covered), data.sinogram.astype(np.float32), data.sigma)


@pytest.mark.parametrize(("covered", "noise"), [(120, 0.01), (90, 0.003), (60, 0.05)])
def test_synthetic_slices_are_seldom_called_unlike_their_own(covered: int, noise: float) -> None:
    told = [kinds.unlike(seen("wide", seed, covered, noise), "wide") < trust.RARE for seed in range(40)]
    assert sum(told) <= 6  # of 40 at 5 %: more in one of 300


def test_a_belly_is_unlike_chests_and_a_head_too_but_none_is_unlike_all_three() -> None:
    for kind in ("abdomen", "head"):
        found = [seen(kind, seed, 90, 0.01) for seed in range(4)]
        assert all(kinds.unlike(problem, "thorax") < trust.RARE for problem in found)
        assert sum(kinds.unlike(problem, "wide") < trust.RARE for problem in found) <= 1


@pytest.mark.parametrize("family", ["thorax", "wide"])
@pytest.mark.parametrize(
    ("covered", "noise", "fields"),
    [(120, 0.01, {}), (90, 0.05, {}), (60, 0.01, {}), (60, 0.001, {"size": 64}), (120, 0.01, {"geometry": "fan"})],
)
def test_real_slices_are_unlike_synthetic_ones(
    data_folder: Path, family: str, covered: int, noise: float, fields: dict[str, object]
) -> None:
    asked = {"angle_range": covered, "noise": noise, "methods": ["fbp"]} | fields
    for name, which in ((TRUNK, 20), (TRUNK, 60), (TRUNK, 100), (LUNG, 0)):
        made = catalog.make_recipe("tomography.reconstruct", asked | {"image": data_folder / name, "slice": which})
        assert isinstance(made, Reconstruct)
        assert kinds.unlike(subject_of(made).problem, family) < trust.RARE, (name, which)


def test_one_slice_looks_the_same_through_every_scanner() -> None:
    made, found = phantoms.phantom("thorax", 5), []
    for geometry in (
        scanner(128, 180, 180),
        scanner(256, 180, 180),
        scanner(128, 360, 360, 20),
        scanner(128, 180, 180, rotation_centre=4.0, bins=200, spacing=1.0),
        scanner(128, 360, 360, kind="fan"),
        scanner(128, 360, 360, kind="fan", curved=True),
    ):
        data = phantoms.sinogram(made, geometry)
        found.append(standard(Problem(geometry, data.astype(np.float32), np.zeros(data.shape))))
    for other in found[1:]:
        assert other.known.mean() > 0.99
        turned = round((other.first - found[0].first) / 3)
        rows = np.concatenate([found[0].values, found[0].values[:, ::-1]])[turned : turned + 60] if turned else found[0].values
        if abs(turned * 3 - (other.first - found[0].first)) > 0.01:
            continue  # rows at other angles
        assert np.linalg.norm(other.values - rows) < 0.04 * np.linalg.norm(rows)


def test_the_support_of_an_ellipse_leaves_no_rest() -> None:
    members = np.array([[0, -1, -1, -1]], np.int32)
    rest = []
    for wavy in (False, True):
        ellipses = np.array([[0.1, -0.05, 0.6, 0.4, 0.3]])
        slice_ = phantoms.Phantom("ellipse", 0, ellipses, members, np.ones(1), np.zeros((0, 4)), 400.0)
        data = phantoms.sinogram(slice_, scanner(128, 60, 180))[:, 27:155] / 64
        if wavy:
            data = np.stack([np.roll(row, round(3 * np.sin(6 * i))) for i, row in enumerate(data)])
        told = traits.traits(data[None], 0 * data[None], np.ones((1, *data.shape), bool), 0.0)
        rest.append(told[0])
    count = len(traits.BANDS) - 1
    at = 3 + 2 * count  # the rest of the middle at the lowest level
    assert rest[0][at] < np.log(0.01)
    assert rest[1][at] > rest[0][at] + 1


@pytest.mark.parametrize("methods", [["gaussian"], ["latent_map"], ["fbp"]])
def test_the_warning_comes_with_any_prior_and_with_none_it_stays_away(methods: list[str]) -> None:
    asked = Reconstruct.read({"image": "ct_small", "angle_range": 60, "methods": methods, "posterior_samples": 0})
    result = run(asked)
    codes = {notice.code for notice in result.warnings}
    assert ("out_of_distribution" in codes) == (methods != ["fbp"])
    assert ("unlike" in result.metrics) == (methods != ["fbp"])
    if methods == ["gaussian"]:
        assert {"surprise", "held_out_residual"} <= set(result.metrics)


def test_the_judge_is_what_its_card_says() -> None:
    judge = modelfile.opened(kinds.NAME, None, "kinds")
    card = modelfile.open_card(kinds.NAME)
    assert card["synthetic"]
    assert judge.strange.shape[:3] == (len(kinds.FAMILIES), len(judge.rows), len(judge.noises))
    assert (np.diff(judge.strange, axis=-1) >= 0).all()
    back = kinds.made_of(kinds.tensors_of(judge), card)
    x = judge.mean[None] + judge.scale
    np.testing.assert_array_equal(back.odds(x), judge.odds(x))
    assert judge.p_value(-np.inf, "wide", 30, 0.01) == 1
    assert judge.p_value(np.inf, "wide", 30, 0.01) < 0.01
