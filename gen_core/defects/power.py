"""How many snapshots do I need? The instrument on simulations like the data, with more and fewer particles and times.

For bundled data its own simulator draws anew. For the user's data the fitted force and diffusion constant are taken as the
truth, and the first snapshot as the start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gen_core.defects import data, estimate, gates, metrics, propagated, simulate, weak
from gen_core.defects.data import WORLDS
from gen_core.defects.libraries import Library
from gen_core.defects.recipe import Infer, Power
from gen_core.defects.worlds import World
from gen_core.device import pick
from gen_core.errors import InputError
from gen_core.inputs import read_limited
from gen_core.result import Notice, Result, unique
from gen_core.stamp import write_csv

Array = np.ndarray
MAX_NUMBERS = 1 << 22  # bytes
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Row:
    """One size: the median over the repeats of the relative errors of D and of the drift, the width of the 95 % interval over D,
    how often it held the truth, and how often the fit had no single solution."""

    n: int
    snapshots: int
    D_error: float
    drift_error: float
    width: float
    coverage: float
    failed: int


def run(recipe: Power, progress: Progress = lambda share, text: None) -> Result:
    """Run `defects.power`. Raises RecipeError and InputError as `defects.infer` does."""
    pick("cpu")
    observed = data.opened(recipe)
    if observed.number_changes:
        raise InputError("The number of particles changes, so that no motion of a fixed number can be simulated.")
    library, fitted = _fitted(recipe, observed)
    notices = _told(recipe, observed, fitted)
    world, more = _world(recipe, observed, library, fitted)
    notices += more
    span = (float(observed.times[0]), float(observed.times[-1]))
    rows, total, done = [], len(recipe.times) * len(recipe.counts) * recipe.repeats, 0
    for count in recipe.times:
        for n in recipe.counts:
            found = []
            for k in range(recipe.repeats):
                progress(done / total, f"{n:,} replicas at {count} times, {k + 1} of {recipe.repeats}")
                found.append(_once(recipe, world, observed, n, np.linspace(0, span[1] - span[0], count), k))
                done += 1
            rows.append(_row(n, count, found))
    numbers: dict[str, float | int | str | bool | None] = {}
    for row in rows:
        end = f"{row.n}_{row.snapshots}"
        numbers |= {f"D_error_{end}": row.D_error, f"drift_error_{end}": row.drift_error, f"coverage95_{end}": row.coverage}
    return Result(
        recipe, tuple(rows), {"power.csv": lambda path: write_csv(path, recipe, *table(rows))}, numbers, {}, unique(notices)
    )


def table(rows: list[Row]) -> tuple[list[str], list[list[object]]]:
    """The rows as a table."""
    header = ["replicas", "snapshots", "D_error", "drift_error", "D_interval_width", "coverage95", "failed"]
    return header, [
        [r.n, r.snapshots, *(f"{v:.5f}" for v in (r.D_error, r.drift_error, r.width, r.coverage)), r.failed] for r in rows
    ]


def opened(folder: Path, recipe: Power) -> list[Row]:
    """The rows of a result that was saved, as far as its numbers go. Raises InputError where it is damaged."""
    try:
        found = json.loads(read_limited(folder / "result.json", MAX_NUMBERS))["metrics"]
        sizes = [(n, count, f"{n}_{count}") for count in recipe.times for n in recipe.counts]
        read = lambda name: float("nan") if found[name] is None else float(found[name])  # noqa: E731
        return [
            Row(n, count, read(f"D_error_{end}"), read(f"drift_error_{end}"), float("nan"), read(f"coverage95_{end}"), 0)
            for n, count, end in sizes
        ]
    except (InputError, ValueError, KeyError, TypeError):
        raise InputError("This result is damaged or was deleted. Run it again.") from None


def notices(folder: Path) -> list[Notice]:
    """The warnings of a result that was saved. Raises InputError where it is damaged."""
    try:
        found = json.loads(read_limited(folder / "result.json", MAX_NUMBERS))["warnings"]
        return [Notice(str(one["code"]), str(one["text"])) for one in found]
    except (InputError, ValueError, KeyError, TypeError):
        raise InputError("This result is damaged or was deleted. Run it again.") from None


def asked_of(recipe: Infer, **changes: object) -> Power:
    """The recipe of the power curve of what a page shows."""
    return Power.read({k: v for k, v in recipe.fields().items() if k != "operation"} | changes)


def _fitted(recipe: Power, observed: data.Snapshots) -> tuple[Library, weak.Fit | propagated.Propagated]:
    """The fit that gives the page its numbers, with its library."""
    if recipe.estimators[0] == "propagated":
        found = estimate.propagate(recipe, observed)
        return found.library, found
    library = estimate.library_of(recipe, observed)
    return library, estimate.weakly(recipe, observed, library)


def _told(recipe: Power, observed: data.Snapshots, fitted: weak.Fit | propagated.Propagated) -> list[Notice]:
    """What the page says of these snapshots too. Raises InputError where it refuses D, and no truth is known instead."""
    tests = estimate.tests_of(recipe, observed, estimate.library_of(recipe, observed))
    change = gates.change_test(observed.positions, tests, observed.followed)
    j_test = fitted.j_test if isinstance(fitted, weak.Fit) else fitted.misfit
    verdict = gates.verdict(change, j_test, {"own": fitted.D})
    told = list(verdict.notices())
    if verdict.identifiable:
        told += gates.uncertain(fitted.D, *np.quantile(fitted.draws[:, -1], [0.025, 0.975]).tolist())
    elif recipe.data not in WORLDS:
        raise InputError(told[0].text)
    return told


def _world(
    recipe: Power, observed: data.Snapshots, library: Library, fitted: weak.Fit | propagated.Propagated
) -> tuple[World, list[Notice]]:  # fmt: skip
    """What is simulated: the known world, or the fit as one."""
    if recipe.data in WORLDS:
        return WORLDS[recipe.data](), list(observed.notices)
    if fitted.D <= 0:
        raise InputError("The fitted diffusion constant is not positive, so that nothing like these snapshots can be simulated.")
    first = observed.positions[0]
    start = lambda n, rng: first[rng.integers(0, len(first), n)]  # noqa: E731
    span = float(observed.times[-1] - observed.times[0])
    force = estimate.force_of(library, fitted.theta)
    told = Notice("synthetic_data", "The force and diffusion constant fitted to your snapshots are taken as the truth here.")
    world = World("yours", force, fitted.D, start, span, span / 200, observed.particles, charges=observed.charges)
    world = replace(world, followed=observed.followed)
    return world, [told]


def _once(recipe: Power, world: World, observed: data.Snapshots, n: int, times: Array, k: int) -> tuple[float, ...] | None:
    """Errors of one simulation, or None where it has no solution."""
    drawn = simulate.snapshots(world, n, times, recipe.data_seed + 1_000 + k)
    if not all(np.isfinite(x).all() for x in drawn):
        return None
    drawn = [observed.wrapped(x) for x in drawn]
    made = replace(observed, times=times, positions=drawn, world=world, counts=None)
    try:
        library, fitted = _fitted(recipe, made)
    except InputError:
        return None
    at = np.concatenate([x[: 4_000 // made.particles] for x in drawn])
    low, high = np.quantile(fitted.draws[:, -1], [0.025, 0.975])
    drift = metrics.relative(estimate.force_of(library, fitted.theta)(at), world.force(at))
    return abs(fitted.D - world.D) / world.D, drift, (high - low) / world.D, float(low <= world.D <= high)


def _row(n: int, count: int, found: list[tuple[float, ...] | None]) -> Row:
    kept = np.array([one for one in found if one is not None], float).reshape(-1, 4)
    if not len(kept):
        return Row(n, count, np.nan, np.nan, np.nan, np.nan, len(found))
    D, drift, width = np.median(kept[:, :3], 0).tolist()
    return Row(n, count, D, drift, width, float(kept[:, 3].mean()), len(found) - len(kept))
