"""The methods by name. Each is given a problem and the recipe, and gives a solution.

A deep prior joins by a module with `solve(problem, recipe, progress) -> Solution`, named in LATER.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from gen_core.errors import RecipeError
from gen_core.tomography.priors import Problem, Progress, Solution, quiet
from gen_core.tomography.recipe import Reconstruct


@dataclass(frozen=True)
class Method:
    """A method as a page names it. `prior`: whether what it shows may come from what it learned, and not from the data."""

    name: str
    title: str
    prior: bool = False


METHODS = (
    Method("fbp", "Filtered backprojection"),
    Method("sirt", "SIRT"),
    Method("tv", "Total variation"),
    Method("gaussian", "Gaussian prior", True),
    Method("latent_map", "Latent MAP", True),
    Method("posterior", "Diffusion posterior", True),
    Method("langevin", "Langevin samples", True),
)
LATER = {
    "latent_map": "gen_core.tomography.vae",
    "posterior": "gen_core.tomography.diffusion",
    "langevin": "gen_core.tomography.diffusion_langevin",
}
PRIORS = tuple(method.name for method in METHODS if method.prior)


def titled(name: str) -> str:
    """How a method is called in figures."""
    return next(method.title for method in METHODS if method.name == name)


def check(recipe: Reconstruct) -> None:
    """Raise RecipeError or CheckpointError where a method is asked for whose model is not there."""
    from gen_core.tomography.modelfile import KIND, named, open_card

    for name in recipe.methods:
        if name in LATER:
            _module(name)
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
        from gen_core.tomography.modelfile import named, open_gaussian

        prior = open_gaussian(*named(recipe, "gaussian"))
        return gaussian.solve(problem, prior, progress, recipe.posterior_samples, recipe.seed)
    found: Solution = _module(name).solve(problem, recipe, progress)  # type: ignore[attr-defined]
    return found


def _module(name: str) -> object:
    try:
        return importlib.import_module(LATER[name])
    except ModuleNotFoundError as error:
        if error.name != LATER[name]:
            raise
        known = ", ".join(method.name for method in METHODS if method.name not in LATER)
        raise RecipeError(f"methods: the model of {name} is not part of this version; choose from {known}.") from None
