"""The methods: what is known of each in closed form, and against slow solvers that share no code with them."""

import numpy as np
import pytest

from gen_core.errors import RecipeError
from gen_core.tomography import fbp, gaussian, gaussian_train, measure, metrics, phantoms, sirt, tv
from gen_core.tomography.geometry import Geometry, scanner
from gen_core.tomography.priors import Problem
from gen_core.tomography.split import measured_part, split


def problem(kind: str, seed: int, geometry: Geometry, noise: float) -> tuple[Problem, np.ndarray]:
    made = phantoms.phantom(kind, seed)
    data = measure.measured(measure.clean(made, geometry), noise, seed=seed)
    return Problem(geometry, data.sinogram.astype(np.float32), data.sigma), phantoms.image(made, geometry.size)


@pytest.mark.parametrize(
    ("geometry", "least"),
    [
        (scanner(128, 180, 180), 32),
        (scanner(256, 200, 180), 34),
        (scanner(128, 360, 360, 20), 32),  # every direction twice
        (scanner(128, 360, 360, kind="fan"), 32),
        (scanner(128, 240, 225, kind="fan", curved=True), 32),  # a short scan, Parker's weights
        (scanner(128, 180, 180, rotation_centre=3.3, bins=190, spacing=1.0), 32),
    ],
)
def test_backprojection_of_all_directions_gives_the_slice(geometry: Geometry, least: float) -> None:
    asked, truth = problem("shepp_logan", 0, geometry, 0)
    assert metrics.psnr(fbp.solve(asked).image, truth) >= least


def test_the_smoother_window_holds_the_noise_down() -> None:
    asked, truth = problem("thorax", 4, scanner(64, 90, 180), 0.2)
    sharp, smooth = (metrics.psnr(fbp.solve(asked, window=w).image, truth) for w in ("ramp", "hann"))
    assert smooth > sharp + 1
    assert metrics.psnr(fbp.solve(asked).image, truth) == smooth


def test_sirt_nears_the_data_and_stays_positive() -> None:
    asked, truth = problem("thorax", 4, scanner(64, 60, 60), 0.01)
    found = sirt.solve(asked)
    assert found.image.min() >= 0
    assert (np.diff(found.trace["data_residual"]) <= 1e-6).all()
    assert metrics.psnr(found.image, truth) > metrics.psnr(fbp.solve(asked).image, truth)


def by_subgradients(objective: tv.Objective, steps: int) -> float:
    """The least objective that a primal-dual method of the plainest kind (Chambolle and Pock 2011) reaches."""
    a = objective.problem.operator
    dense = objective.w.reshape(-1, 1) * a.matrix.toarray().astype(np.float64)
    largest = np.linalg.norm(dense, 2)
    scale = largest / np.sqrt(8)  # the gradient is made as strong as the projection
    n = a.size
    x = y = np.zeros(n * n)
    p, q = np.zeros_like(objective.y, dtype=np.float64).ravel(), np.zeros((2, n, n))
    step = 1 / (largest * np.sqrt(2))
    tau, sigma = step / 30, step * 30
    for _ in range(steps):
        p = (p + sigma * (dense @ y - objective.y.ravel())) / (1 + sigma)
        q = tv.clipped(q + sigma * scale * tv.gradient(y.reshape(n, n)), objective.weight / scale)
        new = np.maximum(x - tau * (dense.T @ p + scale * tv.divergence(q).ravel()), 0)
        x, y = new, 2 * new - x
    return objective.value(x.reshape(n, n).astype(np.float32))


def test_total_variation_is_within_one_percent_of_the_least() -> None:
    asked, _ = problem("thorax", 4, scanner(32, 30, 90), 0.02)
    found = tv.solve(asked)
    w = 1 / asked.spread
    objective = tv.Objective(asked, w, w * asked.data, tv.WEIGHT)
    reached = found.trace["objective"][-1]
    assert objective.value(found.image) == pytest.approx(reached, rel=1e-4)
    least = by_subgradients(objective, 4_000)
    assert reached < 1.01 * least
    assert max(found.trace["bound"]) < least * 1.0001  # a bound is a bound
    assert max(found.trace["bound"]) > 0.9 * least


@pytest.mark.parametrize(("size", "covered", "noise"), [(128, 90, 0.01), (64, 60, 0.05), (64, 120, 0.01)])
def test_total_variation_knows_that_it_is_solved(size: int, covered: int, noise: float) -> None:
    asked, _ = problem("thorax", 1001, scanner(size, covered, covered), noise)
    found = tv.solve(asked)
    assert found.converged, found.note
    assert max(found.trace["bound"]) > (1 - tv.GAP) * found.trace["objective"][-1]
    further = tv.solve(asked, gap=0.0, most=200)
    assert max(found.trace["bound"]) < further.trace["objective"][-1] * 1.0001


def test_gradient_and_divergence_are_transposes() -> None:
    rng = np.random.default_rng(0)
    x, flow = rng.standard_normal((9, 9)).astype(np.float32), rng.standard_normal((2, 9, 9)).astype(np.float32)
    assert np.vdot(tv.gradient(x), flow) == pytest.approx(np.vdot(x, tv.divergence(flow)), abs=1e-4)


