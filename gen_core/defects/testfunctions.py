"""Test functions of the weak form, with their gradients and Laplacians in closed form.

A test function of a replica is the mean over its particles of phi(x), and for interacting particles also the mean over its
pairs of chi(r). Frequencies are drawn once from the seed; values are of order one whatever the units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
MODE = 1.1  # spread of the frequencies of phi, in units of one over the spread of the data
PART = 4_000  # replicas that are looked at together
HIGHEST = 6.0  # the highest frequency of chi, in the same units


@dataclass(frozen=True, eq=False)
class TestFunctions:
    """phi_j(x) = cos(k_j x + a_j), and chi_j(r) = cos(w_j r) of the distances in a replica (none where `radial` is empty).

    waves (J, d), phases (J,), radial (M,); box (d,) where distances are those of the nearest image. Where there are charges (N,),
    like and unlike pairs have functions of their own.
    """

    __test__ = False  # pytest takes a class of this name for one of tests

    waves: Array
    phases: Array
    radial: Array
    box: Array | None = None
    charges: Array | None = None

    def __len__(self) -> int:
        return len(self.waves) + len(self.radial) * (1 if self.charges is None else 2)

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """Values (n, J), gradients (n, N * d, J) and Laplacians (n, J) for positions (n, N, d)."""
        n, N, d = x.shape
        at = x @ self.waves.T + self.phases  # (n, N, J)
        cos, sin = np.cos(at), np.sin(at)
        phi = cos.mean(1)
        gradient = (-sin[:, :, None, :] * self.waves.T / N).reshape(n, N * d, -1)
        laplacian = -(self.waves**2).sum(1) * phi
        if not len(self.radial):
            return phi, gradient, laplacian
        parts = [self._of_pairs(x, *chosen) for chosen in self._pairs(N)]
        return (
            np.concatenate([phi, *(part[0] for part in parts)], 1),
            np.concatenate([gradient, *(part[1] for part in parts)], 2),
            np.concatenate([laplacian, *(part[2] for part in parts)], 1),
        )

    def values(self, x: Array) -> Array:
        """Values (n, J) alone, worked out in parts: the gradients of many replicas would fill the memory."""
        return np.concatenate([self.evaluate(x[i : i + PART])[0] for i in range(0, len(x), PART)])

    def _pairs(self, N: int) -> list[tuple[Array, Array]]:
        """The pairs (first, second) of each kind."""
        first, second = np.triu_indices(N, 1)
        if self.charges is None:
            return [(first, second)]
        like = self.charges[first] == self.charges[second]
        return [(first[like], second[like]), (first[~like], second[~like])]

    def _of_pairs(self, x: Array, first: Array, second: Array) -> tuple[Array, Array, Array]:
        """The mean of chi over these pairs, as `evaluate` gives it."""
        n, N, d = x.shape
        apart = displacement(x[:, first] - x[:, second], self.box)  # (n, pairs, d)
        r = np.sqrt((apart**2).sum(-1)) + 1e-12
        unit = apart / r[..., None]
        angle = r[..., None] * self.radial  # (n, pairs, M)
        cos, sin = np.cos(angle), np.sin(angle)
        slope = -self.radial * sin / len(first)
        pull = unit[..., None] * slope[:, :, None, :]  # (n, pairs, d, M)
        grad = np.empty((n, N, d, len(self.radial)))
        for i in range(N):  # much faster than adding at repeated places
            grad[:, i] = pull[:, first == i].sum(1) - pull[:, second == i].sum(1)
        bend = 2 * (-(self.radial**2) * cos / len(first) + (d - 1) * slope / r[..., None]).sum(1)
        return cos.mean(1), grad.reshape(n, N * d, -1), bend


def drawn(
    scale: float, d: int, count: int, radial: int, seed: int, box: Array | None = None,
    charges: Array | None = None, mode: float = MODE,
) -> TestFunctions:  # fmt: skip
    """Test functions for data of this spread. In a periodic box the waves are those that fit into it."""
    rng = np.random.default_rng([seed, 7])
    waves = rng.standard_normal((count, d)) * mode / scale
    if box is not None:
        unit = 2 * np.pi / box
        whole = np.rint(waves / unit)
        lost = ~whole.any(1)
        whole[lost] = rng.integers(1, 3, (int(lost.sum()), d))
        waves = whole * unit
    phases = rng.uniform(0, 2 * np.pi, count)
    return TestFunctions(waves, phases, np.linspace(0.25, HIGHEST, radial) / scale if radial else np.zeros(0), box, charges)


def displacement(apart: Array, box: Array | None) -> Array:
    """Differences of positions, of the nearest image where there is a box."""
    return apart if box is None else apart - box * np.rint(apart / box)
