"""Optimal transport with a score, a baseline: where particles of one snapshot most cheaply went in the next tells their velocity.

The velocity of the density is f - D s. Matching two snapshots gives it for motion without rotation only: a turn of a round
cloud moves nothing, and costs nothing, so it is not seen.
"""

from __future__ import annotations

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.defects.libraries import Library
from gen_core.defects.score import Score

Array = np.ndarray
MATCHED = 700  # replicas of each snapshot that are matched


def fit(score: Score, snapshots: Snapshots, library: Library) -> tuple[Array, float]:
    """Weights of the library and D, by regression of the matched velocities on the library and minus the score."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    left, right = [], []
    for k in range(len(snapshots.times) - 1):
        a, b = snapshots.positions[k][:, 0], snapshots.positions[k + 1][:, 0]
        m = min(MATCHED, len(a), len(b))
        a, b = a[:m], b[:m]
        first, second = linear_sum_assignment(cdist(a, b, "sqeuclidean"))
        pause = float(snapshots.times[k + 1] - snapshots.times[k])
        middle = ((a[first] + b[second]) / 2)[:, None, :]
        s = score.at(middle, float(snapshots.times[k]) + pause / 2).reshape(m, -1)
        A = np.concatenate([library.forces(middle), -s[..., None]], 2)
        left.append(A.reshape(-1, A.shape[-1]))
        right.append(((b[second] - a[first]) / pause).reshape(-1))
    found = np.linalg.lstsq(np.concatenate(left), np.concatenate(right), rcond=None)[0]
    return found[:-1], float(found[-1])
