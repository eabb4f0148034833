"""Turn the picture that a code draws, and the code: a network is equivariant where the two are the same."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gen_core.device import pick
from gen_core.memo import Memo
from gen_core.result import Result, unique
from gen_core.symmetry import boots, files, invert, modelfile, reading, turn
from gen_core.symmetry.modelfile import Prior
from gen_core.symmetry.recipe import KINDS, Rotate
from gen_core.symmetry.solved import Turned

Array = np.ndarray
Progress = Callable[[float, str], None]
TOP = 200.0  # dB: what is said where there is no error at all
CURVE = np.arange(0.0, 91.0, 7.5)  # degrees; after a quarter all begins anew
CURVE_CODES = 16  # at most; of more codes the curve is over the first of them
_CURVES = Memo(1 << 20, lambda found: found.nbytes)


def run(recipe: Rotate, progress: Progress = lambda share, text: None) -> Result:
    """Run `symmetry.rotate`. Raises RecipeError and CheckpointError where it cannot be done."""
    pick("cpu")
    began = time.perf_counter()
    names = [recipe.model, *beside(recipe)]
    recipe = modelfile.with_weights(recipe, tuple(names))
    found, rows = {}, {}
    for i, name in enumerate(names):
        progress(i / (len(names) + 1), f"turning with {modelfile.called(name)}")
        found[name] = turned(modelfile.opened(name, recipe.dim, recipe.weights), recipe)
        rows[name] = numbers(found[name])
    own = found[recipe.model]
    progress(len(names) / (len(names) + 1), "turning through a quarter")
    quarter = {"angles": CURVE, "curves": {recipe.model: curve(recipe)}, "curve_codes": min(recipe.codes, CURVE_CODES)}
    made = Turned(**(own.__dict__ | quarter))
    return Result(
        recipe=recipe,
        content=made,
        files=files.turned_writers(recipe, made, found),
        metrics=rows.pop(recipe.model),
        baselines=rows,
        warnings=unique(reading.of_turn(made, recipe)),
        seconds={"turn": time.perf_counter() - began},
    )


def beside(recipe: Rotate) -> list[str]:
    """The bundled models that are compared with it: those that learned the same kind of pictures, and so draw such."""
    mine = modelfile.learned_from(recipe.model, recipe.dim)
    bundled = [kind for kind in KINDS if kind != recipe.model and modelfile.there(kind, recipe.dim)]
    return [kind for kind in bundled if modelfile.learned_from(kind, recipe.dim) == mine]


def turned(model: Prior, recipe: Rotate, angle: float | None = None, count: int | None = None) -> Turned:
    """The pictures of codes, turned, and those of the turned codes; `count` of them where that is given, the first."""
    import torch

    angle = recipe.angle if angle is None else angle
    codes = drawn(model, recipe.codes, recipe.seed)[:count]
    with torch.no_grad():
        before = model.net.decode(torch.from_numpy(codes)).numpy().astype(np.float64)
    wanted = turn.turn(before, angle)
    used = angle_of(model, angle, recipe.between)
    if model.net.order == 1 and model.kind != "orbit" and used:
        after = invert.search(model, wanted, None, 0.0, seed=recipe.seed, prior=False).codes
    else:
        moved = model.net.turned(torch.from_numpy(codes), torch.full((len(codes),), used))
        after = moved.numpy()
    with torch.no_grad():
        shown = model.net.decode(torch.from_numpy(after)).numpy().astype(np.float64)
    errors = relative(shown, wanted)
    return Turned(model.kind, angle, used, codes, after, before, wanted, shown, errors)


def drawn(model: Prior, count: int, seed: int) -> Array:
    """Codes (count, d) of pictures that the model learned from; an orbit's angle is uniform."""
    rng = np.random.default_rng([seed, 88])
    codes = model.codes[rng.choice(len(model.codes), count, replace=count > len(model.codes))]
    if model.kind == "orbit":
        codes = np.concatenate([codes[:, :-1], rng.uniform(0, 2 * math.pi, (count, 1))], 1)
    return codes.astype(np.float32)


def angle_of(model: Prior, angle: float, between: str = "nearest") -> float:
    """The degrees by which the code is turned: those of the nearest element of the group, or the angle itself."""
    if model.kind == "orbit" or model.net.order == 1 or between == "fourier":
        return angle
    step = 360 / model.net.order
    return round(angle / step) * step % 360


def relative(shown: Array, wanted: Array) -> Array:
    """|d| / |G - mean G| (n,) within the disc: 1 where what is drawn is as far off as a flat grey. A flat output scores no better
    for being flat."""
    inside = turn.disc(shown.shape[-1])
    apart = shown[:, inside] - wanted[:, inside]
    contrast = wanted[:, inside] - wanted[:, inside].mean(1, keepdims=True)
    return np.asarray(np.sqrt((apart**2).sum(1) / np.maximum((contrast**2).sum(1), 1e-30)))


def decibels(mean_square: Array) -> Array:
    """Peak signal to noise over the range of a picture, 1 (EQ-R, Karras et al. 2021): 10 to 14 not equivariant, 40 to 48 good."""
    return np.minimum(-10 * np.log10(np.maximum(mean_square, 1e-20)), TOP)


def numbers(made: Turned) -> dict[str, Any]:
    """The error on both scales with intervals over the codes, and the floor: what turning back and forth alone does."""
    inside = turn.disc(made.pictures.shape[-1])
    each = (made.difference[:, inside] ** 2).mean(1)
    db, low, high = boots.mean(each, of=decibels)
    far, far_low, far_high = boots.mean(made.errors)
    back = turn.turn(turn.turn(made.pictures, -made.angle), made.angle)
    floor = ((back - made.pictures)[:, inside] ** 2).mean(1)
    return {
        "equivariance_db": db,
        "equivariance_db_low": low,
        "equivariance_db_high": high,
        "relative_error": far,
        "relative_error_low": far_low,
        "relative_error_high": far_high,
        "floor_db": float(decibels(floor.mean())),
        "floor_relative": float(relative(back, made.pictures).mean()),
        "angle_used": made.used,
    }


def curve(recipe: Rotate, name: str | None = None) -> Array:
    """The relative error of a model, the recipe's own where none is named, at each angle of CURVE; kept."""
    name = name or recipe.model
    model = modelfile.opened(name, recipe.dim, recipe.weights)

    def make() -> Array:
        return np.array([float(turned(model, recipe, float(a), CURVE_CODES).errors.mean()) for a in CURVE])

    found: Array = _CURVES.get((model.card.get("sha256"), recipe.seed, recipe.codes, recipe.between), make)
    return found
