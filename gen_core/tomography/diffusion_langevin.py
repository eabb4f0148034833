"""The method `langevin`: annealed Langevin dynamics with the score of the diffusion prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_core.tomography.diffusion import sampled
from gen_core.tomography.priors import Problem, Progress, Solution, quiet

if TYPE_CHECKING:
    from gen_core.tomography.recipe import Reconstruct


def solve(problem: Problem, recipe: Reconstruct, progress: Progress = quiet) -> Solution:
    """What the chains end on, their mean and deviation. Raises RecipeError, CheckpointError."""
    return sampled(problem, recipe, "langevin", progress)
