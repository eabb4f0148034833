"""Potentials as files of the field: arrays, a table along the middle, a table of sensors; the recipe is in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gen_core.poisson import grid, metrics
from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, write_csv

if TYPE_CHECKING:
    from gen_core.poisson.green import Response
    from gen_core.poisson.solved import Solved

Array = np.ndarray
Writer = Callable[[Path], None]


def writers(recipe: Recipe, made: Solved) -> dict[str, Writer]:
    """solution.npz, profile.csv through the middle, corrections.csv, and sensors.csv where there are any."""
    files: dict[str, Writer] = {
        "solution.npz": lambda path: solution(path, recipe, made),
        "profile.csv": lambda path: profile(path, recipe, made),
    }
    if made.traces:
        files["corrections.csv"] = lambda path: corrections(path, recipe, made)
    if made.data is not None:
        files["sensors.csv"] = lambda path: measured(path, recipe, made)
    return files


def solution(path: Path, recipe: Recipe, made: Solved) -> None:
    """Everything under the names of the contract, float64 (samples float32): rho, phi, exact, samples, edges, x, residual, …"""
    problem = made.problem
    missing = np.full(made.phi.shape, np.nan)
    unknown = made.exact is None
    out: dict[str, Array] = {
        "rho": missing if unknown else problem.rho,
        "phi": made.phi,
        "exact": missing if unknown else np.asarray(made.exact),
        "samples": made.samples.astype(np.float32),
        "edges": problem.edges,
        "x": grid.nodes(problem.size, problem.boundary),
        "residual": missing if unknown else metrics.residual_map(made.phi, problem),
        "deviation": made.deviation,
    }
    out |= {f"baseline_{name}": values for name, values in made.others.items() if name != "exact"}
    if made.true_posterior is not None and made.data is not None:
        out["exact_posterior_std"] = made.true_posterior.deviation
        out["sensors"] = np.column_stack([made.data.places, made.data.measured])
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def profile(path: Path, recipe: Recipe, made: Solved) -> None:
    """The potentials along the middle row: x, phi, exact, and the baselines'."""
    row = made.problem.size // 2
    columns = {"phi": made.phi} | ({} if made.exact is None else {"exact": made.exact})
    columns |= {name: values for name, values in made.others.items() if name != "exact"}
    at = grid.nodes(made.problem.size, made.problem.boundary)
    rows = [[f"{x:.6g}", *(f"{values[row, i]:.8g}" for values in columns.values())] for i, x in enumerate(at)]
    write_csv(path, recipe, ["x", *columns], rows)


def corrections(path: Path, recipe: Recipe, made: Solved) -> None:
    """Error and residual against correction steps, by method and start."""
    rows = [
        [method, start, k, f"{trace.work[k]:g}", f"{trace.error[k]:.8g}", f"{trace.residual[k]:.8g}"]
        for method, starts in made.traces.items()
        for start, trace in starts.items()
        for k in range(len(trace.error))
    ]
    write_csv(path, recipe, ["method", "start", "steps", "passes", "error_l2", "residual"], rows)


def measured(path: Path, recipe: Recipe, made: Solved) -> None:
    """The sensors: where they are and what they say."""
    assert made.data is not None
    rows = [[f"{x:.8g}", f"{y:.8g}", f"{v:.8g}"] for (x, y), v in zip(made.data.places, made.data.measured, strict=True)]
    write_csv(path, recipe, ["x", "y", "potential"], rows)


def response_writers(recipe: Recipe, made: Response) -> dict[str, Writer]:
    """green.npz and radial.csv of a response to a point charge."""
    return {
        "green.npz": lambda path: response(path, recipe, made),
        "radial.csv": lambda path: radial(path, recipe, made),
    }


def response(path: Path, recipe: Recipe, made: Response) -> None:
    """The responses to a charge at the source and at the probe, learned and exact."""
    out = {"rho": made.problem.rho, "phi": made.phi, "exact": made.exact, "phi_probe": made.back, "exact_probe": made.exact_back}
    np.savez_compressed(path, **out, recipe=npz_member(recipe))  # type: ignore[arg-type]


def radial(path: Path, recipe: Recipe, made: Response) -> None:
    """The mean potential by distance from the charge."""
    rows = [[f"{r:.6g}", f"{a:.8g}", f"{b:.8g}"] for r, a, b in zip(*made.profile, strict=True)]
    write_csv(path, recipe, ["distance", "phi", "exact"], rows)
