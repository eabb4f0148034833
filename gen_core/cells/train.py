"""Train the latent space of a file's cells and score it on the type whose response it never saw."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import checkpoint, store, training
from gen_core.cells import folds, transfer
from gen_core.cells.counts import counts_of
from gen_core.cells.model import NETS, CellVAE, LatentModel
from gen_core.cells.modelfile import write_model
from gen_core.cells.opening import open_study
from gen_core.cells.recipe import Perturb, Train, training_of
from gen_core.cells.shift import BASELINES
from gen_core.cells.study import FEW, Study, marks
from gen_core.datasets import named
from gen_core.device import Device, pick
from gen_core.errors import InputError
from gen_core.training import Settings, Step, train

if TYPE_CHECKING:
    import torch

Array = np.ndarray
LEAST = 50  # cells without which there is no space to learn
VALIDATED = 0.05  # share of the cells that only watch the training
SCORED = 30  # cells of either condition with which a type can be scored
MAX_CODES = 4_000  # training codes kept with a model
HOW = "similarity_weighted"  # the shift that a card tells the scores of
AUTO = "gaussian"  # on real cells r of the change .800, counts .793: see the README
CHECK = "check"
QUESTION = ("condition_key", "control", "perturbed", "cell_type_key", "target")  # filled in from the file


class CellTask:
    """The training of a CellVAE as `gen_core.training` asks for it: cells in a seeded order, the last ones to validate."""

    def __init__(self, study: Study, rows: Array, latent_dim: int, likelihood: str = "gaussian") -> None:
        order = np.random.default_rng([study.recipe.seed, 7]).permutation(rows)
        self.X = study.X[order]
        self.counts = counts_of(self.X) if likelihood == "negative_binomial" else None
        self.n_valid = max(int(len(order) * VALIDATED), 1)
        self.n_train = len(order) - self.n_valid
        self.latent_dim, self.likelihood = latent_dim, likelihood
        self.batches, self.batch = batches_of(study, order)
        net = NETS[likelihood].fingerprint
        self.fingerprint = f"cells {study.key} {self.X.shape} {self.X.nnz} {latent_dim} {likelihood} {net}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        return NETS[self.likelihood].starting_at(self.X, self.counts, self.latent_dim, len(self.batches) or 1)

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each cell is taken."""
        import torch

        return (torch.randn(n, self.latent_dim, generator=generator),)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """See `CellVAE.loss`."""
        import torch

        (eps,) = noise
        batch = None
        if self.batches:
            batch = torch.nn.functional.one_hot(torch.from_numpy(self.batch[rows]), len(self.batches)).float().to(eps.device)
        assert isinstance(module, CellVAE)
        counts = None if self.counts is None else self.counts[rows]
        return module.loss(self.X[rows], batch, eps, share, counts)


def batches_of(study: Study, rows: Array) -> tuple[tuple[str, ...], Array]:
    """The donors to condition on, and which one each cell is of; none where a donor holds one condition only.

    Told such a donor, the decoder would know the condition from it, and the response would leave the latent space.
    """
    if study.replicate is None:
        return (), np.zeros(len(rows), int)
    names, index = np.unique(study.replicate[rows], return_inverse=True)
    both = [len(set(study.is_perturbed[rows][index == i].tolist())) == 2 for i in range(len(names))]
    return (tuple(map(str, names)), index) if len(names) > 1 and all(both) else ((), np.zeros(len(rows), int))


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; until then it holds checkpoints.

    Closed or killed at any point and called again with the same recipe and folder, it goes on to the same model. Raises
    what `open_study` does, InputError where there are too few cells or no counts where those are asked for, OutputError where
    the folder holds something else.
    """
    if training.trained(folder, recipe):
        yield Step(recipe.epochs, recipe.epochs, text="trained already")
        return
    used = pick(device)
    study, rows = cells_of(recipe)
    likelihood = AUTO if recipe.likelihood == "auto" else recipe.likelihood
    filled = recipe.replace(likelihood=likelihood, **{name: getattr(study.recipe, name) for name in QUESTION})
    task = CellTask(study, rows, recipe.latent_dim, likelihood)
    training.begin(folder, recipe)
    settings = Settings(recipe.epochs, batch=64, max_seconds=recipe.max_seconds, seed=recipe.seed)
    other = checked(study) if recipe.check else None
    total = recipe.epochs * (1 if other is None else 2)
    net, last = yield from _trained(task, settings, folder, used, total)
    model = frozen(net, study, rows)
    check = None
    if other is not None:
        fewer = np.setdiff1d(rows, study.rows(other, True))
        if recipe.max_seconds is not None:
            settings = replace(settings, max_seconds=max(recipe.max_seconds - last.metrics["seconds"], 1.0))
        again = CellTask(study, fewer, recipe.latent_dim, likelihood)
        net, _ = yield from _trained(again, settings, folder / CHECK, used, total, last)
        check = check_of(model, frozen(net, study, fewer), study, other)
    yield Step(total, total, last.metrics, "scoring it beside the baselines")
    card = card_of(filled, model, study, task, last, used) | {"asked": recipe.sha256, "check": check}
    write_model(folder, model, card, filled)
    shutil.rmtree(folder / CHECK, ignore_errors=True)
    training.forget(folder)
    yield Step(total, total, last.metrics, "done")


def _trained(
    task: CellTask, settings: Settings, folder: Path, device: Device, total: int, before: Step | None = None
) -> Generator[Step, None, tuple[CellVAE, Step]]:
    """One training of one or two; returns the network and the last step. Of a second one the progress goes on from `before`."""
    last, done = Step(0, total), before.done if before else 0
    folder.mkdir(exist_ok=True)
    work = train(task, settings, folder, device)
    try:
        while True:
            step = next(work)
            last = Step(done + step.done, total, step.metrics, f"checking, {step.text}" if before else step.text)
            yield last if before is None else Step(last.done, total, {}, last.text)
    except StopIteration as end:
        return end.value, last
    finally:
        work.close()


def checked(study: Study) -> str | None:
    """The type that a second training leaves out too: the one that misses the target least, of those with cells enough.

    With the target's nearest relative gone as well, the model would be asked for more than it is asked for in earnest. So it
    is the type that lies far from the target and near to another that stays, by the ratio of the two distances.
    """
    sizes = {name: min(len(study.rows(name, False)), len(study.rows(name, True))) for name in study.sources}
    if len(sizes) < 2:
        return None
    enough = [name for name in sizes if sizes[name] >= min(SCORED, max(sizes.values()))]
    here = study.codes[study.asked].mean(0)
    gap = lambda a, b: float(np.linalg.norm(a - b))  # noqa: E731

    def apart(name: str) -> float:
        own = study.responses[name].centroid
        nearest = min(gap(own, study.responses[other].centroid) for other in study.sources if other != name)
        return gap(own, here) / max(nearest, 1e-9)

    return max(enough, key=apart)


def check_of(model: LatentModel, without: LatentModel, study: Study, name: str) -> dict[str, Any]:
    """`pearson_delta_all` on one type: of a model that learned from its response, of one that did not, of each baseline."""
    kept, left_out = (folds.Folds(study.seen_by(m), HOW, 1.0).fold(name) for m in (model, without))
    scores = {"kept": kept.correlation("latent"), "left_out": left_out.correlation("latent")}
    return {"type": name, "pearson_delta_all": checkpoint.rounded(scores | {p: kept.correlation(p) for p in BASELINES})}


def cells_of(recipe: Train) -> tuple[Study, Array]:
    """The study, and the rows that may be learned from: all but the cells that the target's prediction is scored with."""
    shared = recipe.model_dump(exclude={"model", "latent_dim", "likelihood", "epochs", "check", "max_seconds"})
    study = open_study(Perturb(**shared))
    rows = np.setdiff1d(np.arange(len(study.names)), study.rows(study.target, True))
    if len(rows) < LEAST:
        raise InputError(f"Only {len(rows)} cells are left to learn from; at least {LEAST} are needed.")
    return study, rows


