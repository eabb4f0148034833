"""How many measurements an error needs, against the numbers in a code: lines with intervals, and where they are no proportion."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gen_core.device import pick
from gen_core.result import Notice, Result, unique
from gen_core.symmetry import boots, files, modelfile, pictures, recover
from gen_core.symmetry.recipe import Needed, Recover

Array = np.ndarray
Progress = Callable[[float, str], None]
CONTROL = "augmented"


@dataclass(frozen=True, eq=False)
class Curves:
    """Errors (m, n) of n pictures at each number of measurements, by model and numbers in a code, and the floors (n,)."""

    measurements: tuple[int, ...]
    errors: Mapping[str, Mapping[int, Array]]
    floors: Mapping[str, Mapping[int, Array]]
    targets: tuple[float, ...]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many pictures."""
        return int(next(iter(next(iter(self.errors.values())).values())).shape[1])


def run(recipe: Needed, progress: Progress = lambda share, text: None) -> Result:
    """Run `symmetry.needed`. Raises RecipeError and CheckpointError where a model of a size is not there."""
    pick("cpu")
    made = None if recipe.again else before(recipe)
    kept = made is not None
    made = measured(recipe, progress) if made is None else made
    numbers, notices = read(made)
    if kept:
        notices = [
            Notice("measured_before", "This was measured before, with the bundled networks, and is shown as it was."),
            *notices,
        ]
    return Result(
        recipe=recipe,
        content=made,
        files=files.needed_writers(recipe, made),
        metrics=numbers,
        warnings=unique(notices),
        seconds=made.seconds,
    )


def before(recipe: Needed) -> Curves | None:
    """What is bundled, where it is of these settings; the errors to be reached may be others."""
    from gen_core.symmetry import curves

    asked, made, _, _ = curves.bundled()
    return replace(made, targets=recipe.targets) if recipe.replace(targets=asked.targets) == asked else None


def measured(recipe: Needed, progress: Progress) -> Curves:
    """The errors of every model of every size at every number of measurements, on the same pictures."""
    truth, _, _ = pictures.tested("galaxies", recipe.images, recipe.test == "turned", recipe.seed)
    energy = float((truth.astype(np.float64) ** 2).sum((1, 2)).mean())
    errors: dict[str, dict[int, Array]] = {name: {} for name in recipe.models}
    floors: dict[str, dict[int, Array]] = {name: {} for name in recipe.models}
    began = time.perf_counter()
    for i, name in enumerate(recipe.models):
        for j, dim in enumerate(recipe.dims):
            progress((i * len(recipe.dims) + j) / (len(recipe.models) * len(recipe.dims)), f"{name}, codes of {dim} numbers")
            model = modelfile.opened(name, dim)
            floors[name][dim] = recover.floor(model, truth, recipe.starts, recipe.seed)[1]
            shared = {key: getattr(recipe, key) for key in ("images", "noise", "test", "starts", "seed")}
            asked = Recover.read(shared | {"models": [name], "dim": dim})
            found = [
                recover.by_each(asked, {name: model}, truth, energy, m, classical=False)[name].errors for m in recipe.measurements
            ]
            errors[name][dim] = np.stack(found)
    return Curves(recipe.measurements, errors, floors, recipe.targets, {"all": time.perf_counter() - began})


def crossing(measurements: tuple[int, ...], means: Array, target: float) -> Array:
    """The number of measurements at which mean errors (…, m) fall to the target, straight between neighbours on logarithmic
    scales; NaN where the error is not reached, or was at the fewest already."""
    if len(measurements) < 2:
        return np.full(means.shape[:-1], np.nan)
    at, values = np.log(np.asarray(measurements, float)), np.log(np.maximum(means, 1e-12))
    values = np.minimum.accumulate(values, -1)  # a curve that wavers has reached what it reached
    below = values <= np.log(target)
    first = below.argmax(-1)
    reached = below.any(-1) & (first > 0)
    right = np.maximum(first, 1)
    take = lambda where: np.take_along_axis(values, where[..., None], -1)[..., 0]  # noqa: E731
    high, low = take(right - 1), take(right)
    share = (high - np.log(target)) / np.maximum(high - low, 1e-12)
    return np.where(reached, np.exp(at[right - 1] + share * (at[right] - at[right - 1])), np.nan)


