"""Predict the last snapshot from the others: fit without it, let the one before move on, compare the clouds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.defects import metrics, simulate
from gen_core.defects.data import Snapshots

Array = np.ndarray
MOVED = 2_000  # replicas that are moved on
HALVINGS = 10
STEPS = 20  # from one snapshot to the next


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The snapshot that was left out, the prediction, the snapshot before it, all (n, N, d), and sliced W1 distances to it.

    `floor` is what two samples of as many points would be apart: the mean over random halves of the snapshot, brought to the
    numbers of the prediction by the root of these.
    """

    time: float
    observed: Array
    predicted: Array
    before: Array
    w1: float
    w1_no_change: float
    floor: float


def predicted(snapshots: Snapshots, force: Callable[[Array], Array], D: float, seed: int) -> HeldOut:
    """The last snapshot, from the one before it under a force and a diffusion constant that were fitted without it."""
    before, observed = snapshots.positions[-2][:MOVED], snapshots.positions[-1]
    pause = float(snapshots.times[-1] - snapshots.times[-2])
    moved = simulate.followed(before, force, max(D, 0.0), np.array([0.0, pause]), pause / STEPS, seed, snapshots.limits)[-1]
    moved = snapshots.wrapped(moved)
    apart = lambda a, b: metrics.w1(a.reshape(-1, snapshots.d), b.reshape(-1, snapshots.d), snapshots.box)  # noqa: E731
    return HeldOut(
        float(snapshots.times[-1]),
        observed,
        moved,
        before,
        apart(moved, observed),
        apart(before, observed),
        _floor(observed, len(moved), apart, seed),
    )


def _floor(observed: Array, count: int, apart: Callable[[Array, Array], float], seed: int) -> float:
    """The distance of two samples of one law, of `count` replicas and of as many as were observed."""
    rng, n = np.random.default_rng([seed, 41]), len(observed)
    halves = []
    for _ in range(HALVINGS):
        order = rng.permutation(n)
        halves.append(apart(observed[order[: n // 2]], observed[order[n // 2 :]]))
    return float(np.mean(halves) * np.sqrt((1 / count + 1 / n) / (4 / n)))
