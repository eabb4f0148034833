"""What can be asked of the bundled model: fields, files and numbers of the contract, and the truths that rendering knows."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gen_core
from gen_core import catalog, store
from gen_core.__main__ import main
from gen_core.errors import CheckpointError, InputError, RecipeError
from gen_core.images import metrics, question, render, statistics
from gen_core.images.evidence import gates
from gen_core.images.interpolate import between
from gen_core.images.modelfile import codes_of, look_up, open_space
from gen_core.images.recipe import BUNDLED, Edit, Grid, Interpolate, Invert, Mix, Sample, Stylize
from gen_core.images.space import CONTENT, LATENT, STYLES, Space, groups_mask
from gen_core.result import Result


@pytest.fixture(scope="module")
def space() -> Space:
    return open_space(BUNDLED)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of a user's: another kind of thing than the model learned."""
    path = tmp_path_factory.mktemp("own") / "own.png"
    y, x = np.mgrid[:80, :100]
    rings = (127 + 120 * np.sin(np.hypot(x - 50, y - 40) / 4)).astype(np.uint8)
    Image.fromarray(np.dstack([rings, rings // 2, 255 - rings])).save(path)
    return path


OPERATIONS = [
    ("sample", ["n=3"], {"off_manifold_percentile"}),
    ("interpolate", ["steps=3", "seeds=[3,4]"], {"path_length", "off_manifold_percentile", "uniformity", "excess_length"}),
    ("grid", ["rows=2", "columns=3"], {"off_manifold_percentile"}),
    ("mix", ["layers=fine"], {"content_kept", "style_moved", "swap_score", "psnr_truth"}),
    (
        "edit",
        ["seed=5", "directions.light_hue=20"],
        {"off_manifold_percentile", "psnr_truth", "light_hue.r2", "light_hue.leakage"},
    ),
    ("invert", ["image=7", "steps=2"], {"psnr", "ssim", "seconds", "off_manifold_percentile"}),
    ("stylize", ["content=1", "styles=[2,3]", "weights=[1,3]"], {"content_kept", "style_moved"}),
    ("decode", ["z=[[0.5,-1],[0,0]]"], {"off_manifold_percentile"}),
    ("map", ["spot=[1,0.5]", "region=[[-2,-2],[2,-2],[0,2]]", "n=2"], {"off_manifold_percentile", "count", "spread"}),
]


@pytest.mark.parametrize(("verb", "settings", "names"), OPERATIONS)
def test_each_operation_from_the_command_line_twice_the_same(
    verb: str, settings: list[str], names: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [part for setting in settings for part in ("--set", setting)]
    for folder in ("a", "b"):
        assert main(["run", f"images.{verb}", *told, "--out", str(tmp_path / folder)]) == 0
    result = json.loads((tmp_path / "a/result.json").read_text())
    assert names <= result["metrics"].keys()
    for baseline in result["baselines"].values():
        assert baseline.keys() <= result["metrics"].keys()
    assert "synthetic_data" in [w["code"] for w in result["warnings"]]
    assert {"images.npz", "grid.png"} <= set(result["files"])
    assert ("animation.gif" in result["files"]) == (verb == "interpolate")
    for name in (*result["files"], "recipe.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
        if name.endswith((".png", ".gif", ".npz", ".svg", ".tiff")):
            assert catalog.from_file(tmp_path / "a" / name) == catalog.from_file(tmp_path / "a/recipe.json")
    with np.load(tmp_path / "a/images.npz") as held:
        images, latents = held["images"], held["latents"]
    assert images.dtype == latents.dtype == np.float32
    assert images.shape[1:] == (64, 64, 3)
    assert latents.shape == (len(images), LATENT)
    assert 0 <= images.min() <= images.max() <= 1


def test_the_latents_of_a_result_decode_to_its_pictures(space: Space) -> None:
    result = gen_core.run("images.sample", n=2, seed=4)
    again = gen_core.run("images.decode", z=result.content.latents.tolist())
    np.testing.assert_allclose(again.content.images, result.content.images, atol=2e-3)


def test_a_users_picture_may_stand_wherever_a_seed_may(picture: Path, tmp_path: Path) -> None:
    made = catalog.make_recipe("images.mix", {"content_seeds": [str(picture), 2], "style_seeds": [1]})
    assert isinstance(made, Mix)
    assert made.content_seeds == (store.add(picture), 2)
    result = catalog.run(made)
    assert "swap_score" not in result.metrics  # there is no truth to score against
    assert "no_truth" in [w.code for w in result.warnings]
    told = gen_core.run("images.invert", image=str(picture), steps=1)
    assert told.metrics["psnr"] >= told.baselines["encoder"]["psnr"] - 0.5
    assert "out_of_distribution" in [w.code for w in told.warnings]
    assert str(picture.name) not in made.json()
    assert main(["run", "images.stylize", "--set", f"content={picture}", "--out", str(tmp_path / "s")]) == 0


def test_refinement_draws_a_picture_closer_than_the_encoder() -> None:
    told = gen_core.run("images.invert", image=11, steps=12)
    assert told.metrics["psnr"] > told.baselines["encoder"]["psnr"] + 0.1
    np.testing.assert_allclose(told.content.residual, told.content.named.image - told.content.image)


def test_nothing_switched_is_the_picture_itself_and_all_switched_keeps_the_content(space: Space) -> None:
    still = gen_core.run("images.mix", content_seeds=[0], style_seeds=[1], strength=0).content
    np.testing.assert_array_equal(still.images, still.kept)
    made = gen_core.run("images.mix", content_seeds=[0], style_seeds=[1]).content
    a, b = codes_of(made.contents)[0], codes_of(made.styles)[0]
    np.testing.assert_array_equal(made.latents[0, :CONTENT], a[:CONTENT])
    np.testing.assert_array_equal(made.latents[0, CONTENT:], b[CONTENT:])


def test_the_truth_of_a_mix_is_the_rendered_one() -> None:
    made = gen_core.run("images.mix", content_seeds=[3], style_seeds=[3, 8], layers=["coarse", "fine"])
    own, other = render.factors(np.array([3])), render.factors(np.array([8]))
    np.testing.assert_array_equal(made.content.truth[0], render.pictures(np.array([3]))[0])
    expected = render.render(np.array([3]), render.mixed(own, other, [True, False, True]))[0]
    np.testing.assert_array_equal(made.content.truth[1], expected)


def test_scores_are_one_for_the_truth_and_zero_for_no_effect() -> None:
    truth, kept = render.pictures(np.arange(3)), render.pictures(np.arange(3, 6))
    assert metrics.swap_score(truth, kept, truth) == 1
    assert metrics.swap_score(kept, kept, truth) == 0
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, LATENT)), rng.normal(size=(4, LATENT))
    mask = groups_mask(("fine",))
    perfect = np.where(mask, b, a)
    assert metrics.kept_and_moved(perfect, a, b, mask) == pytest.approx((1, 1))
    assert metrics.kept_and_moved(b, a, b, mask) == pytest.approx((0, 1))
    assert metrics.kept_and_moved(a, a, b, mask) == pytest.approx((1, 0))
    assert np.isnan(metrics.kept_and_moved(a, a, a, mask)).all()


def test_psnr_and_ssim_of_known_pairs() -> None:
    x = render.pictures(np.array([0]))
    assert metrics.psnr(x, x)[0] == pytest.approx(120)
    assert metrics.psnr(np.zeros((1, 8, 8, 3)), np.full((1, 8, 8, 3), 0.1))[0] == pytest.approx(20)
    assert metrics.ssim(x[0], x[0]) == pytest.approx(1)
    assert metrics.ssim(x[0], 1 - x[0]) < 0


def test_slerp_keeps_the_length_that_lerp_loses(space: Space) -> None:
    a, b = codes_of(look_up([0, 1], space))
    at = np.array([0, 0.5, 1])
    norm = lambda z: np.linalg.norm(z[:, :CONTENT], axis=1)  # noqa: E731
    straight, round_ = between(space.prior, "lerp", a, b, at), between(space.prior, "slerp", a, b, at)
    np.testing.assert_allclose(norm(round_), np.sqrt(CONTENT), rtol=1e-3)
    assert norm(straight)[1] < 0.98 * np.sqrt(CONTENT)
    for way in (straight, round_):
        np.testing.assert_allclose(way[[0, 2]], np.stack([a, b]), atol=1e-3)


def test_constant_speed_is_more_even_and_w_keeps_the_content() -> None:
    plain = gen_core.run("images.interpolate", seeds=[0, 9], steps=5)
    even = gen_core.run("images.interpolate", seeds=[0, 9], steps=5, constant_speed=True)
    assert even.metrics["uniformity"] < max(0.7 * plain.metrics["uniformity"], 0.02)
    styles = gen_core.run("images.interpolate", seeds=[0, 9], steps=3, space="w").content.latents
    np.testing.assert_allclose(styles[:, :CONTENT], np.repeat(styles[:1, :CONTENT], 3, 0), atol=1e-4)


def test_edits_add_up_and_unknown_names_are_refused(space: Space) -> None:
    code = look_up([2], space)[0].code
    both = gen_core.run("images.edit", seed=2, directions={"light": 10, "contrast": -0.1}).content.latents[1]
    step = 10 * space.directions["light"].step - 0.1 * space.directions["contrast"].step
    np.testing.assert_allclose(both[CONTENT:] - code[CONTENT:], step, atol=1e-4)
    assert not space.directions["light"].step[:32].any()  # a fine factor moves the fine style alone
    with pytest.raises(RecipeError, match="did you mean 'grain_size'"):
        gen_core.run("images.edit", directions={"grainsize": 1})
    beyond = gen_core.run("images.edit", seed=2, directions={"light": 500})
    assert "out_of_distribution" in [w.code for w in beyond.warnings]


def test_a_place_far_from_all_pictures_is_called_that(space: Space) -> None:
    far = gen_core.run("images.decode", z=[[60.0] * STYLES])
    assert far.metrics["off_manifold_percentile"] == 100
    assert "off_manifold" in [w.code for w in far.warnings]
    middle = space.percentile(space.prior.centre[None])
    assert middle[0] < 100


@pytest.mark.parametrize(
    ("operation", "fields", "sentence"),
    [
        ("images.mix", {"layers": "middel"}, "layers"),
        ("images.mix", {"content_seeds": [-1]}, "is no seed"),
        ("images.mix", {"content_seeds": ["nowhere"]}, "neither a whole number nor"),
        ("images.mix", {"content_seeds": ["nowhere.png"]}, "There is no file"),
        ("images.stylize", {"styles": [1, 2], "weights": [1]}, "weights"),
        ("images.stylize", {"styles": [1, 2], "weights": [1, -1]}, "sum to zero"),
        ("images.decode", {"z": [[1, 2], [1]]}, "same number"),
        ("images.decode", {"z": [[1] * 17]}, "2096"),
        ("images.grid", {"rows": 17}, "rows"),
        ("images.interpolate", {"steps": 1}, "steps"),
        ("images.train", {"size": 128}, "size"),
        ("images.sample", {"model": "cells-simulated"}, "not of images"),
        ("images.sample", {"model_sha256": "0" * 64}, "other weights"),
        ("images.invert", {"image": "sha256:" + "0" * 64}, "not on this machine"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(operation: str, fields: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises((RecipeError, InputError, CheckpointError), match=sentence):
        gen_core.run(operation, **fields)


def test_recipes_read_back_from_links_and_files() -> None:
    for made in (
        Edit(seed="sha256:" + "a" * 64, directions={"light": 1.5}),
        Mix(content_seeds=(1, "sha256:" + "b" * 64), layers=("fine",)),
        Interpolate(seeds=(3, 4), constant_speed=True),
    ):
        assert catalog.from_query(made.query(), "images.sample") == made
        assert catalog.from_document(json.loads(made.json())) == made


def test_the_card_tells_how_it_was_made_and_every_gate(space: Space) -> None:
    card = space.card
    assert card["command"].startswith("python -m gen_core train images")
    assert card["synthetic"] is True
    gates = {"psnr", "leakage_r2", *(f"swap_score.{group}" for group in render.GROUPS)}
    assert gates <= card["metrics"].keys()
    assert card["metrics"]["psnr"] > card["baselines"]["mean_picture"]["psnr"]
    assert [row["name"] for row in card["directions"]] == list(render.NAMES)


def test_the_cards_numbers_are_those_of_the_weights(space: Space) -> None:
    from gen_core.images import measure
    from gen_core.images.rendered import FIRST

    seeds, card = np.arange(FIRST - measure.TESTED, FIRST), space.card["metrics"]
    images = render.pictures(seeds)
    assert metrics.psnr(space.decode(space.encode(images)), images).mean() == pytest.approx(card["psnr_encoder"], abs=0.02)
    some = images[:24]
    refined = metrics.psnr(space.decode(space.codes(some)), some)
    assert (refined > metrics.psnr(space.decode(space.encode(some)), some)).all()
    assert refined.mean() == pytest.approx(card["psnr"], abs=0.6)  # of 24 pictures out of 192


def test_a_result_is_one_in_a_notebook_too() -> None:
    assert isinstance(gen_core.run("images.grid", rows=2, columns=2), Result)


def test_the_layers_get_the_statistics_that_the_styles_ask_for(space: Space) -> None:
    a, b = codes_of(look_up([1, 2], space))
    mixed = np.where(groups_mask(("middle",)), b, a)
    asked, seen = (statistics.layers(space, np.stack([a, b, mixed])), statistics.measured(space, np.stack([a, b, mixed])))
    for want, got in zip(asked, seen, strict=True):
        np.testing.assert_allclose(got.mean, want.mean, atol=1e-4)
        np.testing.assert_allclose(got.deviation, np.abs(want.deviation), atol=5e-3)
        np.testing.assert_array_equal(want.mean[2], want.mean[1] if want.group == "middle" else want.mean[0])


def test_a_stack_of_sixteen_bits_holds_the_pictures(space: Space, tmp_path: Path) -> None:
    import tifffile

    result = gen_core.run("images.sample", n=3)
    result.save(tmp_path / "out")
    kept = tifffile.imread(tmp_path / "out/images.tiff")
    assert kept.dtype == np.uint16
    np.testing.assert_allclose(kept / 65535, result.content.images, atol=1e-5)


def test_another_first_picture(space: Space) -> None:
    for recipe in (Interpolate(), Mix(), Edit(), Grid(), Invert(), Stylize()):
        assert question.first(question.with_first(recipe, 77)) == 77
    assert question.with_first(Sample(), 77) == Sample()


def test_the_gates_say_what_is_reached() -> None:
    card = {"metrics": {"psnr": 25.0, "swap_score.fine": 0.95, "leakage_r2": 0.02}, "baselines": {"mean_picture": {"psnr": 15.0}}}
    found = {gate.wanted: gate for gate in gates(card)}
    assert (found[26.0].reached, found[26.0].baseline) == (False, 15.0)
    assert found[0.9].reached
    assert found[0.1].reached
