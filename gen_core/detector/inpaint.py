"""Draw a region of an event anew, given all the rest: what masked networks can and a fixed order cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.datasets import path_of
from gen_core.detector import files
from gen_core.detector.draw import Source
from gen_core.detector.generate import prepared
from gen_core.detector.recipe import Inpaint
from gen_core.detector.simulate import simulate
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.inputs.hits import read_hits
from gen_core.result import Notice, Result

Array = np.ndarray
ABLE = ("masked", "middle")
OTHERS = 20_000  # simulated events that tell how often channels fire


@dataclass(frozen=True, eq=False)
class Inpainted:
    """The event (layers, channels), which of its channels were drawn anew, and the events drawn (n, layers, channels)."""

    event: Array
    region: Array
    hits: Array


def run(recipe: Inpaint, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `detector.inpaint`. Raises RecipeError where the model cannot, or there is no such event."""
    pick("cpu")
    recipe, source, notices = prepared(recipe)
    check_able(source)
    event = event_of(recipe)
    region = region_of(recipe)
    hits = redrawn(source, event, region, recipe.n, recipe.seed)
    chance = hits.mean(0)
    inside = event[region].astype(float)
    said = np.clip(chance[region], 0.5 / recipe.n, 1 - 0.5 / recipe.n)
    base = frequencies(recipe)[region].clip(1e-4, 1 - 1e-4)
    numbers = {"hits_in_region": float(hits[:, region].sum(1).mean()), "surprise_per_channel": _surprise(inside, said)}
    baselines = {
        "observed": {"hits_in_region": float(inside.sum())},
        "independent": {"hits_in_region": float(base.sum()), "surprise_per_channel": _surprise(inside, base)},
    }
    if source.name == "middle":
        notices.append(
            Notice("approximate", "middle guesses one code from the event with the region emptied; masked needs no such guess.")
        )
    made = Inpainted(event, region, hits)
    return Result(recipe, made, files.inpaint_writers(recipe, made), numbers, baselines, tuple(notices))


def check_able(source: Source) -> None:
    """Raise RecipeError where the model cannot draw a region alone."""
    if source.name not in ABLE:
        raise RecipeError(
            f"model: {source.name} cannot keep what lies around a region: its order is fixed; choose {' or '.join(ABLE)}."
        )


def frequencies(recipe: Inpaint) -> Array:
    """How often each channel fires in other events (layers, channels): the tracker's, or those of the own file."""
    if recipe.data is None:
        return simulate(recipe.world(), OTHERS, recipe.seed + 1).hits.mean(0)
    return np.delete(read_hits(path_of(recipe.data)), recipe.event, axis=0).mean(0)


def event_of(recipe: Inpaint) -> Array:
    """The event that is worked on (layers, channels)."""
    if recipe.data is None:
        return simulate(recipe.world(), recipe.event + 1, recipe.seed).hits[recipe.event]
    hits = read_hits(path_of(recipe.data))
    if recipe.event >= len(hits):
        raise RecipeError(f"event: there is no event {recipe.event}; the file has 0 to {len(hits) - 1}.")
    if hits.shape[1:] != (recipe.layers, recipe.channels):
        raise RecipeError(
            f"data: these patterns have {hits.shape[1]} layers of {hits.shape[2]} channels; set layers and channels to that."
        )
    return hits[recipe.event]


def region_of(recipe: Inpaint) -> Array:
    """Which channels (layers, channels) are drawn anew."""
    region = np.zeros((recipe.layers, recipe.channels), bool)
    a, b, c, d = recipe.region
    region[a:b, c:d] = True
    return region


def redrawn(source: Source, event: Array, region: Array, n: int, seed: int) -> Array:
    """n events (n, layers, channels), equal to the event outside of the region."""
    import torch

    from gen_core.nets.masked import parts

    assert source.learned is not None
    net: Any = source.learned.net
    decoder = net if source.name == "masked" else net.decoder
    generator = torch.Generator().manual_seed(seed)
    inside = torch.from_numpy(region.ravel())
    order = torch.cat(source.groups(seed))
    groups = parts(order[inside[order]], source.steps or 1)
    given = torch.from_numpy(np.where(region, 0, event).astype(np.float32).ravel()).expand(n, -1).clone()
    with torch.no_grad():
        z = None
        if source.name == "middle":
            z = net.encode(given, torch.randn(n, net.z, generator=generator))[0]
        chance = torch.rand(n, decoder.n, generator=generator)
        bits = decoder.draw(groups, chance, given, z, source.temperature)
    return bits.numpy().reshape(n, *event.shape)


def _surprise(hits: Array, chance: Array) -> float:
    """Nats a channel of what was there, by chances of channels on their own."""
    return float(-(hits * np.log(chance) + (1 - hits) * np.log(1 - chance)).mean())
