"""Turned and recovered pictures as files of the field: arrays, pictures, tables; the recipe is in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, png_info, write_csv

if TYPE_CHECKING:
    from gen_core.symmetry.fewer import Examples
    from gen_core.symmetry.lines import Curves
    from gen_core.symmetry.recipe import Fewer, Needed, Recover, Rotate
    from gen_core.symmetry.solved import Recovered, Turned

Array = np.ndarray
Writer = Callable[[Path], None]
SHOWN = 16  # pictures in a sheet


def turned_writers(recipe: Rotate, made: Turned, found: Mapping[str, Turned]) -> dict[str, Writer]:
    """rotate.npz, rotate.png and curve.csv."""
    return {
        "rotate.npz": lambda path: turned(path, recipe, made, found),
        "rotate.png": lambda path: sheet(path, recipe, np.stack([made.pictures, made.turned, made.drawn])),
        "curve.csv": lambda path: curve(path, recipe, made),
    }


def turned(path: Path, recipe: Rotate, made: Turned, found: Mapping[str, Turned]) -> None:
    """pictures, turned (the picture turned), drawn (of the turned code), codes, codes_turned, relative_error; and `drawn_NAME`, …
    of the other models."""
    out: dict[str, Array] = {
        "pictures": made.pictures.astype(np.float32),
        "turned": made.turned.astype(np.float32),
        "drawn": made.drawn.astype(np.float32),
        "codes": made.codes,
        "codes_turned": made.codes_turned,
        "relative_error": made.errors,
        "angle": np.array(made.angle),
        "angle_used": np.array(made.used),
    }
    for name, other in found.items():
        if name != recipe.model:
            key = name.replace(":", "_")
            out |= {f"turned_{key}": other.turned.astype(np.float32), f"drawn_{key}": other.drawn.astype(np.float32)}
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def curve(path: Path, recipe: Rotate, made: Turned) -> None:
    """The relative error against the angle, and over how many codes it is a mean: the first of the recipe's."""
    names = list(made.curves)
    rows = [[f"{a:g}", *(f"{made.curves[name][i]:.6g}" for name in names), made.curve_codes] for i, a in enumerate(made.angles)]
    write_csv(path, recipe, ["angle", *names, "codes"], rows)


def recovered_writers(recipe: Recover, made: Recovered) -> dict[str, Writer]:
    """recover.npz, recover.png and recover.csv."""
    return {
        "recover.npz": lambda path: recovered(path, recipe, made),
        "recover.png": lambda path: sheet(path, recipe, recovered_sheet(made)),
        "recover.csv": lambda path: table(path, recipe, made),
    }


def recovered(path: Path, recipe: Recover, made: Recovered) -> None:
    """truth, angles_deg, shows (which picture each is, turned), measurements; of each model MODEL (k, n, 32, 32), MODEL_error and
    MODEL_residual (k, n), MODEL_best and MODEL_floor (n,)."""
    out: dict[str, Array] = {
        "truth": made.truth,
        "angles_deg": made.angles,
        "shows": np.arange(len(made.truth)) if made.sources is None else made.sources,
        "measurements": np.array(made.measurements),
    }
    for name in made.models:
        key = name.replace(":", "_")
        out[key] = np.stack([made.pictures[name][m] for m in made.measurements])
        out[f"{key}_error"] = np.stack([made.errors[name][m] for m in made.measurements])
        out[f"{key}_residual"] = np.stack([made.residuals[name][m] for m in made.measurements])
        if name in made.floors:
            out |= {f"{key}_best": made.best[name].astype(np.float32), f"{key}_floor": made.floors[name]}
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def recovered_sheet(made: Recovered) -> Array:
    """The truth above what each recovers with the most measurements (k, n, 32, 32)."""
    m = made.measurements[-1]
    return np.stack([made.truth, *(made.pictures[name][m] for name in made.models)])


def table(path: Path, recipe: Recover, made: Recovered) -> None:
    """Of each model and number of measurements the error with its interval, the residual, and the floor."""
    rows = []
    for name in made.models:
        floor = f"{made.floors[name].mean():.6g}" if name in made.floors else ""
        for m in made.measurements:
            value = [_number(v) for v in made.mean(made.errors[name][m])]
            rows.append([name, m, *value, f"{made.residuals[name][m].mean():.6g}", floor])
    write_csv(path, recipe, ["model", "measurements", "error", "error_low", "error_high", "residual", "floor"], rows)


