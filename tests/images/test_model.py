"""The network: statistics are what the formula says, windows are what sampling says, content holds no style."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gen_core.images import model as m
from gen_core.images.metrics import derivative
from gen_core.images.model import ImageNet, misfit
from gen_core.images.refine import refined
from gen_core.images.space import CONTENT, LATENT, groups_mask, joined, split, standard
from gen_core.nets.adain import Styled, adain, normalise, statistics
from gen_core.nets.window import mirrored, waves, window


@pytest.fixture(scope="module")
def net() -> m.ImageNet:
    torch.manual_seed(0)
    return m.ImageNet((3, 4, 4)).train(False).requires_grad_(False)


def test_adain_gives_exactly_the_statistics_asked_for() -> None:
    torch.manual_seed(0)
    x = 3 * torch.randn(4, 6, 16, 16) + 2
    mean, deviation = torch.randn(4, 6, 1, 1), torch.rand(4, 6, 1, 1) + 0.5
    found = statistics(adain(x, mean, deviation))
    torch.testing.assert_close(found[0], mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1], deviation, atol=1e-4, rtol=1e-4)
    by_hand = deviation * (x - statistics(x)[0]) / statistics(x)[1] + mean
    torch.testing.assert_close(adain(x, mean, deviation), by_hand, atol=1e-5, rtol=1e-5)


def test_the_channels_of_a_mix_have_the_statistics_of_the_style_that_was_given() -> None:
    torch.manual_seed(1)
    layer = Styled(5, 7, 16)
    style = torch.randn(2, 16)
    seen = adain(layer.conv(torch.randn(2, 5, 16, 16)), *layer.wanted(style))
    torch.testing.assert_close(statistics(seen)[0], layer.wanted(style)[0], atol=1e-5, rtol=1e-5)


def test_a_window_is_what_bilinear_sampling_gives() -> None:
    torch.manual_seed(0)
    x, wide, high = torch.randn(3, 5, 16, 16), torch.tensor([0.5, 1.3, 0.9]), torch.tensor([0.7, 1.1, 2.0])
    at = (torch.arange(12) + 0.5) * (2 / 12) - 1
    across = (at * wide[:, None])[:, None, :].expand(-1, 12, -1)
    down = (at * high[:, None])[:, :, None].expand(-1, -1, 12)
    oracle = F.grid_sample(x, torch.stack([across, down], 3), align_corners=False)
    torch.testing.assert_close(window(x, wide, high, 12), oracle, atol=1e-5, rtol=1e-5)
    one = torch.ones(3)
    torch.testing.assert_close(window(x, one, one, 16), x)


def test_waves_have_the_period_asked_for() -> None:
    made = waves(torch.tensor([8.0]), 64, 64)[0, 0].numpy()
    np.testing.assert_allclose(made[:, 8:], made[:, :-8], atol=1e-5)  # along the first direction, which is across
    np.testing.assert_allclose(made[0], made[-1], atol=1e-5)


def test_content_has_no_channel_statistics_and_latent_vectors_survive_the_way_there_and_back(net: m.ImageNet) -> None:
    x = torch.rand(3, 3, 64, 64)
    content, styles = net.encode(x)
    assert content.shape == (3, 8, 16, 16)
    assert styles.shape == (3, 3, 16)
    mean, deviation = statistics(content)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
    torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=1e-3, rtol=0)
    z = joined(content, styles)
    assert z.shape == (3, LATENT)
    again = split(z)
    torch.testing.assert_close(again[0], content)
    torch.testing.assert_close(again[1], styles)
    np.testing.assert_allclose(standard(z), z, atol=2e-3)
    torch.testing.assert_close(normalise(5 * content + 1), content, atol=1e-3, rtol=0)


def test_a_decoded_picture_is_one_and_depends_on_each_group(net: m.ImageNet) -> None:
    torch.manual_seed(0)
    content, styles = normalise(torch.randn(1, 8, 16, 16)), torch.randn(1, 3, 16)
    drawn = net.decode(content, styles)
    assert drawn.shape == (1, 3, 64, 64)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    for i in range(3):
        other = styles.clone()
        other[:, i] += 1
        assert float((net.decode(content, other) - drawn).abs().mean()) > 1e-5


def test_the_forward_derivative_is_the_difference_quotient(net: m.ImageNet) -> None:
    torch.manual_seed(0)
    double = m.ImageNet((3, 4, 4)).double().train(False).requires_grad_(False)
    at = (torch.randn(1, 8, 16, 16).double(), torch.randn(1, 3, 16).double())
    way = tuple(torch.randn_like(a) for a in at)
    _, change = derivative(double.decode, at, way)
    step = 1e-6
    moved = [a + step * v for a, v in zip(at, way, strict=True)]
    back = [a - step * v for a, v in zip(at, way, strict=True)]
    quotient = (double.decode(*moved) - double.decode(*back)) / (2 * step)
    assert float((change - quotient).norm() / quotient.norm()) < 1e-3  # bilinear sampling has kinks


def test_it_is_as_small_as_it_says(net: m.ImageNet) -> None:
    assert 3e5 < m.count(net) < 1.6e6
    mask = groups_mask(("middle",))
    assert mask.sum() == 16
    assert not mask[: CONTENT + 16].any()


def test_outside_its_window_a_map_is_mirrored_and_inside_it_stays() -> None:
    x = torch.randn(2, 3, 16, 16)
    share = torch.tensor([0.5, 0.75])
    done = mirrored(x, share, torch.ones(2))
    for i, half in enumerate((4, 6)):  # pixels from the middle to the window's edge; one more is kept
        torch.testing.assert_close(done[i, ..., 7 - half : 9 + half], x[i, ..., 7 - half : 9 + half], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(done[i, ..., 9 + half], x[i, ..., 8 + half], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mirrored(x, torch.ones(2), torch.ones(2)), x)


def test_refined_codes_draw_better_and_each_picture_goes_its_own_way() -> None:
    torch.manual_seed(0)
    net = ImageNet().requires_grad_(False)
    x = torch.rand(3, 3, 64, 64)
    codes = net.encode(x)
    done = refined(net, x, codes, 4)
    assert (misfit(net.decode(*done), x) < misfit(net.decode(*codes), x)).all()
    torch.testing.assert_close(done[1], codes[1])
    alone = refined(net, x[1:2], (codes[0][1:2], codes[1][1:2]), 4)
    torch.testing.assert_close(alone[0], done[0][1:2], atol=2e-3, rtol=1e-2)
    assert not torch.equal(refined(net, x, codes, 4, styles=True)[1], codes[1])
