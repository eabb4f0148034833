"""Plain autoencoders: the bound is the bound, what training leaves, and the plane of two numbers as it is asked for."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gen_core
from gen_core import catalog, checkpoint, store
from gen_core.__main__ import main
from gen_core.errors import CheckpointError, RecipeError
from gen_core.images import plain as p
from gen_core.images import plane_plots, render, train
from gen_core.images.model import ImageNet, count
from gen_core.images.modelfile import open_space, read_space
from gen_core.images.plainfile import open_plain, read_plain
from gen_core.images.plainmeasure import bound, of_mean_picture
from gen_core.images.plaintask import NOT_SEEN, pictures
from gen_core.images.plane import together
from gen_core.images.recipe import LECTURE, PLAIN, Plane, Train
from gen_core.images.rendered import FIRST
from tests.trained import taken_up, trained

SHORT = Train(kind="lecture", betas=(30, 0), pairs=8, epochs=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two networks and two epochs."""
    return trained(train.steps, SHORT, tmp_path_factory.mktemp("model") / "m")


def test_both_terms_are_those_of_the_distributions() -> None:
    torch.manual_seed(0)
    from torch.distributions import Normal, kl_divergence

    x, drawn = torch.rand(2, 3, 3, 64, 64).double()
    expected = Normal(drawn, p.NOISE).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(p.likelihood(drawn, x), expected)
    mean, spread = torch.randn(2, 4, 5).double()
    expected = kl_divergence(Normal(mean, (spread / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(p.divergence(mean, spread), expected)


def test_the_loss_at_beta_1_is_the_bound_and_beta_weighs_the_divergence_alone() -> None:
    torch.manual_seed(0)
    net, x, noise = p.PlainNet(2, p.WIDTHS["lecture"]), torch.rand(3, 3, 64, 64), torch.randn(3, 2)
    with torch.no_grad():
        mean, spread = net.posterior(x)
        away = p.divergence(mean, spread).sum(1)
        likely = p.likelihood(net.decode(p.sampled(mean, spread, noise)), x)
        torch.testing.assert_close(p.VALUES * p.loss(net, x, noise, 1), away - likely, rtol=1e-4, atol=1e-2)
        torch.testing.assert_close(
            p.VALUES * (p.loss(net, x, noise, 5) - p.loss(net, x, noise, 1)), 4 * away, rtol=1e-3, atol=0.1
        )


def test_networks_begin_alike_and_the_plain_one_is_as_large_as_the_one_with_styles() -> None:
    several = p.Several((0, 1, 5), "lecture")
    first = torch.nn.utils.parameters_to_vector(several.nets[0].parameters())
    for net in several.nets:
        torch.testing.assert_close(torch.nn.utils.parameters_to_vector(net.parameters()), first)
    plain = p.PlainNet(p.LATENT["plain"], p.WIDTHS["plain"])
    assert count(plain) == pytest.approx(count(ImageNet((3, 4, 4))), rel=0.02)
    with torch.no_grad():
        drawn = plain.decode(plain.encode(torch.rand(2, 3, 64, 64)))
    assert drawn.shape == (2, 3, 64, 64)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1


def test_all_posteriors_together_have_the_moments_of_their_draws() -> None:
    rng = np.random.default_rng(0)
    means, widths = rng.normal(size=(50, 2)) @ [[2, 1], [0, 0.5]] + [1, -2], rng.random((50, 2))
    drawn = (means[:, None] + widths[:, None] * rng.normal(size=(50, 4000, 2))).reshape(-1, 2)
    centre, covariance = together(means, widths)
    np.testing.assert_allclose(centre, drawn.mean(0), atol=0.02)
    np.testing.assert_allclose(covariance, np.cov(drawn.T), atol=0.06)
    turn = np.linspace(0, 6, 7)
    away = plane_plots.ellipse(centre, covariance, np.stack([np.cos(turn), np.sin(turn)], 1)) - centre
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away), 1)


def test_what_training_leaves_and_taking_up(folder: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "recipe.json", "weights.safetensors"]
    card = checkpoint.read_card(folder)
    assert card["kind"] == "lecture"
    assert card["betas"] == [0, 30]
    assert card["pictures_seen"] == 32
    assert card["command"].startswith("python -m gen_core train images --set kind=lecture --set 'betas=[30.0,0.0]'")
    assert card["baselines"]["mean_picture"].keys() == card["metrics"].keys()
    taken_up(train.steps, SHORT, tmp_path, folder)


def test_the_pictures_that_score_it_were_never_trained_on_and_have_one_structure() -> None:
    task = train.task_of(SHORT.replace(seed=999))
    assert task.source.first >= FIRST  # type: ignore[union-attr]
    a, b = pictures(np.array([FIRST - 1, FIRST - 2]), "metal", "plain")
    np.testing.assert_array_equal(a, render.pictures(np.array([FIRST - 1]))[0])
    looks = render.factors(np.array([FIRST - 2]))
    np.testing.assert_array_equal(pictures(np.array([FIRST - 2]), "metal", "lecture")[0], render.render(np.array([8]), looks)[0])
    assert not np.array_equal(a, b)


def test_a_trained_folder_is_a_plane(folder: Path, tmp_path: Path) -> None:
    name = store.add_model(Path(shutil.copytree(folder, tmp_path / "copy")))
    made = gen_core.run("images.plane", model=name, beta=30, n=3)
    assert made.content.grid.shape == (9, 64, 64, 3)
    assert made.metrics["elbo"] == pytest.approx(made.metrics["reconstruction"] - made.metrics["kl"], abs=1e-3)


def test_a_users_pictures_have_a_plane_too(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for i, image in enumerate(render.pictures(np.arange(24), "cells")):
        Image.fromarray((255 * image).astype(np.uint8)).save(own / f"{i}.png")
    recipe = catalog.make_recipe("images.train", {"kind": "lecture", "betas": [1], "data": str(own), "epochs": 1})
    for _ in catalog.steps(recipe, tmp_path / "m", "cpu"):
        pass
    card = checkpoint.read_card(tmp_path / "m")
    assert card["synthetic"] is False
    name = store.add_model(tmp_path / "m")
    made = gen_core.run("images.plane", model=name, n=2, beta=1)
    assert list(made.content.values) == ["brightness"]
    assert not [w for w in made.warnings if w.code == "synthetic_data"]


def test_from_the_command_line_twice_the_same(tmp_path: Path) -> None:
    for out in ("a", "b"):
        told = ["--set", "beta=30", "--set", "z=[1,-0.5]", "--set", "n=4", "--set", "extent=2"]
        assert main(["run", "images.plane", *told, "--out", str(tmp_path / out)]) == 0
    result = json.loads((tmp_path / "a/result.json").read_text())
    assert {"reconstruction", "kl", "elbo", "psnr", "active_units"} <= result["metrics"].keys()
    assert result["baselines"]["mean_picture"].keys() <= result["metrics"].keys()
    assert result["files"] == ["grid.png", "images.npz"]
    for name in ("grid.png", "images.npz", "recipe.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
        assert catalog.from_file(tmp_path / "a" / name) == catalog.from_file(tmp_path / "a/recipe.json")
    with np.load(tmp_path / "a/images.npz") as held:
        assert held["images"].shape == (16, 64, 64, 3)
        np.testing.assert_allclose(held["latents"][[0, 3, 12]], [[-2, 2], [2, 2], [-2, -2]])
        assert held["means"].shape == held["deviations"].shape == (NOT_SEEN, 2)
        assert held["grain_size"].shape == (NOT_SEEN,)


def test_the_grid_holds_what_a_point_of_it_draws() -> None:
    made = gen_core.run("images.plane", n=5, extent=2, z=(2, -1)).content
    at = int(np.flatnonzero((made.places == [2, -1]).all(1))[0])
    assert at == 3 * 5 + 4  # second row from below, rightmost
    np.testing.assert_allclose(made.grid[at], made.image, atol=1e-5)
    picture = plane_plots.behind(made)
    assert picture["x"] == -2.5  # tiles are centred on their codes
    assert picture["sizex"] == 5


def test_from_an_autoencoder_to_a_collapsed_posterior() -> None:
    costs = gen_core.run("images.plane").content.costs
    assert costs[0].beta == 0
    kl, likely = [c.kl for c in costs], [c.reconstruction for c in costs]
    assert kl == sorted(kl, reverse=True)
    assert likely == sorted(likely, reverse=True)
    assert all(c.elbo == pytest.approx(c.reconstruction - c.kl, abs=1e-3) for c in costs)
    assert max(costs, key=lambda c: c.elbo).beta <= 30
    last = gen_core.run("images.plane", beta=costs[-1].beta)
    assert last.metrics["kl"] < 0.05
    assert last.metrics["active_units"] == 0
    assert last.metrics["change_over_plane"] < 0.005
    assert last.metrics["psnr"] == pytest.approx(last.baselines["mean_picture"]["psnr"], abs=0.1)
    assert "adds_nothing" in [w.code for w in last.warnings]
    np.testing.assert_allclose(last.content.covariance, np.eye(2), atol=0.05)
    first = gen_core.run("images.plane", beta=1)
    assert first.metrics["elbo"] > first.baselines["mean_picture"]["elbo"] + 100
    assert not [w for w in first.warnings if w.code in ("adds_nothing", "off_manifold")]


def test_a_point_where_no_picture_lies_is_called_that() -> None:
    far = gen_core.run("images.plane", z=(400, 400), n=2)
    assert far.metrics["off_manifold_percentile"] == 100
    assert "off_manifold" in [w.code for w in far.warnings]


def test_the_cards_numbers_are_those_of_the_weights() -> None:
    model = open_plain(LECTURE, None, "lecture")
    seeds = np.arange(FIRST - NOT_SEEN, FIRST)
    new = pictures(seeds, "metal", "lecture")
    one = model.nets[2]
    for name, value in bound(one, new).items():
        assert model.card["metrics"][f"{name}.{one.beta:g}"] == pytest.approx(value, rel=1e-3), name
    np.testing.assert_allclose(one.encode(new)[0], one.means, atol=0.01)
    np.testing.assert_allclose(model.values, render.factors(seeds), rtol=1e-5)
    assert of_mean_picture(new.mean(0), new)["kl"] == 0


def test_the_plain_model_beside_the_one_with_styles() -> None:
    plain = open_plain(PLAIN, None, "plain")
    numbers = plain.card["metrics"]
    assert numbers["psnr"] > plain.card["baselines"]["mean_picture"]["psnr"] + 1
    assert {"mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness", "mig.grain_size"} <= numbers.keys()
    assert plain.nets[0].means.shape == (NOT_SEEN, 48)


@pytest.mark.parametrize(
    ("operation", "fields", "sentence"),
    [
        ("images.plane", {"beta": 7}, "it has 0, 1, 30"),
        ("images.plane", {"n": 1}, "n: "),
        ("images.plane", {"extent": 0}, "extent"),
        ("images.plane", {"z": [1]}, "z"),
        ("images.train", {"betas": [1]}, "has none"),
        ("images.train", {"kind": "plain", "betas": [1, 2]}, "has one"),
        ("images.train", {"kind": "lecture", "betas": [1, 1]}, "only once"),
        ("images.train", {"kind": "gan"}, "kind"),
    ],
)
def test_wrong_fields_are_one_sentence(operation: str, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        catalog.run(catalog.make_recipe(operation, fields))


def test_each_kind_of_model_is_refused_where_another_is_needed(folder: Path, tmp_path: Path) -> None:
    for name in (LECTURE, PLAIN):
        with pytest.raises(CheckpointError, match="needs a model with structure and styles apart"):
            open_space(name)
    with pytest.raises(CheckpointError, match=r"is a plain autoencoder of 48 numbers; .* plain autoencoders of two numbers"):
        gen_core.run("images.plane", model=PLAIN)
    with pytest.raises(CheckpointError, match="of 'cells', not of images"):
        gen_core.run("images.plane", model="cells-simulated")
    with pytest.raises(CheckpointError, match="other weights"):
        gen_core.run("images.plane", model_sha256="0" * 64)
    copy = Path(shutil.copytree(folder, tmp_path / "m"))
    card = (copy / "card.json").read_text()
    (copy / "card.json").write_text(card.replace('"kind": "lecture"', '"kind": "styles"'))
    with pytest.raises(CheckpointError, match=r"is a model with structure and styles apart; .* two numbers"):
        read_plain(copy, None, "lecture")
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_space(copy)
    (copy / "card.json").write_text(card.replace('"betas": [\n  0.0,\n  30.0', '"betas": [\n  0.0,\n  1.0,\n  30.0'))
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_plain(copy, None, "lecture")


def test_figures_in_both_themes() -> None:
    made = gen_core.run("images.plane", n=3).content
    for dark in (False, True):
        drawn = json.loads(plane_plots.plane(made, "light_hue", dark).to_json())
        assert drawn["layout"]["images"][0]["source"].startswith("data:image/jpeg")
        assert drawn["data"][4]["marker"]["colorbar"]["title"]["text"] == "Light hue (°)"
        sizes = json.loads(plane_plots.costs(made, dark).to_json())["data"][0]["marker"]["size"]
        assert sizes.index(max(sizes)) == [c.beta for c in made.costs].index(made.beta)
    assert Plane().beta == made.beta
