"""Train a model of pictures and measure it: against the rendered truth where there is one, and on pictures it never saw."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gen_core import training
from gen_core.datasets import named, path_of
from gen_core.device import Device, pick
from gen_core.images import measure, render
from gen_core.images.model import ImageNet
from gen_core.images.modelfile import write_model
from gen_core.images.photos import PhotoTask
from gen_core.images.plain import Several
from gen_core.images.plainfile import write_plain
from gen_core.images.plainmeasure import plains_of
from gen_core.images.plaintask import PlainTask
from gen_core.images.recipe import Train
from gen_core.images.rendered import FIRST, RenderedTask
from gen_core.inputs.images import read_pictures
from gen_core.training import Settings, Step

if TYPE_CHECKING:
    pass

Array = np.ndarray
KEPT = 1_500  # training pictures whose places are kept with a model
FAMILIES = {"micrographs": "metal", "micrographs_cells": "cells"}  # bundled data and its family
Task = RenderedTask | PhotoTask | PlainTask


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    InputError where the data cannot be read, OutputError where the folder holds something else.
    """
    if training.trained(folder, recipe):
        yield Step(recipe.epochs, recipe.epochs, text="trained already")
        return
    used = pick(device)
    task = task_of(recipe)
    training.begin(folder, recipe)
    net, last = yield from training.followed(task, settings_of(recipe), folder, used)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "measuring it beside the baselines")
    card = card_of(recipe, task, last, used)
    if isinstance(task, PlainTask):
        write_plain(folder, plains_of(cast(Several, net), card, task), recipe)
    else:
        write_model(folder, measure.space_of(cast(ImageNet, net), card, *seen(task)), recipe)
    training.forget(folder)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "done")


def settings_of(recipe: Train) -> Settings:
    """How this recipe trains."""
    if recipe.kind != "styles":
        rate = {"plain": 2e-3, "lecture": 3e-3}[recipe.kind]
        return Settings(recipe.epochs, 8, rate, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed)
    return Settings(
        recipe.epochs, batch=4, learning_rate=1.5e-3, averaging=0.998, max_seconds=recipe.max_seconds, seed=recipe.seed
    )


def task_of(recipe: Train) -> Task:
    """What is learned from. Raises InputError where it cannot be read or is too little."""
    source: RenderedTask | PhotoTask
    if recipe.data in FAMILIES:
        source = RenderedTask(FAMILIES[recipe.data], recipe.pairs, recipe.seed)
    else:
        found = read_pictures(path_of(recipe.data), recipe.size, recipe.cut == "tiles")
        source = PhotoTask(found.images, recipe.seed, found.notices)
    return source if recipe.kind == "styles" else PlainTask(source, recipe.kind, recipe.weights_of_divergence)


def seen(task: RenderedTask | PhotoTask) -> tuple[Array, Array | None, Array, Array | None]:
    """Training pictures with their factors, and pictures that the training never saw with theirs, in measure's order."""
    if isinstance(task, RenderedTask):
        learned = task.first + np.arange(min(KEPT, 2 * task.n_train))
        new = np.arange(FIRST - min(measure.TESTED, max(task.n_train // 8, 24)), FIRST)
        return (
            render.pictures(learned, task.family),
            render.factors(learned),
            render.pictures(new, task.family),
            new,
        )
    images = task.images.astype(np.float32) / 255
    return images[: min(KEPT, task.n_train)], None, images[task.n_train :], None


def card_of(recipe: Train, task: Task, last: Step, device: Device) -> dict[str, Any]:
    """What the model says of itself, but for its numbers."""
    rendered = isinstance(task, RenderedTask)
    known = named(recipe.data)
    count = task.n_train * (2 if rendered else 1)
    data = recipe.data.replace("_", "-") if known else "own"
    made = recipe.data in FAMILIES
    more = {"styles": " whose mixes are known", "lecture": " of one structure"}.get(recipe.kind, "") if made else ""
    return training.told(recipe, last, device) | {
        "name": f"images-{data if recipe.kind == 'styles' else recipe.kind}",
        "system": "images",
        "title": known.title if known else f"Your pictures ({count:,}, {recipe.epochs} epochs)",
        "kind": recipe.kind,
        "summary": {
            "styles": "Structure and three styles of 64 x 64 pictures",
            "plain": "64 x 64 pictures in one vector of 48 numbers, a plain autoencoder",
            "lecture": f"64 x 64 pictures in two numbers, at {len(recipe.weights_of_divergence)} weights of the divergence",
        }[recipe.kind]
        + f", learned from {count:,} {'rendered ' * made}pictures{more}.",
        "data": recipe.data,
        "family": FAMILIES.get(recipe.data),
        "synthetic": bool(known and known.synthetic),
        "n_pictures": count,
        "pictures_seen": count * last.done,
        "factors": [sum(f.group == g for f in render.FACTORS) for g in render.GROUPS] if rendered else [0, 0, 0],
        "notices": [notice.text for notice in getattr(task, "notices", ())],
        "licence": known.licence if known else "that of the pictures it was trained on",
    }
