"""The operation: what it takes, what it leaves, and what it tells of slices that its prior does not know."""

import json
from pathlib import Path

import numpy as np
import pytest

from gen_core import catalog
from gen_core.errors import CheckpointError, RecipeError, UserError
from gen_core.result import Result
from gen_core.stamp import read_stamp
from gen_core.tomography import lesion, modelfile, phantoms, plots
from gen_core.tomography.geometry import scanner
from gen_core.tomography.recipe import Lesion, Reconstruct
from gen_core.tomography.reconstruct import run
from gen_core.tomography.subject import subject_of

SMALL = {"size": 64, "angle_range": 60, "methods": ["fbp", "sirt", "tv", "gaussian"], "posterior_samples": 2}


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Reconstruct.read(SMALL | {"lesion": {"x": -40, "y": 10, "diameter": 20, "contrast": 300}}))


def test_every_method_has_its_numbers(result: Result) -> None:
    numbers = result.metrics
    for name in SMALL["methods"]:  # type: ignore[attr-defined]
        for what in ("psnr", "ssim", "data_residual", "seconds", "lesion_recovered", "invented_share"):
            assert isinstance(numbers[f"{name}.{what}"], float)
    assert numbers["tv.psnr"] > numbers["sirt.psnr"] > numbers["fbp.psnr"]  # type: ignore[operator]
    assert 0 < numbers["gaussian.coverage90"] <= 1  # type: ignore[operator]
    assert "synthetic_data" in {notice.code for notice in result.warnings}
    truth = result.content.truth
    error = np.sqrt(np.mean((result.content.images["tv"] - truth) ** 2))
    assert numbers["tv.psnr"] == pytest.approx(20 * np.log10((truth.max() - truth.min()) / error), abs=1e-4)


def test_the_files_hold_arrays_and_recipe(result: Result, tmp_path: Path) -> None:
    folders = [result.save(tmp_path / name) for name in ("a", "b")]
    with np.load(folders[0] / "reconstructions.npz") as found:
        assert {"truth", "sinogram", "angles_deg", "fbp", "sirt", "tv", "gaussian", "posterior_std"} <= set(found)
        assert found["posterior_samples"].shape == (2, 64, 64)
        assert found["sinogram"].shape == (60, len(result.content.sinogram[0]))
        np.testing.assert_array_equal(found["tv"], result.content.images["tv"])
        assert found["truth"].min() >= -1001  # Hounsfield units
    for path in sorted(folders[0].iterdir()):
        if path.name in ("recipe.json", "result.json"):
            continue
        assert read_stamp(path)["operation"] == "tomography.reconstruct"
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()
    assert json.loads((folders[0] / "result.json").read_text())["metrics"]["tv.psnr"] > 0
    assert catalog.from_file(folders[0] / "tv.dcm") == result.recipe


