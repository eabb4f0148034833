"""How good a potential is: its distance from the exact one, from the law inside, and from what is given on the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.poisson import grid

if TYPE_CHECKING:
    from gen_core.poisson.problem import Problem

Array = np.ndarray


def relative(apart: Array, reference: Array) -> float:
    """Root mean square of a difference over that of a reference; the plain one where the reference is zero."""
    size = float(np.sqrt((np.asarray(reference, np.float64) ** 2).mean()))
    value = float(np.sqrt((np.asarray(apart, np.float64) ** 2).mean()))
    return value / size if size > 0 else value


def error(phi: Array, exact: Array) -> float:
    """Error of a potential over the exact one, over all nodes."""
    return relative(phi - exact, exact)


def residual_map(phi: Array, problem: Problem) -> Array:
    """The charge that the law misses (size, size): the density less that which the potential stands for; zero on given edges."""
    if problem.boundary == "dirichlet":
        return grid.framed(problem.inner - grid.minus_laplacian(phi))
    flux = problem.edges if problem.boundary == "neumann" else None
    return np.asarray(problem.rho - grid.minus_laplacian(phi, problem.boundary, flux))


def residual(phi: Array, problem: Problem) -> float:
    """That charge over the density, in root mean squares; where there is no charge, the plain root mean square."""
    apart, rho = residual_map(phi, problem), problem.rho
    if problem.boundary == "dirichlet":
        apart, rho = grid.inside(apart), problem.inner
    return relative(apart, rho)


def boundary_map(phi: Array, problem: Problem) -> Array:
    """The potential less what is given, on the edges (4, size). Zero where no potential is given."""
    if problem.boundary != "dirichlet":
        return np.zeros_like(problem.edges)
    wanted = grid.ring(problem.edges)
    apart = phi - wanted
    return np.stack([apart[:, 0], apart[:, -1], apart[0], apart[-1]])


def boundary_violation(phi: Array, problem: Problem, exact: Array) -> float:
    """The largest difference on the edges over the largest exact potential."""
    top = float(np.abs(exact).max())
    found = float(np.abs(boundary_map(phi, problem)).max())
    return found / top if top > 0 else found


def scores(phi: Array, problem: Problem, exact: Array) -> dict[str, float]:
    """The three numbers, each on its own: a potential may be right and break the law, or obey it and be wrong."""
    return {
        "error_l2": error(phi, exact),
        "residual": residual(phi, problem),
        "boundary_violation": boundary_violation(phi, problem, exact),
    }