def sheet(path: Path, recipe: Recipe, pictures: Array) -> None:
    """Pictures (k, n, s, s), the first of n side by side, a row for each of k."""
    from PIL import Image

    rows = [np.concatenate(list(row[:SHOWN]), 1) for row in pictures]
    values = np.round(255 * np.clip(np.concatenate(rows), 0, 1)).astype(np.uint8)
    Image.fromarray(values).save(path, format="PNG", pnginfo=png_info(recipe))


def needed_writers(recipe: Needed, made: Curves) -> dict[str, Writer]:
    """needed.npz, curves.csv and needed.csv."""
    return {
        "needed.npz": lambda path: needed_arrays(path, recipe, made),
        "curves.csv": lambda path: error_curves(path, recipe, made),
        "needed.csv": lambda path: needed_table(path, recipe, made),
    }


def needed_arrays(path: Path, recipe: Needed, made: Curves) -> None:
    """measurements, dims; of each model MODEL_dims, MODEL_error (dims, measurements, n) and MODEL_floor (dims, n), and
    gaussian_error (measurements, n)."""
    out: dict[str, Array] = {"measurements": np.array(made.measurements), "dims": np.array(recipe.dims)}
    for name, sizes in made.errors.items():
        key = name.replace(":", "_")
        out[f"{key}_dims"] = np.array(list(sizes))
        out[f"{key}_error"] = np.stack(list(sizes.values()))
        out[f"{key}_floor"] = np.stack(list(made.floors[name].values()))
    if made.gaussian is not None:
        out["gaussian_error"] = made.gaussian
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def error_curves(path: Path, recipe: Needed, made: Curves) -> None:
    """The error with its interval against the measurements, by model and numbers in a code."""
    from gen_core.symmetry import boots

    curves = [(name, d, errors, made.floors[name][d]) for name, sizes in made.errors.items() for d, errors in sizes.items()]
    simple = [] if made.gaussian is None else [("gaussian", "", made.gaussian, None)]
    rows = []
    for name, size, errors, floor in [*curves, *simple]:
        told = "" if floor is None else f"{floor.mean():.6g}"
        for m, row in zip(made.measurements, errors, strict=True):
            rows.append([name, size, m, *(_number(v) for v in boots.mean(row, made.shows)), told])
    write_csv(path, recipe, ["model", "dim", "measurements", "error", "error_low", "error_high", "floor"], rows)


def needed_table(path: Path, recipe: Needed, made: Curves) -> None:
    """The measurements needed for each error, by model and numbers in a code; empty where it is not reached. `bound` says where
    the number is but a bound: the fewest that were measured with reach the error already."""
    from gen_core.symmetry import lines

    rows = []
    for target in made.targets:
        found, simple = lines.lines(made, target), lines.flat(made, target)
        for name, line in (found | ({"gaussian": simple} if simple is not None else {})).items():
            for i, d in enumerate(line.dims):
                bound = "not reached" if np.isinf(line.needed[i]) else "at most" if line.needed[i] <= line.fewest else ""
                rows.append([f"{target:g}", name, d or "", *(_number(v, 4) for v in (line.needed[i], *line.ends(i))), bound])
    write_csv(path, recipe, ["error", "model", "dim", "needed", "needed_low", "needed_high", "bound"], rows)


def fewer_writers(recipe: Fewer, made: Examples) -> dict[str, Writer]:
    """fewer.npz and fewer.csv."""
    return {
        "fewer.npz": lambda path: fewer_arrays(path, recipe, made),
        "fewer.csv": lambda path: fewer_table(path, recipe, made),
    }


def fewer_arrays(path: Path, recipe: Fewer, made: Examples) -> None:
    """counts, and of each model MODEL_error (counts, n)."""
    out = {"counts": np.array(made.counts)} | {f"{name}_error": rows for name, rows in made.errors.items()}
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def fewer_table(path: Path, recipe: Fewer, made: Examples) -> None:
    """The error with its interval against the pictures learned from."""
    from gen_core.symmetry import boots

    rows = [
        [name, count, *(_number(v) for v in boots.mean(row, made.sources))]
        for name, errors in made.errors.items()
        for count, row in zip(made.counts, errors, strict=True)
    ]
    write_csv(path, recipe, ["model", "pictures", "error", "error_low", "error_high"], rows)


def _number(value: float, digits: int = 6) -> str:
    """A number of a table; empty where it is none."""
    return f"{value:.{digits}g}" if np.isfinite(value) else ""
