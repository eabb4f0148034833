"""Libraries of forces: the terms whose weights are fitted, f(x) = sum of theta_l b_l(x).

Positions are (n, N, d): n replicas of N particles in d dimensions. A library gives its terms as (n, N * d, L), the force of
each term on each coordinate. Lengths inside a library are in units of its own `scale`, so that weights are of one size;
`per_unit` brings them back to those of the data.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

Array = np.ndarray


class Library(Protocol):
    """What every library can do."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a term, in words of the field (`x^2 y`)."""
        ...

    @property
    def per_unit(self) -> Array:
        """What a weight (L,) is multiplied by to be in the data's own lengths."""
        ...

    def forces(self, x: Array) -> Array:
        """The force of each term on each coordinate, (n, N * d, L), for positions (n, N, d)."""
        ...


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Polynomial drifts of one particle. `gradient`: minus the gradient of a potential of this degree, else each component its
    own polynomial of one degree less."""

    centre: Array  # (d,)
    scale: float
    degree: int
    gradient: bool

    @property
    def d(self) -> int:
        """Dimensions."""
        return len(self.centre)

    @cached_property
    def powers(self) -> Array:
        """Exponents (m, d) of the monomials: of the potential without the constant, or of a component."""
        top = self.degree if self.gradient else self.degree - 1
        found = [p for p in itertools.product(range(top + 1), repeat=self.d) if sum(p) <= top]
        found.sort(key=lambda p: (sum(p), tuple(-q for q in p)))
        return np.array(found[1:] if self.gradient else found, dtype=int)

    @property
    def names(self) -> tuple[str, ...]:
        """Monomials of minus the potential, or of each component of the force, in coordinates about the centre."""
        words = [_monomial(p) for p in self.powers.tolist()]
        if self.gradient:
            return tuple(f"-V: {word}" for word in words)
        return tuple(f"f_{'xyz'[i]}: {word}" for word in words for i in range(self.d))

    @property
    def per_unit(self) -> Array:
        """What a weight (L,) is multiplied by to be that of the monomial in the data's own lengths."""
        total = self.powers.sum(1)
        if self.gradient:
            return self.scale ** (2.0 - total)
        return np.repeat(self.scale ** (1.0 - total), self.d)

    def forces(self, x: Array) -> Array:
        """As `Library.forces`. Weights have the unit 1 / time: z = (x - centre) / scale, f = scale dz/dt."""
        n, N, d = x.shape
        z = (x - self.centre) / self.scale
        table = z[..., None] ** np.arange(self.degree + 1)  # (n, N, d, degree + 1)
        powers = self.powers
        if not self.gradient:
            values = np.ones((n, N, len(powers)))
            for i in range(d):
                values *= table[:, :, i, powers[:, i]]
            out = np.zeros((n, N, d, len(powers), d))
            for i in range(d):
                out[:, :, i, :, i] = values
            return self.scale * out.reshape(n, N * d, -1)
        out = np.empty((n, N, d, len(powers)))
        for i in range(d):
            lower = np.maximum(powers[:, i] - 1, 0)
            values = powers[:, i] * table[:, :, i, lower]
            for j in range(d):
                if j != i:
                    values = values * table[:, :, j, powers[:, j]]
            out[:, :, i] = values
        return self.scale * out.reshape(n, N * d, -1)

    def potential(self, x: Array) -> Array:
        """The potentials (n, N, L) whose gradients the terms are, with `gradient`; without it there are none."""
        z = (x - self.centre) / self.scale
        return self.scale**2 * np.prod(z[..., None, :] ** self.powers, axis=-1)


@dataclass(frozen=True, eq=False)
class Periodic:
    """Drifts of one particle in a periodic box: waves of the box up to a number of periods, as a gradient or each component."""

    box: Array  # (d,)
    periods: int
    gradient: bool

    @property
    def waves(self) -> Array:
        """Wave vectors (m, d), one of each pair of opposite ones."""
        span = range(-self.periods, self.periods + 1)
        found = [p for p in itertools.product(span, repeat=len(self.box)) if p > (0,) * len(self.box)]
        found = [p for p in found if sum(abs(q) for q in p) <= self.periods]
        return 2 * np.pi * np.array(found, float) / self.box

    @property
    def names(self) -> tuple[str, ...]:
        """Waves of minus the potential, or of each component; k counts periods of the box."""
        counts = np.rint(self.waves * self.box / (2 * np.pi)).astype(int).tolist()
        words = [f"{kind}({', '.join(map(str, k))})" for kind in ("cos", "sin") for k in counts]
        if self.gradient:
            return tuple(f"-V: {word}" for word in words)
        return tuple(f"f_{'xyz'[i]}: {word}" for word in ["1", *words] for i in range(len(self.box)))

    @property
    def per_unit(self) -> Array:
        """Weights are in the data's own units."""
        return np.ones(len(self.names))

    def forces(self, x: Array) -> Array:
        """As `Library.forces`."""
        n, N, d = x.shape
        at = x @ self.waves.T  # (n, N, m)
        if self.gradient:
            size = np.linalg.norm(self.waves, axis=1)
            along = (self.waves / size[:, None]).T[None, None]  # (1, 1, d, m)
            out = np.concatenate([-np.sin(at)[:, :, None] * along, np.cos(at)[:, :, None] * along], -1)
            return out.reshape(n, N * d, -1)
        values = np.concatenate([np.ones((n, N, 1)), np.cos(at), np.sin(at)], -1)
        spread = np.zeros((n, N, d, values.shape[-1], d))
        for i in range(d):
            spread[:, :, i, :, i] = values
        return spread.reshape(n, N * d, -1)


def _monomial(powers: list[int]) -> str:
    parts = [f"{'xyz'[i]}{f'^{p}' if p > 1 else ''}" for i, p in enumerate(powers) if p]
    return " ".join(parts) or "1"