def test_the_same_recipe_gives_the_same_arrays(result: Result) -> None:
    again = run(result.recipe)  # type: ignore[arg-type]
    for name, image in result.content.images.items():
        assert image.tobytes() == again.content.images[name].tobytes()
    assert result.content.samples["gaussian"].tobytes() == again.content.samples["gaussian"].tobytes()


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_can_be_drawn(result: Result, dark: bool) -> None:
    made = result.content
    for name in made.images:
        for figure in (plots.image, plots.error, plots.sinogram, plots.residual):
            assert len(figure(made, name, dark=dark).data)
        for which in ("measured", "invented"):
            assert len(plots.part(made, name, which, dark=dark).data)
    assert len(plots.image(made, "truth", (-600, 1500), dark).data) == 1
    assert plots.deviation(made, "gaussian", dark).data[0].zmin == 0
    hatched = [trace for trace in plots.sinogram(made, dark=dark).data if trace.type == "scatter"]
    assert max(hatched[0].y) == pytest.approx(180)
    assert min(hatched[0].y) == pytest.approx(59.5)
    limits = {plots.error(made, name).data[0].zmax for name in made.images}
    assert len(limits) == 1  # one scale for all
    for figure in (plots.convergence, plots.profile, plots.calibration):
        assert len(figure(made, dark=dark).data)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"views": 0}, "views"),
        ({"angle_range": 0}, "angle_range"),
        ({"angle_range": 400}, "angle_range"),
        ({"size": 10}, "size"),
        ({"methods": []}, "methods"),
        ({"methods": ["fbp", "fbp"]}, "named twice"),
        ({"methods": ["magic"]}, "methods"),
        ({"angles": [1, 2]}, "measured sinogram"),
        ({"source_origin": 500}, "fan beam"),
        ({"image": "synthetic:thorax:1", "sinogram": "sha256:" + "0" * 64}, "one of them"),
        ({"lesion": {"x": 900, "y": 0}}, "lesion"),
        ({"lesion": {"x": 0, "y": 0, "contrast": 0}}, "adds nothing"),
    ],
)
def test_wrong_recipes_are_answered_with_a_sentence(fields: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said) as told:
        Reconstruct.read(fields)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": "synthetic:knee:1"}, "knee"),
        ({"views": 3_600, "size": 512, "methods": ["fbp"]}, "too much memory"),
        ({"geometry": "fan", "source_origin": 30, "methods": ["fbp"]}, "inside the slice"),
        ({"lesion": {"x": 190, "y": 0, "diameter": 100}, "methods": ["fbp"]}, "field of view"),
        ({"image": "no_such_thing", "methods": ["fbp"]}, "no_such_thing"),
    ],
)
def test_what_cannot_be_scanned_is_answered_with_a_sentence(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(Reconstruct.read({"size": 64, "methods": ["fbp"]} | fields))


def test_a_method_whose_model_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(modelfile.BUNDLED, "diffusion", "tomography-not-there")
    with pytest.raises(CheckpointError, match="There is no model 'tomography-not-there'"):
        run(Reconstruct.read({"size": 64, "methods": ["langevin"]}))


def test_fan_beams_photons_and_rings() -> None:
    fields = SMALL | {"methods": ["fbp", "tv"], "angle_range": 360, "views": 120, "geometry": "fan", "noise_model": "poisson"}
    plain = run(Reconstruct.read(fields)).metrics
    ringed = run(Reconstruct.read(fields | {"ring": 0.05, "curved": True})).metrics
    assert plain["tv.psnr"] > 28  # type: ignore[operator]
    assert plain["tv.psnr"] > ringed["tv.psnr"]  # type: ignore[operator]


def test_a_measured_sinogram_has_no_truth(tmp_path: Path) -> None:
    made = phantoms.phantom("thorax", 6)
    geometry = scanner(64, 90, 180)
    pixel = made.field / 64
    data = phantoms.sinogram(made, geometry) * pixel * 0.02  # as a scanner has it: attenuation per mm times mm
    path = tmp_path / "measured.npz"
    np.savez(path, sinogram=data.astype(np.float32), angles_deg=np.array(geometry.angles), detector_spacing=pixel)
    fields = {"sinogram": path, "size": 64, "pixel_size": pixel, "methods": ["fbp", "tv"]}
    result = run(catalog.make_recipe("tomography.reconstruct", fields))  # type: ignore[arg-type]
    assert result.metrics["tv.psnr"] is None
    assert result.metrics["fbp.ssim"] is None
    assert "no_truth" in {notice.code for notice in result.warnings}
    found, truth = result.content.images["tv"], phantoms.image(made, 64) * 0.02
    assert np.linalg.norm(found - truth) < 0.15 * np.linalg.norm(truth)  # per mm
    with pytest.raises(UserError, match="angles"):
        run(catalog.make_recipe("tomography.reconstruct", fields | {"angles": [0.0, 1.0, 2.0]}))  # type: ignore[arg-type]
    counts = tmp_path / "counts.npz"
    values = (5_000 * np.exp(-data)).astype(np.float32)
    np.savez(counts, sinogram=values, angles_deg=np.array(geometry.angles), detector_spacing=pixel)
    said = fields | {"sinogram": counts, "counts": True, "open_beam": 5_000, "methods": ["fbp"]}
    again = run(catalog.make_recipe("tomography.reconstruct", said))  # type: ignore[arg-type]
    np.testing.assert_allclose(again.content.images["fbp"], result.content.images["fbp"], atol=1e-5)
    with pytest.raises(UserError, match="set counts"):
        catalog.make_recipe("tomography.reconstruct", fields | {"open_beam": 5_000})


def test_what_a_lesion_shows_is_linear_and_depends_on_the_range() -> None:
    spot = Lesion(x=20, y=-30, diameter=20, contrast=100)
    told = []
    for covered, contrast in ((60, 1), (60, 2), (180, 1)):
        recipe = Reconstruct.read({"size": 64, "angle_range": covered, "views": covered, "methods": ["fbp"]})
        subject = subject_of(recipe)
        delta = phantoms.image(lesion.placed(spot, 64, subject.pixel or 1, 0.1 * contrast), 64)
        told.append(lesion.detectability(subject.problem, delta))
    assert told[1][0] == pytest.approx(2 * told[0][0], rel=1e-3)
    assert told[0][1] == pytest.approx(told[1][1], abs=1e-3)
    assert told[2][1] < told[0][1]
    truth = np.full((64, 64), 1.0) + delta
    assert lesion.recovered(truth, truth, delta) == pytest.approx(1, abs=0.1)
    assert lesion.recovered(truth - delta, truth, delta) == pytest.approx(0, abs=0.05)


def codes(**fields: object) -> set[str]:
    made = catalog.make_recipe("tomography.reconstruct", {"methods": ["gaussian"], "posterior_samples": 0} | fields)
    return {notice.code for notice in catalog.run(made).warnings}


def test_real_slices_are_told_to_be_unknown_to_the_prior(data_folder: Path) -> None:
    assert "out_of_distribution" in codes(image=data_folder / "tomography" / "lungmask_thorax.dcm", size=64)


def test_the_example_of_pydicom_can_be_scanned() -> None:
    result = run(Reconstruct.read({"image": "ct_small", "size": 64, "methods": ["sirt", "gaussian"], "angle_range": 120}))
    assert "out_of_distribution" in {notice.code for notice in result.warnings}
    assert result.content.subject.pixel == pytest.approx(1.32, abs=0.05)
    assert result.metrics["sirt.psnr"] > 18  # type: ignore[operator]


def test_few_synthetic_slices_are_told_to_be_unknown() -> None:
    told = [("out_of_distribution" in codes(image=f"synthetic:thorax:{seed}", size=64)) for seed in range(40, 50)]
    assert sum(told) <= 1
