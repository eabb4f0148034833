"""The map of training pictures: spots lead back to codes, regions to their pictures, and the file holds what both need."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import gen_core
from gen_core import catalog, store
from gen_core.errors import CheckpointError, RecipeError
from gen_core.images import map_plots, measure, render
from gen_core.images.atlas import VERTICES, Atlas, deviation, kept_content, spread_of, thinned
from gen_core.images.map import drawn_from
from gen_core.images.model import ImageNet
from gen_core.images.modelfile import read_space, write_model
from gen_core.images.recipe import Map, Sample
from gen_core.images.space import CONTENT, STRANGE, Prior, Space
from gen_core.latent import maps

N = 60
CARD = {
    "name": "images-small",
    "system": "images",
    "data": "micrographs",
    "family": "metal",
    "synthetic": True,
    "command": "none",
    "device": "cpu",
    "seconds": 0,
    "metrics": {},
    "baselines": {},
    "licence": "MIT",
    "factors": [3, 4, 4],
    "directions": [],
}


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    """A network that was never trained, whose map is a grid: what a spot means is then known."""
    torch.manual_seed(0)
    net = measure.half(ImageNet((3, 4, 4))).train(False).requires_grad_(False)
    blank = np.zeros((0, 48), np.float32)
    seeds = np.arange(N)
    codes = Space(net, Prior(*(np.zeros(1),) * 6), blank, blank, blank, blank, blank, {}).encode(render.pictures(seeds))
    prior = Prior(*(np.asarray(v, np.float16).astype(np.float32) for v in vars(Prior.fit(codes)).values()))
    near = np.asarray(prior.near(codes), np.float16).astype(np.float32)
    places = np.stack(np.divmod(seeds, 10), 1).astype(np.float32)
    card = CARD | {"sha256": "small"}
    return Atlas(Space(net, prior, near, places, kept_content(codes), render.factors(seeds), blank, card))


@pytest.fixture(scope="module")
def model(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as a model on disk, by its name in recipes."""
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, atlas.space, Sample())
    return store.add_model(folder)


def test_what_is_kept_of_a_picture_is_enough_to_draw_it(atlas: Atlas) -> None:
    exact = atlas.space.encode(render.pictures(np.arange(5)))
    np.testing.assert_allclose(atlas.codes(np.arange(5)), exact, atol=0.04)
    drawn = atlas.space.decode(exact)
    np.testing.assert_allclose(atlas.pictures(np.arange(5)), drawn, atol=0.01)
    np.testing.assert_array_equal(atlas.pictures(np.array([3, 3, 1]))[[0, 2]], atlas.pictures(np.array([3, 1])))


def test_the_place_of_a_picture_means_that_picture(atlas: Atlas) -> None:
    rows = np.array([0, 17, 59])
    np.testing.assert_array_equal(atlas.latent(atlas.places[rows].astype(float)), atlas.codes(rows))
    np.testing.assert_allclose(atlas.percentile(atlas.places[rows]), atlas.space.percentile(atlas.codes(rows)))
    np.testing.assert_array_equal(atlas.nearest(atlas.codes(rows))[:, 0], rows)


def test_between_pictures_the_styles_are_a_mean_and_the_content_is_one_pictures(atlas: Atlas) -> None:
    spots = np.random.default_rng(0).uniform([0, 0], [5, 9], (20, 2)) + 0.01
    found = atlas.latent(spots)
    nearest = np.square(spots[:, None] - atlas.places).sum(2).argmin(1)
    np.testing.assert_array_equal(found[:, :CONTENT], atlas.codes(nearest)[:, :CONTENT])
    styles = atlas.styles.codes
    assert (found[:, CONTENT:] <= styles.max(0) + 1e-5).all()
    assert (found[:, CONTENT:] >= styles.min(0) - 1e-5).all()
    assert found[:, CONTENT:].std(0).mean() < styles.std(0).mean()


def test_far_from_every_picture_nothing_is_trusted(atlas: Atlas) -> None:
    assert atlas.percentile(np.array([[40.0, -40]]))[0] == 100


def test_the_models_reading_of_the_factors_is_in_their_units(atlas: Atlas) -> None:
    told = atlas.space.factors(atlas.codes(np.arange(4)))
    assert isinstance(told, np.ndarray)
    scaled = atlas.space.net.read(torch.from_numpy(atlas.codes(np.arange(4))[:, CONTENT:].reshape(4, 3, 16))).numpy()
    np.testing.assert_allclose(render.scaled(told), scaled, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_inside_a_polygon_is_what_matplotlib_says(seed: int) -> None:
    path = pytest.importorskip("matplotlib.path")
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))  # a star: its outline does not cross itself
    outline = np.stack([np.cos(turn), np.sin(turn)], 1) * rng.uniform(0.3, 1, (9, 1))
    points = rng.uniform(-1, 1, (500, 2))
    found = maps.inside(points, outline)
    np.testing.assert_array_equal(found, path.Path(outline).contains_points(points))
    np.testing.assert_array_equal(maps.inside(points, outline[::-1]), found)


