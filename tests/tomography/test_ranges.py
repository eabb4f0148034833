"""Error against the range of angles, and the axis of a measured sinogram."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.io import savemat

import gen_core
from gen_core import catalog, store
from gen_core.errors import InputError, RecipeError
from gen_core.stamp import read_stamp
from gen_core.tomography import centre, centre_plots, measure, phantoms, ranges, ranges_plots, ranges_svg
from gen_core.tomography.geometry import Geometry, scanner
from gen_core.tomography.ranges import Ranges
from gen_core.tomography.recipe import Reconstruct

ROOT = Path(__file__).resolve().parents[2]
SMALL = Ranges(image="synthetic:thorax:5", size=64, methods=("fbp", "sirt"), ranges=(60, 150), repeats=3, sirt_iterations=20)


def test_the_error_over_ranges_is_that_of_single_scans(tmp_path: Path) -> None:
    told: list[float] = []
    result = gen_core.run(SMALL, lambda share, text: told.append(share))
    assert np.diff(told).min() > -1e-9
    assert SMALL.ranges == (150, 60)
    single = [
        gen_core.run(ranges.at(SMALL, 60.0).replace(seed=k)).metrics["fbp.psnr"] for k in range(3)
    ]  # the same slice, one by one  # fmt: skip
    assert result.metrics["fbp.psnr_60"] == pytest.approx(np.mean(single), abs=1e-3)
    low, high = stats.t.interval(0.95, 2, np.mean(single), stats.sem(single))
    assert result.metrics["fbp.psnr_60_low"] == pytest.approx(low, abs=2e-3)
    assert result.metrics["fbp.psnr_60_high"] == pytest.approx(high, abs=2e-3)
    assert result.metrics["fbp.psnr_150"] > result.metrics["fbp.psnr_60"] + 3  # type: ignore[operator]
    assert set(result.baselines) == {"fbp", "sirt"}
    learned = gen_core.run(SMALL.replace(methods=("gaussian",), ranges=(60,), repeats=1, posterior_samples=0))
    assert 0 < learned.metrics["gaussian.coverage90_60"] <= 1  # type: ignore[operator]
    assert "gaussian.psnr_60_low" not in learned.metrics  # of one there is no interval
    assert not learned.baselines

    result.save(tmp_path / "out")
    with (tmp_path / "out" / "ranges.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["method"], row["angle_range_deg"], row["views"]) for row in rows] == [
        ("fbp", "150", "150"), ("sirt", "150", "150"), ("fbp", "60", "60"), ("sirt", "60", "60"),
    ]  # fmt: skip
    assert read_stamp(tmp_path / "out" / "ranges.svg")["operation"] == "tomography.ranges"
    again = ranges.opened(tmp_path / "out", SMALL)
    assert again == list(result.content)
    assert len(ranges_plots.against_range(again).data) == 2
    gen_core.run(SMALL).save(tmp_path / "twice")
    for name in ("ranges.csv", "ranges.svg"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
    (tmp_path / "out" / "result.json").write_text('{"metrics": {}}')
    with pytest.raises(InputError, match="damaged"):
        ranges.opened(tmp_path / "out", SMALL)


def test_what_is_asked_of_ranges() -> None:
    made = ranges.asked_of(Reconstruct(angle_range=40.0, views=20, methods=("tv",)), (180.0, 45.0))
    assert ranges.at(made, 180.0).views == 90  # as close together as on the page
    assert ranges.same_scan(SMALL, SMALL.replace(ranges=(30,)))
    assert not ranges.same_scan(SMALL, SMALL.replace(noise=0.05))
    assert ranges.seconds(made) > 0
    with pytest.raises(RecipeError, match="only where the truth is"):
        Ranges.read({"sinogram": "sha256:" + "0" * 64})
    for wrong in ((), (0,), (400,)):
        with pytest.raises(RecipeError, match="ranges"):
            Ranges.read({"ranges": wrong})
    assert catalog.from_query(made.query(), "tomography.reconstruct") == made


def test_the_committed_picture_is_that_of_the_cards() -> None:
    assert (ROOT / "assets" / "pictures" / "tomography-ranges.svg").read_text() == ranges_svg.bundled()


def test_labels_do_not_cover_each_other_and_stay_inside() -> None:
    places = [
        float(text.split('y="')[1].split('"')[0]) for text in ranges_svg._labels(0, [(250.0, "plain", str(k)) for k in range(5)])
    ]
    assert np.diff(places).min() >= ranges_svg.STEP - 1e-6
    assert max(places) <= ranges_svg.HIGH


def measured(tmp_path: Path, geometry: Geometry, flipped: bool = False, clockwise: bool = False, htc: bool = False) -> str:
    """A sinogram as a file that says nothing of its axis, nor which way round it was stored."""
    made = phantoms.phantom("thorax", 3)
    data = measure.measured(measure.clean(made, geometry), 0.01).sinogram.astype(np.float32)
    data = data[:, ::-1] if flipped else data
    angles = -np.array(geometry.angles) if clockwise else np.array(geometry.angles)
    lengths = {"detector_spacing": geometry.spacing}
    if geometry.kind == "fan":
        lengths |= {"source_origin": geometry.source_origin, "origin_detector": geometry.origin_detector}
    path = tmp_path / ("a.mat" if htc else "a.npz")
    if htc:  # as the files of the Helsinki Tomography Challenge 2022
        parameters = {
            "distanceSourceOrigin": geometry.source_origin,
            "distanceSourceDetector": geometry.source_origin + geometry.origin_detector,
            "pixelSizePost": geometry.spacing,
            "angles": angles,
        }
        savemat(path, {"CtDataLimited": {"sinogram": data, "parameters": parameters}}, do_compression=True)
    else:
        np.savez(path, sinogram=data, angles=angles, **lengths)
    return store.add(path)


@pytest.mark.parametrize(
    ("kind", "covered", "at", "flipped", "clockwise", "htc", "near"),
    [
        ("parallel", 180, 6.0, False, False, False, 0.5),
        ("parallel", 90, -5.0, True, True, False, 0.7),
        ("fan", 360, 7.0, True, False, True, 0.5),
        ("fan", 120, 4.0, False, True, False, 2.0),
    ],
)
def test_the_axis_is_found_and_so_is_the_way_round(
    kind: str, covered: int, at: float, flipped: bool, clockwise: bool, htc: bool, near: float, tmp_path: Path
) -> None:
    geometry = scanner(128, covered // 2, covered, kind=kind, rotation_centre=at)  # type: ignore[arg-type]
    digest = measured(tmp_path, geometry, flipped, clockwise, htc)
    recipe = Reconstruct(sinogram=digest, methods=("fbp",), size=64, pixel_size=2.0)  # as the truth below
    rows = centre.choices(recipe)
    best = centre.best(rows)
    stored = -at if flipped else at
    assert best.centre == pytest.approx(stored, abs=near)
    scores = {(one.flipped, one.clockwise): one.unexplained for row in rows for one in row if one.centre == best.centre}
    right, wrong = scores[flipped, clockwise], scores[not flipped, clockwise]
    assert right == pytest.approx(scores[not flipped, not clockwise], rel=0.02)  # its mirror explains as much
    if kind == "fan":
        assert right < 0.9 * wrong
    else:
        assert right == pytest.approx(wrong, rel=0.02)

    # what a click sets makes the picture that was clicked, and among the four is the truth
    truth = phantoms.image(phantoms.phantom("thorax", 3), 64)
    found = {}
    for i, row in enumerate(rows):
        chosen = recipe.replace(**row[2].fields())
        assert centre.place(rows, chosen) == (i, 2)
        image = gen_core.run(chosen).content.images["fbp"]
        assert np.corrcoef(image.ravel(), row[2].image.ravel())[0, 1] > 0.93
        found[row[2].flipped, row[2].clockwise] = np.corrcoef(image.ravel(), truth.ravel())[0, 1]
    assert found[flipped, clockwise] > max(found.values()) - 0.02


def test_a_click_names_a_picture() -> None:
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    rows = [[centre.Choice(False, False, float(k), image, 1.0 + k) for k in range(5)] for _ in range(4)]
    assert centre_plots.place_of((30.0, 100.0), rows) == (1, 0)
    assert centre_plots.place_of((400.0, 100.0), rows) is None
    assert centre.best(rows) is rows[0][0]
    figure = centre_plots.pictures(rows, (1, 2))
    assert len(figure.layout.shapes) == 1
    with pytest.raises(RecipeError, match="of a measured sinogram"):
        Reconstruct.read({"clockwise": True})
