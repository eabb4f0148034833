"""Learn a family: its latent space, its couplings, its profile, and how good they are on sequences that were left out."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gen_core import checkpoint, store, training
from gen_core.datasets import DATA, DataSet, path_of
from gen_core.device import Device, pick
from gen_core.inputs.labels import read_labels
from gen_core.proteins import couplings, evaluate, viability
from gen_core.proteins.align import Profile
from gen_core.proteins.alphabet import Q
from gen_core.proteins.family import Family, open_family
from gen_core.proteins.known import Asking
from gen_core.proteins.labels import open_labels
from gen_core.proteins.model import FamilyTask, FamilyVAE, posterior
from gen_core.proteins.modelfile import Codes, FamilyModel, model_of, tensors_of, write_model
from gen_core.proteins.prior import Mixture
from gen_core.proteins.recipe import Mutate, Relax, Sample, Score, Train
from gen_core.proteins.statistics import Moments, moments
from gen_core.training import Settings, Step, train

Array = np.ndarray
BATCH = 64
UPDATES = (1_500, 3_000)  # of the optimizer, for 1,000 sequences and for 4,000 or more; fewer where they are long
LONG = 120  # columns from which updates cost more than they are worth
EPOCHS = (15, 300)
COUPLING_EPOCHS = (3, 12)
COUPLING_WORK = 3e11  # products of the couplings with all sequences that they may take: a minute on one core


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    InputError where the file is no family, OutputError where the folder holds something else.
    """
    if training.trained(folder, recipe):
        yield Step(1, 1, text="trained already")
        return
    used = pick(device)
    _read_labels(recipe)
    family = open_family(recipe.family)
    yield Step(0, 1, text="weighting the sequences")
    rows, left_out = family.split(recipe.seed)
    training.begin(folder, recipe)
    codes, weights = family.codes[rows], family.weights[rows]
    epochs, coupling_epochs = recipe.epochs or epochs_for(*codes.shape), coupling_epochs_for(*codes.shape)
    plan = [("network", epochs), ("couplings", coupling_epochs), ("scoring it beside the baselines", 1)]
    task = FamilyTask(codes, weights, recipe.latent_dim, recipe.family)
    settings = Settings(epochs, BATCH, seed=recipe.seed, max_seconds=recipe.max_seconds)
    net, last = yield from _told(train(task, settings, folder, used), plan, 0)
    assert isinstance(net, FamilyVAE)
    fitted = None
    began = time.monotonic()
    if coupling_epochs:
        left = None if recipe.max_seconds is None else max(recipe.max_seconds - last.metrics["seconds"], 1.0)
        fit = couplings.fit(codes, weights, recipe.family, coupling_epochs, recipe.seed, used, left)
        fitted, _ = yield from _told(fit, plan, 1)
    model = assembled(family, net.requires_grad_(False), fitted, rows, left_out, recipe.seed)
    seconds = last.metrics["seconds"] + time.monotonic() - began
    total = sum(count for _, count in plan)
    yield Step(total - 1, total, text=plan[-1][0])
    card = card_of(recipe, family, rows, left_out, used, last, seconds, coupling_epochs)
    # rounded as it is stored: the card's scores are those of the weights as they are read back
    model = model_of(tensors_of(model), card)
    card |= evaluate.scores(model, family, rows, left_out, recipe.seed)
    if recipe.labels is not None:
        learned = viability.learned(open_labels(recipe, model, recipe.family), model, recipe.seed)
        card["labels"], card["metrics"] = recipe.labels, card["metrics"] | checkpoint.rounded(learned.numbers)
        card["notices"] = [notice.text for notice in learned.notices]
        for name, values in learned.baselines.items():
            card["baselines"][name] = card["baselines"].get(name, {}) | checkpoint.rounded(values)
    write_model(folder, model, card, recipe)
    training.forget(folder)
    yield Step(total, total, text="done")


