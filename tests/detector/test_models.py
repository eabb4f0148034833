"""The networks: what is kept while drawing changes nothing, likelihoods sum to one, and a fixed code leaves no correlation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen_core.detector import condition, measure, modelfile
from gen_core.detector.draw import Source, source_of
from gen_core.detector.model import Shape, net_of
from gen_core.detector.recipe import KINDS
from gen_core.detector.simulate import World
from gen_core.nets.causal import Causal
from gen_core.nets.coupling import Prior
from gen_core.nets.made import Made
from gen_core.nets.masked import Masked, parts, spread

torch.set_num_threads(1)


def shaken(net: torch.nn.Module, scale: float = 0.3) -> torch.nn.Module:
    """A network with weights that are not near zero, so that each of them matters."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in net.parameters():
            weight += scale * torch.randn(weight.shape, generator=generator)
    return net.train(False).requires_grad_(False)


def all_patterns(n: int) -> torch.Tensor:
    return ((torch.arange(2**n)[:, None] >> torch.arange(n)) & 1).float()


def test_keys_and_values_that_are_kept_are_those_of_a_full_pass() -> None:
    net = shaken(Causal(3, 8, 4, width=16))
    chance = torch.rand(200, net.length, generator=torch.Generator().manual_seed(2))
    assert torch.equal(net.draw(chance), net.draw(chance, cached=False))
    assert net.draw(chance).float().var() > 0.1


@pytest.mark.parametrize("token", [1, 2, 4])
def test_probabilities_of_a_transformer_sum_to_one_over_all_patterns(token: int) -> None:
    net = shaken(Causal(3, 4, token, width=16))
    total = net.log_likelihood(all_patterns(12).view(-1, 3, 4)).double().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-4)


def test_a_transformer_sees_nothing_of_what_it_predicts() -> None:
    net = shaken(Causal(3, 8, 4, width=16))
    hits = (torch.rand(1, 3, 8, generator=torch.Generator().manual_seed(3)) < 0.5).float()
    said = net(hits)
    for t in range(net.length):
        changed = hits.clone().view(1, net.length, 4)
        changed[:, t:] = 1 - changed[:, t:]
        assert torch.allclose(net(changed.view(1, 3, 8))[:, : t + 1], said[:, : t + 1], atol=1e-5)


def test_probabilities_of_made_sum_to_one_and_each_unit_is_worked_out_once() -> None:
    net = shaken(Made(12, 3))
    assert float(net.log_likelihood(all_patterns(12)).double().exp().sum()) == pytest.approx(1, abs=1e-4)
    chance = torch.rand(500, 12, generator=torch.Generator().manual_seed(2))
    assert torch.equal(net.draw(chance), net.draw(chance, cached=False))


def test_made_draws_what_its_likelihood_says() -> None:
    net = shaken(Made(6, 3))
    chance = torch.rand(40_000, 6, generator=torch.Generator().manual_seed(4))
    codes = (net.draw(chance).long() * 2 ** torch.arange(6)).sum(1)
    share = torch.bincount(codes, minlength=64) / len(codes)
    said = net.log_likelihood(all_patterns(6)).exp()
    assert float((share - said).abs().max()) < 5 * (0.25 / 40_000) ** 0.5


def test_a_learned_prior_is_its_own_inverse_and_a_density() -> None:
    prior = shaken(Prior(2, 4, 8), 0.2)
    normal = torch.randn(64, 2, generator=torch.Generator().manual_seed(5))
    z = prior.codes(normal)
    back = z
    for one in prior.couplings:
        back, _ = one(back)
    assert torch.allclose(back, normal, atol=1e-4)
    side = torch.linspace(-12, 12, 601)
    grid = torch.cartesian_prod(side, side)
    assert float(prior.log_density(grid).double().exp().sum() * (side[1] - side[0]) ** 2) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("steps", [1, 2, 5, 12])
def test_a_masked_network_draws_in_steps_what_full_passes_say(steps: int) -> None:
    net = shaken(Masked(12, width=16))
    chance = torch.rand(100, 12, generator=torch.Generator().manual_seed(6))
    groups = parts(torch.randperm(12, generator=torch.Generator().manual_seed(7)), steps)
    bits, known = torch.zeros(100, 12), torch.zeros(100, 12)
    for group in groups:
        chosen = (chance[:, group] < net(bits, known)[:, group].sigmoid()).float()
        bits[:, group], known[:, group] = chosen, 1.0
    assert torch.equal(net.draw(groups, chance, torch.zeros(100, 12)).float(), bits)


def test_what_is_given_is_kept() -> None:
    net = shaken(Masked(12, width=16))
    given = (torch.rand(50, 12, generator=torch.Generator().manual_seed(8)) < 0.5).float()
    drawn = net.draw([torch.tensor([3, 4]), torch.tensor([7])], torch.rand(50, 12), given)
    rest = [i for i in range(12) if i not in (3, 4, 7)]
    assert torch.equal(drawn[:, rest].float(), given[:, rest])


def test_the_spread_order_has_each_channel_once_and_its_steps_lie_apart() -> None:
    order = spread(8, 24)
    assert sorted(order.tolist()) == list(range(192))
    for group in parts(order, 8):
        layer, channel = group // 24, group % 24
        for k in range(8):
            own = channel[layer == k].sort().values
            assert len(own) == 3
            assert int(own.diff().min()) >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_events_do_not_depend_on_how_many_are_asked_for(kind: str) -> None:
    net = net_of(kind, Shape(3, 8))  # type: ignore[arg-type]
    learned = modelfile.Learned(shaken(net, 0.1), kind, Shape(3, 8), {})  # type: ignore[arg-type]
    source = Source(kind, World(3, 8), learned, 4)
    many, few = source.all(1_300, 1_000, 3), source.all(50, 50, 3)
    assert many.shape == (1_300, 3, 8)
    assert set(np.unique(many)) <= {0, 1}
    assert (many[:50] != few).mean() < 1e-3  # sums of other sizes round otherwise, and that is all
    assert (source.all(50, 50, 4) != few).any()


def test_a_fixed_code_leaves_no_correlation() -> None:
    net = shaken(net_of("vae", Shape(3, 8)), 0.3)
    learned = modelfile.Learned(net, "vae", Shape(3, 8), {})
    n = 4_000
    hits = condition.fixed(learned, np.zeros(32), n, 0, 1.0)
    assert condition.spread(hits) == pytest.approx(condition.chance_spread(hits), rel=0.15)
    every = Source("vae", World(3, 8), learned).all(n, 1_000, 0)
    assert condition.spread(every) > 3 * condition.chance_spread(every)


def test_channels_on_their_own_have_the_frequencies_and_no_correlation() -> None:
    world = World()
    hits = source_of("independent", world).all(20_000, 1_000, 0)
    truth = source_of("simulator", world).all(20_000, 1_000, 0)
    assert np.abs(hits.mean(0) - truth.mean(0)).max() < 0.02
    assert measure.corr_error(hits, truth).value == pytest.approx(1.0, abs=0.05)