def frozen(net: CellVAE, study: Study, rows: Array) -> LatentModel:
    """The trained network as a model for use, with codes of the cells it was trained on."""
    seen = marks(study.names[rows])
    model = LatentModel(net.requires_grad_(False), study.genes, np.array([]), np.array([]), np.array([]), {}, seen)
    some = rows
    if len(rows) > MAX_CODES:
        some = np.sort(np.random.default_rng(study.recipe.seed).choice(rows, MAX_CODES, replace=False))
    codes = model.encode(study.X[some])
    return LatentModel(net, study.genes, codes, study.cell_type[some], study.is_perturbed[some], {}, seen)


def scores_of(model: LatentModel, study: Study) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The model's scores on the left-out target, and each baseline's and the ceiling's; empty where it was not measured."""
    target, learned = study.target, study.seen_by(model)
    if target not in study.types or min(len(half) for half in study.halves(target)) < FEW:
        return {}, {name: {} for name in (*BASELINES, "ceiling")}
    shifts = transfer.shifts(learned, HOW, learned.sources, learned.asked, 1.0)
    measured = folds.fold_of(learned, target, shifts, 1.0).scores
    return measured["latent"], {name: measured[name] for name in (*BASELINES, "ceiling")}


def card_of(recipe: Train, model: LatentModel, study: Study, task: CellTask, last: Step, device: Device) -> dict[str, Any]:
    """What the model says of itself."""
    scores, baselines = scores_of(model, study)
    known = named(recipe.data)
    control, perturbed = (recipe.perturbed, recipe.control) if recipe.reverse else (recipe.control, recipe.perturbed)
    return training.told(recipe, last, device) | {
        "name": f"cells-{known.name if known else 'own'}" + ("-2d" if recipe.latent_dim == 2 else ""),
        "system": "cells",
        "summary": f"{recipe.latent_dim} latent dimensions, learned without the {perturbed!r} cells of {study.target!r}.",
        "data": recipe.data,
        "synthetic": bool(known and known.synthetic),
        "n_cells": task.n_train + task.n_valid,
        "n_genes": len(study.genes),
        "latent_dim": model.latent_dim,
        "target": study.target,
        "types": sorted(set(study.cell_type.tolist())),
        "control": control,
        "perturbed": perturbed,
        "batches": list(task.batches),
        "metrics": checkpoint.rounded(scores),
        "baselines": {name: checkpoint.rounded(values) for name, values in baselines.items()},
        "licence": known.licence if known else "that of the data it was trained on",
        "likelihood": model.net.likelihood,
        "variance": model.net.variance,
    }


def trained(recipe: Perturb, progress: Callable[[float, str], None]) -> Perturb:
    """The recipe with the model that was just trained on its cells, which the store keeps; raises what `steps` does."""
    with tempfile.TemporaryDirectory(prefix="latent-") as work:
        folder = Path(work) / "model"
        for step in steps(training_of(recipe), folder):
            progress(step.done / max(step.total, 1), step.text)
        return recipe.replace(model=store.add_model(folder))
