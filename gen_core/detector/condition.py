"""Hold a latent code still and draw many events: channels of a plain decoder are then independent by construction.

What correlations a variational autoencoder has come from codes that differ; those of the transformer and of the truth need none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.detector import files, measure, modelfile
from gen_core.detector.draw import Source, source_of
from gen_core.detector.generate import prepared
from gen_core.detector.recipe import Condition
from gen_core.detector.truth import truth_of
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.result import Result

Array = np.ndarray
PLAIN = ("vae", "student")


@dataclass(frozen=True, eq=False)
class Conditioned:
    """Sets of events by name: fixed (one code), generated (all codes), ar (where it is there), truth; and the code (z,)."""

    sets: dict[str, Array]
    code: Array


def run(recipe: Condition, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `detector.condition`. Raises RecipeError where the model has no code, or the code another length."""
    pick("cpu")
    recipe, source, notices = prepared(recipe)
    learned = plain(source)
    code = code_of(recipe, int(learned.net.z))  # type: ignore[arg-type]
    truth = truth_of(recipe.world(), learned.card.get("content"), recipe.n, recipe.seed)
    sets = {
        "fixed": fixed(learned, code, recipe.n, recipe.seed, recipe.temperature),
        "generated": source.all(recipe.n, recipe.batch, recipe.seed),
    }
    if modelfile.there("ar") and modelfile.open_card("ar")["shape"] == [recipe.layers, recipe.channels]:
        progress(0.3, "drawing events of the transformer")
        sets["ar"] = source_of("ar", recipe.world()).all(recipe.n, recipe.batch, recipe.seed)
    sets["truth"] = truth.first
    strength = {name: spread(hits) for name, hits in sets.items()}
    expected = chance_spread(sets["fixed"])
    numbers = {
        "correlation_rms": strength["fixed"],
        "correlation_rms_by_chance": expected,
        "corr_error": measure.distance(*(measure.correlations(sets[k]) for k in ("fixed", "truth"))),
    }
    baselines = {name: {"correlation_rms": value} for name, value in strength.items() if name != "fixed"}
    baselines["floor"] = {
        "correlation_rms": spread(truth.second),
        "corr_error": measure.distance(*(measure.correlations(hits) for hits in (truth.second, truth.first))),
    }
    made = Conditioned(sets, code)
    return Result(recipe, made, files.condition_writers(recipe, made), numbers, baselines, tuple(notices))


def plain(source: Source) -> modelfile.Learned:
    """The model that draws, which has a code. Raises RecipeError where it has none that leaves channels independent."""
    if source.name not in PLAIN or source.learned is None:
        raise RecipeError(f"model: {source.name} has no code that leaves channels independent; choose {' or '.join(PLAIN)}.")
    return source.learned


def code_of(recipe: Condition, z: int) -> Array:
    """The code (z,), before the learned prior: given, or drawn by the seed."""
    if recipe.code is None:
        return np.random.default_rng([recipe.seed, 67]).standard_normal(z)
    if len(recipe.code) != z:
        raise RecipeError(f"code: {len(recipe.code)} numbers were given; the codes of this model have {z}.")
    return np.array(recipe.code, float)


def fixed(learned: modelfile.Learned, code: Array, n: int, seed: int, temperature: float) -> Array:
    """n events (n, layers, channels) of one code (z,) of normal numbers."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        z = learned.net.codes(torch.from_numpy(code.astype(np.float32))[None])  # type: ignore[operator]
        chance = (learned.net.decoder(z) / temperature).sigmoid()  # type: ignore[operator]
        bits = torch.rand(n, learned.shape.size, generator=generator) < chance
    return bits.numpy().astype(np.uint8).reshape(n, learned.shape.layers, learned.shape.channels)


def spread(hits: Array) -> float:
    """Root mean square of the correlations of different channels that ever change."""
    return float(np.sqrt((_pairs(hits) ** 2).mean()))


def chance_spread(hits: Array) -> float:
    """The same of as many events in which channels are independent: what is left by chance alone, 1 / sqrt(n - 1)."""
    return float(1 / np.sqrt(len(hits) - 1))


def _pairs(hits: Array) -> Array:
    x = hits.reshape(len(hits), -1)
    live = (x.min(0) == 0) & (x.max(0) == 1)
    if live.sum() < 2:
        return np.zeros(1)
    matrix = measure.correlations(x[:, live])
    return matrix[~np.eye(len(matrix), dtype=bool)]
