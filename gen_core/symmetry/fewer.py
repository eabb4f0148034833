"""The error on new pictures against the number of pictures learned from: does a built-in symmetry stand in for examples?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gen_core import training
from gen_core.device import pick
from gen_core.errors import InputError
from gen_core.inputs import read_limited
from gen_core.result import Notice, Result, unique
from gen_core.symmetry import boots, files, modelfile, pictures, recover, scenes
from gen_core.symmetry.recipe import Fewer, Train

Array = np.ndarray
Progress = Callable[[float, str], None]
CONTROL = "augmented"
STARTS = 512
MAX_NUMBERS = 1 << 20


@dataclass(frozen=True, eq=False)
class Examples:
    """The errors (k, n) of the best drawing of n new turned pictures after learning from each of k numbers of them, by model."""

    counts: tuple[int, ...]
    errors: Mapping[str, Array]
    seconds: dict[str, float] = field(default_factory=dict)
    sources: Array | None = None  # which picture each of n shows; each its own where it is None


def told(made: Examples) -> dict[str, Array]:
    """By model the mean error and its interval (k, 3)."""
    return {name: np.array([boots.mean(row, made.sources) for row in rows]) for name, rows in made.errors.items()}


def opened(folder: Path, recipe: Fewer) -> dict[str, Array]:
    """The same of a result that was saved. Raises InputError where it is damaged."""
    try:
        found = json.loads(read_limited(folder / "result.json", MAX_NUMBERS))["metrics"]
        keys = {name: [f"{name}.error_after.{count}" for count in sorted(recipe.counts)] for name in recipe.models}
        ends = ("", "_low", "_high")
        return {name: np.array([[float(found[key + end]) for end in ends] for key in some]) for name, some in keys.items()}
    except (InputError, ValueError, KeyError, TypeError):
        raise InputError("This result is damaged or was deleted. Run it again.") from None


def run(recipe: Fewer, progress: Progress = lambda share, text: None) -> Result:
    """Run `symmetry.fewer`. Raises InputError where the pictures cannot be used, or are fewer than are to be learned from."""
    used = pick("cpu")
    tested = pictures.tested(recipe.data, recipe.images, True, recipe.seed)
    counts = tuple(sorted(recipe.counts))
    enough(recipe)
    errors: dict[str, list[Array]] = {name: [] for name in recipe.models}
    began, at, total = time.perf_counter(), 0, len(counts) * len(recipe.models)
    for count in counts:
        for name in recipe.models:
            text = f"{name}, {count} pictures"
            model = learned(recipe, name, count, used, lambda share, at=at, text=text: progress((at + share) / total, text))  # type: ignore[misc]
            errors[name].append(recover.floor(model, tested.images, STARTS, recipe.seed)[1])
            at += 1
    seconds = {"all": time.perf_counter() - began}
    made = Examples(counts, {name: np.stack(rows) for name, rows in errors.items()}, seconds, tested.sources)
    numbers, notices = read(made)
    return Result(
        recipe=recipe,
        content=made,
        files=files.fewer_writers(recipe, made),
        metrics=numbers,
        warnings=unique([*tested.notices, *notices]),
        seconds=made.seconds,
    )


def enough(recipe: Fewer) -> None:
    """Raise InputError where these are more pictures than the user's own that may be learned from."""
    if recipe.data in scenes.KINDS:
        return
    mine = pictures.own(recipe.data)
    above = [f"{count:,}" for count in sorted(recipe.counts) if count > mine.learned]
    if above:
        verb = "is" if len(above) == 1 else "are"
        raise InputError(
            f"counts: {', '.join(above)} {verb} more than the {mine.learned} of these pictures that can be learned "
            f"from ({mine.aside} are kept aside to be measured on); choose up to {mine.learned}."
        )


def learned(recipe: Fewer, kind: str, count: int, used: object, progress: Callable[[float], None]) -> modelfile.Prior:
    """A network of a kind after learning from so many pictures: as many batches as all others."""
    from dataclasses import replace

    from gen_core.symmetry import train

    asked = Train.read(
        {"kind": kind, "data": recipe.data, "dim": recipe.dim, "turns": recipe.turns, "seed": recipe.seed}
        | {"pictures": max(count, 16), "max_seconds": recipe.max_seconds}
    )
    task = train.task_of(asked, count)
    epochs = max(round(recipe.batches / max(task.n_train / train.BATCH, 1)), 1)
    work = training.train(task, replace(train.settings_of(asked), epochs=epochs), device=used)  # type: ignore[arg-type]
    try:
        while True:
            step = next(work)
            progress(step.done / epochs)
    except StopIteration as end:
        net = end.value
    card = {"kind": kind, "dim": recipe.dim}
    return modelfile.made_of(modelfile.tensors_of(net, task.images), card)


def read(made: Examples) -> tuple[dict[str, float], list[Notice]]:
    """The numbers, and what may be said of them."""
    out: dict[str, float] = {}
    notices = [
        Notice(
            "told_the_angle",
            "The orbit learns from upright pictures: it is told the angle of each, which the others have to find out.",
        )
    ] * ("orbit" in made.errors)
    for name, rows in made.errors.items():
        for count, row in zip(made.counts, rows, strict=True):
            key = f"{name}.error_after.{count}"
            out[key], out[f"{key}_low"], out[f"{key}_high"] = boots.mean(row, made.sources)
    for name, rows in made.errors.items():
        if CONTROL not in made.errors or name in (CONTROL, "plain"):
            continue
        gains: list[str] = []
        none: list[str] = []
        for count, row, control in zip(made.counts, rows, made.errors[CONTROL], strict=True):
            value, low, high = boots.mean(control - row, made.sources)
            key = f"{name}.gain.{count}"
            out[key], out[f"{key}_low"], out[f"{key}_high"] = value, low, high
            (gains if low > 0 else none).append(str(count))
        if gains:
            notices.append(
                Notice("fewer_examples", f"{name} draws new pictures better than {CONTROL} after {', '.join(gains)} pictures.")
            )
        if none:
            notices.append(Notice("adds_nothing", f"After {', '.join(none)} pictures {name} is no better than {CONTROL}."))
    return out, notices
