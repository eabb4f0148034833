"""The charges unknown: what a few sensors leave open, by samples of the flow beside the exact posterior."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.poisson import metrics, modelfile, sensors
from gen_core.poisson.problem import Problem
from gen_core.poisson.recipe import Solve
from gen_core.poisson.solved import Solved
from gen_core.result import Notice

Array = np.ndarray
Progress = Callable[[float, str], None]


def sensed(
    recipe: Solve, problem: Problem, exact: Array | None, progress: Progress
) -> tuple[Solved, dict[str, Any], dict[str, dict[str, Any]], list[Notice]]:
    """The charges are unknown: samples of what the sensors leave open, beside the exact posterior."""
    model = modelfile.opened(*modelfile.named(recipe, "flow"), "flow")
    if model.size != problem.size:
        raise RecipeError(f"size: with sensors the model draws fields of {model.size} nodes a side; set size to {model.size}.")
    data = sensors.measured(recipe, problem, exact)
    times: dict[str, float] = {}
    true, times["exact_posterior"] = _clocked(lambda: sensors.posterior(data, problem.size))
    progress(0.2, "drawing what the sensors leave open")
    draw = lambda: sensors.samples(  # noqa: E731
        model, data, problem.size, recipe.steps, recipe.samples or 64, recipe.seed, recipe.prior
    )
    drawn, times["flow"] = _clocked(draw)
    found = sensors.summed(drawn)
    phi = found.mean
    numbers: dict[str, Any] = sensors.scores(found, true, exact, data.lift) | {
        "seconds": times["flow"],
        "sensors": len(data.values),
    }
    baselines: dict[str, dict[str, Any]] = {"exact_posterior": {}, "no_charge": {}}
    if exact is None:
        numbers |= dict.fromkeys(("error_l2", "residual", "boundary_violation"))
    else:
        numbers |= metrics.scores(phi, problem, exact)
        baselines["exact_posterior"] = metrics.scores(true.mean, problem, exact)
        baselines["no_charge"] = metrics.scores(data.lift, problem, exact)
    baselines["exact_posterior"] |= sensors.scores(true, true, exact, data.lift) | {"seconds": times["exact_posterior"]}
    notices = []
    if exact is None:
        notices.append(
            Notice("no_truth", "The charges are not known, so errors are null; the posterior is compared all the same.")
        )
    else:
        notices.append(Notice("synthetic_data", "The sensors read a potential that was computed, with noise added."))
    if recipe.prior == "charges":
        notices.append(
            Notice(
                "approximate_posterior",
                "Samples of blobs given sensors are approximate, and the Gaussian posterior is not theirs.",
            )
        )
    elif problem.kind == "charges" and recipe.rho is not None:
        notices.append(
            Notice(
                "unlike_prior", "The truth is a scene of blobs, the prior says random fields: coverage of the truth may suffer."
            )
        )
    if recipe.prior == "fields":
        notices.append(
            Notice(
                "adds_nothing",
                "For random fields the exact posterior is known in closed form and costs less: samples can only come near it.",
            )
        )
    others = {"exact_posterior": true.mean, "no_charge": data.lift} | ({} if exact is None else {"exact": exact})
    made = Solved(problem, phi, drawn, exact, others, {}, times, 0.0, data, found, true)
    return made, numbers, baselines, notices


def _clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began
