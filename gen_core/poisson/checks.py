"""Laws that the exact solver obeys by construction and a learned one may break: superposition, scale, Gauss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from gen_core.poisson import grid, metrics
from gen_core.poisson.problem import Problem

Array = np.ndarray
Solve = Callable[[Problem], Array]
FACTOR = 4.0  # of the charge, in the check of scale


def superposition(solve: Solve, problem: Problem) -> float:
    """The potential of the whole less those of its parts, over it: charge in the left half, in the right half, and the edges."""
    half = np.arange(problem.size) < problem.size / 2
    left, right = problem.rho * half, problem.rho * ~half
    none = np.zeros_like(problem.edges)
    parts = [
        replace(problem, rho=left, edges=none),
        replace(problem, rho=right, edges=none),
        replace(problem, rho=np.zeros_like(problem.rho), edges=problem.edges),
    ]
    whole = solve(problem)
    return metrics.relative(whole - sum(solve(part) for part in parts), whole)


def scale(solve: Solve, problem: Problem) -> float:
    """The potential of charges and edges FACTOR times as large, less FACTOR times the potential, over that."""
    one = solve(problem)
    more = solve(replace(problem, rho=FACTOR * problem.rho, edges=FACTOR * problem.edges))
    return metrics.relative(more - FACTOR * one, FACTOR * one)


def gauss(phi: Array, problem: Problem, boxes: int = 4) -> float:
    """What flows out of boxes less the charge in them, over that charge, in root mean squares; boxes x boxes of them."""
    size, periodic = problem.size, problem.boundary == "periodic"
    h = grid.spacing(size, problem.boundary)
    first, last = (0, size) if periodic else (1, size - 1)
    cuts = np.linspace(first, last, boxes + 1).round().astype(int)
    inner = slice(first, last)
    charge = problem.rho[inner, inner] * h**2
    flux = flux_out(phi, problem.boundary)[inner, inner] * h**2
    sums = [
        [values[a - first : b - first, c - first : d - first].sum() for values in (flux, charge)]
        for a, b in pairwise(cuts)
        for c, d in pairwise(cuts)
    ]
    out, held = np.array(sums).T
    return metrics.relative(out - held, held)


def flux_out(phi: Array, boundary: str) -> Array:
    """What flows out of the cell around each node (size, size), over its area: over a box it sums to what crosses its sides,
    since what leaves a cell within it enters the next. Nodes on given edges have none."""
    if boundary == "dirichlet":
        return grid.framed(grid.minus_laplacian(phi))
    return grid.minus_laplacian(phi, boundary)
