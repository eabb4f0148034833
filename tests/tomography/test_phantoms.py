"""Synthetic slices: the image and the projections are of the same thing, every seed another one, all of it inside the field."""

import numpy as np
import pytest

from gen_core.errors import InputError
from gen_core.tomography import phantoms
from gen_core.tomography.geometry import Geometry, scanner

SOME = [("thorax", 1), ("abdomen", 2), ("head", 3), ("head", 5), ("wide", 4), ("shepp_logan", 0)]


def quadrature(fine: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Line integrals through a fine image by sampling it along many rays a bin: slow, and nothing shared with the library."""
    from scipy.ndimage import map_coordinates

    n = len(fine)
    cuts = (np.arange(8) + 0.5) / 8 - 0.5
    pixel = geometry.size / n
    along = np.arange(-n, n + 1) * 0.5 * geometry.size * np.sqrt(2) / n  # pixels of the geometry
    out = np.zeros(geometry.shape)
    away = geometry.source_origin + geometry.origin_detector
    for i, angle in enumerate(np.deg2rad(geometry.angles)):
        u = (np.arange(geometry.bins)[:, None] - (geometry.bins - 1) / 2 - geometry.rotation_centre + cuts) * geometry.spacing
        across, ahead = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        if geometry.kind == "parallel":
            start, way = u[..., None] * across, np.broadcast_to(ahead, (*u.shape, 2))
        else:
            lean = u / away if geometry.curved else np.arctan(u / away)
            start = np.broadcast_to(-geometry.source_origin * ahead, (*u.shape, 2))
            way = np.cos(lean)[..., None] * ahead + np.sin(lean)[..., None] * across
        middle = start - (start * way).sum(-1, keepdims=True) * way  # nearest to the axis
        points = middle[..., None, :] + along[:, None] * way[..., None, :]
        rows, columns = (n - 1) / 2 - points[..., 1] / pixel, points[..., 0] / pixel + (n - 1) / 2
        values = map_coordinates(fine, [rows, columns], order=1, mode="constant")
        out[i] = values.sum(-1).mean(-1) * (along[1] - along[0])
    return out


@pytest.mark.parametrize(("kind", "seed"), SOME)
@pytest.mark.parametrize("beam", ["parallel", "fan", "curved"])
def test_the_projections_are_those_of_the_image(kind: str, seed: int, beam: str) -> None:
    made = phantoms.phantom(kind, seed)
    geometry = scanner(
        32, 5, 180, 11.0, kind="parallel" if beam == "parallel" else "fan", curved=beam == "curved", rotation_centre=0.7
    )
    found, expected = phantoms.sinogram(made, geometry), quadrature(phantoms.image(made, 1024), geometry)
    assert np.linalg.norm(found - expected) < 4e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize(("kind", "seed"), SOME)
def test_every_view_holds_the_whole_mass(kind: str, seed: int) -> None:
    made = phantoms.phantom(kind, seed)
    image = phantoms.image(made, 128)
    mass = phantoms.sinogram(made, scanner(128, 7, 180)).sum(1)
    np.testing.assert_allclose(mass, mass.mean(), rtol=2e-4)
    assert image.sum() == pytest.approx(mass.mean(), rel=2e-3)


@pytest.mark.parametrize("kind", phantoms.KINDS)
def test_values_are_attenuations_inside_the_disc_and_air_outside(kind: str) -> None:
    step = (np.arange(96) - 47.5) / 48
    outside = np.hypot(step[:, None], step[None]) > 1.02
    for seed in range(30):
        image = phantoms.image(phantoms.phantom(kind, seed), 96)
        assert image.dtype == np.float32
        assert image.shape == (96, 96)
        assert image.min() > -1e-3
        assert 1.0 < image.max() < 4
        assert np.abs(image[outside]).max() < 1e-3
        assert 0.08 < (image > 0.5).mean() < 0.7


@pytest.mark.parametrize("kind", ["thorax", "abdomen", "head", "wide"])
def test_a_seed_gives_the_same_slice_and_another_seed_another(kind: str) -> None:
    images = [phantoms.image(phantoms.phantom(kind, seed), 64) for seed in (0, 1, 2, 0)]
    assert images[0].tobytes() == images[3].tobytes()
    assert np.abs(images[0] - images[1]).mean() > 0.01
    assert np.abs(images[1] - images[2]).mean() > 0.01


def test_a_coarse_image_is_the_mean_of_a_fine_one() -> None:
    made = phantoms.phantom("thorax", 9)
    coarse, fine = phantoms.image(made, 64), phantoms.image(made, 512)
    assert np.abs(fine.reshape(64, 8, 64, 8).mean((1, 3)) - coarse).max() < 0.1
    assert np.abs(fine.reshape(64, 8, 64, 8).mean((1, 3)) - coarse).mean() < 1e-3


def test_a_painted_value_covers_what_lies_below() -> None:
    from gen_core.tomography.scene import Scene

    scene = Scene(np.random.default_rng(0), 200)
    scene.paint(scene.ellipse(0, 0, 60, 40), 1.0)
    scene.paint(scene.ellipse(30, 0, 40, 20), 0.3)  # lies partly beside the first
    scene.paint([scene.ellipse(10, 0, 30, 30), scene.ellipse(20, 5, 25, 30)], 2.0)
    image = phantoms.image(phantoms.Phantom("test", 0, *scene.finished(0, (0, 0))), 200)
    x, y = np.meshgrid(np.arange(200) - 99.5, 99.5 - np.arange(200))
    expected = np.where((x / 60) ** 2 + (y / 40) ** 2 < 1, 1.0, 0.0)
    expected = np.where(((x - 30) / 40) ** 2 + (y / 20) ** 2 < 1, 0.3, expected)
    third = (((x - 10) / 30) ** 2 + (y / 30) ** 2 < 1) & (((x - 20) / 25) ** 2 + ((y - 5) / 30) ** 2 < 1)
    expected = np.where(third, 2.0, expected)
    far = np.abs(image - expected) > 1e-6
    assert far.mean() < 0.02  # pixels on an outline
    assert image.min() > -1e-6


def test_the_shepp_logan_phantom_keeps_its_scale() -> None:
    image = phantoms.image(phantoms.phantom("shepp_logan"), 128)
    assert image.max() == pytest.approx(1, abs=1e-6)
    assert image.min() == pytest.approx(0, abs=1e-6)
    assert image[64, 64] == pytest.approx(0.2, abs=1e-6)
    assert image[2:12, 64].max() > 0.9  # the skull at the top


def test_names_of_synthetic_slices() -> None:
    assert phantoms.named("synthetic:thorax:7").seed == 7
    assert phantoms.named("synthetic:shepp_logan").kind == "shepp_logan"
    for wrong in ("thorax:7", "synthetic:knee:1", "synthetic:thorax:-1", "synthetic:thorax:x"):
        with pytest.raises(InputError, match="synthetic"):
            phantoms.named(wrong)