def _told(work: Generator[Step, None, Any], plan: list[tuple[str, int]], part: int) -> Generator[Step, None, tuple[Any, Step]]:
    """Pass on the steps of one part of the plan as steps of the whole; returns what it made and its last step."""
    total, before = sum(count for _, count in plan), sum(count for _, count in plan[:part])
    last = Step(0, plan[part][1], {"seconds": 0.0})
    try:
        while True:
            last = next(work)
            metrics = last.metrics if part == 0 else {}
            yield Step(before + last.done, total, metrics, f"{plan[part][0]}, {last.text}")
    except StopIteration as end:
        return end.value, last
    finally:
        work.close()


def assembled(
    family: Family, net: FamilyVAE, fitted: couplings.Couplings | None, rows: Array, left_out: Array, seed: int
) -> FamilyModel:
    """The model of a family: what was learned from `rows`, and the statistics of the whole and of what was left out."""
    codes, weights = family.codes[rows], family.weights[rows]
    means, spreads = posterior(net, codes)
    prior = Mixture.fit(means, spreads, weights, seed)
    held_out: Moments = moments(family.codes[left_out], family.weights[left_out])
    model = FamilyModel(
        net,
        prior,
        Profile.build(codes),
        fitted,
        family.moments,
        held_out,
        Codes(means, spreads, weights),
        {},
        family.columns,
        family.width,
    )
    return replace(model, naturals=evaluate.naturals(model, family, rows, left_out, seed))


def epochs_for(n: int, length: int) -> int:
    """Passes over n sequences of this many columns."""
    updates = np.clip(UPDATES[0] * math.sqrt(n / 1_000), *UPDATES) * min(1.0, LONG / length)
    return int(np.clip(math.ceil(updates / math.ceil(n / BATCH)), *EPOCHS))


def coupling_epochs_for(n: int, length: int) -> int:
    """Passes in which couplings are fitted to n sequences; none where the family is too long for them."""
    if length > couplings.MOST_COLUMNS:
        return 0
    return int(np.clip(COUPLING_WORK / (n * (length * Q) ** 2), *COUPLING_EPOCHS))


def card_of(
    recipe: Train, family: Family, rows: Array, left_out: Array, device: Device, last: Step, seconds: float, coupling_epochs: int
) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    known: DataSet | None = next(
        (d for d in DATA if recipe.family in (d.name, f"sha256:{d.sha256}") and d.system == "proteins"), None
    )
    real = known is not None and recipe.family != known.name
    return training.told(recipe, last, device) | {
        "name": f"proteins-{known.name.replace('_', '-')}{'' if real else '-synthetic'}" if known else "proteins-own",
        "system": "proteins",
        "summary": f"{recipe.latent_dim} latent dimensions and couplings of {family.codes.shape[1]} columns, learned from "
        f"{len(rows):,} sequences; {len(left_out):,} were left out.",
        "data": recipe.family,
        "family": known.name if known else recipe.family,
        "source": known.source if known else "a file of the user's own",
        "synthetic": family.synthetic,
        "seconds": round(seconds, 1),
        "coupling_epochs": coupling_epochs,
        "latent_dim": recipe.latent_dim,
        "n_sequences": len(family.codes),
        "n_effective": round(family.effective, 1),
        "n_columns": len(family.columns),
        "n_held_out": len(left_out),
        "licence": known.licence if known else "that of the data it was trained on",
    }


def _read_labels(recipe: Train | Sample | Score | Mutate | Relax) -> None:
    """A wrong file of labels is told before the training, not after it."""
    if recipe.labels is not None:
        read_labels(path_of(recipe.labels, "labels"), recipe.label_column)


def trained(recipe: Asking, progress: Callable[[float, str], None]) -> Asking:
    """The recipe with the model that was just trained on its family, which the store keeps; raises what `steps` does."""
    _read_labels(recipe)
    shared = {name: value for name, value in recipe.fields().items() if name in ("seed", "latent_dim", "epochs")}
    asked = Train.read(shared | ({} if recipe.family is None else {"family": recipe.family}))
    with tempfile.TemporaryDirectory(prefix="latent-") as work:
        folder = Path(work) / "model"
        for step in steps(asked, folder):
            progress(step.done / max(step.total, 1), step.text)
        return recipe.replace(model=store.add_model(folder), family=asked.family)
