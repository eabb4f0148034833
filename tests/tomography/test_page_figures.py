"""What the page adds to the core: the scan that follows a drag equals the real one; what is kept; the figures of all images."""

from __future__ import annotations

import numpy as np
import pytest

from gen_core.tomography import card_plots, fbp, film, kept, mosaic_plots, plots, quick, reconstruct
from gen_core.tomography.mosaic_plots import Mark, Tile
from gen_core.tomography.priors import Solution
from gen_core.tomography.recipe import Reconstruct
from gen_core.tomography.subject import subject_of

SMALL = Reconstruct(size=64, methods=("fbp", "sirt"), sirt_iterations=5)


@pytest.mark.parametrize(
    "changed",
    [
        {"angle_range": 70.0},
        {"angle_range": 33.0, "start_angle": 20.0},
        {"noise_model": "poisson", "ring": 0.02, "angle_range": 50.0},
        {"image": "ct_small", "geometry": "fan", "angle_range": 130.0},
        {"image": "ct_small", "angle_range": 45.0},
        {"image": "synthetic:shepp_logan:0", "angle_range": 200.0},
        {"angle_range": 70.0, "views": 20},
    ],
)
def test_the_scan_that_follows_a_drag_is_the_real_one(changed: dict[str, object]) -> None:
    recipe = SMALL.replace(**({"views": None} | changed))
    quick.prepare(recipe)
    found, real = quick.scan(recipe), subject_of(recipe)
    assert found.problem.geometry == real.problem.geometry
    assert np.array_equal(found.problem.data, real.problem.data)
    assert np.array_equal(found.problem.sigma, real.problem.sigma)
    assert real.truth is not None
    assert found.truth is not None
    assert np.array_equal(found.truth, real.truth)
    image = quick.backprojected(found, recipe).image
    assert np.allclose(image, fbp.solve(real.problem).image, atol=1e-4)


def test_what_a_page_keeps_is_what_the_command_line_makes() -> None:
    recipe = SMALL.replace(angle_range=61.0, views=None)
    assert kept.missing(recipe) == ["fbp", "sirt"]
    told: list[str] = []
    kept.solution("sirt", recipe, lambda share, text: told.append(text))
    assert told
    assert kept.missing(recipe) == ["fbp"]
    assert not kept.ready(recipe)
    mine, other = kept.result(recipe), reconstruct.run(recipe)
    assert kept.ready(recipe)
    for name in recipe.methods:
        assert np.array_equal(mine.content.images[name], other.content.images[name])
    plain = {key: value for key, value in other.metrics.items() if not key.endswith("seconds")}
    assert {key: mine.metrics[key] for key in plain} == plain
    assert mine.metrics["sirt.seconds"] > 0
    # another question about the same scan and method is answered from what is kept; another scan is not
    assert kept.missing(recipe.replace(methods=("sirt", "tv"))) == ["tv"]
    assert kept.missing(recipe.replace(tv_weight=3.0)) == []
    assert kept.missing(recipe.replace(sirt_iterations=6)) == ["sirt"]
    assert kept.missing(recipe.replace(seed=1)) == ["fbp", "sirt"]


def test_all_images_zoom_together_and_the_data_by_itself() -> None:
    subject = subject_of(SMALL)
    assert subject.truth is not None
    truth = subject.told(subject.truth)
    tiles = [
        Tile("truth", truth),
        Tile("fbp", truth, "17.1 dB"),
        Tile("tv", None, waiting=True),
        Tile("gaussian", truth, waiting=True),
    ]
    figure = mosaic_plots.mosaic(tiles, subject, mosaic_plots.grey(40, 400, "HU"), Mark(10.0, (5.0, 5.0, 8.0)))
    images = [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis]
    assert len(images) == 3
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-160, 240)
    matched = {figure.layout[f"xaxis{i or ''}"].matches for i in ("", 2, 3, 4)} - {None}
    assert len(matched) == 1
    assert figure.layout.xaxis5.matches is None
    texts = [str(note.text) for note in figure.layout.annotations]
    assert texts.count("being computed …") == 2
    assert any("90 views, 90°; hatched" in text for text in texts)
    # the values that are sent are those of the image, to one Hounsfield unit, and stand where the pixels lie
    assert np.abs(np.asarray(images[0].z) - truth).max() <= 0.5
    assert images[0].x0 == pytest.approx(-31.5 * (subject.pixel or 1))
    assert (images[0].y0, images[0].dy) == (pytest.approx(31.5 * (subject.pixel or 1)), pytest.approx(-(subject.pixel or 1)))


def test_numbers_for_reading() -> None:
    assert mosaic_plots.scores({"psnr": 21.04, "ssim": 0.5, "data_residual": 38.2}) == "21.0 dB · SSIM 0.50 · residual 38"
    assert mosaic_plots.scores({"psnr": None, "data_residual": float("nan")}) == ""
    assert mosaic_plots.rounded(2202.6) == "2,203"
    subject = subject_of(SMALL.replace(image="synthetic:shepp_logan:0"))
    numbers = quick.numbers(subject, Solution(subject.truth))  # type: ignore[arg-type]
    assert numbers["psnr"] == pytest.approx(300, abs=60)
    assert numbers["ssim"] == pytest.approx(1)


def test_the_missing_wedge_is_where_no_view_is() -> None:
    views = plots.views_of(subject_of(SMALL.replace(angle_range=60.0, views=30, start_angle=10.0)))
    assert (views.begin, views.end, views.last, views.missing) == (10.0, 68.0, 190.0, True)
    assert views.edge == 69.0
    assert not plots.views_of(subject_of(SMALL.replace(angle_range=180.0, views=60))).missing


def test_a_film_is_its_samples_in_the_window() -> None:
    import io

    from PIL import Image

    result = kept.result(SMALL)
    made = result.content
    strip = film.strip(made, np.stack([made.truth, made.images["fbp"], made.truth]), (0.0, 2000.0))
    grey = np.asarray(Image.open(io.BytesIO(strip)))
    assert grey.shape == (64, 192)
    assert np.array_equal(grey[:, :64], grey[:, 128:])
    assert np.abs(grey[:, :64].astype(float) - 255 * np.clip(made.truth / 2000 + 0.5, 0, 1)).max() <= 0.51


def test_a_cards_numbers_are_drawn_with_their_intervals() -> None:
    card = {
        "metrics": {"psnr_120": 25.0, "psnr_120_low": 24.0, "psnr_120_high": 27.0, "psnr_60": 18.0, "coverage90_60": 0.9},
        "baselines": {"tv": {"psnr_120": 26.0, "psnr_60": 19.0}, "odd": {}},
    }
    assert card_plots.ranges(card) == [120, 60]
    figure = card_plots.against_range(card, "A prior")
    assert [trace.name for trace in figure.data] == ["A prior", "Total variation"]
    assert figure.data[0].error_y.array[0] == 2.0
    assert figure.data[0].error_y.arrayminus[0] == 1.0
    assert card_plots.ranges({}) == []
