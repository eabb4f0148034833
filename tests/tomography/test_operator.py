"""The projection: against ASTRA's, against closed forms, and against its own transpose."""

import numpy as np
import pytest

from gen_core.tomography import measure, metrics, phantoms
from gen_core.tomography.geometry import Geometry, scanner
from gen_core.tomography.operator import Operator, operator, project

PARALLEL = scanner(48, 20, 130, 12.5)
SCANNERS = [
    PARALLEL,
    scanner(48, 15, 180, bins=31, spacing=1.7, rotation_centre=1.3),
    scanner(48, 24, 200, kind="fan"),
    scanner(48, 24, 200, 30, kind="fan", curved=True, source_origin=90, origin_detector=0, rotation_centre=-0.8),
]


@pytest.mark.parametrize("geometry", SCANNERS)
def test_the_adjoint_is_the_transpose(geometry: Geometry) -> None:
    made, rng = Operator(geometry), np.random.default_rng(1)
    for _ in range(5):
        x, y = rng.standard_normal((48, 48)).astype(np.float32), rng.standard_normal(geometry.shape).astype(np.float32)
        there = np.vdot(made.forward(x).astype(np.float64), y.astype(np.float64))
        back = np.vdot(x.astype(np.float64), made.adjoint(y).astype(np.float64))
        size = np.linalg.norm(made.forward(x).astype(np.float64)) * np.linalg.norm(y.astype(np.float64))
        assert abs(there - back) < 1e-6 * size
    assert made.matrix.data.dtype == np.float32
    assert made.matrix.indices.dtype == np.int32


@pytest.mark.parametrize("start", [0.0, 77.0])
def test_it_is_what_astra_projects(start: float) -> None:
    astra = pytest.importorskip("astra", exc_type=ImportError)
    geometry = scanner(64, 30, 180, start, bins=95, spacing=1.0)
    image = phantoms.image(phantoms.phantom("thorax", 3), 64)
    volume = astra.create_vol_geom(64, 64)
    detector = astra.create_proj_geom("parallel", 1.0, 95, np.deg2rad(geometry.angles))
    projector = astra.create_projector("linear", detector, volume)
    index, expected = astra.create_sino(image, projector)
    astra.data2d.delete(index)
    astra.projector.delete(projector)
    found = operator(geometry).forward(image)
    assert np.linalg.norm(found - expected) < 5e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("curved", [False, True])
def test_fan_rays_are_where_source_and_bin_are(curved: bool) -> None:
    geometry = scanner(32, 7, 360, 11, kind="fan", curved=curved, rotation_centre=0.6)
    angle, distance = (part[..., 0] for part in geometry.rays())
    away = geometry.source_origin + geometry.origin_detector
    for i, turn in enumerate(geometry.radians):
        ahead, across = np.array([-np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])
        source = -geometry.source_origin * ahead
        for j in range(geometry.bins):
            u = (j - (geometry.bins - 1) / 2 - 0.6) * geometry.spacing
            place = source + away * (np.cos(u / away) * ahead + np.sin(u / away) * across)
            if not curved:
                place = geometry.origin_detector * ahead + u * across
            normal = np.array([np.cos(angle[i, j]), np.sin(angle[i, j])])
            assert normal @ source == pytest.approx(distance[i, j], abs=1e-9)
            assert normal @ place == pytest.approx(distance[i, j], abs=1e-9)


@pytest.mark.parametrize("geometry", SCANNERS)
def test_projections_of_smooth_things_are_the_closed_form(geometry: Geometry) -> None:
    x, y = np.meshgrid(np.arange(48) - 23.5, 23.5 - np.arange(48))
    image = np.exp(-0.5 * ((x - 6) ** 2 + (y + 4) ** 2) / 5**2)
    angle, distance = (part[..., 0] for part in geometry.rays())
    expected = 5 * np.sqrt(2 * np.pi) * np.exp(-0.5 * ((distance - 6 * np.cos(angle) + 4 * np.sin(angle)) / 5) ** 2)
    assert np.abs(operator(geometry).forward(image) - expected).max() < 0.01 * expected.max()


