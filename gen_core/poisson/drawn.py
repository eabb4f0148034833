"""A scene as it can be drawn by hand: its charges one by one, values at a few places of each edge, and what lies below them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.poisson import scenes
from gen_core.poisson.problem import USUAL, problem_of
from gen_core.poisson.recipe import Solve

PLACES = 9  # along an edge
EMPTY = ((0.5, 0.5, 0.0, 0.05),)  # a charge of zero: a recipe without any charge takes a scene instead
Rows = list[list[float]]


@dataclass(frozen=True)
class Drawn:
    """Charges (x, y, total, width) and the values along the edges (left, right, bottom, top), as a canvas takes them.

    `field`: the density below them, rows from the bottom, None where there is none beside the charges."""

    charges: Rows
    edges: Rows
    field: Rows | None


def drawn(recipe: Solve) -> Drawn:
    """The scene of a recipe, whose random charges are told one by one. Raises InputError where its array cannot be read."""
    name, _, number = (recipe.rho or "").partition(":")
    charges, edges = [list(one) for one in recipe.charges if one[2]], np.zeros((4, PLACES))
    if name == "synthetic" and number.isdigit():
        made = scenes.scene(int(number))
        size = recipe.size or USUAL
        charges = [*(_told(one, size, recipe.boundary) for one in made.charges.tolist()), *charges]
        if recipe.boundary == "dirichlet":
            edges = scenes.edges(made.waves, PLACES).round(4)
    field = None
    if recipe.rho is not None and name != "synthetic":
        field = thinned(problem_of(recipe.replace(charges=(), boundary="dirichlet", edges=None)).rho)
    return Drawn(charges, edges.tolist() if recipe.edges is None else [list(one) for one in recipe.edges], field)


def _told(charge: list[float], size: int, boundary: str) -> list[float]:
    """A charge of a random scene, which is cut at the edges, as a whole one of the same density."""
    x, y, total, width = charge
    return [round(value, 4) for value in (x, y, total * scenes.inside(x, y, width, size, boundary), width)]


def as_fields(charges: Rows, edges: Rows) -> dict[str, object]:
    """What was drawn, as fields of a recipe without any other charge."""
    return {"rho": None, "charges": charges or [list(one) for one in EMPTY], "edges": edges}


def thinned(values: np.ndarray, most: int = 32) -> Rows:
    """At most so many rows and columns, for the eye."""
    step = -(-len(values) // most)
    return [[float(f"{v:.3g}") for v in row] for row in values[::step, ::step]]
