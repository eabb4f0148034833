"""Turns: of pictures, of filters and of codes, each against what a turn must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gen_core.nets.group_conv import FromCode, Lift, Linear, Project
from gen_core.symmetry import scenes, turn
from gen_core.symmetry.model import KINDS_OF_GROUPS, ORDERS, Orbit, action, made, speeds, spline


def test_a_scene_is_drawn_at_its_angle_as_a_turned_picture_is_turned() -> None:
    upright = scenes.pictures(range(6))
    inside = turn.disc(scenes.SIZE)
    for angle in (90.0, 37.0, 251.0):
        drawn = scenes.pictures(range(6), angle)
        apart = (turn.turn(upright, angle) - drawn)[:, inside]
        assert np.sqrt((apart**2).mean()) < (1e-6 if angle == 90 else 4e-3)
    for kind in scenes.KINDS:
        some = scenes.pictures(range(30), 0.0, kind)
        assert some.min() >= 0
        assert some.max() <= 1
        half = turn.turn(some, 180.0) - some
        assert (half**2).sum((1, 2)).min() > 0.05 * (some**2).sum((1, 2)).mean()  # none is the same after a half turn


def test_quarter_turns_of_pictures_are_exact_and_turns_add_up() -> None:
    pictures = scenes.pictures(range(4)).astype(np.float64)
    assert np.array_equal(turn.turn(pictures, 360.0), pictures)
    assert np.array_equal(turn.turn(turn.turn(pictures, 90.0), 270.0), pictures)
    inside = turn.disc(scenes.SIZE)
    apart = (turn.turn(turn.turn(pictures, 20.0), 33.0) - turn.turn(pictures, 53.0))[:, inside]
    assert np.sqrt((apart**2).mean()) < 2e-3


@pytest.mark.parametrize("order", [1, 4, 8, 16])
def test_every_layer_of_a_group_turns_with_what_it_sees(order: int) -> None:
    torch.manual_seed(order)
    d = 7
    turns = action(d, 2 * math.pi * torch.arange(order, dtype=torch.float64) / order).float()
    code, mix = FromCode(turns, 3), Linear(3, 2, order)
    lift, project = Lift(2, 2, 10, order), Project(2, order)
    z = torch.randn(5, d)
    step = max(order // 4, 1)  # a quarter: exact
    with torch.no_grad():
        u = code(z)
        rolled = code(z @ turns[step % order].T)
        assert torch.allclose(rolled, roll(u, 3, order, step), atol=1e-5)
        assert torch.allclose(mix(roll(u, 3, order, step)), roll(mix(u), 2, order, step), atol=1e-5)
        v = mix(u)
        field, turned = lift(v), lift(roll(v, 2, order, step))
        if order == 1:
            return
        assert torch.allclose(turned, torch.rot90(roll(field, 2, order, step), 1, (2, 3)), atol=1e-4)
        assert torch.allclose(project(turned), torch.rot90(project(field), 1, (2, 3)), atol=1e-4)


def roll(values: torch.Tensor, channels: int, order: int, step: int) -> torch.Tensor:
    return values.unflatten(1, (channels, order)).roll(step, 2).flatten(1, 2)


def test_turns_of_codes_are_a_group_that_keeps_lengths() -> None:
    for d in (5, 10, 20, 40):
        told = speeds(d)
        assert len(told) == d
        a, b = torch.tensor([0.7], dtype=torch.float64), torch.tensor([2.1], dtype=torch.float64)
        assert torch.allclose(action(d, a) @ action(d, b), action(d, a + b))
        assert torch.allclose(action(d, a)[0] @ action(d, a)[0].T, torch.eye(d, dtype=torch.float64))
        assert torch.allclose(action(d, a * 0 + 2 * math.pi)[0], torch.eye(d, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS_OF_GROUPS)
def test_an_untrained_group_network_is_exact_at_quarters_and_its_turns_compose(kind: str) -> None:
    torch.manual_seed(1)
    net = made(kind, 20).train(False).requires_grad_(False)
    z = torch.randn(3, 20)
    angle = lambda a: torch.full((3,), a)  # noqa: E731
    drawn = net.decode(z)
    for k in range(1, 4):
        wanted = torch.rot90(drawn, k, (1, 2))
        apart = (net.decode(net.turned(z, angle(90.0 * k))) - wanted).square().mean()
        assert -10 * math.log10(float(apart) / float(drawn.square().max())) > 100
    assert torch.allclose(net.turned(net.turned(z, angle(45.0)), angle(90.0)), net.turned(z, angle(135.0)), atol=1e-5)


def test_an_orbit_turns_by_any_angle_and_its_turns_add_up() -> None:
    torch.manual_seed(2)
    net = made("orbit", 20).train(False).requires_grad_(False)
    assert isinstance(net, Orbit)
    z = torch.randn(3, 20)
    z[:, -1] = 0
    with torch.no_grad():
        upright = net.get_buffer("draw") @ net.knots(z[:, :-1]) @ net.get_buffer("draw").T
    assert torch.allclose(net.decode(z), upright, atol=1e-5)
    quarter = net.decode(net.turned(z, torch.full((3,), 90.0)))
    assert torch.allclose(quarter, torch.rot90(upright, 1, (1, 2)), atol=1e-5)
    twice = net.turned(net.turned(z, torch.full((3,), 20.0)), torch.full((3,), 33.0))
    assert torch.allclose(net.decode(twice), net.decode(net.turned(z, torch.full((3,), 53.0))), atol=1e-5)


def test_all_kinds_cost_the_same_and_groups_learn_fewer_numbers() -> None:
    nets = {kind: made(kind, 20) for kind in ORDERS}
    costs = [net.multiplications for net in nets.values()]
    assert max(costs) / min(costs) < 1.001
    sizes = {kind: sum(p.numel() for p in net.parameters()) for kind, net in nets.items()}
    assert sizes["plain"] > 3.5 * sizes["c4"] > 6.5 * sizes["c8"] > 12 * sizes["c16"]


def test_the_spline_is_that_of_scipy() -> None:
    from scipy.interpolate import BSpline

    where = np.linspace(2, 6, 41)
    ours = spline(torch.from_numpy(where), 9).numpy()
    knots = np.arange(-2, 3, dtype=float)
    for k in range(9):
        basis = BSpline.basis_element(knots, extrapolate=False)(where - k)
        assert np.allclose(ours[:, k], np.nan_to_num(basis), atol=1e-12)
