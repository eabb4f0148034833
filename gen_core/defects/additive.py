"""A library for rough landscapes: a polynomial potential plus one function of each coordinate, in waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.defects.libraries import Polynomial

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Additive:
    """Gradients of a polynomial and, for each coordinate, of waves of up to `periods` half periods over the data.

    Waves have unit slope, so that weights are drifts. `reach` (d,) is half the range of the data.
    """

    polynomial: Polynomial
    reach: Array
    periods: int

    @property
    def names(self) -> tuple[str, ...]:
        """The monomials of minus the potential, then the waves of each coordinate."""
        waves = [
            f"wave of {axis}: {kind} {m}" for axis in "xyz"[: len(self.reach)] for kind in ("sin", "cos") for m in self._orders
        ]
        return (*self.polynomial.names, *waves)

    @property
    def per_unit(self) -> Array:
        """As of the polynomial; waves are drifts in the data's own units."""
        return np.concatenate([self.polynomial.per_unit, np.ones(len(self.names) - len(self.polynomial.names))])

    @property
    def _orders(self) -> Array:
        return np.arange(2, self.periods + 1)

    def forces(self, x: Array) -> Array:
        """As `Library.forces`."""
        n, N, d = x.shape
        k = np.pi * self._orders / self.reach[:, None]  # (d, m)
        at = (x - self.polynomial.centre)[..., None] * k
        waves = np.concatenate([np.sin(at), np.cos(at)], -1)  # (n, N, d, 2 m)
        out = np.zeros((n, N, d, d, waves.shape[-1]))
        for i in range(d):
            out[:, :, i, i] = waves[:, :, i]
        return np.concatenate([self.polynomial.forces(x), out.reshape(n, N * d, -1)], 2)
