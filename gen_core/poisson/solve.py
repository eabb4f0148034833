"""Solve for the potential of charges by a learned solver, beside the exact one and the other baselines, or from a few sensors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gen_core.device import pick
from gen_core.memo import Memo
from gen_core.poisson import checks, correct, files, grid, learned, metrics, modelfile, sensors, unusual
from gen_core.poisson.problem import Problem, problem_of
from gen_core.poisson.recipe import KINDS, Kind, Solve, Solver
from gen_core.poisson.sense import sensed
from gen_core.poisson.solved import Solved
from gen_core.result import Notice, Result, unique

Array = np.ndarray
Progress = Callable[[float, str], None]
DIAL = 40  # correction steps that are always traced, so that a page's dial needs no new run
GOOD = 0.01  # the error that is asked for in "how many steps until"
REPEATED = 3  # times that a solve is timed; the shortest counts
_ANSWERS = Memo(128 << 20, lambda found: found[0].nbytes)  # so that the dial of corrections asks no network again
_LAWS = Memo(1 << 20, lambda found: 64)


def run(recipe: Solve, progress: Progress = lambda share, text: None) -> Result:
    """Run `poisson.solve`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    pick("cpu")
    modelfile.checked(recipe)
    known = recipe.sensors is None
    kinds = kinds_of(recipe)
    recipe = modelfile.with_weights(recipe, kinds)
    progress(0.0, "placing the charges")
    valued = not isinstance(recipe.sensors, int | None) and len(recipe.sensors[0]) == 3
    problem = problem_of(recipe)
    exact, seconds = (None, 0.0) if valued else timed(problem.exact)
    progress(0.1, "solving")
    if known:
        assert exact is not None
        made, numbers, baselines, notices = _solved(recipe, problem, exact, seconds, kinds, progress)
    else:
        made, numbers, baselines, notices = sensed(recipe, problem, exact, progress)
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made),
        metrics=numbers,
        baselines=baselines,
        warnings=unique([*problem.notes, *notices]),
        seconds=made.seconds,
    )


def kinds_of(recipe: Solver) -> list[Kind]:
    """The models that a recipe runs: its solver, and the others that are there as baselines."""
    if recipe.solver == "exact":
        return []
    if getattr(recipe, "sensors", None) is not None:
        return ["flow"]
    own: Kind = recipe.solver
    return [own, *(kind for kind in KINDS if kind != own and modelfile.there(kind))]


def timed(work: Callable[[], Array]) -> tuple[Array, float]:
    """What the work gives, and the seconds of the fastest of a few times."""
    best = float("inf")
    for _ in range(REPEATED):
        began = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - began)
    return found, best


def answer_of(recipe: Solver, kind: Kind, problem: Problem, samples: int) -> Array:
    """What a kind of model says of a problem (k, size, size)."""
    model = modelfile.opened(*modelfile.named(recipe, kind), kind)
    return learned.answers(model, problem, recipe.steps, samples, recipe.seed)


def kept_answer(recipe: Solver, kind: Kind, problem: Problem, samples: int) -> tuple[Array, float]:
    """The same, and the seconds of all samples together, kept for the next recipe that differs in its corrections alone."""
    model = modelfile.opened(*modelfile.named(recipe, kind), kind)  # reading the weights is no part of a solve
    key = (kind, model.card.get("sha256"), problem.digest, recipe.steps, samples, recipe.seed)

    def make() -> tuple[Array, float]:
        return timed(lambda: answer_of(recipe, kind, problem, samples))

    found: tuple[Array, float] = _ANSWERS.get(key, make)
    return found


def single(recipe: Solver) -> Callable[[Problem], Array]:
    """The recipe's solver, its correction included, as a function of the problem."""
    if recipe.solver == "exact":
        return lambda problem: problem.exact()
    kind: Kind = recipe.solver
    return lambda problem: finished(recipe, answer_of(recipe, kind, problem, recipe.samples or 1), problem)


def finished(recipe: Solver, samples: Array, problem: Problem) -> Array:
    """The mean of samples after the correction steps of the recipe."""
    phi = np.asarray(samples.mean(0))
    return correct.corrected(phi, problem, recipe.correction, recipe.correction_method) if recipe.correction else phi


