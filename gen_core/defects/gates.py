"""Tests before and after the fit: can these snapshots tell the diffusion constant at all, and does the library describe them?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gen_core.defects.testfunctions import TestFunctions
from gen_core.result import Notice

Array = np.ndarray
CHANGED = 2.0  # below this the snapshots are as good as equal
REJECTED = 3.0  # above this the library cannot be right
APART = 0.35  # relative difference of two estimates of D from which on they disagree
FLOOR = 1e-2  # of the largest variance: combinations of test functions below it are left out


def change_test(snapshots: Sequence[Array], tests: TestFunctions, followed: bool = False) -> float:
    """How much the means of the test functions change between snapshots, per degree of freedom: 1 where nothing changes.

    The sum over snapshots of the squared deviation from the common mean, in units of its own noise. Of replicas that were
    `followed` the noise is that of their own changes from one snapshot to the next.
    """
    values = [tests.values(x) for x in snapshots]
    if followed:
        moves = [b - a for a, b in itertools.pairwise(values)]
        return float(np.mean([_deviation(move) for move in moves]))
    within = sum((v - v.mean(0)).T @ (v - v.mean(0)) for v in values) / sum(len(v) - 1 for v in values)
    spread, directions = np.linalg.eigh(within)
    kept = spread > FLOOR * spread[-1]
    white = directions[:, kept] / np.sqrt(spread[kept])
    counts = np.array([len(v) for v in values], float)
    means = np.array([v.mean(0) @ white for v in values])
    common = (counts[:, None] * means).sum(0) / counts.sum()
    total = (counts[:, None] * (means - common) ** 2).sum()
    return float(total / ((len(values) - 1) * white.shape[1]))


def _deviation(moves: Array) -> float:
    """The squared mean of changes (n, J) in units of its noise, per degree of freedom."""
    spread, directions = np.linalg.eigh(np.cov(moves.T))
    kept = spread > FLOOR * spread[-1]
    mean = moves.mean(0) @ directions[:, kept] / np.sqrt(spread[kept] / len(moves))
    return float((mean**2).mean())


def disagreement(estimates: Mapping[str, float]) -> float:
    """The largest relative difference of an estimate of D from the first; infinite where one is not positive."""
    own, *others = estimates.values()
    if not others:
        return float("nan")
    if own <= 0 or min(others) <= 0:
        return float("inf")
    return float(max(abs(value - own) / own for value in others))


def uncertain(D: float, low: float, high: float) -> tuple[Notice, ...]:
    """The warning where an interval holds zero or is wider than D itself: the number is as good as none."""
    if low > 0 and high - low <= D:
        return ()
    return (
        Notice(
            "not_identifiable",
            f"The interval of D, {low:.3g} to {high:.3g}, "
            + ("holds zero" if low <= 0 else "is wider than D itself")
            + ": these "
            "snapshots do not tell D. Take more particles, a longer time, or a narrower library.",
        ),
    )


@dataclass(frozen=True)
class Verdict:
    """What can be said: the three numbers, and whether the diffusion constant and the model stand."""

    change: float
    j_test: float
    disagreement: float
    identifiable: bool
    accepted: bool
    agreed: bool
    number_changes: bool = False

    def notices(self) -> tuple[Notice, ...]:
        """The warnings, each with its number."""
        out = []
        if self.number_changes:
            out.append(
                Notice(
                    "number_changes",
                    "The number of particles changes (annihilation, or particles that enter): the equation for a fixed "
                    "number does "
                    "not hold, so that no force and no diffusion constant are told. Take a time span in which the number stays.",
                )
            )
        if not self.identifiable and not self.number_changes:
            out.append(
                Notice(
                    "not_identifiable",
                    f"The snapshots change no more than noise does (change test {self.change:.2f}; 2 is needed): only the "
                    "ratio of "
                    "drift to diffusion can be known, and it is given instead.",
                )
            )
        if not self.accepted:
            out.append(
                Notice(
                    "model_rejected",
                    f"No forces of this library explain the snapshots (J test {self.j_test:.1f}; 1 is right, above "
                    f"{REJECTED:g} is "
                    "wrong): do not use these numbers, try a wider library.",
                )
            )
        if not self.agreed:
            how = "even in sign" if not np.isfinite(self.disagreement) else f"by {100 * self.disagreement:.0f} %"
            out.append(
                Notice(
                    "estimators_disagree",
                    f"Two ways to estimate the diffusion constant differ {how}: the snapshots may not tell it, or the score is "
                    "poor. Compare them before you use either.",
                )
            )
        return tuple(out)


def verdict(change: float, j_test: float, estimates: Mapping[str, float], number_changes: bool = False) -> Verdict:
    """The verdict on the numbers of the tests."""
    apart = disagreement(estimates)
    known = change >= CHANGED and not number_changes
    return Verdict(
        change, j_test, apart, known, not j_test > REJECTED or number_changes, not (known and apart > APART), number_changes
    )