def test_a_map_is_turned_and_not_changed() -> None:
    points = np.random.default_rng(0).normal(size=(50, 2)) @ [[1, 0.8], [0, 2]] + 7
    made = maps.widest(points)
    apart = lambda x: np.linalg.norm(x[:, None] - x, axis=2)  # noqa: E731
    np.testing.assert_allclose(apart(made), apart(points), atol=1e-9)
    np.testing.assert_allclose(made.mean(0), 0, atol=1e-9)
    assert made[:, 0].std() > made[:, 1].std()
    assert maps.widest(np.ones((1, 5))).shape == (1, 2)


def test_few_codes_lie_on_their_axes_and_many_on_a_umap_that_is_the_same_for_a_seed() -> None:
    codes = np.random.default_rng(0).normal(size=(maps.LEAST + 20, 6))
    few = maps.umap(codes[: maps.LEAST - 1])
    np.testing.assert_allclose(few.places, maps.widest(few.codes), atol=1e-3)
    many = maps.umap(codes).places
    np.testing.assert_array_equal(maps.umap(codes).places, many)
    assert np.isfinite(many).all()


def test_each_cell_of_the_lattice_shows_the_picture_nearest_its_middle() -> None:
    places = np.random.default_rng(0).normal(size=(400, 2))
    middles, rows, side = maps.lattice(places, 50)
    assert 25 < len(rows) <= 50
    assert len(np.unique(rows)) == len(rows)
    offset = np.abs(places[:, None] - middles).max(2)
    assert (offset.min(1) <= side / 2 + 1e-6).all()  # every place lies in a cell
    for k, row in enumerate(rows):
        own = np.flatnonzero(offset[:, k] <= side / 2)
        assert row == own[np.square(places[own] - middles[k]).sum(1).argmin()]


def test_samples_have_the_mean_and_covariance_of_the_region_and_a_content_from_it(atlas: Atlas) -> None:
    codes = atlas.codes(np.arange(12))
    new = drawn_from(codes, 4000, 1)
    styles = codes[:, CONTENT:]
    np.testing.assert_allclose(new[:, CONTENT:].mean(0), styles.mean(0), atol=5 * styles.std(0).max() / np.sqrt(4000))
    wanted = np.cov(styles.T)
    np.testing.assert_allclose(np.cov(new[:, CONTENT:].T), wanted, atol=0.15 * np.abs(wanted).max())
    gap = np.abs(new[:20, None, :CONTENT] - codes[:, :CONTENT]).max(2)
    assert (gap.min(1) < 0.01).all()
    np.testing.assert_allclose(drawn_from(codes[:1], 3, 0), np.repeat(codes[:1], 3, 0), atol=2e-3)


def test_spread_does_not_grow_with_the_number_of_pictures() -> None:
    rng = np.random.default_rng(0)
    few = np.mean([spread_of(rng.normal(0, 0.1, (4, 8, 8, 3))) for _ in range(50)])
    assert few == pytest.approx(0.1, rel=0.03)
    assert spread_of(rng.normal(0, 0.1, (400, 8, 8, 3))) == pytest.approx(0.1, rel=0.03)
    assert not deviation(rng.normal(size=(1, 8, 8, 3))).any()


def test_a_region_is_summed_up(model: str, atlas: Atlas) -> None:
    square = [[-0.5, -0.5], [1.5, -0.5], [1.5, 2.5], [-0.5, 2.5]]
    result = gen_core.run("images.map", model=model, region=square, n=3, spot=None)
    found = result.content.region
    assert found.rows.tolist() == [0, 1, 2, 10, 11, 12]
    images = Atlas(atlas.space).pictures(found.rows[::-1])
    np.testing.assert_allclose(found.mean, images.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.deviation, np.sqrt(images.var(0, ddof=1).mean(2)), atol=1e-6)
    np.testing.assert_allclose(found.values, render.factors(found.rows), rtol=1e-5)
    assert result.metrics["count"] == 6
    assert result.baselines["whole_map"]["count"] == N
    again = gen_core.run("images.map", model=model, region=square, n=3, spot=None, seed=1).content.region
    assert np.abs(again.samples - found.samples).max() > 0
    np.testing.assert_array_equal(again.mean, found.mean)  # whatever else was drawn in between


def test_nothing_asked_leaves_thumbnails_and_an_empty_region_a_warning(model: str, tmp_path: Path) -> None:
    bare = gen_core.run("images.map", model=model, spot=None)
    assert not bare.metrics
    bare.save(tmp_path / "bare")
    with np.load(tmp_path / "bare/images.npz") as held:
        assert set(held["kinds"]) == {"thumbnail"}
        assert held["places"].shape == (N, 2)
    empty = gen_core.run("images.map", model=model, region=[[50, 50], [51, 50], [51, 51]])
    assert empty.content.region is None
    assert "empty_region" in [w.code for w in empty.warnings]
    assert "count" not in empty.metrics