def _solved(
    recipe: Solve, problem: Problem, exact: Array, seconds: float, kinds: list[Kind], progress: Progress
) -> tuple[Solved, dict[str, Any], dict[str, dict[str, Any]], list[Notice]]:
    """The charges are known: the answer, its numbers beside those of the baselines, and what must be told."""
    times, notices = {"exact": seconds}, list[Notice]()
    count = (recipe.samples or 1) if recipe.solver == "flow" else 1
    if recipe.solver == "exact":
        samples = exact[None]
    else:
        own: Kind = recipe.solver
        samples, times[own] = kept_answer(recipe, own, problem, count)
    progress(0.5, "correcting it towards the law")
    phi = finished(recipe, samples, problem) if recipe.solver != "exact" else exact
    others: dict[str, Array] = {"exact": exact}
    for kind in kinds[1:]:
        answer, times[kind] = kept_answer(recipe, kind, problem, 1)
        others[kind] = answer.mean(0)
    traces: dict[str, dict[str, correct.Trace]] = {}
    if problem.boundary == "dirichlet":
        steps = max(DIAL, recipe.correction)
        for method in correct.METHODS:
            traces[method] = {
                "model": correct.trace(samples.mean(0), problem, exact, steps, method),
                "zero": correct.trace(correct.zero(problem), problem, exact, steps, method),
            }
        others["zero_start"], times["zero_start"] = timed(
            lambda: correct.corrected(correct.zero(problem), problem, recipe.correction, recipe.correction_method)
        )
        if recipe.correction:
            times["correction"] = times["zero_start"]
    progress(0.8, "checking laws")
    numbers: dict[str, Any] = metrics.scores(phi, problem, exact)
    numbers["seconds"] = times[recipe.solver] + times.get("correction", 0.0)
    numbers["gauss_error"] = checks.gauss(phi, problem)
    if recipe.solver != "exact":
        numbers |= _laws(recipe.replace(samples=1), problem)
        numbers["unlike_percentile"] = unusual.percentile(problem)
    if recipe.solver == "flow":
        each = [metrics.scores(one, problem, exact) for one in samples]
        numbers |= {f"sample.{name}": float(np.mean([one[name] for one in each])) for name in each[0]}
        if count > 1:
            spread, apart = samples.std(0, ddof=1), np.abs(samples.mean(0) - exact)
            numbers["sample_spread"] = metrics.relative(spread, exact)
            numbers["spread_skill"] = sensors.correlation(grid.inside(spread), grid.inside(apart))
    if traces and recipe.solver != "exact":
        numbers |= _saved(traces)
    baselines: dict[str, dict[str, Any]] = {
        name: metrics.scores(other, problem, exact) | {"seconds": times[name], "gauss_error": checks.gauss(other, problem)}
        for name, other in others.items()
    }
    notices += _told(recipe, problem, numbers)
    made = Solved(problem, phi, samples, exact, others, traces, times, numbers.get("unlike_percentile", 0.0))
    return made, numbers, baselines, notices


def _laws(recipe: Solve, problem: Problem) -> dict[str, float]:
    """Superposition and scale, of the solver with its corrections."""
    solve = single(recipe)
    key = (recipe.replace(rho=None, charges=((0.5, 0.5, 0.0, 0.1),), edges=None).sha256, problem.digest)
    make = lambda: (checks.superposition(solve, problem), checks.scale(solve, problem))  # noqa: E731
    apart, scale = _LAWS.get(key, make)
    return {"superposition_error": apart, "linearity_error": scale}


def _saved(traces: dict[str, dict[str, correct.Trace]]) -> dict[str, Any]:
    """Correction steps until an error of one per cent, from the model and from zero, and the share that the model saves."""
    out: dict[str, Any] = {}
    for method, starts in traces.items():
        own, zero = starts["model"].needed(GOOD), starts["zero"].needed(GOOD)
        out |= {f"{method}.steps_to_1_percent": own, f"{method}.steps_to_1_percent_from_zero": zero}
        out[f"{method}.saved"] = None if own is None or not zero else 1 - own / zero
    return out


def _told(recipe: Solve, problem: Problem, numbers: dict[str, Any]) -> list[Notice]:
    notices = []
    if problem.kind != "own" or recipe.rho is None:
        notices.append(Notice("synthetic_data", "The charges are made, not measured."))
    if not np.any(problem.rho):
        notices.append(
            Notice("no_charge", "There is no charge: the residual is the root mean square itself, in units of charge density.")
        )
    if recipe.solver == "exact":
        return notices
    notices.append(
        Notice(
            "adds_nothing",
            "Charges and edges are all known here, so the sine transform is exact and cheaper: the learned solver adds nothing "
            "but a lesson on what it does to the law.",
        )
    )
    learned_size = modelfile.open_card(modelfile.named(recipe, recipe.solver)[0]).get("size")
    if learned_size != problem.size:
        notices.append(
            Notice(
                "untrained_resolution",
                f"The model has learned {learned_size} nodes a side; this grid has {problem.size}. "
                + ("It is used there as it is." if recipe.solver == "fno" else "Finer waves than it knows are left out."),
            )
        )
    if numbers["unlike_percentile"] > unusual.LIMIT:
        notices.append(
            Notice(
                "out_of_distribution",
                "These charges are unlike those of the training: by their waves they are farther from the scenes' middle than "
                f"{numbers['unlike_percentile']:.1%} of the scenes.",
            )
        )
    return notices