def test_the_error_against_the_closed_form_falls_with_the_pixel() -> None:
    made, errors = phantoms.phantom("shepp_logan"), []
    for size in (64, 128):
        geometry = scanner(size, 30, 180)
        expected = phantoms.sinogram(made, geometry)
        found = operator(geometry).forward(phantoms.image(made, size))
        errors.append(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    assert errors[1] < 0.016
    assert errors[1] < 0.7 * errors[0]


def test_several_images_are_projected_as_one_by_one() -> None:
    made, rng = operator(PARALLEL), np.random.default_rng(0)
    images = rng.random((3, 48, 48)).astype(np.float32)
    together = made.forward(images)
    for image, alone in zip(images, together, strict=True):
        np.testing.assert_allclose(made.forward(image), alone, rtol=1e-5)
    np.testing.assert_allclose(made.adjoint(together)[1], made.adjoint(together[1]), rtol=1e-5)
    np.testing.assert_allclose(project(images[0], PARALLEL), together[0], rtol=1e-4, atol=1e-4)


def test_torch_projects_the_same_and_its_gradient_is_the_adjoint() -> None:
    import torch

    made = operator(PARALLEL)
    x = torch.rand(2, 48, 48, requires_grad=True)
    y = made.torch().forward(x)
    np.testing.assert_allclose(y.detach().numpy(), made.forward(x.detach().numpy()), rtol=1e-4, atol=1e-4)
    weights = torch.rand(y.shape)
    (y * weights).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), made.adjoint(weights.numpy()), rtol=1e-4, atol=1e-4)


def test_the_norm_and_the_response_are_those_of_the_matrix() -> None:
    small = Operator(scanner(16, 16, 180))
    dense = small.matrix.toarray().astype(np.float64)
    assert small.norm == pytest.approx(np.linalg.norm(dense, 2), rel=1e-3)
    assert small.response[0, 0] == pytest.approx((dense.T @ dense)[8 * 16 + 8].sum(), rel=1e-3)


def test_data_are_not_made_with_the_matrix_that_inverts_them() -> None:
    image = phantoms.image(phantoms.phantom("thorax", 5), 48)
    data, crime = measure.clean(image, PARALLEL), operator(PARALLEL).forward(image)
    apart = np.linalg.norm(data - crime) / np.linalg.norm(crime)
    assert 1e-3 < apart < 0.05
    closed = measure.clean(phantoms.phantom("thorax", 5), PARALLEL)
    assert np.linalg.norm(data - closed) < 0.04 * np.linalg.norm(closed)


@pytest.mark.parametrize("model", ["gaussian", "poisson"])
def test_noise_has_the_deviation_that_is_told(model: str) -> None:
    data = measure.clean(phantoms.phantom("thorax", 5), scanner(64, 120, 180))
    made = measure.measured(data, 0.02, model, seed=3)
    assert np.sqrt(np.mean((made.sinogram - data) ** 2)) == pytest.approx(0.02 * np.sqrt(np.mean(data**2)), rel=0.03)
    assert np.std((made.sinogram - data) / made.sigma) == pytest.approx(1, rel=0.03)
    again = measure.measured(data, 0.02, model, seed=3)
    assert made.sinogram.tobytes() == again.sinogram.tobytes()
    if model == "poisson":  # dense rays are noisier
        dense = data > np.quantile(data, 0.9)
        assert made.sigma[dense].mean() > 1.2 * made.sigma[data < 1e-6].mean()
    assert np.isfinite(measure.estimated(made.sinogram)).all()
    if model == "gaussian":
        assert measure.estimated(made.sinogram)[0, 0] == pytest.approx(made.sigma[0, 0], rel=0.3)


def test_a_ring_artefact_is_the_same_in_every_view() -> None:
    data = measure.clean(phantoms.phantom("thorax", 5), PARALLEL)
    made = measure.measured(data, 0, seed=1, ring=0.02)
    offset = made.sinogram - data
    assert np.ptp(offset, axis=0).max() < 1e-9
    assert offset[0].std() > 0


def test_metrics_take_the_truths_own_range() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((64, 64)) * 2000 - 1000
    noisy = truth + 20 * rng.standard_normal(truth.shape)
    assert metrics.psnr(noisy, truth) == pytest.approx(40, abs=0.3)
    assert metrics.psnr(noisy / 1000, truth / 1000) == pytest.approx(metrics.psnr(noisy, truth), abs=1e-6)
    assert metrics.ssim(truth, truth) == pytest.approx(1)
    assert 0.8 < metrics.ssim(noisy, truth) < 1
    assert metrics.coverage(noisy, truth, np.full(truth.shape, 20.0), 0.9) == pytest.approx(0.9, abs=0.02)
    assert metrics.calibration(noisy, truth, np.full(truth.shape, 20.0))[1] < 0.02
