"""The problem that a recipe poses: its charges and its edges on the grid, and what a reader must be told of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import InputError
from gen_core.inputs.fields import read_field
from gen_core.poisson import exact, grid, scenes
from gen_core.poisson.recipe import Green, Solve
from gen_core.recipe import DIGEST
from gen_core.result import Notice

Array = np.ndarray
USUAL = 32  # nodes a side
ON_EDGE = 0.01  # of all charge


@dataclass(frozen=True, eq=False)
class Problem:
    """Charge density `rho` (size, size); `edges` (4, size) are potentials (Dirichlet) or outward derivatives (Neumann)."""

    rho: Array
    boundary: str
    edges: Array
    notes: tuple[Notice, ...] = ()
    kind: str = "charges"  # "charges", "random_field" or "own"

    @property
    def size(self) -> int:
        """Nodes along a side."""
        return len(self.rho)

    @property
    def digest(self) -> str:
        """Of all that a solver is told."""
        told = hashlib.sha256(self.boundary.encode())
        for values in (self.rho, self.edges):
            told.update(np.ascontiguousarray(values, np.float64).tobytes())
        return told.hexdigest()

    @property
    def inner(self) -> Array:
        """The density at the inner nodes, which alone counts where the potential is given on the edges."""
        return grid.inside(self.rho)

    def exact(self) -> Array:
        """The exact potential. Raises InputError where there is none."""
        return exact.solve(self.rho, self.boundary, self.edges)


def problem_of(recipe: Solve) -> Problem:
    """The problem of a recipe. Raises InputError where its array cannot be read or the problem has no solution."""
    found = _density(recipe)
    size, boundary, notes = found.size, recipe.boundary, list(found.notes)
    rho = found.rho + scenes.density(recipe.charges, size, boundary, whole=True)
    edges = found.edges if recipe.edges is None else edges_of(recipe.edges, size)
    if recipe.background:
        total = exact.net_charge(rho, boundary, edges)
        rho = rho - total
        notes.append(Notice("background", f"A uniform charge of {-total:.4g} was added, so that there is a solution."))
    if boundary == "dirichlet":
        notes += _lost(rho, recipe) if found.kind == "own" or recipe.charges else []
    else:
        exact.check_solvable(rho, boundary, edges)
    return replace(found, rho=rho, boundary=boundary, edges=edges, notes=tuple(notes))


def of_charge(recipe: Green, place: tuple[float, float]) -> Problem:
    """A unit charge at a place between grounded edges. Raises InputError where it lies on them."""
    size = recipe.size or USUAL
    h = grid.spacing(size)
    if not all(h / 2 < value < 1 - h / 2 for value in place):
        raise InputError(
            f"The charge at {place[0]:g}, {place[1]:g} lies on an edge, where the potential is given and a charge changes "
            "nothing; move it inwards."
        )
    rho = scenes.density([(*place, 1.0, recipe.width)], size, whole=True)
    return Problem(rho, "dirichlet", np.zeros((4, size)), (), "own")


def edges_of(edges: tuple[tuple[float, ...], ...], size: int) -> Array:
    """Values on the edges (4, size), straight lines between those that are given."""
    at = np.linspace(0, 1, size)
    return np.stack([np.interp(at, np.linspace(0, 1, len(values)), values) if len(values) > 1 else
                     np.full(size, values[0]) for values in edges])  # fmt: skip


def _density(recipe: Solve) -> Problem:
    size = recipe.size or USUAL
    none = np.zeros((4, size))
    if recipe.rho is None:
        return Problem(np.zeros((size, size)), recipe.boundary, none, (), "own")
    if DIGEST.fullmatch(recipe.rho):
        read = read_field(path_of(recipe.rho, "rho"))
        values, notes = read.values, list(read.notes)
        size = recipe.size or int(np.clip(len(values), 16, 256))
        if len(values) != size:
            values = resampled(values, size)
            notes.append(Notice("resampled", f"The array has {len(read.values)} nodes a side and was brought to {size}."))
        return Problem(values, recipe.boundary, np.zeros((4, size)), tuple(notes), "own")
    name, _, number = recipe.rho.partition(":")
    if name not in ("synthetic", "random_field") or not number.isdigit() or int(number) >= 2**32:
        raise InputError(
            f"rho: {recipe.rho[:40]!r} is not known; choose synthetic:SEED or random_field:SEED with a whole number, or a file."
        )
    if name == "random_field":
        return Problem(scenes.random_field(int(number), size), recipe.boundary, none, (), "random_field")
    made = scenes.scene(int(number))
    rho = scenes.density(made.charges, size, recipe.boundary)
    edges = scenes.edges(made.waves, size) if recipe.boundary == "dirichlet" else none
    return Problem(rho, recipe.boundary, edges)


def resampled(values: Array, size: int) -> Array:
    """An array brought to (size, size) nodes: straight lines between its nodes, means where it gets coarser."""
    old, new = np.linspace(0, 1, len(values)), np.linspace(0, 1, size)
    reach = max(old[1], new[1])
    share = np.clip(1 - np.abs(new[:, None] - old[None]) / reach, 0, None)
    share /= share.sum(1, keepdims=True)
    return np.asarray(share @ values @ share.T)


def _lost(rho: Array, recipe: Solve) -> list[Notice]:
    """Charge that lies on the edges, where it changes nothing."""
    whole = float(np.abs(rho).sum())
    share = 1 - float(np.abs(grid.inside(rho)).sum()) / whole if whole else 0.0
    if share <= ON_EDGE and not any(min(x, y, 1 - x, 1 - y) == 0 for x, y, *_ in recipe.charges):
        return []
    return [
        Notice(
            "charge_on_boundary",
            f"{share:.0%} of the charge lies on the edges, where the potential is given: it changes nothing and is left out.",
        )
    ]
