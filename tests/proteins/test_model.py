"""The network, its prior and its likelihood, against exact integrals, scipy and the probabilities they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gen_core.proteins.alphabet import Q
from gen_core.proteins.model import FamilyVAE, draw, likelihood, posterior, probabilities
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.prior import Mixture
from gen_core.proteins.recipe import Train
from gen_core.proteins.train import epochs_for
from tests.proteins.conftest import family_codes


def network(length: int = 6, k: int = 2, seed: int = 0) -> FamilyVAE:
    torch.manual_seed(seed)
    return FamilyVAE(length, k).train(False).requires_grad_(False)


def grid(bound: float = 7.0, count: int = 141) -> tuple[np.ndarray, float]:
    axis = np.linspace(-bound, bound, count)
    return np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2), (axis[1] - axis[0]) ** 2


def test_the_likelihood_is_the_integral_over_the_latent_space() -> None:
    net = network()
    prior = Mixture(np.array([0.3, 0.7]), np.array([[-1.0, 0], [1, 1]]), np.array([np.eye(2), 0.7 * np.eye(2)]))
    codes = np.random.default_rng(0).integers(0, Q, (5, 6)).astype(np.uint8)
    z, cell = grid()
    log_p = np.log(probabilities(net, z))
    fit = np.stack([log_p[:, np.arange(6), row].sum(1) for row in codes])
    exact = logsumexp(fit + prior.log_density(z) + np.log(cell), axis=1)
    np.testing.assert_allclose(likelihood(net, prior, codes, 4_000), exact, atol=0.1)


def test_the_bound_grows_with_its_samples_and_is_each_sequences_own(model: FamilyModel) -> None:
    codes = family_codes(5, 60)
    few = np.mean([likelihood(model.net, model.prior, codes, 1, seed) for seed in range(20)])
    many = likelihood(model.net, model.prior, codes, 100)
    assert many.mean() > few
    alone = likelihood(model.net, model.prior, codes[7:8], 100)
    assert alone[0] == pytest.approx(many[7], abs=1e-3)


def test_a_mixtures_density_is_that_of_scipy_and_its_samples_follow_it() -> None:
    rng = np.random.default_rng(0)
    roots = np.tril(rng.normal(size=(3, 4, 4)))
    roots[:, range(4), range(4)] = np.abs(roots[:, range(4), range(4)]) + 0.3
    mixture = Mixture(np.array([0.2, 0.3, 0.5]), rng.normal(size=(3, 4)), roots)
    z = rng.normal(size=(2, 9, 4))
    terms = [
        np.log(s) + multivariate_normal(m, r @ r.T).logpdf(z)
        for s, m, r in zip(mixture.shares, mixture.means, roots, strict=True)
    ]
    np.testing.assert_allclose(mixture.log_density(z), logsumexp(terms, axis=0), atol=1e-6)
    drawn = mixture.sample(40_000, rng)
    np.testing.assert_allclose(drawn.mean(0), mixture.shares @ mixture.means, atol=0.05)
    assert Mixture.normal(3).log_density(np.zeros((1, 3)))[0] == pytest.approx(-1.5 * np.log(2 * np.pi))


def test_a_fitted_mixture_finds_two_clouds() -> None:
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.normal(-3, 0.3, (200, 2)), rng.normal(3, 0.3, (100, 2))])
    mixture = Mixture.fit(means, np.full((300, 2), 0.1), np.ones(300), seed=0)
    assert len(mixture.shares) == 7
    drawn = mixture.sample(3_000, rng)
    assert (drawn[:, 0] < 0).mean() == pytest.approx(2 / 3, abs=0.05)
    assert (np.abs(np.abs(drawn).mean(0) - 3) < 0.2).all()
    same = Mixture.fit(means, np.full((300, 2), 0.1), np.ones(300), seed=0)
    assert (same.means == mixture.means).all()


def test_what_is_drawn_follows_the_probabilities() -> None:
    net = network()
    z = np.tile(np.array([[0.5, -1.0]]), (20_000, 1))
    p = probabilities(net, z[:1])[0]
    codes = draw(net, z, np.random.default_rng(0))
    found = np.stack([np.bincount(column, minlength=Q) / len(codes) for column in codes.T])
    np.testing.assert_allclose(found, p, atol=0.012)
    cold = draw(net, z[:200], np.random.default_rng(0), temperature=0.01)
    assert (cold == p.argmax(1)).mean() > 0.95
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


def test_codes_come_apart_and_decode_to_what_they_were(model: FamilyModel) -> None:
    codes = family_codes()
    means, spreads = posterior(model.net, codes)
    assert means.shape == spreads.shape == (400, 4)
    assert (spreads > 0).all()
    assert posterior(model.net, codes[:0])[0].shape == (0, 4)
    likeliest = probabilities(model.net, means).argmax(2)
    # half of the sites are noise; the conserved first ones must come back
    assert (likeliest == codes)[:, :5].mean() > 0.6
    assert model.codes.means.std(0).max() > 0.5  # the latent space is in use


def test_epochs_follow_the_number_of_sequences() -> None:
    assert epochs_for(20, 50) == 300
    assert epochs_for(1_133, 96) > epochs_for(5_000, 96) > epochs_for(5_000, 200) >= 15
    assert Train().latent_dim == 16
