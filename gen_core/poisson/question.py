"""What the Poisson page asks before a result is made: which arrays are usable, and which solvers are there."""

from __future__ import annotations

from gen_core.datasets import path_of
from gen_core.errors import RecipeError
from gen_core.inputs.fields import read_field
from gen_core.poisson import modelfile
from gen_core.poisson.drawn import Drawn
from gen_core.poisson.recipe import KINDS, Solve


def check_array(digest: str) -> None:
    """Raise InputError where this content is no square array of numbers."""
    read_field(path_of(digest, "rho"))


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


def scene(recipe: Solve) -> Drawn:
    """The scene of a recipe as a canvas takes it."""
    from gen_core.poisson.drawn import drawn

    return drawn(recipe)


def readings(text: str) -> list[list[float]]:
    """Sensors that are written one a line: x, y, potential. Raises RecipeError, one sentence, where a line is no such thing."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words:
            continue
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != 3:
            raise RecipeError(f"Line {number} of the readings is not x, y, potential: three numbers, such as 0.25, 0.5, 0.031.")
        found.append(values)
    if not found:
        raise RecipeError("Write down what the sensors read: x, y, potential, one sensor a line.")
    return found
