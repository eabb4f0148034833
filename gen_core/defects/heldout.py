"""Predict the last snapshot from the others: fit without it, let the one before move on, compare the clouds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.defects import metrics, simulate
from gen_core.defects.data import Snapshots

Array = np.ndarray
MOVED = 2_000  # replicas that are moved on
STEPS = 20  # from one snapshot to the next


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The snapshot that was left out, the prediction, the snapshot before it, all (n, N, d), and sliced W1 distances to it.

    `floor` is that of one half of the snapshot to the other, as well as any prediction could do with as many points.
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
        apart(observed[::2], observed[1::2]),
    )
