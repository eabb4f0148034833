"""Bayes' rule in pictures, the sampler check and chains, against dense algebra where the posterior is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from gen_core.tomography import bayes, bayes_plots, chain, guided, quick, samplercheck
from gen_core.tomography.denoiser import Gaussian
from gen_core.tomography.diffusion import Data
from gen_core.tomography.gaussian import Gaussian as Parts
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import Reconstruct

N, K = 16, 12


@pytest.fixture(scope="module")
def parts() -> Parts:
    """A Gaussian prior whose parts are soft waves, of any length and not at right angles."""
    rng = np.random.default_rng(0)
    waves = np.cumsum(np.cumsum(rng.normal(size=(K, N, N)), 1), 2).reshape(K, -1).astype(np.float32)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    return Parts(N, np.full(N * N, 0.5, np.float32), waves, np.geomspace(9, 0.5, K), 0.01)


@pytest.fixture(scope="module")
def prior(parts: Parts) -> Gaussian:
    return bayes.orthonormal(parts)


@pytest.fixture(scope="module")
def covariance(parts: Parts) -> np.ndarray:
    rows = parts.parts.astype(float)
    return np.asarray(rows.T @ (parts.variance[:, None] * rows) + parts.rest * np.eye(N * N))


def exact(mean: np.ndarray, covariance: np.ndarray, problem: Problem, weight: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior, by dense algebra."""
    a = problem.operator.matrix.toarray().astype(float)
    noise = np.diag(problem.spread.ravel().astype(float) ** 2 / weight)
    gain = covariance @ a.T @ np.linalg.inv(a @ covariance @ a.T + noise)
    return mean + gain @ (problem.data.ravel() - a @ mean), covariance - gain @ a @ covariance


def test_principal_axes_make_the_same_normal_distribution(prior: Gaussian, covariance: np.ndarray) -> None:
    axes, rest = prior.axes.double().numpy(), float(prior.rest)
    np.testing.assert_allclose(axes @ axes.T, np.eye(K), atol=1e-4)
    made = rest * np.eye(N * N) + axes.T @ ((prior.variances.double().numpy() - rest)[:, None] * axes)
    np.testing.assert_allclose(made, covariance, atol=1e-4)


@pytest.mark.parametrize("weight", [1.0, 0.2])
def test_data_count_by_their_weight(prior: Gaussian, covariance: np.ndarray, problem: Problem, weight: float) -> None:
    mean, left = exact(prior.mean.double().numpy()[0], covariance, problem, weight)
    both = guided.Agreement(prior, Data(problem), weight)
    drawn = both.draw(600, torch.Generator().manual_seed(0), bayes.MOST, bayes.CLOSE).numpy()
    spread = np.sqrt(np.diag(left))
    assert np.sqrt(np.mean(((drawn.mean(0) - mean) / spread) ** 2)) < 0.09  # 1 / sqrt(600) is .04
    assert np.sqrt(np.mean(drawn.var(0) / spread**2)) == pytest.approx(1, rel=0.06)


def test_without_a_prior_pictures_fit_and_are_free_where_no_view_has_looked(problem: Problem) -> None:
    spread = 1.5
    drawn = bayes.free(problem, spread, 300).reshape(300, -1)
    mean, left = exact(np.zeros(N * N), spread**2 * np.eye(N * N), problem)
    deviation = np.sqrt(np.diag(left))
    assert np.sqrt(np.mean(((drawn.mean(0) - mean) / deviation) ** 2)) < 0.12
    assert np.sqrt(np.mean(drawn.var(0) / deviation**2)) == pytest.approx(1, rel=0.06)
    assert bayes.residual(problem, drawn[:5].reshape(5, N, N)).max() < 1.4


def test_at_weight_zero_the_posterior_is_the_prior_and_more_weight_fits_better() -> None:
    recipe = Reconstruct(size=64, methods=("fbp",))
    pictures = {weight: bayes.posterior(recipe, weight) for weight in (0.0, 0.1, 1.0)}
    drawn = bayes.gaussian_of(recipe, 64).draw(bayes.COUNT, torch.Generator().manual_seed(bayes.SEED))
    assert np.array_equal(pictures[0.0], drawn[:, 0].numpy())
    problem = quick.scan(recipe).problem
    missed = [float(bayes.residual(problem, pictures[weight]).mean()) for weight in (0.0, 0.1, 1.0)]
    assert missed[0] > 5 > missed[1] > missed[2]
    assert missed[2] == pytest.approx(1, abs=0.25)
    assert bayes.can_diffuse(recipe)
    assert not bayes.can_diffuse(recipe.replace(size=96))
    groups = {"prior": pictures[0.0], "fbp": pictures[0.1], "posterior": pictures[1.0]}
    subject = quick.scan(recipe)
    missed_by = {name: bayes.residual(problem, some) for name, some in groups.items()}
    figure = bayes_plots.row(groups, missed_by, subject, bayes_plots.Scale(bayes_plots.mosaic_plots.plots.GREY, 0, 2, ""))
    assert len([trace for trace in figure.data if trace.type == "heatmap"]) == 6


