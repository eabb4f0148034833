"""A learned solver beside the others, on scenes that none of them learned from: what its card says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gen_core.checkpoint import rounded
from gen_core.poisson import checks, correct, exact, grid, learned, metrics, modelfile, scenes, sensors
from gen_core.poisson.problem import Problem, problem_of
from gen_core.poisson.recipe import KINDS, Solve, Train

if TYPE_CHECKING:
    from gen_core.poisson.modelfile import Learned

Array = np.ndarray
TESTED = 64  # scenes; fewer after a training on few
STEPS = 10
CG = 10  # correction steps that are told of
RIDGE = 1e-8  # of the mean eigenvalue
SENSED = (8, 16, 32, 60)  # sensors in the problems that score the posterior
SENSED_EACH = 8


def scores(model: Learned, recipe: Train) -> dict[str, Any]:
    """`metrics` and `baselines` of a card: means over up to 64 scenes, `error_l2` with the ends of its 95 % interval; of the flow
    one sample a scene, and its posterior with sensors."""
    problems = unseen(recipe.size, min(TESTED, max(recipe.scenes // 32, 4)))
    truths = [one.exact() for one in problems]
    solvers: dict[str, Callable[[int, Problem], Array]] = {
        "": lambda i, one: learned.answers(model, one, STEPS, 1, i)[0],
        "exact": lambda i, one: one.exact(),
        "zero_start": lambda i, one: correct.zero(one),
        "ridge": ridge(recipe),
    }
    for kind in KINDS:
        if kind != recipe.kind and modelfile.there(kind) and recipe.size == 32:
            other = modelfile.opened(modelfile.bundled(kind), None, kind)
            solvers[kind] = lambda i, one, other=other: learned.answers(other, one, STEPS, 1, i)[0]  # type: ignore[misc]
    table = {name: _measured(solve, problems, truths, recipe.seed) for name, solve in solvers.items()}
    own = table.pop("")
    own |= _laws(lambda one: learned.answers(model, one, STEPS, 1, 0)[0], problems)
    if recipe.kind == "flow":
        sensed, table["exact_posterior"] = posterior(model, recipe.size, min(SENSED_EACH, max(recipe.scenes // 1_024, 1)))
        own |= sensed
    return {"metrics": rounded(own), "baselines": {k: rounded(v) for k, v in table.items()}, "n_test": len(problems)}


def unseen(size: int, count: int) -> list[Problem]:
    """Scenes that nothing learns from."""
    rho, edges = scenes.batch(scenes.TEST_FROM + np.arange(count), size)
    return [Problem(r.astype(np.float64), "dirichlet", e.astype(np.float64)) for r, e in zip(rho, edges, strict=True)]


def _measured(
    solve: Callable[[int, Problem], Array], problems: list[Problem], truths: list[Array], seed: int
) -> dict[str, float]:
    rows: list[dict[str, float]] = []
    for i, (one, truth) in enumerate(zip(problems, truths, strict=True)):
        phi = solve(i, one)
        cg, grids = correct.trace(phi, one, truth, 4 * CG, "cg"), correct.trace(phi, one, truth, 1, "two_grid")
        needed = cg.needed(0.01)
        rows.append(
            metrics.scores(phi, one, truth)
            | {
                f"error_l2_{CG}_cg": float(cg.error[CG]),
                "error_l2_two_grid": float(grids.error[1]),
                "cg_to_1_percent": 4 * CG if needed is None else needed,
            }
        )
    out = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    each = np.array([row["error_l2"] for row in rows])
    again = each[np.random.default_rng([seed, 5]).integers(0, len(each), (2_000, len(each)))].mean(1)
    out["error_l2_low"], out["error_l2_high"] = (float(q) for q in np.quantile(again, (0.025, 0.975)))
    out["error_l2_worst"] = float(each.max())
    return out


def _laws(solve: Callable[[Problem], Array], problems: list[Problem]) -> dict[str, float]:
    some = problems[:16]
    return {
        "linearity_error": float(np.mean([checks.scale(solve, one) for one in some])),
        "superposition_error": float(np.mean([checks.superposition(solve, one) for one in some])),
        "gauss_error": float(np.mean([checks.gauss(solve(one), one) for one in some])),
    }


def posterior(model: Learned, size: int, each: int = SENSED_EACH) -> tuple[dict[str, float], dict[str, float]]:
    """The posterior of the flow, and the exact one measured in the same way: means over random fields, each with sensors of its
    own. `blobs.…` are of scenes of charges with the prior of such scenes, where the Gaussian posterior is only a good guess."""
    own, best = _sensed(model, size, each, "random_field", "fields")
    blobs, guess = _sensed(model, size, each, "synthetic", "charges")
    for told, scored in ((own, blobs), (best, guess)):
        told |= {f"blobs.{name}": scored[name] for name in ("error_l2", "coverage90_truth", "spread_skill_truth")}
        del told["error_l2"]
        told.pop("over", None)
    own["blobs.error_over_gaussian"] = blobs["over"]  # below 1: what the prior of such scenes adds
    return own, best


def _sensed(
    model: Learned, size: int, each: int, kind: str, prior: Literal["fields", "charges"]
) -> tuple[dict[str, float], dict[str, float]]:
    """Means over problems of the posterior by the flow, and of the exact Gaussian one; `over` is the geometric mean of the
    flow's error over the other's."""
    rows: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    for k in range(each * len(SENSED)):
        rho = f"{kind}:{scenes.TEST_FROM + k}"
        recipe = Solve(sensors=SENSED[k % len(SENSED)], rho=rho, size=size, seed=k, prior=prior)
        problem = problem_of(recipe)
        truth = problem.exact()
        data = sensors.measured(recipe, problem, truth)
        drawn = sensors.samples(model, data, size, STEPS, recipe.samples or 64, k, prior)
        true = sensors.posterior(data, size)
        for row, found in zip(rows, (sensors.summed(drawn), true), strict=True):
            row.append(sensors.scores(found, true, truth, data.lift) | {"error_l2": metrics.error(found.mean, truth)})
    own, best = ({name: float(np.mean([one[name] for one in row])) for name in row[0]} for row in rows)
    over = [a["error_l2"] / b["error_l2"] for a, b in zip(*rows, strict=True)]
    return own | {"over": float(np.exp(np.log(over).mean()))}, best


def ridge(recipe: Train) -> Callable[[int, Problem], Array]:
    """The best matrix from charge to potential, by least squares on the scenes that the networks learn from: since the law is
    linear, so is what there is to learn."""
    seeds = scenes.TRAIN_FROM + np.arange(min(recipe.scenes, 4_096))
    rho, _ = scenes.batch(seeds, recipe.size)
    x = grid.inside(rho).reshape(len(rho), -1).astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    n = recipe.size - 2
    y = exact.inverse(x.reshape(-1, n, n)).reshape(len(x), -1)
    gram = x.T @ x
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    matrix = np.linalg.solve(gram, x.T @ y)

    def solve(i: int, problem: Problem) -> Array:
        inner = (problem.inner.ravel() @ matrix).reshape(n, n)
        return exact.lift(problem.edges) + grid.framed(inner)

    return solve
