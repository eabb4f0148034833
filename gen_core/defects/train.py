"""Learn the score of snapshots as a network, and measure it beside a normal distribution of the same mean and covariance."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gen_core import training
from gen_core.checkpoint import rounded
from gen_core.datasets import named
from gen_core.defects import data, metrics
from gen_core.defects.data import Snapshots
from gen_core.defects.network import NetScore, ScoreTask
from gen_core.defects.pair_libraries import distances
from gen_core.defects.recipe import Train
from gen_core.device import Device, pick
from gen_core.training import Settings, Step

if TYPE_CHECKING:
    from gen_core.nets.score import ScoreNet

Array = np.ndarray
DRAWN = 4_000  # particles of drawn configurations that are compared with a snapshot


def steps(recipe: Train, folder: Path, device: str = "auto") -> Generator[Step, None, None]:
    """Train in `folder`, which then holds weights.safetensors, card.json and recipe.json; broken off, it goes on from its last
    checkpoint. Raises InputError where the snapshots cannot be used, OutputError where the folder holds something else."""
    if training.trained(folder, recipe):
        yield Step(recipe.epochs, recipe.epochs, text="trained already")
        return
    from gen_core.defects import modelfile

    used = pick(device)
    snapshots = data.opened(recipe)
    task = ScoreTask(snapshots, recipe.width, recipe.seed)
    training.begin(folder, recipe)
    made, last = yield from training.followed(task, settings_of(recipe, task), folder, used)
    net = cast("ScoreNet", made)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "measuring it beside a normal distribution")
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    card = card_of(recipe, used, last, snapshots) | modelfile.known_of(task, snapshots)
    card |= scores(modelfile.score_from(net, card), snapshots, last)
    net.float().load_state_dict(weights)
    modelfile.write(folder, net, card, recipe)
    training.forget(folder)
    yield Step(recipe.epochs, recipe.epochs, last.metrics, "done")


def settings_of(recipe: Train, task: ScoreTask) -> Settings:
    """How this recipe trains: batches of about a thousand particles."""
    batch = max(1024 // task.x.shape[1], 64)
    return Settings(recipe.epochs, batch, 2e-3, averaging=0.995, max_seconds=recipe.max_seconds, seed=recipe.seed)


def scores(score: NetScore, snapshots: Snapshots, last: Step) -> dict[str, Any]:
    """How well it denoises snapshots that it did not learn (a normal distribution: 1), and how near drawn configurations lie to
    the snapshots, in sliced W1 over the spread of the data; beside it a normal distribution, and two halves of a snapshot. For
    several particles the same of their distances."""
    rng = np.random.default_rng(5)
    own, normal, halves = [], [], []
    pairs: list[tuple[float, float, float]] = []  # the same of the distances in a replica
    N, d = snapshots.particles, snapshots.d
    for k in range(0, len(snapshots.times), max(len(snapshots.times) // 4, 1)):
        x = snapshots.positions[k]
        flat, n = x.reshape(-1, d), min(DRAWN // N, len(x))
        drawn = score.draw(n, float(snapshots.times[k]), N, 40, k)
        plain = rng.multivariate_normal(flat.mean(0), np.cov(flat.T).reshape(d, d), n * N)
        own.append(metrics.w1(drawn.reshape(-1, d), flat, snapshots.box))
        normal.append(metrics.w1(plain, flat, snapshots.box))
        halves.append(metrics.w1(flat[::2], flat[1::2], snapshots.box))
        if N > 1:
            apart = lambda clouds: distances(clouds)[:, None]  # noqa: E731
            clouds = (apart(drawn), apart(plain.reshape(n, N, d)), apart(x[::2]))
            observed = apart(x[1::2])
            pairs.append(tuple(metrics.w1(cloud, observed) for cloud in clouds))  # type: ignore[arg-type]
    told = lambda values: float(np.mean(values)) / snapshots.scale  # noqa: E731
    rows = [
        {"denoising_error": float(last.metrics.get("valid_loss", np.nan)), "sample_w1": told(own)},
        {"denoising_error": 1.0, "sample_w1": told(normal)},
        {"sample_w1": told(halves)},
    ]
    if pairs:
        for row, values in zip(rows, zip(*pairs, strict=True), strict=True):
            row["pair_w1"] = told(values)
    return {"metrics": rounded(rows[0]), "baselines": {"normal": rounded(rows[1]), "ceiling": rounded(rows[2])}}


def card_of(recipe: Train, device: Device, last: Step, snapshots: Snapshots) -> dict[str, Any]:
    """What the model says of itself, aside from its scores."""
    known = named(recipe.data)
    size = f"{len(snapshots.times)} snapshots of {snapshots.n:,} replicas"
    return training.told(recipe, last, device) | {
        "name": f"defects-{recipe.data.replace('_', '-') if known else 'own'}",
        "system": "defects",
        "title": known.title if known else f"Your snapshots ({size})",
        "summary": f"The score in place and time, learned from {size}"
        + (f" of {snapshots.particles} particles." if snapshots.particles > 1 else "."),
        "data": recipe.data,
        "source": known.source if known else "the user's own",
        "synthetic": snapshots.world is not None,
        "licence": known.licence if known else "that of the snapshots it was trained on",
    }
