"""A prior beside the other methods, on slices that it did not learn from: what its card says."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gen_core.checkpoint import rounded
from gen_core.tomography import fbp, gaussian, measure, metrics, phantoms, sirt, tv
from gen_core.tomography.gaussian import Gaussian
from gen_core.tomography.geometry import scanner
from gen_core.tomography.phantoms import Phantom
from gen_core.tomography.priors import Problem, Solution
from gen_core.training import Step

Array = np.ndarray
RANGES = (120, 90, 60)  # degrees, one view each
SLICES = 12
FIRST = 300_000_000  # the seed of the first test slice
NOISE = 0.01
WORK = SLICES * len(RANGES)
Beside = dict[str, Callable[[Problem], Array]]
Cases = Sequence[tuple[Phantom | Array, Array]]


def scores(
    prior: Gaussian, kind: str, seed: int = 0, more: Beside | None = None, cases: Cases | None = None
) -> Generator[Step, None, dict[str, Any]]:
    """`metrics` and `baselines` of a card: `psnr_90` and the like (dB, mean over 12 slices) with the ends of its 95 % interval,
    `coverage90_90` the share of pixels in the field of view that the 90 % intervals hold. `cases` as in `compared`."""
    average = prior.mean.reshape(prior.size, prior.size)
    prior = replace(prior, name=prior.name or "fitted just now")  # what depends on the scanner alone is kept from slice to slice
    solve = lambda problem, seed: gaussian.solve(problem, prior)  # noqa: E731
    found = yield from compared(solve, {"training_mean": lambda problem: average} | (more or {}), kind, prior.size, seed, cases)
    return found


def compared(
    solve: Callable[[Problem, int], Solution], more: Beside, kind: str, size: int, seed: int = 0, cases: Cases | None = None
) -> Generator[Step, None, dict[str, Any]]:
    """The same of any method that knows its deviation, beside the plain methods and `more` of them. `cases` are what is projected
    and its truth; without any, synthetic slices of the kind."""
    rows: dict[str, dict[str, list[float]]] = {}
    view = metrics.disc(size)
    plain: Beside = {
        "fbp": lambda problem: fbp.solve(problem).image,
        "sirt": lambda problem: sirt.solve(problem).image,
        "tv": lambda problem: tv.solve(problem).image,
    } | more
    if cases is None:
        made = [phantoms.phantom(kind, FIRST + k) for k in range(SLICES)]
        cases = [(one, phantoms.image(one, size)) for one in made]
    for i, covered in enumerate(RANGES):
        geometry = scanner(size, covered, covered)
        for k, (source, truth) in enumerate(cases):
            data = measure.measured(measure.clean(source, geometry), NOISE, seed=seed + k)
            problem = Problem(geometry, data.sinogram, data.sigma)
            found = solve(problem, seed + k)
            assert found.deviation is not None
            for name, image in {"": found.image, **{name: method(problem) for name, method in plain.items()}}.items():
                told = rows.setdefault(name, {})
                told.setdefault(f"psnr_{covered}", []).append(metrics.psnr(image, truth))
                told.setdefault(f"ssim_{covered}", []).append(metrics.ssim(image, truth))
            inside = metrics.coverage(truth, found.image, found.deviation, 0.9, view)
            rows[""].setdefault(f"coverage90_{covered}", []).append(inside)
            done, total = i * len(cases) + k + 1, len(RANGES) * len(cases)
            yield Step(done, total, text=f"measuring it beside the other methods, {covered} degrees")
    table = {name: rounded(_summed(values, seed)) for name, values in rows.items()}
    return {"metrics": table.pop(""), "baselines": table, "n_test": len(cases), "noise": NOISE}


def _summed(rows: dict[str, list[float]], seed: int) -> dict[str, float]:
    """Means, and for PSNR the ends of the interval that holds 95 % of the means of slices drawn again."""
    out: dict[str, float] = {}
    rng = np.random.default_rng([seed, 5])
    for name, values in rows.items():
        out[name] = float(np.mean(values))
        if name.startswith("psnr"):
            again = np.array(values)[rng.integers(0, len(values), (2_000, len(values)))].mean(1)
            out[f"{name}_low"], out[f"{name}_high"] = (float(q) for q in np.quantile(again, (0.025, 0.975)))
    return out
