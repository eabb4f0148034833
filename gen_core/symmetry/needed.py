"""How many measurements an error needs, against the numbers in a code: lines with intervals, beside a Gaussian prior."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gen_core.device import pick
from gen_core.result import Notice, Result, unique
from gen_core.symmetry import files, modelfile, pictures, recover
from gen_core.symmetry.lines import Curves
from gen_core.symmetry.needed_reading import read
from gen_core.symmetry.recipe import KINDS, Needed, Recover
from gen_core.symmetry.solved import GAUSSIAN

Array = np.ndarray
Progress = Callable[[float, str], None]


def run(recipe: Needed, progress: Progress = lambda share, text: None) -> Result:
    """Run `symmetry.needed`. Raises RecipeError and CheckpointError where a model of a size is not there, InputError where the
    pictures cannot be used."""
    pick("cpu")
    made = None if recipe.again else before(recipe)
    told: tuple[Notice, ...] = ()
    if made is not None:
        told = (Notice("measured_before", "This was measured before, with the bundled networks, and is shown as it was."),)
    else:
        made, told = measured(recipe, progress)
    numbers, notices = read(made, fitting(recipe))
    return Result(
        recipe=recipe,
        content=made,
        files=files.needed_writers(recipe, made),
        metrics=numbers,
        baselines={GAUSSIAN: {name: value for name, value in numbers.items() if name.startswith(f"{GAUSSIAN}.")}},
        warnings=unique([*told, *about(recipe), *notices]),
        seconds=made.seconds,
    )


def before(recipe: Needed) -> Curves | None:
    """What is bundled, where it is of these settings; the errors to be reached may be others."""
    from gen_core.symmetry import curves

    asked, made, _, _ = curves.bundled()
    return replace(made, targets=recipe.targets) if recipe.replace(targets=asked.targets) == asked else None


def sizes(recipe: Needed, name: str) -> tuple[int, ...]:
    """The numbers in a code with which a model is measured: one that was trained here has its own."""
    return recipe.dims if name in KINDS else (int(modelfile.open_card(modelfile.named(name, 20))["dim"]),)


def fitting(recipe: Needed) -> list[str]:
    """The models that learned from such pictures as are measured."""
    every = {name: {modelfile.learned_from(name, d) for d in sizes(recipe, name)} for name in recipe.models}
    return [name for name, found in every.items() if found == {recipe.data}]


def about(recipe: Needed) -> list[Notice]:
    """What must be known of models that learned from other pictures."""
    out, fit = [], fitting(recipe)
    other = [modelfile.called(name) for name in recipe.models if name not in fit]
    if other:
        text = f"Learned from other pictures than these, and not compared with those that learned from such: {', '.join(other)}."
        out.append(Notice("out_of_distribution", text))
    if recipe.test == "turned" and "plain" in fit:
        text = "The plain model saw upright pictures alone, and these are turned: augmented is the fair control."
        out.append(Notice("unfair", text))
    return out


def measured(recipe: Needed, progress: Progress) -> tuple[Curves, tuple[Notice, ...]]:
    """The errors of every model of every size at every number of measurements, on the same pictures, and of a Gaussian prior."""
    tested = pictures.tested(recipe.data, recipe.images, recipe.test == "turned", recipe.seed)
    truth, energy = tested.images, tested.energy
    errors: dict[str, dict[int, Array]] = {name: {} for name in recipe.models}
    floors: dict[str, dict[int, Array]] = {name: {} for name in recipe.models}
    began = time.perf_counter()
    shared = {key: getattr(recipe, key) for key in ("images", "noise", "test", "data", "starts", "seed")}
    todo = [(name, dim) for name in recipe.models for dim in sizes(recipe, name)]
    for at, (name, dim) in enumerate(todo):
        progress(at / len(todo), f"{modelfile.called(name)}, codes of {dim} numbers")
        model = modelfile.opened(name, dim)
        floors[name][dim] = recover.floor(model, truth, recipe.starts, recipe.seed)[1]
        asked = Recover.read(shared | {"models": [name]})
        found = [recover.by_each(asked, {name: model}, truth, energy, m, ())[name].errors for m in recipe.measurements]
        errors[name][dim] = np.stack(found)
    seconds = {"all": time.perf_counter() - began}
    made = Curves(recipe.measurements, errors, floors, recipe.targets, seconds, simple(recipe, tested), tested.sources)
    return made, tested.notices


def simple(recipe: Needed, tested: pictures.Tested) -> Array:
    """The errors (m, n) of the Gaussian prior on the same measurements of the same pictures."""
    shared = {key: getattr(recipe, key) for key in ("images", "noise", "test", "data", "seed")}
    asked = Recover.read(shared)
    found = [
        recover.by_each(asked, {}, tested.images, tested.energy, m, (GAUSSIAN,))[GAUSSIAN].errors for m in recipe.measurements
    ]
    return np.stack(found)