def test_files_name_what_each_picture_is(model: str, tmp_path: Path) -> None:
    made = gen_core.run("images.map", model=model, region=[[-1, -1], [3, -1], [3, 3]], n=2, show=4, spot=[2.5, 2.5])
    made.save(tmp_path / "m")
    with np.load(tmp_path / "m/images.npz") as held:
        assert held["kinds"].tolist() == ["spot", "shown", "sample", "sample"]
        assert held["inside"].sum() == made.metrics["count"]
        again = gen_core.run("images.decode", model=model, z=held["latents"].tolist()).content.images
        np.testing.assert_allclose(again, held["images"], atol=2e-3)
    assert catalog.from_file(tmp_path / "m/grid.png") == made.recipe
    lie = np.abs(made.content.shown.place - made.content.atlas.places[4]).max()
    assert lie < 9  # among its neighbours, and so within the map
    assert catalog.from_query(made.recipe.query(), "images.map") == made.recipe


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"region": [[0, 0], [1, 1]]}, "region"), ({"region": [[0, 0]] * 201}, "region"), ({"spot": [1]}, "spot"), ({"n": 65}, "n")],
)
def test_recipes_that_are_wrong(fields: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(RecipeError, match=sentence):
        Map.read(fields)


def test_a_drawn_outline_is_thinned_to_what_a_recipe_takes() -> None:
    turn = np.linspace(0, 2 * np.pi, 911)
    kept = thinned([(float(np.cos(t)), float(np.sin(t))) for t in turn])
    assert 3 <= len(kept) <= VERTICES
    assert Map(region=tuple(kept)).region == tuple(kept)
    assert thinned([(0, 0), (1, 0), (0, 1)]) == [(0, 0), (1, 0), (0, 1)]


@pytest.mark.parametrize("dark", [False, True])
def test_the_ring_says_how_far_to_trust_the_spot(model: str, dark: bool) -> None:
    ring = {}
    for spot in ([2.0, 3.0], [400.0, 400.0]):
        made = gen_core.run("images.map", model=model, spot=spot)
        figure = map_plots.picture_map(made.content, "grain_size", dark=dark)
        ring[made.metrics["off_manifold_percentile"] > STRANGE] = figure.data[-1].marker.color
        assert len(figure.layout.images) == 1
        assert figure.layout.xaxis.title.text == "UMAP 1"
        assert len(figure.to_json()) < 400_000
    assert ring[True] != ring[False]
    plain = map_plots.picture_map(made.content, None, thumbnails=False, dark=dark)
    assert not plain.layout.images


def test_directions_in_closed_form_change_the_decoder_most(atlas: Atlas, model: str) -> None:
    space = atlas.space
    rng = np.random.default_rng(0)
    for i, (group, layers) in enumerate(space.net.styled.items()):
        steps = np.stack([space.directions[f"{group}{k}"].step for k in range(1, 5)])
        own = np.zeros(48, bool)
        own[16 * i : 16 * i + 16] = True
        assert not steps[:, ~own].any()
        unit = steps[:, own] / np.linalg.norm(steps, axis=1, keepdims=True)
        np.testing.assert_allclose(unit @ unit.T, np.eye(4), atol=1e-4)
        weights = np.concatenate([layer.style.weight.detach().numpy() for layer in layers])
        change = np.linalg.norm(weights @ unit.T, axis=0)
        assert (np.diff(change) <= 1e-5).all()
        other = rng.normal(size=(16, 200))
        assert change[0] >= np.linalg.norm(weights @ (other / np.linalg.norm(other, axis=0)), axis=0).max()
        spread = (atlas.styles.codes[:, own] @ unit[0]).std()  # one of it is a deviation of the training pictures
        assert np.linalg.norm(steps[0]) == pytest.approx(spread, rel=0.01)
    edited = gen_core.run("images.edit", model=model, seed=1, directions={"fine1": 2, "pc2": -1}).content
    step = 2 * space.directions["fine1"].step - space.directions["pc2"].step
    np.testing.assert_allclose(edited.latents[1, CONTENT:] - edited.latents[0, CONTENT:], step, atol=1e-3)


@pytest.mark.parametrize("name", ["places", "content", "values"])
def test_a_model_without_its_map_is_refused(atlas: Atlas, tmp_path: Path, name: str) -> None:
    from safetensors.torch import load_file, save_file

    from gen_core import checkpoint

    write_model(tmp_path, atlas.space, Sample())
    assert read_space(tmp_path).content.dtype == np.int8
    tensors = load_file(tmp_path / checkpoint.WEIGHTS)
    tensors.pop(name)
    old = Path(shutil.copytree(tmp_path, tmp_path / "old"))
    save_file(tensors, old / checkpoint.WEIGHTS)
    card = json.loads((old / checkpoint.CARD).read_text()) | {"sha256": checkpoint.sha256(old / checkpoint.WEIGHTS)}
    (old / checkpoint.CARD).write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_space(old)
