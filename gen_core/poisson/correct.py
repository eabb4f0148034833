"""Correction steps towards the law, from any start: conjugate gradients, or two-grid cycles.

A full projection onto law and edges is the solver itself: the two together have one solution. So the honest dial is how many
steps are taken, beside the same steps from zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gen_core.poisson import grid, metrics
from gen_core.poisson.problem import Problem

Array = np.ndarray
DAMPING = 0.8  # of the Jacobi sweeps: it takes most from what the coarse grid cannot see
SWEEPS = 2  # before the coarse grid, and after it


@dataclass(frozen=True, eq=False)
class Trace:
    """Error and residual (k + 1,) after each correction step, the first without any; `work` (k + 1,) in passes over the grid,
    a pass being one application of the law."""

    error: Array
    residual: Array
    work: Array

    def needed(self, error: float) -> int | None:
        """The least number of steps after which the error is no larger; None where it never is."""
        found = np.flatnonzero(self.error <= error)
        return int(found[0]) if len(found) else None


def corrected(phi: Array, problem: Problem, steps: int, method: str = "cg") -> Array:
    """A potential (size, size) after some correction steps; its edges become those that are given."""
    out = started(phi, problem)
    if steps:
        for number, inner in enumerate(METHODS[method](grid.inside(out), _source(problem)), 1):
            if number == steps:
                return grid.framed(inner, grid.ring(problem.edges))
    return out


def started(phi: Array, problem: Problem) -> Array:
    """The potential with its edges set to those that are given: what every correction begins with."""
    return grid.framed(grid.inside(phi), grid.ring(problem.edges))


def trace(phi: Array, problem: Problem, exact: Array, steps: int, method: str = "cg") -> Trace:
    """How a start nears the exact potential."""
    begin, border = started(phi, problem), grid.ring(problem.edges)
    maps = [begin]
    for inner in METHODS[method](grid.inside(begin), _source(problem)):
        maps.append(grid.framed(inner, border))
        if len(maps) > steps:
            break
    while len(maps) <= steps:  # it had nothing left to mend
        maps.append(maps[-1])
    error = np.array([metrics.error(one, exact) for one in maps])
    residual = np.array([metrics.residual(one, problem) for one in maps])
    return Trace(error, residual, COSTS[method] * np.arange(steps + 1))


def zero(problem: Problem) -> Array:
    """The start that knows nothing but the edges."""
    return grid.ring(problem.edges)


def _source(problem: Problem) -> Array:
    """The right-hand side at the inner nodes, with what the edges bring in."""
    return np.asarray(problem.inner - grid.minus_laplacian(grid.ring(problem.edges)))


def _law(inner: Array) -> Array:
    return grid.minus_laplacian(grid.framed(inner))


def conjugate_gradients(inner: Array, source: Array) -> Iterator[Array]:
    """Hestenes and Stiefel 1952, without a preconditioner: the iterates (n, n), until nothing is left."""
    x = inner.astype(np.float64)
    r = source - _law(x)
    p, square = r.copy(), float(np.vdot(r, r))
    least = 1e-28 * max(float(np.vdot(source, source)), 1e-300)
    while square > least:
        bent = _law(p)
        length = square / float(np.vdot(p, bent))
        x = x + length * p
        r = r - length * bent
        before, square = square, float(np.vdot(r, r))
        p = r + square / before * p
        yield x


def two_grid(inner: Array, source: Array) -> Iterator[Array]:
    """Damped Jacobi sweeps, an exact correction on every other node (Galerkin), and sweeps again: the iterates (n, n)."""
    x = inner.astype(np.float64)
    h = grid.spacing(len(x) + 2)
    coarse = _coarse(len(x))
    least = 1e-14 * max(float(np.linalg.norm(source)), 1e-150)
    while float(np.linalg.norm(source - _law(x))) > least:
        for _ in range(SWEEPS):
            x = x + DAMPING * h**2 / 4 * (source - _law(x))
        x = x + coarse(source - _law(x))
        for _ in range(SWEEPS):
            x = x + DAMPING * h**2 / 4 * (source - _law(x))
        yield x


@lru_cache(maxsize=8)
def _coarse(n: int) -> Callable[[Array], Array]:
    """The correction (n, n) that a grid of half as many nodes finds for a residual: P (P' A P)^-1 P' by its eigenvectors.

    With A = T x I + I x T and P = p x p, both p' T p and p' p are small; one generalised eigenproblem makes both diagonal.
    """
    from scipy.linalg import eigh

    fine, many = np.linspace(0, 1, n + 2), (n + 1) // 2 + (n + 1) % 2
    nodes = np.linspace(0, 1, many + 1)
    p = np.clip(1 - np.abs(fine[1:-1, None] - nodes[None, 1:-1]) * many, 0, None)  # straight lines between coarse nodes
    t = (2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) * (n + 1) ** 2
    values, vectors = eigh(p.T @ t @ p, p.T @ p)
    basis = p @ vectors
    over = values[:, None] + values[None]
    return lambda residual: basis @ ((basis.T @ residual @ basis) / over) @ basis.T


METHODS: dict[str, Callable[[Array, Array], Iterator[Array]]] = {"cg": conjugate_gradients, "two_grid": two_grid}
COSTS = {"cg": 1, "two_grid": 2 * SWEEPS + 2}  # passes over the grid a step
