"""Draw new configurations at any time from a score network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.defects import data, files, metrics, modelfile, simulate
from gen_core.defects.network import NetScore
from gen_core.defects.recipe import Sample
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.result import Notice, Result
from gen_core.stamp import write_csv

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Drawn:
    """Configurations (n, N, d) at a time, the snapshot nearest to it (m, N, d) and that one's time. `simulated` (m, N, d) are the
    simulator's own at the very time, where there is one: then it is these that the configurations are compared with."""

    positions: Array
    time: float
    nearest: Array
    nearest_time: float
    simulated: Array | None = None


def run(recipe: Sample, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `defects.sample`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    began = time.perf_counter()
    recipe, found, score = opened(recipe)
    progress(0.1, "drawing")
    positions, k = drawn(recipe, found, score), nearest(recipe, found)
    simulated = _simulated(recipe, found)
    made = Drawn(positions, recipe.time, found.positions[k], float(found.times[k]), simulated)
    d = found.d
    observed = (made.nearest if simulated is None else simulated).reshape(-1, d)
    apart = {"w1": metrics.w1(positions.reshape(-1, d), observed, found.box)}
    half = {"w1": metrics.w1(observed[::2], observed[1::2], found.box)}
    notices = [Notice("synthetic_data", "These configurations are drawn from a model; none of them was observed.")]
    n = len(positions)
    if n < 200:
        notices.append(
            Notice("few_samples", f"Only {n} configurations are drawn: their distance to the snapshot is mostly chance.")
        )
    return Result(
        recipe=recipe,
        content=made,
        files={
            "samples.npz": lambda path: files.arrays(
                path, recipe, positions=positions, time=np.array(recipe.time), nearest_time=np.array(made.nearest_time)
            ),
            "samples.csv": lambda path: write_csv(path, recipe, *files.positions(positions, recipe.time)),
        },
        metrics=apart | {"nearest_time": made.nearest_time, "w1_neighbours": _neighbours(recipe.time, found)},
        baselines={"ceiling": half},
        warnings=tuple(notices),
        seconds={"sample": time.perf_counter() - began},
    )


def opened(recipe: Sample) -> tuple[Sample, data.Snapshots, NetScore]:
    """The recipe filled in, its snapshots and the network that has learned them. Raises as `run` does."""
    pick("cpu")
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
    return recipe, found, score


def drawn(recipe: Sample, found: data.Snapshots, score: NetScore) -> Array:
    """The configurations (n, N, d) of a recipe that is filled in."""
    return score.draw(recipe.n or 500, recipe.time, found.particles, recipe.steps, recipe.seed)


def nearest(recipe: Sample, found: data.Snapshots) -> int:
    """The snapshot that is nearest in time."""
    return int(np.argmin(np.abs(found.times - recipe.time)))


def _simulated(recipe: Sample, found: data.Snapshots) -> Array | None:
    """What the simulator itself gives at the time that is asked, from other replicas than those of the snapshots."""
    if found.world is None:
        return None
    pause = recipe.time - float(found.times[0])
    times = np.array([0.0, pause]) if pause > 0 else np.zeros(1)
    return simulate.snapshots(found.world, found.n, times, recipe.data_seed + 500)[-1]


def _neighbours(time: float, found: data.Snapshots) -> float | None:
    """How far the snapshots before and after a time are from each other; None at the time of a snapshot."""
    after = int(np.searchsorted(found.times, time))
    if after in (0, len(found.times)) or np.abs(found.times - time).min() < 1e-9 * np.ptp(found.times):
        return None
    a, b = (found.positions[k].reshape(-1, found.d) for k in (after - 1, after))
    return metrics.w1(a, b, found.box)
