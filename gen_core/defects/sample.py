"""Draw new configurations at any time from a score network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.defects import data, files, metrics, modelfile
from gen_core.defects.recipe import Sample
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.result import Notice, Result
from gen_core.stamp import write_csv

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Drawn:
    """Configurations (n, N, d) at a time, the snapshot nearest to it (m, N, d) and that one's time."""

    positions: Array
    time: float
    nearest: Array
    nearest_time: float


def run(recipe: Sample, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `defects.sample`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    pick("cpu")
    began = time.perf_counter()
    name = modelfile.named(recipe.model, recipe.data)
    found = data.opened(recipe.replace(n=None))
    score, digest = modelfile.opened(name, recipe.weights, found)
    recipe = recipe.replace(model=name, weights=digest)
    slack = 1e-9 * score.span
    if not score.first - slack <= recipe.time <= score.first + score.span + slack:
        raise RecipeError(
            f"time: the network knows times from {score.first:g} to {score.first + score.span:g}; choose one of these, not "
            f"{recipe.time:g}."
        )
    progress(0.1, "drawing")
    n = recipe.n or 500
    drawn = score.draw(n, recipe.time, found.particles, recipe.steps, recipe.seed)
    k = int(np.argmin(np.abs(found.times - recipe.time)))
    made = Drawn(drawn, recipe.time, found.positions[k], float(found.times[k]))
    d = found.d
    observed = made.nearest.reshape(-1, d)
    apart = {"w1": metrics.w1(drawn.reshape(-1, d), observed, found.box)}
    half = {"w1": metrics.w1(observed[::2], observed[1::2], found.box)}
    notices = [Notice("synthetic_data", "These configurations are drawn from a model; none of them was observed.")]
    if n < 200:
        notices.append(
            Notice("few_samples", f"Only {n} configurations are drawn: their distance to the snapshot is mostly chance.")
        )
    return Result(
        recipe=recipe,
        content=made,
        files={
            "samples.npz": lambda path: files.arrays(
                path, recipe, positions=drawn, time=np.array(recipe.time), nearest_time=np.array(made.nearest_time)
            ),
            "samples.csv": lambda path: write_csv(path, recipe, *files.positions(drawn, recipe.time)),
        },
        metrics=apart | {"nearest_time": made.nearest_time},
        baselines={"ceiling": half},
        warnings=tuple(notices),
        seconds={"sample": time.perf_counter() - began},
    )
