"""Samples of a potential by the thousand, in shards: of known charges, or of what a few sensors leave open."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.poisson import grid, modelfile, sensors
from gen_core.poisson.problem import problem_of
from gen_core.poisson.recipe import Solve
from gen_core.poisson.solve import answer_of
from gen_core.shards import Piece, Sampled, Shard
from gen_core.stamp import npz_member


def _filled(recipe: Solve) -> Solve:
    """The recipe with its weights, and with sensors what they read: by another seed they would stand elsewhere."""
    pick("cpu")
    modelfile.checked(recipe)
    if recipe.solver != "flow":
        raise RecipeError(f"solver: {recipe.solver} gives one answer, however often it is asked; flow is what draws samples.")
    recipe = modelfile.with_weights(recipe, ["flow"])
    model = modelfile.opened(*modelfile.named(recipe, "flow"), "flow")
    problem = problem_of(recipe)
    if recipe.sensors is None:
        return recipe
    if model.size != problem.size:
        raise RecipeError(f"size: with sensors the model draws fields of {model.size} nodes a side; set size to {model.size}.")
    if not isinstance(recipe.sensors, int) and len(recipe.sensors[0]) == 3:
        return recipe
    data = sensors.measured(recipe, problem, problem.exact())
    read = np.column_stack([data.places, data.measured]).tolist()
    return recipe.replace(rho=None, charges=(), edges=problem.edges.tolist(), size=problem.size, sensors=read)


def _drawn(recipe: Solve, piece: Piece, of: Solve) -> Shard:
    pick("cpu")
    problem = problem_of(recipe)
    out = {"edges": problem.edges, "x": grid.nodes(problem.size, problem.boundary)}
    if recipe.sensors is None:
        samples = answer_of(recipe, "flow", problem, piece.n)
        out |= {"rho": problem.rho, "exact": problem.exact()}
    else:
        model = modelfile.opened(*modelfile.named(recipe, "flow"), "flow")
        data = sensors.measured(recipe, problem, None)
        samples = sensors.samples(model, data, problem.size, recipe.steps, piece.n, recipe.seed, recipe.prior)
        out |= {"sensors": np.column_stack([data.places, data.measured])}

    def write(path: Path) -> None:
        np.savez_compressed(path, samples=samples.astype(np.float32), **out, recipe=npz_member(recipe))  # type: ignore[arg-type]

    return Shard({piece.name("samples", ".npz"): write}, {"n": len(samples)})


SOLVE = Sampled("samples", 16, 256, _filled, _drawn)
