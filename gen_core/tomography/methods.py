"""The methods by name. Each is given a problem and the recipe, and gives a solution.

A deep prior joins by a module with `solve(problem, recipe, progress) -> Solution`, named in DEEP.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from gen_core.tomography.priors import Problem, Progress, Solution, quiet
from gen_core.tomography.recipe import Reconstruct


@dataclass(frozen=True)
class Method:
    """A method as a page names it."""

    name: str
    title: str


METHODS = (
    Method("fbp", "Filtered backprojection"),
    Method("sirt", "SIRT"),
    Method("tv", "Total variation"),
    Method("gaussian", "Gaussian prior"),
    Method("latent_map", "Latent MAP"),
    Method("posterior", "Diffusion posterior"),
    Method("langevin", "Langevin samples"),
)
DEEP = {
    "latent_map": "gen_core.tomography.vae",
    "posterior": "gen_core.tomography.diffusion",
    "langevin": "gen_core.tomography.diffusion_langevin",
}


def titled(name: str) -> str:
    """How a method is called in figures."""
    return next(method.title for method in METHODS if method.name == name)


def check(recipe: Reconstruct) -> None:
    """Raise CheckpointError where a method is asked for whose model is not there."""
    from gen_core.tomography.modelfile import KIND, named, open_card

    for name in recipe.methods:
        if name in KIND:
            open_card(named(recipe, KIND[name])[0])


def solve(name: str, problem: Problem, recipe: Reconstruct, progress: Progress = quiet) -> Solution:
    """What the method of this name makes of the problem. Raises RecipeError and CheckpointError as it does."""
    if name == "fbp":
        from gen_core.tomography import fbp

        return fbp.solve(problem, progress, recipe.fbp_filter)
    if name == "sirt":
        from gen_core.tomography import sirt

        return sirt.solve(problem, progress, recipe.sirt_iterations)
    if name == "tv":
        from gen_core.tomography import tv

        return tv.solve(problem, progress, recipe.tv_weight)
    if name == "gaussian":
        from gen_core.tomography import gaussian
        from gen_core.tomography.modelfile import named, opened

        prior = opened(*named(recipe, "gaussian"), "gaussian")
        return gaussian.solve(problem, prior, progress, recipe.posterior_samples, recipe.seed)
    found: Solution = importlib.import_module(DEEP[name]).solve(problem, recipe, progress)
    return found
