"""A trained generator beside the truth, on fresh events: what its card says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.checkpoint import rounded
from gen_core.detector import measure
from gen_core.detector.draw import Source, rate
from gen_core.detector.simulate import World
from gen_core.detector.truth import Truth, truth_of

if TYPE_CHECKING:
    from gen_core.detector.modelfile import Learned
    from gen_core.detector.recipe import Train

Array = np.ndarray
TESTED, SOME = 12_500, 4_000  # events that score the model, and each number of steps
CURVE = {"masked": (1, 2, 4, 8, 16, 32, 64, 192), "middle": (1, 2, 3, 4, 6, 8)}
DRAWN_SEED = 20_000
USUAL = 8  # steps of masked and middle where a recipe says none


def scores(model: Learned, recipe: Train) -> dict[str, Any]:
    """`metrics` and `baselines` of a card, all on events that nothing has learned from, with 95 % intervals; `curve` tells of
    masked and middle the same for several numbers of steps."""
    world = recipe.world() if recipe.data is None else World(model.shape.layers, model.shape.channels)
    n = min(TESTED, max(recipe.events // 8, 256))
    truth = truth_of(world, recipe.data, n, DRAWN_SEED)
    source = Source(model.kind, world, model, USUAL if model.kind in CURVE else None)
    made = source.all(len(truth.first), 1_000, DRAWN_SEED)
    own: dict[str, Any] = measure.scores(made, truth.first) | rates(source)
    if model.kind in ("ar", "made"):
        own["log_likelihood_heldout"] = float(likelihoods(model, truth.first).mean())
    table = {"floor": floor(truth, world), "independent": independent(truth)}
    told: dict[str, Any] = {
        "metrics": rounded(own),
        "baselines": {name: rounded(row) for name, row in table.items()},
        "n_test": len(truth.first),
        "n_judged": min(measure.JUDGED, len(truth.first)),
    }
    if model.kind in CURVE:
        told["curve"] = curve(model, world, truth, min(SOME, n))
        told["curve_floor"] = curve_floor(truth, min(SOME, n))
    return told


def curve(model: Learned, world: World, truth: Truth, n: int) -> list[dict[str, Any]]:
    """Scores and speed against the number of steps."""
    rows = []
    for steps in CURVE[model.kind]:
        if steps <= model.shape.size:
            source = Source(model.kind, world, model, steps)
            made = source.all(min(n, len(truth.first)), 1_000, DRAWN_SEED + steps)
            row = measure.scores(made, truth.first[: len(made)]) | {"events_per_second": rate(source, 1_000)}
            rows.append({"steps": steps, **rounded(row)})
    return rows


def curve_floor(truth: Truth, n: int) -> dict[str, Any]:
    """What the truth scores against itself on as many events as each point of the curve has."""
    return rounded(measure.scores(truth.second[:n], truth.first[:n]))


def rates(source: Source, batch: int = 1_000) -> dict[str, float]:
    """Events a second in batches of this size, of one and of a hundred."""
    out = {f"batch{size}.events_per_second": rate(source, size) for size in (1, 100)}
    return out | {"events_per_second": rate(source, batch)}


def floor(truth: Truth, world: World) -> dict[str, Any]:
    """What the truth scores against other events of the truth; and the simulator's speed."""
    return measure.scores(truth.second, truth.first) | rates(Source("simulator", world))


def independent(truth: Truth) -> dict[str, Any]:
    """What channels score that fire each on its own, as often as in the truth."""
    return measure.scores(on_their_own(truth), truth.first)


def on_their_own(truth: Truth) -> Array:
    """Events (n, layers, channels) of channels that fire each on its own, as often as in the truth."""
    frequency = truth.second.mean(0)
    chance = np.random.default_rng(66).random(truth.first.shape, np.float32)
    return (chance < frequency).astype(np.uint8)


def likelihoods(model: Learned, hits: Array) -> Array:
    """Exact log-likelihoods (n,) in nats, of a model that has them."""
    import torch

    with torch.no_grad():
        parts = [model.net.log_likelihood(part) for part in torch.from_numpy(hits).split(1_000)]  # type: ignore[operator]
    return torch.cat(parts).numpy().astype(np.float64)
