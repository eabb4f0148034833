"""The exact log-likelihood of events, and whether it tells unusual ones: a dead layer, a track too many, five times the noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gen_core.datasets import path_of
from gen_core.detector import evaluate, files, measure, modelfile
from gen_core.detector.recipe import Score
from gen_core.detector.simulate import World, simulate
from gen_core.detector.truth import left_out
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.inputs.hits import read_hits
from gen_core.result import Notice, Result

Array = np.ndarray
EXACT = ("ar", "made")
USUAL_SEED, ODD_SEED = 3_000_000_000, 8_000_000_000


@dataclass(frozen=True, eq=False)
class Scored:
    """Log-likelihoods in nats (n,) and numbers of hits (n,) of each kind of events."""

    values: dict[str, Array]
    multiplicity: dict[str, Array]


def run(recipe: Score, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `detector.score`. Raises RecipeError where the model has no exact likelihood."""
    pick("cpu")
    if recipe.model in modelfile.UNLEARNED or (kind := modelfile.open_card(recipe.model).get("kind")) not in EXACT:
        told = recipe.model if recipe.model in modelfile.UNLEARNED else kind
        raise RecipeError(f"model: {told} has no exact likelihood; choose {' or '.join(EXACT)}.")
    model = modelfile.opened(recipe.model, recipe.weights)
    recipe = recipe.replace(weights=model.card["sha256"])
    sets = events_of(recipe, model.card.get("content"))
    for hits in sets.values():
        if hits.shape[1:] != (model.shape.layers, model.shape.channels):
            raise RecipeError(
                f"model: it has learned {model.shape.layers} layers of {model.shape.channels} channels, and these events have "
                f"{hits.shape[1]} of {hits.shape[2]}; name a model of the same, or train one."
            )
    progress(0.2, "scoring events")
    values = {name: evaluate.likelihoods(model, hits) for name, hits in sets.items()}
    made = Scored(values, {name: hits.sum((1, 2)) for name, hits in sets.items()})
    numbers: dict[str, float] = {}
    counts: dict[str, float] = {}
    for name, found in values.items():
        numbers[f"{name}.log_likelihood"] = float(found.mean())
        if name != "usual":
            own, odd = -values["usual"], -found
            numbers |= _area(f"{name}.auc", odd, own)
            counts |= _area(f"{name}.auc", made.multiplicity[name], made.multiplicity["usual"])
    again = values["usual"]
    numbers |= _area("usual.auc", again[::2], again[1::2])
    notices = []
    if model.card.get("content") is None:
        notices.append(Notice("synthetic_data", "Usual events are simulated, not measured."))
    notices += [
        Notice("adds_nothing", f"The number of hits alone tells {words(name)} better than the log-likelihood does.")
        for name in values
        if name != "usual" and counts[f"{name}.auc_low"] > max(numbers[f"{name}.auc_high"], 0.5)
    ]
    baselines: dict[str, dict[str, float]] = {"number_of_hits": counts} if counts else {}
    return Result(recipe, made, files.score_writers(recipe, made), numbers, baselines, tuple(notices))


def events_of(recipe: Score, learned: str | None = None) -> dict[str, Array]:
    """Events by their kind: usual ones, and those of a tracker that has changed, or own ones to be scored.

    Usual are the tracker's; of a model that has learned from own events (`learned`) those of them that were left out.
    """
    world = recipe.world()
    if learned is None:
        usual = simulate(world, recipe.n, recipe.seed + USUAL_SEED).hits
    else:
        usual = left_out(read_hits(path_of(learned)))[: recipe.n]
    if recipe.data is not None:
        return {"usual": usual, "own": read_hits(path_of(recipe.data))[: recipe.n]}
    if learned is not None:
        dead = usual.copy()
        dead[:, dead.shape[1] // 2] = 0
        return {"usual": usual, "dead_layer": dead}
    seed = recipe.seed + ODD_SEED
    return {"usual": usual} | {
        name: simulate(changed, recipe.n, seed, tracks).hits for name, (changed, tracks) in unusual(world).items()
    }


def unusual(world: World) -> dict[str, tuple[World, int | None]]:
    """Trackers in which something is wrong: the middle layer dead, a track more than can be, five times the noise."""
    return {
        "dead_layer": (replace(world, dead=tuple(sorted({*world.dead, world.layers // 2}))), None),
        "extra_track": (world, world.tracks_max + 1),
        "noise_x5": (replace(world, noise=min(5 * world.noise, 1.0)), None),
    }


def words(name: str) -> str:
    """A kind of events as it is called in a sentence."""
    said = {"dead_layer": "a dead layer", "extra_track": "a track too many", "noise_x5": "five times the noise"}
    return said.get(name, "your events" if name == "own" else name)


def _area(name: str, odd: Array, usual: Array) -> dict[str, float]:
    """Area under the curve with its 95 % interval: how often an unusual event has the larger value."""
    area, variance = measure.auc(odd, usual)
    half = 1.96 * variance**0.5
    return {name: area, f"{name}_low": max(area - half, 0.0), f"{name}_high": min(area + half, 1.0)}
