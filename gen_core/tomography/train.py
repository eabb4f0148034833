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
from gen_core.recipe import DIGEST
from gen_core.tomography.recipe import Train
from gen_core.training import Step

if TYPE_CHECKING:
    from gen_core.tomography.evaluate import Beside, Cases
    from gen_core.tomography.own import Own
    from gen_core.tomography.priors import Problem, Solution
    from gen_core.tomography.slices import Slices

# each is `steps(recipe, folder, device)`, as below
KINDS = {
    "gaussian": "gen_core.tomography.train:gaussian",
    "vae": "gen_core.tomography.vae_train:steps",
    "diffusion": "gen_core.tomography.diffusion_train:steps",
}
FAMILIES = {"phantoms_thorax": "thorax", "phantoms_wide": "wide"}
OWN = "own"  # the kind of slices that the user brings
TESTED = 6  # of the slices left out, at most, that its scores are measured on


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json.

    Raises InputError where the data cannot be used, OutputError where the folder holds something else.
    """
    module, name = KINDS[recipe.prior].split(":")
    work = getattr(importlib.import_module(module), name)
    yield from work(recipe, folder, device)


def family(recipe: Train) -> str:
    """The kind of slices that the recipe names, `own` for the user's. Raises InputError where there are none of that name."""
    if recipe.data in FAMILIES or DIGEST.fullmatch(recipe.data):
        return FAMILIES.get(recipe.data, OWN)
    raise InputError(f"data: choose {' or '.join(FAMILIES)}, or a file of your own slices, not {recipe.data[:30]!r}.")


def gaussian(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Draw slices, find their components, measure the prior beside the other methods. Begun anew where it was broken off: the
    same slices are drawn in minutes."""
    from gen_core.tomography import evaluate, gaussian_train, own

    if training.trained(folder, recipe):
        yield Step(1, 1, text="trained already")
        return
    used, kind, began = pick("cpu"), family(recipe), time.monotonic()
    count, left_out = recipe.slices, max(recipe.slices // 10, 100)
    mine = own.opened(recipe) if kind == OWN else None
    more, cases = _beside(recipe, mine)
    total = count + left_out + (evaluate.WORK if cases is None else len(evaluate.RANGES) * len(cases))
    if mine is not None:
        first = own.drawn(mine, mine.learned, count, recipe.seed, "preparing slices")
        second = own.drawn(mine, mine.watched, left_out, recipe.seed + 1, "preparing slices")
    else:
        first = gaussian_train.slices(kind, gaussian_train.TRAIN_FROM, count, recipe.size)
        second = gaussian_train.slices(kind, gaussian_train.VALID_FROM, left_out, recipe.size)
    training.begin(folder, recipe)
    train = yield from _told(first, 0, total, recipe, began)
    valid = yield from _told(second, count, total, recipe, began)
    yield Step(count + left_out, total, text="finding the components")
    prior = gaussian_train.fit(train.reshape(count, -1), valid.reshape(left_out, -1), recipe.components)
    del train, valid
    last = Step(1, 1, {"seconds": time.monotonic() - began})
    told = card_of(recipe, used, last, kind, count, mine)
    scores = yield from _told(evaluate.scores(prior, kind, recipe.seed, more, cases), count + left_out, total, recipe, None)
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
    from gen_core.tomography import evaluate, own, slices

    epochs = recipe.epochs or epochs
    if training.trained(folder, recipe):
        yield Step(epochs, epochs, text="trained already")
        return
    used, kind = pick(device), family(recipe)
    mine = own.opened(recipe) if kind == OWN else None
    training.begin(folder, recipe)
    yield Step(0, epochs, text=f"drawing {recipe.slices:,} slices")
    drawn = own.to_learn(mine, recipe) if mine else slices.synthetic(kind, recipe.slices, recipe.size, recipe.seed)
    yield Step(0, epochs, text="preparing the training")
    task = task_of(drawn)
    settings = training.Settings(epochs, batch, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed)
    net, last = yield from training.followed(task, settings, folder, used)
    yield Step(epochs, epochs, last.metrics, "measuring it beside the other methods")
    card = card_of(recipe, used, last, kind, recipe.slices, mine) | {"slices_seen": recipe.slices * last.done}
    made = learned(net, task, card)
    more, cases = _beside(recipe, mine)
    scores = yield from evaluate.compared(made.solve, made.beside | more, kind, recipe.size, recipe.seed, cases)
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


def _beside(recipe: Train, mine: Own | None) -> tuple[Beside, Cases | None]:
    """What a prior of the user's own slices is measured beside and on: the bundled prior of its kind, and slices left out."""
    from gen_core.tomography import modelfile

    if mine is None:
        return {}, None
    found = modelfile.judge(recipe.prior, recipe.size, recipe.seed)
    return ({} if found is None else {"bundled": found}), mine.cases(TESTED)


def card_of(recipe: Train, device: Device, last: Step, kind: str, count: int, mine: Own | None = None) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    from gen_core.tomography import own

    found = named(recipe.data)
    what = f"{count:,} {'synthetic ' * (recipe.prior == 'gaussian')}slices ({kind})"
    if mine:
        what = f"{len(mine.learned):,} of your own slices" + (", moved and mirrored" if count > len(mine.learned) else "")
    return (
        training.told(recipe, last, device)
        | {
            "name": f"tomography-{recipe.prior}-{recipe.size}" + ("-own" if mine else ""),
            "system": "tomography",
            "prior": recipe.prior,
            "kind": kind,
            "size": recipe.size,
            "learned": what,
            "components": min(recipe.components, count - 1),
            "summary": f"{min(recipe.components, count - 1)} principal components of {what}, "
            f"{recipe.size} x {recipe.size} pixels; the posterior of a scan is in closed form.",
            "data": recipe.data,
            "source": found.source if found else "the user's own",
            "synthetic": mine is None,
            "licence": "MIT" if mine is None else "that of the slices it was trained on",
        }
        | ({"notes": own.notes_of(mine, recipe), "n_slices": len(mine.learned)} if mine else {})
    )
