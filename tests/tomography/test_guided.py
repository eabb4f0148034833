"""Samplers of the posterior: where the prior is Gaussian, what they draw is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen_core.tomography import guided
from gen_core.tomography.denoiser import Denoiser, Gaussian, loss
from gen_core.tomography.diffusion import Data, deviation
from gen_core.tomography.principal import fit
from gen_core.tomography.priors import Problem
from gen_core.tomography.slices import Slices

N, K = 16, 12


@pytest.fixture(scope="module")
def prior() -> Gaussian:
    """A Gaussian prior whose axes are soft waves."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(np.cumsum(np.cumsum(rng.normal(size=(K, N, N)), 1), 2).reshape(K, -1).T)[0].T
    variances = torch.from_numpy(np.geomspace(9, 0.5, K))
    return Gaussian(torch.full((N, N), 0.5), torch.from_numpy(axes), variances, 0.01)


def exact(prior: Gaussian, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior, by dense algebra."""
    a, axes = problem.operator.matrix.toarray().astype(float), prior.axes.double().numpy()
    rest = float(prior.rest)
    covariance = rest * np.eye(N * N) + axes.T @ ((prior.variances.double().numpy() - rest)[:, None] * axes)
    gain = covariance @ a.T @ np.linalg.inv(a @ covariance @ a.T + np.diag(problem.spread.ravel().astype(float) ** 2))
    mean = prior.mean.double().numpy().ravel()
    return mean + gain @ (problem.data.ravel() - a @ mean), covariance - gain @ a @ covariance


def last(frames: object) -> np.ndarray:
    *_, frame = frames  # type: ignore[misc]
    return np.asarray(frame.clean.flatten(1).numpy())


def test_prior_and_data_agree_where_dense_algebra_says(prior: Gaussian, problem: Problem) -> None:
    mean, _ = exact(prior, problem)
    found = guided.Agreement(prior, Data(problem)).solve(prior.mean.clone(), guided.WIDE, prior.mean.clone(), 1e-6, 60)
    np.testing.assert_allclose(found.numpy()[0], mean, atol=2e-3)


def test_draws_of_the_gaussian_posterior_have_its_moments(prior: Gaussian, problem: Problem) -> None:
    mean, covariance = exact(prior, problem)
    drawn = guided.Agreement(prior, Data(problem)).draw(800, torch.Generator().manual_seed(0)).numpy()
    spread = np.sqrt(np.diag(covariance))
    assert np.sqrt(np.mean(((drawn.mean(0) - mean) / spread) ** 2)) < 0.08  # 1 / sqrt(800) is .035
    assert drawn.std(0).mean() == pytest.approx(spread.mean(), rel=0.06)


@pytest.mark.parametrize(("name", "steps"), [("dds", 30), ("langevin", 180)])
def test_samplers_draw_from_the_posterior(prior: Gaussian, problem: Problem, name: str, steps: int) -> None:
    mean, covariance = exact(prior, problem)
    draw = guided.SAMPLERS[name]
    found = last(draw(prior.denoise, prior, Data(problem), 300, steps, torch.Generator().manual_seed(0)))  # type: ignore[operator]
    spread = np.sqrt(np.diag(covariance))
    assert np.sqrt(np.mean(((found.mean(0) - mean) / spread) ** 2)) < 0.25
    assert found.std(0).mean() == pytest.approx(spread.mean(), rel=0.15)


def test_dds_is_exact_for_a_gaussian_prior_however_few_its_steps(prior: Gaussian, problem: Problem) -> None:
    mean, covariance = exact(prior, problem)
    found = last(guided.dds(prior.denoise, prior, Data(problem), 400, 10, torch.Generator().manual_seed(0)))
    spread = np.sqrt(np.diag(covariance))
    assert np.sqrt(np.mean(((found.mean(0) - mean) / spread) ** 2)) < 0.15  # 1 / sqrt(400) is .05
    assert found.std(0).mean() == pytest.approx(spread.mean(), rel=0.06)


def test_without_data_they_draw_from_the_prior(prior: Gaussian, problem: Problem) -> None:
    found = last(guided.dds(prior.denoise, prior, Data(problem), 300, 40, torch.Generator().manual_seed(0), weight=0.0))
    along = (found - prior.mean.numpy()) @ prior.axes.numpy().T
    np.testing.assert_allclose(along.std(0), np.sqrt(prior.variances.numpy()), rtol=0.25)


def test_dps_moves_towards_the_data(prior: Gaussian, problem: Problem) -> None:
    data = Data(problem)
    off = lambda x: float(((data.forward(torch.from_numpy(x)) - data.y) / data.noise).square().mean().sqrt())  # noqa: E731
    draw = lambda weight: last(  # noqa: E731
        guided.dps(prior.denoise, prior, data, 4, 60, torch.Generator().manual_seed(0), weight=weight)
    )
    assert off(draw(1.0)) < 0.3 * off(draw(0.0))


def test_an_untrained_denoiser_is_the_gaussian_one_and_its_loss_is_one(prior: Gaussian) -> None:
    torch.manual_seed(0)
    net = Denoiser(prior, (8, 16), 1)
    x, sigma = prior.draw(400, torch.Generator().manual_seed(1)), torch.full((400,), 0.4)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        noisy = x + 0.4 * noise
        torch.testing.assert_close(net(noisy, sigma), prior.denoise(noisy, sigma))
        assert float(loss(net, x, sigma, noise).mean()) == pytest.approx(1, rel=0.05)
        moved = (prior.denoise(noisy, sigma) - noisy).square().mean().sqrt()
    assert float(moved) == pytest.approx(float(prior.moved(sigma[:1])), rel=0.05)


def test_principal_axes_are_orthonormal_and_have_their_variances() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(N * N, 3)))[0].T
    x = rng.normal(size=(900, 3)) * [4, 2, 1] @ basis + 0.05 * rng.normal(size=(900, N * N)) + 1
    found = fit(Slices(x.reshape(-1, N, N).astype(np.float32), 100, "test"), 3)
    np.testing.assert_allclose(found.directions() @ found.directions().T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(found.variances, [16, 4, 1], rtol=0.15)
    assert found.rest == pytest.approx(0.05**2, rel=0.05)
    assert np.abs(found.directions() @ basis.T).diagonal().min() > 0.99


def test_levels_fall_from_start_to_end() -> None:
    found = guided.levels(12, 0.01, 5)
    assert found[0] == pytest.approx(5)
    assert found[-1] == pytest.approx(0.01)
    assert np.all(np.diff(found) < 0)


def test_the_deviation_of_few_samples_grows_by_what_their_mean_does_not_know() -> None:
    samples = np.random.default_rng(0).normal(size=(4, 64, 64)).astype(np.float32)
    assert deviation(samples).mean() == pytest.approx(np.sqrt(1.25), rel=0.05)
