"""Libraries of forces between particles: any law of the distance in splines, or one law of physics with its strength.

The force on particle i from j is w(r) along the line from j to i: positive pushes apart. Particles of two signs have a law for
like ones and one for unlike ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.defects.libraries import Periodic, Polynomial
from gen_core.defects.testfunctions import displacement

Array = np.ndarray
GRID = 2_001  # places at which a law is tabulated


@dataclass(frozen=True, eq=False)
class Laws:
    """Functions of the distance (L, GRID), tabulated from 0 to `reach`; beyond it they fall off as 1 / r."""

    names: tuple[str, ...]
    table: Array
    reach: float

    def at(self, r: Array) -> Array:
        """Values (..., L) at distances r."""
        place = np.clip(r / self.reach, 0, 1) * (self.table.shape[1] - 1)
        low = np.minimum(place.astype(int), self.table.shape[1] - 2)
        share = (place - low)[..., None]
        values = (1 - share) * self.table.T[low] + share * self.table.T[low + 1]
        return values * np.minimum(self.reach / np.maximum(r, 1e-12), 1.0)[..., None]


@dataclass(frozen=True, eq=False)
class PairLibrary:
    """A trap for each particle, and laws for each pair."""

    trap: Polynomial | Periodic
    laws: Laws
    charges: Array | None  # (N,) of +1 and -1
    box: Array | None = None
    signed: bool = False  # whether one law serves both kinds of pairs, with the product of the charges

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of pairs that have a law of their own."""
        return ("all",) if self.charges is None or self.signed else ("like", "unlike")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The terms of the trap, then those of the laws."""
        ends = {"all": "", "like": " (like)", "unlike": " (unlike)"}
        return (*self.trap.names, *(f"w: {law}{ends[kind]}" for kind in self.kinds for law in self.laws.names))

    @property
    def per_unit(self) -> Array:
        """As of Polynomial; laws are in the data's own units."""
        return np.concatenate([self.trap.per_unit, np.ones(len(self.names) - len(self.trap.names))])

    def weights(self, theta: Array, kind: str) -> Array:
        """The weights of the law of one kind of pairs, among those of all terms (..., P)."""
        start = len(self.trap.names) + self.kinds.index(kind) * len(self.laws.names)
        return theta[..., start : start + len(self.laws.names)]

    def law(self, theta: Array, kind: str, r: Array) -> Array:
        """The fitted force w(r) of one kind of pairs (..., len(r)); theta may be many draws."""
        return self.weights(theta, kind) @ self.laws.at(r).T

    def forces(self, x: Array) -> Array:
        """As `Library.forces`."""
        n, N, d = x.shape
        first, second = np.triu_indices(N, 1)
        apart = displacement(x[:, first] - x[:, second], self.box)
        r = np.sqrt((apart**2).sum(-1)) + 1e-12
        pull = self.laws.at(r)[:, :, None, :] * (apart / r[..., None])[..., None]  # (n, pairs, d, L)
        parts = [self.trap.forces(x)]
        for kind in self.kinds:
            weight = self._of(kind, first, second)[:, None, None]
            total = np.zeros((n, N, d, pull.shape[-1]))
            used = np.flatnonzero(weight[:, 0, 0])
            weighed = pull[:, used] * weight[used]
            for i in range(N):  # much faster than adding at repeated places
                total[:, i] = weighed[:, first[used] == i].sum(1) - weighed[:, second[used] == i].sum(1)
            parts.append(total.reshape(n, N * d, -1))
        return np.concatenate(parts, 2)

    def _of(self, kind: str, first: Array, second: Array) -> Array:
        """How much (pairs,) each pair counts for the laws of a kind."""
        if self.charges is None:
            return np.ones(len(first))
        product = self.charges[first] * self.charges[second]
        if self.signed:
            return product
        return np.asarray((product > 0) if kind == "like" else (product < 0), float)


def radial(distances: Array, count: int = 9) -> Laws:
    """Cubic splines of the distance that vanish at zero, their knots where the observed distances are."""
    from scipy.interpolate import BSpline

    reach = float(np.quantile(distances, 0.995))
    inner = np.quantile(distances[distances < reach], np.linspace(0, 1, count - 1)[1:-1])
    inner = 0.5 * inner + 0.5 * np.linspace(0, reach, count - 1)[1:-1]  # few pairs lie close, where the law bends most
    knots = np.concatenate([[0.0] * 4, inner, [reach] * 4])
    at = np.linspace(0, reach, GRID)
    table = BSpline.design_matrix(at, knots, 3).toarray()[:, 1:].T
    return Laws(tuple(f"spline {i + 1}" for i in range(len(table))), table, reach)


def soft_log(soft: float, distances: Array) -> Laws:
    """The repulsion of two vortices, w = g r / (r^2 + soft^2); its weight is the strength g."""
    reach = 4 * float(np.max(distances))
    at = np.linspace(0, reach, 8 * GRID)
    return Laws(("strength",), (at / (at**2 + soft**2))[None], reach)


def distances(x: Array, box: Array | None = None) -> Array:
    """All distances of pairs in replicas (n, N, d)."""
    first, second = np.triu_indices(x.shape[1], 1)
    return np.sqrt((displacement(x[:, first] - x[:, second], box) ** 2).sum(-1)).ravel()
