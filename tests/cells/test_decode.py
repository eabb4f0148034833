"""The map of cells and what its places decode to."""

import numpy as np
import pytest

import gen_core
from gen_core.cells import decode, explore
from gen_core.cells.recipe import Decode
from gen_core.errors import RecipeError
from gen_core.latent.components import Components
from gen_core.latent.density import Density, neighbours, place


def test_components_are_orthonormal_and_their_inverse_exact_within_the_span() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 30)) + 3
    latent = Components.fit(X, 5)
    np.testing.assert_allclose(latent.axes.T @ latent.axes, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(latent.decode(latent.encode(X)), X, atol=1e-3)
    assert (np.diff(latent.explained) <= 1e-9).all()
    assert latent.explained.sum() == pytest.approx(1, abs=1e-5)


def test_components_of_few_rows_are_few() -> None:
    assert Components.fit(np.random.default_rng(0).normal(size=(4, 30)), 50).axes.shape == (30, 3)


def test_neighbours_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(1)
    points, codes = rng.normal(size=(7, 4)), rng.normal(size=(40, 4))
    distance, index = neighbours(points, codes, 5)
    full = np.linalg.norm(points[:, None] - codes[None], axis=2)
    np.testing.assert_array_equal(index, full.argsort(1)[:, :5])
    np.testing.assert_allclose(distance, np.sort(full, 1)[:, :5], atol=1e-6)


def test_density_tells_typical_from_strange() -> None:
    codes = np.random.default_rng(2).normal(size=(500, 6))
    density = Density.of(codes)
    typical = density.percentile(np.random.default_rng(3).normal(size=(300, 6)))
    assert 35 < np.median(typical) < 75
    assert density.percentile(np.full((1, 6), 9.0))[0] == 100
    assert density.percentile(np.zeros((1, 6)))[0] < 20


def test_a_place_keeps_the_axes_that_are_shown_and_borrows_the_others() -> None:
    codes = np.random.default_rng(4).normal(size=(200, 6))
    spots = np.array([[0.3, -0.2]])
    z = place(spots, codes, [3, 1])
    np.testing.assert_allclose(z[:, [3, 1]], spots)
    _, nearest = neighbours(spots, codes[:, [3, 1]], 15)
    assert (z[0] >= codes[nearest[0]].min(0) - 1e-9)[[0, 2, 4, 5]].all()
    assert (z[0] <= codes[nearest[0]].max(0) + 1e-9)[[0, 2, 4, 5]].all()


def test_a_click_is_a_recipe() -> None:
    result = gen_core.run("cells.decode", data="pbmc68k_reduced", z=[[1.0, 2.0], [100.0, 100.0]])
    made = result.content
    assert made.profiles.shape == (2, len(made.atlas.genes))
    assert (made.profiles >= 0).all()
    assert made.percentile[1] == 100
    assert "off_manifold" in {w.code for w in result.warnings}


def test_a_cells_own_place_decodes_to_that_cell_as_the_components_see_it() -> None:
    atlas = decode.open_atlas(Decode(data="simulated"))
    z = tuple(float(v) for v in atlas.codes[7])
    made = decode.decode(Decode(data="simulated", z=[z]))
    projected = np.maximum(atlas.space.decode(atlas.codes[[7]]), 0)
    np.testing.assert_allclose(made.profiles, projected, atol=1e-4)


@pytest.mark.parametrize("z", [[[1.0], [1.0, 2.0]], [[0.0] * 51], [[]]])
def test_latent_vectors_of_wrong_length_are_one_sentence(z: list) -> None:
    with pytest.raises(RecipeError, match="z: "):
        gen_core.run("cells.decode", z=z)


def test_a_spot_in_the_middle_of_a_type_is_that_type() -> None:
    atlas = decode.open_atlas(Decode(data="simulated"))
    types = atlas.obs["cell_type"].to_numpy(str)
    untreated = atlas.obs["condition"].to_numpy(str) == "control"
    middle = np.median(atlas.codes[(types == "Monocyte") & untreated][:, :2], 0)
    spot = explore.spot_at(tuple(middle), (0, 1), atlas.codes, types, atlas.space, atlas.genes, atlas.mean)
    assert spot.nearest[0][0] in ("Monocyte", "Dendritic")
    assert spot.percentile < 60
    gap = explore.spot_at((0.0, 200.0), (0, 1), atlas.codes, types, atlas.space, atlas.genes, atlas.mean)
    assert gap.percentile == 100
    assert sum(share for _, share in spot.nearest) == pytest.approx(1)
    assert spot.genes.change.abs().is_monotonic_decreasing
