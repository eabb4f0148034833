"""The response of a solver to a point charge: what takes the place of the Green's function, and whether it is symmetric.

Between grounded edges the potential at b of a unit charge at a is G(a, b) = G(b, a). The exact one is known: it is the solution
of the discrete law for a charge of one node, and the sine series in the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.device import pick
from gen_core.poisson import checks, files, grid, metrics, modelfile, sensors, unusual
from gen_core.poisson.problem import Problem, of_charge
from gen_core.poisson.recipe import Green, Kind
from gen_core.poisson.solve import single
from gen_core.result import Notice, Result

Array = np.ndarray
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Response:
    """Potentials (size, size): `phi` of a charge at the source by the solver, `back` of one at the probe, and the exact ones;
    `profile` distances from the source and the mean of both at them (3, k)."""

    problem: Problem
    phi: Array
    exact: Array
    back: Array
    exact_back: Array
    profile: Array


def run(recipe: Green, progress: Progress = lambda share, text: None) -> Result:
    """Run `poisson.green`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    pick("cpu")
    modelfile.checked(recipe)
    kinds: list[Kind] = [] if recipe.solver == "exact" else [recipe.solver]
    recipe = modelfile.with_weights(recipe.replace(samples=recipe.samples or 1), kinds)
    here, there = of_charge(recipe, recipe.source), of_charge(recipe, recipe.probe)
    solve = single(recipe)
    progress(0.1, "answering a charge at the source")
    phi, exact = solve(here), here.exact()
    progress(0.5, "answering a charge at the probe")
    back, exact_back = solve(there), there.exact()
    made = Response(here, phi, exact, back, exact_back, radial(phi, exact, recipe.source))
    numbers: dict[str, Any] = metrics.scores(phi, here, exact)
    numbers["gauss_error"] = gauss(phi, here, recipe.source)
    numbers |= reciprocity(recipe, phi, back)
    if kinds:
        numbers["unlike_percentile"] = unusual.percentile(here)
    best = metrics.scores(exact, here, exact) | {"gauss_error": gauss(exact, here, recipe.source)}
    baselines = {"exact": best | reciprocity(recipe, exact, exact_back)}
    notices = [Notice("synthetic_data", "The charge is made, not measured.")]
    if kinds:
        notices.append(Notice("adds_nothing", "The exact Green's function is known: the learned response can only come near it."))
    if numbers.get("unlike_percentile", 0.0) > unusual.LIMIT:
        notices.append(Notice("out_of_distribution", "A charge this narrow is unlike those of the training, which are wider."))
    return Result(recipe, made, files.response_writers(recipe, made), numbers, baselines, tuple(notices))


def reciprocity(recipe: Green, there: Array, back: Array) -> dict[str, float]:
    """|G(a, b) - G(b, a)| over the mean of both, and the two numbers."""
    forth = float(sensors.linear(np.array([recipe.probe]), there)[0])
    home = float(sensors.linear(np.array([recipe.source]), back)[0])
    middle = (abs(forth) + abs(home)) / 2
    return {"g_ab": forth, "g_ba": home, "reciprocity_error": abs(forth - home) / middle if middle else 0.0}


def gauss(phi: Array, problem: Problem, place: tuple[float, float]) -> float:
    """What flows out of a box around the charge less the charge in it, over that charge."""
    size, reach = problem.size, max(2, problem.size // 8)
    row, column = (min(max(round(v * (size - 1)), 1 + reach), size - 2 - reach) for v in (place[1], place[0]))
    box = (slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1))
    h2 = grid.spacing(size) ** 2
    held = float(problem.rho[box].sum()) * h2
    out = float(checks.flux_out(phi, "dirichlet")[box].sum()) * h2
    return abs(out - held) / abs(held) if held else abs(out)


def radial(phi: Array, exact: Array, place: tuple[float, float]) -> Array:
    """Distances from a place in steps of a node, and the mean of two potentials at each (3, k)."""
    at = grid.nodes(len(phi))
    far = np.hypot(at[None] - place[0], at[:, None] - place[1])
    step = grid.spacing(len(phi))
    ring = np.round(far / step).astype(int)
    kept = np.arange(min(int(ring.max()), len(phi) - 1) + 1)
    count = np.bincount(ring.ravel(), minlength=len(kept))[kept]
    kept = kept[count > 0]
    sums = [np.bincount(ring.ravel(), weights=values.ravel())[kept] / count[count > 0] for values in (far, phi, exact)]
    return np.stack(sums)