def small_prior(size: int, count: int = 20) -> gaussian.Gaussian:
    rng = np.random.default_rng(3)
    waves = np.fft.rfft2(rng.standard_normal((count, size, size)))
    smooth = np.fft.irfft2(waves * np.exp(-30 * np.fft.fftfreq(size)[:, None] ** 2), s=(size, size)).reshape(count, -1)
    parts = np.linalg.qr(smooth.T)[0].T.astype(np.float32)
    return gaussian.Gaussian(size, np.full(size**2, 0.5, np.float32), parts, np.geomspace(4, 0.1, count), 0.004)


def dense(asked: Problem, prior: gaussian.Gaussian) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior by the textbook's formula."""
    a = asked.operator.matrix.toarray().astype(np.float64)
    c = (prior.parts.T.astype(np.float64) * prior.variance) @ prior.parts + prior.rest * np.eye(prior.size**2)
    gain = np.linalg.solve(a @ c @ a.T + np.diag(asked.spread.ravel().astype(np.float64) ** 2), a @ c)
    return prior.mean + gain.T @ (asked.data.ravel() - a @ prior.mean), c - gain.T @ (a @ c)


@pytest.mark.parametrize("geometry", [scanner(16, 16, 90), scanner(16, 20, 130, kind="fan")])
def test_the_gaussian_posterior_is_that_of_the_textbook(geometry: Geometry) -> None:
    prior = small_prior(16)
    truth = prior.draw(1, np.random.default_rng(5))[0].reshape(16, 16)
    data = measure.measured(geometry_data(truth, geometry), 0.02, "poisson", seed=1)
    asked = Problem(geometry, data.sinogram.astype(np.float32), data.sigma)
    mean, covariance = dense(asked, prior)
    found = gaussian.solve(asked, prior, samples=200, seed=2)
    assert found.converged
    scale = np.sqrt(np.diag(covariance))
    assert np.abs(found.image.ravel() - mean).max() < 0.1 * scale.min()
    assert found.samples is not None
    drawn = found.samples.reshape(200, -1)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=4.5 * scale.max() / np.sqrt(200))
    np.testing.assert_allclose(drawn.std(0) / scale, 1, atol=0.25)
    assert found.deviation is not None
    ratio = found.deviation.ravel() / scale
    assert np.median(ratio) == pytest.approx(1, abs=0.2)
    again = gaussian.solve(asked, prior, samples=200, seed=2)
    assert again.samples is not None
    assert again.samples.tobytes() == found.samples.tobytes()


def geometry_data(truth: np.ndarray, geometry: Geometry) -> np.ndarray:
    return np.asarray(Problem(geometry, np.ones(geometry.shape), np.ones(geometry.shape)).operator.forward(truth), np.float64)


def test_intervals_hold_what_they_say_where_the_prior_is_true() -> None:
    prior, geometry, inside = small_prior(32, 40), scanner(32, 30, 70), []
    for seed in range(6):
        truth = prior.draw(1, np.random.default_rng(seed))[0].reshape(32, 32)
        data = measure.measured(geometry_data(truth, geometry), 0.01, seed=seed)
        found = gaussian.solve(Problem(geometry, data.sinogram.astype(np.float32), data.sigma), prior)
        assert found.deviation is not None
        inside.append(metrics.coverage(truth, found.image, found.deviation, 0.9))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_a_prior_of_fewer_pixels_is_that_of_the_means() -> None:
    prior = small_prior(32)
    small = prior.at(16)
    big = prior.draw(4_000, np.random.default_rng(0)).reshape(-1, 16, 2, 16, 2).mean((2, 4)).reshape(-1, 256)
    drawn = small.draw(4_000, np.random.default_rng(1))
    np.testing.assert_allclose(big.var(0), drawn.var(0), rtol=0.25)
    with pytest.raises(RecipeError, match="choose 32"):
        prior.at(24)


def test_a_fitted_prior_knows_directions_and_variances() -> None:
    true, rng = small_prior(16, 6), np.random.default_rng(0)
    train, valid = true.draw(900, rng), true.draw(600, rng)
    fitted = gaussian_train.fit(train, valid, 6)
    assert fitted.rest == pytest.approx(true.rest, rel=0.1)
    assert np.linalg.svd(fitted.parts @ true.parts.T)[1].min() > 0.9
    tensors = gaussian_train.tensors_of(fitted)
    back = gaussian_train.made_of(tensors, {"sha256": "x"})
    np.testing.assert_allclose(back.parts, fitted.parts, atol=1e-6)


def test_measured_and_invented_add_up_and_are_what_they_are_called() -> None:
    asked, truth = problem("thorax", 4, scanner(64, 60, 60), 0.01)
    seen, invented = split(asked, truth)
    np.testing.assert_allclose(seen + invented, truth, atol=1e-5)
    a = asked.operator
    assert np.linalg.norm(a.forward(invented)) < 0.05 * np.linalg.norm(a.forward(truth))
    assert np.linalg.norm(measured_part(asked, seen) - seen) < 0.1 * np.linalg.norm(seen)
    full, _ = problem("thorax", 4, scanner(64, 180, 180), 0.001)
    assert np.linalg.norm(split(full, truth)[1]) < 0.4 * np.linalg.norm(invented)  # all directions: less is left to invent