def test_log_prior_is_that_of_the_normal_distribution(prior: Gaussian, covariance: np.ndarray) -> None:
    x = prior.draw(5, torch.Generator().manual_seed(1)).flatten(1)
    told = multivariate_normal(prior.mean.double().numpy()[0], covariance, allow_singular=False).logpdf(x.double().numpy())
    np.testing.assert_allclose(chain.log_prior(prior, x).numpy(), told, rtol=1e-3)


def test_split_r_hat() -> None:
    rng = np.random.default_rng(0)
    alike = rng.normal(size=(400, 4))
    assert chain.split_rhat(alike) == pytest.approx(1, abs=0.01)
    assert chain.split_rhat(alike + np.arange(4)) > 1.4
    assert chain.split_rhat(alike + np.linspace(0, 4, 400)[:, None]) > 1.2  # all chains drift alike: the halves tell
    # two chains of two halves each, by hand: means 1, 3, 1, 3 and variances 2
    values = np.array([[0.0, 0.0], [2.0, 2.0], [2.0, 2.0], [4.0, 4.0]])
    assert chain.split_rhat(values) == pytest.approx(np.sqrt((2 - 1) / 2 + (4 / 3) / 2))
    assert np.isnan(chain.split_rhat(values[:3]))
    assert np.isnan(chain.split_rhat(values[:, :1]))


def test_a_chain_tells_how_likely_data_and_picture_became(prior: Gaussian, problem: Problem) -> None:
    data, steps = Data(problem), 40
    watch = chain.Watch(prior, data, steps)
    *_, last = watch.over(guided.langevin(prior.denoise, prior, data, 3, steps, torch.Generator().manual_seed(0)))
    found = watch.chain()
    assert len(found.levels) == steps
    assert found.last.stop - found.last.start >= 8
    assert (len(found.at), found.at[0], found.at[-1]) == (chain.PICTURES, 0, steps - 1)
    picture = last.clean[0, 0].numpy()
    seen = problem.operator.forward(picture)
    told = -0.5 * np.sum(((seen - problem.data) / problem.spread).astype(float) ** 2)
    assert found.likelihood[-1, 0] == pytest.approx(told, rel=1e-3)
    kept = chain.attenuation(found.clean[-1])
    assert np.abs(kept - np.clip(picture, chain.LOW, chain.HIGH)).max() <= (chain.HIGH - chain.LOW) / 255
    assert found.mixing()["axes"] > chain.AGREE  # with next to no noise a chain stays where it is
    figure = bayes_plots.chains(found, True, follows="film")
    assert figure.layout.meta["marks"][-1] == steps
    assert figure.layout.shapes[0].x0 == 1


def test_the_check_knows_the_exact_posterior(prior: Gaussian, covariance: np.ndarray, problem: Problem) -> None:
    mean, left = exact(prior.mean.double().numpy()[0], covariance, problem)
    known = samplercheck.exact(prior, problem, 30)
    np.testing.assert_allclose(known.mean, mean[known.pixels], atol=5e-3)
    np.testing.assert_allclose(known.deviation, np.sqrt(np.diag(left))[known.pixels], rtol=2e-3)


def test_the_check_tells_right_from_wrong_samplers(prior: Gaussian, problem: Problem) -> None:
    known = samplercheck.exact(prior, problem, 30)
    drawn, none = samplercheck.draws("exact", prior, problem, 0, 40)
    assert none is None
    right = samplercheck.judged("exact", drawn, known)
    assert right.good
    assert abs(right.ratio - 1) < 3 * right.plus_minus < 0.3
    assert right.by_chance == pytest.approx(1 / np.sqrt(40), rel=0.2)
    middle = drawn.mean(0)
    narrow = samplercheck.judged("dds", (middle + 0.5 * (drawn - middle)).astype(np.float32), known)
    assert narrow.ratio == pytest.approx(right.ratio / 2, rel=1e-3)
    assert not narrow.good
    shift = drawn.copy()
    shift[:, known.pixels] += known.deviation.astype(np.float32)
    moved = samplercheck.judged("dps", shift, known)
    assert moved.off > 0.7
    assert not moved.good
    some, _ = samplercheck.draws("langevin", prior, problem, 90, 40)
    assert samplercheck.judged("langevin", some, known).ratio == pytest.approx(1, abs=0.25)
