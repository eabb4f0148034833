"""The unit square as a grid of nodes, and the law on it: minus the Laplacian of the potential is the charge density.

Row i lies at y = i h and column j at x = j h, both ends included, h = 1 / (size - 1); on a periodic square the last row and
column are the first again and left out, h = 1 / size. Lengths are those of the square, the permittivity is 1.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
EDGES = ("left", "right", "bottom", "top")


def spacing(size: int, boundary: str = "dirichlet") -> float:
    """The distance h between two nodes."""
    return 1.0 / size if boundary == "periodic" else 1.0 / (size - 1)


def nodes(size: int, boundary: str = "dirichlet") -> Array:
    """Where the nodes lie along an axis (size,)."""
    return np.arange(size) * spacing(size, boundary)


def weights(size: int, boundary: str = "dirichlet") -> Array:
    """The area (size, size) that each node stands for; together 1."""
    along = np.full(size, spacing(size, boundary))
    if boundary != "periodic":
        along[[0, -1]] /= 2
    return np.outer(along, along)


def ring(edges: Array) -> Array:
    """Values on the edges (4, size) as a map (size, size) that is zero inside; a corner has the mean of its two edges."""
    size = edges.shape[1]
    out = np.zeros((size, size))
    left, right, bottom, top = edges
    out[:, 0], out[:, -1], out[0], out[-1] = left, right, bottom, top
    out[0, 0], out[0, -1] = (left[0] + bottom[0]) / 2, (right[0] + bottom[-1]) / 2
    out[-1, 0], out[-1, -1] = (left[-1] + top[0]) / 2, (right[-1] + top[-1]) / 2
    return out


def inside(values: Array) -> Array:
    """The inner nodes (..., size - 2, size - 2)."""
    return values[..., 1:-1, 1:-1]


def framed(inner: Array, border: Array | None = None) -> Array:
    """Inner nodes with what lies on the border of a map (size, size) around them; zero without one."""
    out = np.zeros((inner.shape[-2] + 2, inner.shape[-1] + 2)) if border is None else border.copy()
    out[1:-1, 1:-1] = inner
    return out


def minus_laplacian(phi: Array, boundary: str = "dirichlet", flux: Array | None = None) -> Array:
    """The charge density that a potential (size, size) stands for, by the five-point rule.

    Dirichlet: at the inner nodes (size - 2, size - 2). Periodic and Neumann: at all nodes; `flux` (4, size) is the outward
    derivative on the edges, zero without it.
    """
    if boundary == "dirichlet":
        h = spacing(len(phi))
        sides = phi[:-2, 1:-1] + phi[2:, 1:-1] + phi[1:-1, :-2] + phi[1:-1, 2:]
        return np.asarray((4 * phi[1:-1, 1:-1] - sides) / h**2)
    h = spacing(len(phi), boundary)
    if boundary == "periodic":
        around = sum(np.roll(phi, step, axis) for axis in (0, 1) for step in (1, -1))
        return np.asarray((4 * phi - around) / h**2)
    wide = np.pad(phi, 1, mode="reflect")  # the node beyond an edge is the mirrored one
    around = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    out = (4 * phi - around) / h**2
    return np.asarray(out if flux is None else out - through(flux))


def through(flux: Array) -> Array:
    """What an outward derivative (4, size) adds to the charge density at the nodes of the edges (size, size)."""
    size = flux.shape[1]
    out = np.zeros((size, size))
    left, right, bottom, top = 2 * flux / spacing(size)
    out[:, 0] += left
    out[:, -1] += right
    out[0] += bottom
    out[-1] += top
    return out


def field(phi: Array, boundary: str = "dirichlet") -> tuple[Array, Array]:
    """The electric field, minus the gradient: its parts along x and along y (size, size), by central differences."""
    h = spacing(len(phi), boundary)
    if boundary == "periodic":
        right, up = ((np.roll(phi, -1, axis) - np.roll(phi, 1, axis)) / (2 * h) for axis in (1, 0))
        return -right, -up
    up, right = np.gradient(phi, h)
    return -right, -up
