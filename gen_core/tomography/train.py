"""Learn a prior of slices: `gaussian` here; other kinds each in a module of their own, named in KINDS."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import checkpoint, training
from gen_core.datasets import named
from gen_core.device import Device, pick
from gen_core.errors import InputError
from gen_core.tomography.recipe import Train
from gen_core.training import Step

if TYPE_CHECKING:
    from gen_core.tomography.priors import Problem, Solution
    from gen_core.tomography.slices import Slices

# each is `steps(recipe, folder, device)`, as below
KINDS = {
    "gaussian": "gen_core.tomography.train:gaussian",
    "vae": "gen_core.tomography.vae_train:steps",
    "diffusion": "gen_core.tomography.diffusion_train:steps",
}
FAMILIES = {"phantoms_thorax": "thorax", "phantoms_wide": "wide"}


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json.

    Raises InputError where the data cannot be used, OutputError where the folder holds something else.
    """
    module, name = KINDS[recipe.prior].split(":")
    work = getattr(importlib.import_module(module), name)
    yield from work(recipe, folder, device)


def family(recipe: Train) -> str:
    """The kind of synthetic slices that the recipe names. Raises InputError where it names other data."""
    if recipe.data not in FAMILIES:
        raise InputError(
            f"data: a prior is learned from synthetic slices here; choose {' or '.join(FAMILIES)}, not {recipe.data[:30]!r}."
        )
    return FAMILIES[recipe.data]


def gaussian(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Draw slices, find their components, measure the prior beside the other methods. Begun anew where it was broken off: the
    same slices are drawn in minutes."""
    from gen_core.tomography import evaluate, gaussian_train

    if training.trained(folder, recipe):
        yield Step(1, 1, text="trained already")
        return
    used, kind, began = pick("cpu"), family(recipe), time.monotonic()
    training.begin(folder, recipe)
    count, left_out = recipe.slices, max(recipe.slices // 10, 100)
    total = count + left_out + evaluate.WORK
    train = yield from _told(gaussian_train.slices(kind, gaussian_train.TRAIN_FROM, count, recipe.size), 0, total, recipe, began)
    valid = yield from _told(
        gaussian_train.slices(kind, gaussian_train.VALID_FROM, left_out, recipe.size), count, total, recipe, began
    )
    yield Step(count + left_out, total, text="finding the components")
    prior = gaussian_train.fit(train, valid, recipe.components)
    del train, valid
    last = Step(1, 1, {"seconds": time.monotonic() - began})
    told = card_of(recipe, used, last, kind, count)
    scores = yield from _told(evaluate.scores(prior, kind, recipe.seed), count + left_out, total, recipe, None)
    card = told | scores
    from gen_core.tomography.gaussian_train import tensors_of

    checkpoint.put(folder, tensors_of(prior), card, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(total, total, text="done")


@dataclass(frozen=True)
class Learned:
    """What a trained network is stored and judged as: its tensors, what its card says besides, and the method that it makes, with
    other methods to stand beside it."""

    tensors: dict[str, Any]
    card: dict[str, Any]
    solve: Callable[[Problem, int], Solution]
    beside: dict[str, Callable[[Problem], Any]]


def network(
    recipe: Train, folder: Path, device: str, epochs: int, batch: int,
    task_of: Callable[[Slices], training.Task], learned: Callable[[Any, Any, dict[str, Any]], Learned],
) -> Generator[Step, None, None]:  # fmt: skip
    """Train a network in `folder` as `steps` says; broken off, it goes on from its last checkpoint. `learned` is given the
    network, its task and its card so far."""
    from gen_core.tomography import evaluate, slices

    epochs = recipe.epochs or epochs
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used, kind = pick(device), family(recipe)
    training.begin(folder, recipe)
    yield Step(0, epochs, text=f"drawing {recipe.slices:,} slices")
    drawn = slices.synthetic(kind, recipe.slices, recipe.size, recipe.seed)
    yield Step(0, epochs, text="preparing the training")
    task = task_of(drawn)
    settings = training.Settings(epochs, batch, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed)
    work, last = training.train(task, settings, folder, used), Step(0, epochs)
    try:
        while True:
            last = next(work)
            yield last
    except StopIteration as end:
        net = end.value
    finally:
        work.close()
    yield Step(epochs, epochs, last.metrics, "measuring it beside the other methods")
    card = card_of(recipe, used, last, kind, recipe.slices) | {"slices_seen": recipe.slices * last.done}
    made = learned(net, task, card)
    scores = yield from evaluate.compared(made.solve, made.beside, kind, recipe.size, recipe.seed)
    checkpoint.put(folder, made.tensors, card | made.card | scores, {"recipe.json": recipe.json(indent=1) + "\n"})
    training.forget(folder)
    yield Step(epochs, epochs, last.metrics, "done")


def _told(
    work: Generator[Step, None, Any], before: int, total: int, recipe: Train, began: float | None
) -> Generator[Step, None, Any]:
    """Pass on the steps of a part as steps of the whole; what takes too long is refused. Returns what the part made."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        if began is not None and recipe.max_seconds is not None and time.monotonic() - began > recipe.max_seconds:
            raise InputError(
                f"max_seconds: {recipe.max_seconds:g} seconds are too few to draw {recipe.slices:,} slices of {recipe.size} x "
                f"{recipe.size} pixels; give more, or fewer slices."
            )
        yield Step(before + step.done, total, text=step.text)


def card_of(recipe: Train, device: Device, last: Step, kind: str, count: int) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    found = named(recipe.data)
    return training.told(recipe, last, device) | {
        "name": f"tomography-{recipe.prior}-{recipe.size}",
        "system": "tomography",
        "prior": recipe.prior,
        "kind": kind,
        "size": recipe.size,
        "components": min(recipe.components, count - 1),
        "summary": f"{min(recipe.components, count - 1)} principal components of {count:,} synthetic slices ({kind}), "
        f"{recipe.size} x {recipe.size} pixels; the posterior of a scan is in closed form.",
        "data": recipe.data,
        "source": found.source if found else "",
        "synthetic": True,
        "licence": "MIT",
    }
