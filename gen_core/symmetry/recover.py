"""Recover pictures from few random measurements: each model as a prior, beside them a Gaussian prior and sparse cosines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gen_core.device import pick
from gen_core.memo import Memo
from gen_core.result import Notice, Result, unique
from gen_core.symmetry import files, gaussian, invert, modelfile, pictures, reading, sensing
from gen_core.symmetry.recipe import Recover
from gen_core.symmetry.solved import GAUSSIAN, LASSO, SIMPLE, Recovered

Array = np.ndarray
Progress = Callable[[float, str], None]
UNFINISHED = 0.1  # share of searches that still went on, from which it is said
_FLOORS = Memo(64 << 20, lambda found: found[0].nbytes + 64)


def run(recipe: Recover, progress: Progress = lambda share, text: None) -> Result:
    """Run `symmetry.recover`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    pick("cpu")
    tested = pictures.tested(recipe.data, recipe.images, recipe.test == "turned", recipe.seed)
    recipe = modelfile.with_weights(recipe, recipe.models)
    made, notices = recovered(recipe, tested, progress)
    return Result(
        recipe=recipe,
        content=made,
        files=files.recovered_writers(recipe, made),
        metrics=numbers(made, made.models),
        baselines={name: numbers(made, [name]) for name in SIMPLE},
        warnings=unique([*tested.notices, *notices, *reading.of_recovery(made, recipe)]),
        seconds=made.seconds,
    )


def recovered(recipe: Recover, tested: pictures.Tested, progress: Progress) -> tuple[Recovered, list[Notice]]:
    """All models and the baselines, on the same pictures, measurements, starts and noise."""
    names, truth, energy = [*recipe.models, *SIMPLE], tested.images, tested.energy
    seconds, slow = dict.fromkeys(names, 0.0), set()
    drawn: dict[str, dict[int, Array]] = {name: {} for name in names}
    errors: dict[str, dict[int, Array]] = {name: {} for name in names}
    residuals: dict[str, dict[int, Array]] = {name: {} for name in names}
    floors, best = {}, {}
    total, at = len(names) * len(recipe.measurements) + len(recipe.models), 0
    for name in recipe.models:
        progress(at / total, f"{modelfile.called(name)}: the best it can draw")
        best[name], floors[name] = floor(modelfile.opened(name, recipe.dim, recipe.weights), truth, recipe.starts, recipe.seed)
        at += 1
    models = {name: modelfile.opened(name, recipe.dim, recipe.weights) for name in recipe.models}
    for m in recipe.measurements:
        progress(at / total, f"{m} measurements")
        for name, one in by_each(recipe, models, truth, energy, m).items():
            seconds[name] += one.seconds
            drawn[name][m], errors[name][m], residuals[name][m] = one.pictures, one.errors, one.residuals
            if one.unfinished > UNFINISHED:
                slow.add(name)
        at += len(names)
    text = "{}: some searches were still going on when they were ended."
    notices = [Notice("not_converged", text.format(modelfile.called(name))) for name in sorted(slow)]
    made = Recovered(
        truth, tested.angles, recipe.measurements, drawn, errors, residuals, floors, best, seconds, tested.sources
    )  # fmt: skip
    return made, notices


@dataclass(frozen=True, eq=False)
class Once:
    """What one prior recovers from one number of measurements."""

    pictures: Array
    errors: Array
    residuals: Array
    unfinished: float
    seconds: float


def by_each(
    recipe: Recover,
    models: Mapping[str, modelfile.Prior],
    truth: Array,
    energy: float,
    m: int,
    simple: tuple[str, ...] = SIMPLE,
) -> dict[str, Once]:
    """Each model and the baselines on the same m measurements of the same pictures, with the same noise."""
    rows = sensing.matrix(m, recipe.seed)
    y, deviation = sensing.measured(truth, rows, recipe.noise, recipe.seed)
    out = {}
    for name in [*models, *simple]:
        unfinished = 0.0
        shrink = sensing.best_shrink(rows, recipe.noise, tuning(recipe), recipe.seed) if name == LASSO else 0.0
        learned = gaussian.of(recipe.data, recipe.test == "turned") if name == GAUSSIAN else None
        began = time.perf_counter()
        if learned is not None:
            found = learned.recovered(y, rows, deviation)
        elif name == LASSO:
            found = sensing.lasso(y, rows, shrink)
        else:
            made = invert.search(models[name], y, rows, deviation, recipe.starts, recipe.seed)
            found, unfinished = made.pictures, made.unfinished
        took = time.perf_counter() - began
        apart = found.reshape(len(found), -1).astype(np.float64) @ rows.T - y
        residuals = (apart**2).sum(1) / (y**2).sum(1).mean()
        out[name] = Once(found.astype(np.float32), error(found, truth, energy), residuals, unfinished, took)
    return out


def error(found: Array, truth: Array, energy: float) -> Array:
    """Squared errors (n,) over the mean squared norm of the pictures."""
    return np.asarray(((found.astype(np.float64) - truth) ** 2).sum((1, 2)) / energy)


def floor(model: modelfile.Prior, truth: Array, starts: int, seed: int) -> tuple[Array, Array]:
    """The pictures nearest to the truth that the model can draw, and their errors (n,): no number of measurements gives less."""
    key = (model.card.get("sha256"), truth.tobytes(), starts, seed)

    def make() -> tuple[Array, Array]:
        found = invert.search(model, truth, None, 0.0, starts, seed, prior=False).pictures
        return found, error(found, truth, float((truth.astype(np.float64) ** 2).sum((1, 2)).mean()))

    kept: tuple[Array, Array] = make() if not model.card.get("sha256") else _FLOORS.get(key, make)
    return kept


def tuning(recipe: Recover) -> Array:
    """Pictures of the same kind that are not tested, which tell the sparse transform its weight."""
    from gen_core.symmetry import scenes

    turned, count = recipe.test == "turned", sensing.TUNED_ON
    if recipe.data in scenes.KINDS:
        angles = scenes.angles(count, 7) if turned else np.zeros(count)
        return scenes.pictures(scenes.TUNE_FROM + np.arange(count), angles, recipe.data).astype(np.float64)
    learned, _, _ = pictures.learned(recipe.data, count, 1, turned, 0)
    return learned.astype(np.float64)


def numbers(made: Recovered, names: list[str]) -> dict[str, float]:
    """Errors with intervals over the pictures, residuals and floors, of some of all that recover."""
    out: dict[str, float] = {}
    for name in names:
        for m in made.measurements:
            key = f"{name}.error.{m}"
            out[key], out[f"{key}_low"], out[f"{key}_high"] = made.mean(made.errors[name][m])
            out[f"{name}.residual.{m}"] = float(made.residuals[name][m].mean())
        if name in made.floors:
            out[f"{name}.floor"], out[f"{name}.floor_low"], out[f"{name}.floor_high"] = made.mean(made.floors[name])
    return out
