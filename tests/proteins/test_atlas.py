"""The map of a family: an exact inverse, spots among naturals, regions to sample, colours that say what they are."""

import numpy as np
import pytest

from gen_core import catalog, store
from gen_core.errors import RecipeError
from gen_core.proteins import landscape, map_plots, places
from gen_core.proteins.atlas import atlas_of, percentiles, spot_at, thinned
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.recipe import BUNDLED, Decode, Sample, Score
from gen_core.proteins.sample import draw_samples


def test_a_spot_is_where_it_was_clicked_and_a_natural_is_itself(model: FamilyModel) -> None:
    atlas = atlas_of(model)
    np.testing.assert_allclose(atlas.turn @ atlas.turn.T, np.eye(model.latent_dim), atol=1e-9)
    spots = np.random.default_rng(0).uniform(-2, 2, (40, 2))
    np.testing.assert_allclose(atlas.place(atlas.latent(spots)), spots, atol=3e-3)  # a link holds three digits
    some = [0, 7, 100]
    np.testing.assert_allclose(atlas.latent(atlas.places[some]), model.codes.means[some], atol=1e-3)
    found = spot_at(atlas, model.codes.means[7].astype(float))
    assert 7 in found.nearest
    assert len(found.row) == model.width
    assert set(percentiles(found, model)) == {"profile_bits", "coupling_energy"}
    far = spot_at(atlas, model.codes.means[7] + 50.0)
    assert far.percentile == 100


def test_the_widest_components_are_the_plane(model: FamilyModel) -> None:
    atlas = atlas_of(model)
    weights = model.codes.weights / model.codes.weights.sum()
    variance = weights @ np.square(atlas.turned - weights @ atlas.turned)
    assert (np.diff(variance) <= 1e-9).all()
    np.testing.assert_allclose(atlas.shares, variance[:2] / variance.sum(), rtol=1e-6)
    (left, right), (bottom, top) = atlas.spans
    assert (atlas.places > [left, bottom]).all()
    assert (atlas.places < [right, top]).all()


def test_a_region_is_sampled_around_the_naturals_in_it(model_digest: str, family_digest: str) -> None:
    atlas = atlas_of(open_model(model_digest))
    middle, high = np.median(atlas.places, 0), atlas.places.max(0) + 1
    corners = [[middle[0], -100], [high[0], -100], [high[0], 100], [middle[0], 100]]
    recipe = Sample.read({"model": model_digest, "around": {"region": corners}, "radius": 0, "n": 50})
    made = draw_samples(recipe)
    assert (atlas.place(made.draw.z)[:, 0] >= middle[0] - 1e-3).all()
    assert catalog.from_query(recipe.query(), "proteins.sample") == recipe
    with pytest.raises(RecipeError, match="no natural of the family lies in this region"):
        draw_samples(recipe.replace(around={"region": [[50, 50], [51, 50], [51, 51]]}))
    with pytest.raises(RecipeError, match="region"):
        Sample.read({"around": {"region": [[0, 0], [1, 1]]}})


def test_another_choice_of_filters_draws_nothing_anew(model_digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Sample(model=model_digest, n=60, seed=5)
    first = draw_samples(recipe)
    monkeypatch.setattr(places, "points", lambda *args: pytest.fail("drawn anew"))
    second = draw_samples(recipe.replace(filters={"max_length": 29}))
    assert second.draw is first.draw
    assert second.kept.sum() < first.kept.sum()


def test_colours_are_of_the_sequences_where_they_are_here_and_say_so_where_not(model_digest: str, family_digest: str) -> None:
    atlas = atlas_of(open_model(model_digest))
    known = landscape.naturals_of(atlas.model)
    assert isinstance(known, landscape.Naturals)
    assert known.codes.shape == (len(atlas.places), 30)
    length = landscape.colouring(atlas, "length")
    assert not length.decoded
    np.testing.assert_array_equal(length.values, (known.codes != 20).sum(1))
    assert "species" not in landscape.colours(atlas.model)  # names such as s12 hold none
    np.testing.assert_array_equal(landscape.find(atlas.model, str(known.names[3]).upper()).min(), 3)
    bundled = atlas_of(open_model(BUNDLED))
    assert landscape.naturals_of(bundled.model) is None or store.find(str(bundled.model.card["data"]))
    if landscape.naturals_of(bundled.model) is None:
        assert landscape.colouring(bundled, "length").title == "Length, decoded"
        assert not len(landscape.find(bundled.model, "ECOLI"))
        assert "likelihood" not in landscape.colours(bundled.model)


def test_species_are_read_off_uniprot_names() -> None:
    names = np.array(["CHMU_ECOLI/1-96", "H0ZLV2_TAEGU", "A_thing", "X1_9BACT extra"])
    found = landscape.species(landscape.Naturals(names, np.zeros((4, 1), np.uint8)))
    assert found.tolist() == ["ECOLI", "TAEGU", "", "9BACT"]
    many = landscape.commonest(np.array([*"aabbccddeeffgghhij", ""]))
    assert set(many) == {*"abcdefgh", "other"}


@pytest.mark.parametrize("kind", list(landscape.LANDSCAPES))
def test_a_landscape_is_that_of_the_likeliest_sequences(model_digest: str, kind: str) -> None:
    atlas = atlas_of(open_model(model_digest))
    found = landscape.landscape(atlas, kind)
    assert found.values.shape == (len(found.y), len(found.x))
    z = atlas.latent(np.array([[found.x[5], found.y[9]]]))[0]
    spot = spot_at(atlas, z)
    wanted = {
        "energy": lambda: atlas.model.couplings.energy(spot.codes[None])[0],  # type: ignore[union-attr]
        "bits": lambda: atlas.model.profile.bits([spot.row.replace("-", "").encode()])[0],
        "entropy": lambda: landscape.entropy(spot.probabilities).mean(),
        "strange": lambda: spot.percentile,
    }[kind]()
    assert found.values[9, 5] == pytest.approx(wanted, abs=0.02)
    assert landscape.landscape(atlas, kind) is found


def test_the_map_draws_what_each_verb_puts_on_it(model_digest: str, family_digest: str) -> None:
    model = open_model(model_digest)
    atlas = atlas_of(model)
    z = atlas.latent(np.zeros((1, 2)))[0].tolist()
    for recipe, name in (
        (Sample(model=model_digest, n=30), "samples kept"),
        (Sample.read({"model": model_digest, "n": 30, "path": [z, [1.0] * 4], "steps": 5}), "path"),
        (Score(model=model_digest, sequences=family_digest), "sequences"),
        (Decode(model=model_digest, z=(z, z)), "sequences"),
    ):
        marks = map_plots.marks_of(catalog.run(recipe).content)
        figure = map_plots.family_map(atlas, marks, None, "bits")
        assert name in {trace.name for trace in figure.data}
        assert figure.to_json() == map_plots.family_map(atlas, marks, None, "bits").to_json()
    spot = map_plots.marks_of(catalog.run(Sample.read({"model": model_digest, "n": 9, "around": {"z": z}})).content)
    np.testing.assert_allclose(spot.spot, z)
    coloured = map_plots.family_map(atlas, spot, "cluster", "energy", dark=True)
    assert not [trace for trace in coloured.data if trace.type == "heatmap"]  # one scale of colours at a time


def test_an_outline_is_thinned_for_the_link() -> None:
    corners = [(float(i), i / 3) for i in range(500)]
    found = thinned(corners)
    assert len(found) <= 60
    assert found[1][1] == round(found[1][1], 3)
