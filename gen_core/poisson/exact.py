"""The exact solution of the five-point equations: sine transform (Dirichlet), Fourier (periodic), cosine (Neumann).

Buzbee, Golub and Nielson 1970: the eigenvectors of the discrete Laplacian on a square are known, so it is divided by its
eigenvalues. What is exact is the solution of the discrete law; its own distance to the continuous one falls with h^2.
"""

from __future__ import annotations

import numpy as np

from gen_core.errors import InputError
from gen_core.poisson import grid, spectrum

Array = np.ndarray
NEUTRAL = 1e-9  # of the total of absolute charge: what is less is rounding


def solve(rho: Array, boundary: str = "dirichlet", edges: Array | None = None) -> Array:
    """The potential (size, size) of a charge density (size, size).

    `edges` (4, size) are the potential on the edges (Dirichlet) or its outward derivative (Neumann), zero without them.
    Periodic and Neumann potentials have the mean 0. Raises InputError where there is no solution.
    """
    if boundary == "dirichlet":
        return dirichlet(rho, edges)
    check_solvable(rho, boundary, edges)
    return periodic(rho) if boundary == "periodic" else neumann(rho, edges)


def dirichlet(rho: Array, edges: Array | None = None) -> Array:
    """The potential with given edges. Charge on the edges themselves changes nothing."""
    border = None if edges is None else grid.ring(edges)
    source = grid.inside(np.asarray(rho, np.float64))
    if border is not None:
        source = source - grid.minus_laplacian(border)
    return grid.framed(inverse(source), border)


def inverse(source: Array) -> Array:
    """The potential (..., n, n) at inner nodes, zero on the edges, by two sine transforms."""
    from scipy.fft import dstn, idstn

    coefficients = dstn(source, type=1, axes=(-2, -1))
    return np.asarray(idstn(coefficients / spectrum.eigenvalues(source.shape[-1]), type=1, axes=(-2, -1)))


def lift(edges: Array) -> Array:
    """The harmonic function (size, size) that has these edges: no charge, the whole boundary condition."""
    return dirichlet(np.zeros((edges.shape[1],) * 2), edges)


def periodic(rho: Array) -> Array:
    """The potential on a torus, of mean 0; the mean of the charge is left out."""
    from scipy.fft import irfft2, rfft2

    n = len(rho)
    wave = 4 * n**2 * np.sin(np.pi * np.arange(n) / n) ** 2
    values = wave[:, None] + wave[None, : n // 2 + 1]
    values[0, 0] = 1.0
    found = rfft2(np.asarray(rho, np.float64)) / values
    found[0, 0] = 0.0
    return np.asarray(irfft2(found, s=(n, n)))


def neumann(rho: Array, flux: Array | None = None) -> Array:
    """The potential of mean 0 whose outward derivative on the edges is `flux` (4, size), zero without it."""
    from scipy.fft import dctn, idctn

    n = len(rho)
    source = np.asarray(rho, np.float64) + (0.0 if flux is None else grid.through(flux))
    wave = 4 * (n - 1) ** 2 * np.sin(np.pi * np.arange(n) / (2 * (n - 1))) ** 2
    values = wave[:, None] + wave[None]
    values[0, 0] = 1.0
    found = dctn(source, type=1) / values
    found[0, 0] = 0.0
    return np.asarray(idctn(found, type=1))


def net_charge(rho: Array, boundary: str, edges: Array | None = None) -> float:
    """The total charge in the square, and what comes in through its edges (Neumann)."""
    size = len(rho)
    total = float((rho * grid.weights(size, boundary)).sum())
    if boundary == "neumann" and edges is not None:
        along = np.full(size, grid.spacing(size))
        along[[0, -1]] /= 2
        total += float((edges @ along).sum())
    return total


def check_solvable(rho: Array, boundary: str, edges: Array | None = None) -> None:
    """Raise InputError where a periodic or Neumann problem has no solution, with the condition that it breaks."""
    total = net_charge(rho, boundary, edges)
    scale = float(np.abs(rho).mean()) + (0.0 if edges is None else float(np.abs(edges).mean()))
    if abs(total) <= NEUTRAL * max(scale, 1e-300):
        return
    if boundary == "periodic":
        raise InputError(
            f"A periodic square has no potential unless its charges sum to zero (here {total:.4g}): field lines must end "
            "somewhere. Balance the charges, or set background to spread the opposite charge evenly."
        )
    raise InputError(
        f"With the outward derivative given on all edges there is no potential unless it carries away the whole charge (charge "
        f"plus the integral of the derivative is {total:.4g}, not 0). Balance them, or set background."
    )
