"""How far the draws of a fit lie from it: the error of the drift, and what the noise of the fit adds to entropy production."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.defects.libraries import Library
from gen_core.defects.score import Score
from gen_core.result import Notice

Array = np.ndarray
DRAWS = 60  # of the bootstrap that are looked at
PLACES = 2_000  # particles of all snapshots together
LARGE = 0.5  # relative error of the drift from which on it is as good as unknown
FAINT = 0.5  # J per degree of freedom below which the test tells little


@dataclass(frozen=True)
class Spread:
    """drift: root mean square distance of a draw's drift from the fitted one over the root mean square of that, over the data,
    in the median of the draws. entropy: what such noise adds to the entropy production over all of the time; NaN without D."""

    drift: float
    entropy: float


def of(draws: Array, theta: Array, D: float, library: Library, snapshots: Snapshots, score: Score | None) -> Spread:
    """The spread of draws (B, L + 1) of weights and D."""
    some = draws[np.linspace(0, len(draws) - 1, min(DRAWS, len(draws))).astype(int)]
    each = max(PLACES // (len(snapshots.times) * snapshots.particles), 20)
    apart, size, added = np.zeros(len(some)), 0.0, []
    for k, t in enumerate(snapshots.times):
        x = snapshots.positions[k][:each]
        terms = library.forces(x).reshape(len(x), -1, len(theta))
        moved = terms @ (some[:, :-1] - theta).T  # (n, N d, B)
        apart += (moved**2).sum((0, 1)) / len(x)
        size += float(((terms @ theta) ** 2).sum()) / len(x)
        if score is not None and D > 0:
            s = score.at(x, float(t)).reshape(len(x), -1, 1)
            added.append(((moved - (some[:, -1] - D) * s) ** 2).sum(1).mean(0) / D)
    entropy = float(np.median(np.trapezoid(np.array(added), snapshots.times, axis=0))) if added else float("nan")
    return Spread(float(np.sqrt(np.median(apart) / max(size, 1e-300))), entropy)


def notices(spread: Spread, j_test: float) -> tuple[Notice, ...]:
    """The warning where the drift is as good as unknown."""
    if not spread.drift > LARGE:
        return ()
    faint = (
        f" The J test of {j_test:.2f} is no praise: so far below 1 it has fewer conditions than it counts, or the forces follow "
        "the noise."
    )
    return (
        Notice(
            "drift_uncertain",
            f"By its own bootstrap the drift is known to ± {100 * spread.drift:.0f} % only: take more particles, or a library "
            "with fewer terms." + (faint if j_test < FAINT else ""),
        ),
    )
