"""What the Poisson page asks before a result is made: which arrays are usable, and which solvers are there."""

from __future__ import annotations

from collections.abc import Sequence

from gen_core.datasets import path_of
from gen_core.inputs.fields import read_field
from gen_core.poisson import grid, modelfile, scenes
from gen_core.poisson.recipe import KINDS, Solve

POINTS = 33  # values along an edge that is drawn


def check_array(digest: str) -> None:
    """Raise InputError where this content is no square array of numbers."""
    read_field(path_of(digest, "rho"))


def drawing(recipe: Solve) -> tuple[list[list[float]], list[list[float]]]:
    """Charges (x, y, total charge, width) and edges (left, right, bottom, top) of a recipe, as they can be drawn and changed.

    What a file or a random field adds has no charges of its own and stays in `rho`.
    """
    charges = [list(one) for one in recipe.charges]
    edges = None if recipe.edges is None else [list(one) for one in recipe.edges]
    made = scene_of(recipe)
    if made is not None:
        charges = [*([round(float(v), 4) for v in one] for one in made.charges), *charges]
        if edges is None and recipe.boundary == "dirichlet" and made.waves is not None:
            edges = [[round(float(v), 4) for v in one] for one in scenes.edges(made.waves, POINTS)]
    return charges, edges or [[0.0] for _ in grid.EDGES]


def drawn(recipe: Solve, charges: Sequence[Sequence[float]], edges: Sequence[Sequence[float]]) -> Solve:
    """The recipe with what was drawn in place of its scene. Raises RecipeError where it is not allowed."""
    rho = None if scene_of(recipe) is not None else recipe.rho
    edges_ = None if recipe.boundary == "periodic" else [list(one) for one in edges]
    return recipe.replace(rho=rho, charges=[list(one) for one in charges], edges=edges_)


def scene_of(recipe: Solve) -> scenes.Scene | None:
    """The scene that a recipe names, None where it names none."""
    name, _, number = (recipe.rho or "").partition(":")
    return scenes.scene(int(number)) if name == "synthetic" and number.isdigit() else None


def known() -> list[str]:
    """The solvers that this version has: the learned ones whose weights are bundled, and the exact one."""
    return [*(kind for kind in KINDS if modelfile.there(kind)), "exact"]


def warm() -> None:
    """Do once what the first view needs: the bundled flow read, and the scenes that tell what is usual."""
    from gen_core.poisson import unusual

    for kind in KINDS:
        if modelfile.there(kind):
            modelfile.opened(modelfile.bundled(kind), None, kind)
    unusual._scenes()