@dataclass(frozen=True, eq=False)
class Line:
    """Of one model and target: the number needed at each size (k,) with those of pictures drawn anew (times, k); and the straight
    line through them, which is a proportion where its intercept may be zero."""

    dims: tuple[int, ...]
    needed: Array
    again: Array

    def fitted(self) -> tuple[Array, Array]:
        """Intercept and slope (2,), and those of pictures drawn anew (times, 2); NaN where fewer than three sizes reach it."""
        known = ~np.isnan(self.needed)
        if known.sum() < 3:
            return np.full(2, np.nan), np.full((len(self.again), 2), np.nan)
        design = np.column_stack([np.ones(known.sum()), np.asarray(self.dims, float)[known]])
        solve = np.linalg.pinv(design)
        return solve @ self.needed[known], self.again[:, known] @ solve.T


def lines(made: Curves, target: float) -> dict[str, Line]:
    """The lines of all models for a target."""
    rows = boots.drawn(made.count)
    out = {}
    for name, sizes in made.errors.items():
        dims = tuple(sizes)
        whole = [float(crossing(made.measurements, sizes[d].mean(1), target)) for d in dims]
        again = [crossing(made.measurements, sizes[d][:, rows].mean(2).T, target) for d in dims]
        out[name] = Line(dims, np.array(whole), np.stack(again, 1))
    return out


def read(made: Curves) -> tuple[dict[str, float], list[Notice]]:
    """The numbers, and what may be said of them."""
    out: dict[str, float] = {}
    notices: list[Notice] = []
    for name, sizes in made.floors.items():
        for d, floor in sizes.items():
            out[f"{name}.floor.{d}"] = float(floor.mean())
    for target in made.targets:
        found = lines(made, target)
        for name, line in found.items():
            key = f"{name}.needed.{target:g}"
            for i, d in enumerate(line.dims):
                out[f"{key}.{d}"] = float(line.needed[i])
                out[f"{key}.{d}_low"], out[f"{key}.{d}_high"] = boots.interval(line.again[:, i])
            out |= _best(key, line)
            notices += _line(out, name, target, line)
        if CONTROL in found:
            for name, line in found.items():
                if name != CONTROL:
                    notices += _saving(out, name, target, line, found[CONTROL])
    return out, notices


def _best(key: str, line: Line) -> dict[str, float]:
    """The fewest over all sizes, with its interval: sizes are chosen anew in each draw."""
    if np.isnan(line.needed).all():
        return {f"{key}.best": float("nan")}
    filled = np.where(np.isnan(line.again), np.inf, line.again).min(1)
    low, high = boots.interval(np.where(np.isinf(filled), np.nan, filled))
    return {
        f"{key}.best": float(np.nanmin(line.needed)),
        f"{key}.best_low": low,
        f"{key}.best_high": high,
        f"{key}.best_dim": float(line.dims[int(np.nanargmin(line.needed))]),
    }


def _line(out: dict[str, float], name: str, target: float, line: Line) -> list[Notice]:
    value, again = line.fitted()
    if np.isnan(value).any():
        return []
    for i, word in enumerate(("intercept", "slope")):
        key = f"{name}.{word}.{target:g}"
        out[key], (out[f"{key}_low"], out[f"{key}_high"]) = float(value[i]), boots.interval(again[:, i])
    low, high = out[f"{name}.intercept.{target:g}_low"], out[f"{name}.intercept.{target:g}_high"]
    if not (low > 0 or high < 0):
        return []
    return [
        Notice(
            "no_proportion",
            f"{name}: the measurements needed for an error of {target:g} are no proportion of the numbers in a code; the line "
            f"meets zero numbers at {value[0]:.0f} ({low:.0f} to {high:.0f}) measurements and changes by {value[1]:+.2f} for "
            "each number.",
        )
    ]


def _saving(out: dict[str, float], name: str, target: float, line: Line, control: Line) -> list[Notice]:
    """How many times fewer than the control, at each size and each at its best."""
    shown = []
    for i, d in enumerate(line.dims):
        if d not in control.dims:
            continue
        j = control.dims.index(d)
        ratio, again = control.needed[j] / line.needed[i], control.again[:, j] / line.again[:, i]
        low, high = boots.interval(again)
        key = f"{name}.saving.{target:g}.{d}"
        out[key], out[f"{key}_low"], out[f"{key}_high"] = float(ratio), low, high
        if not np.isnan(low):
            said = "" if low > 1 else ", a loss" if high < 1 else ", which may be no gain"
            shown.append(f"{ratio:.2f} ({low:.2f} to {high:.2f}) with {d} numbers{said}")
        elif np.isnan(control.needed[j]) and not np.isnan(line.needed[i]):
            shown.append(f"reached by {name} alone with {d} numbers")
    if not shown:
        return []
    return [Notice("saving", f"Error {target:g}: {CONTROL} needs so many times the measurements of {name}: {'; '.join(shown)}.")]
