"""How the error of each method grows as fewer angles are covered: the same slice over several ranges, with noise drawn anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from gen_core.device import pick
from gen_core.errors import InputError
from gen_core.inputs import read_limited
from gen_core.result import Result, unique
from gen_core.stamp import stamp, write_csv
from gen_core.tomography import measure, methods, metrics
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import PRIORS, Reconstruct
from gen_core.tomography.subject import Subject, subject_of

Array = np.ndarray
Progress = Callable[[float, str], None]
MAX_NUMBERS = 1 << 22  # bytes
SECONDS = {"fbp": 0.1, "sirt": 0.6, "tv": 4.0, "gaussian": 1.0, "latent_map": 6.0, "posterior": 15.0, "langevin": 19.0}  # at 128


def _falling(ranges: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted(set(ranges), reverse=True))


class Ranges(Reconstruct):
    """Reconstruct one slice over several ranges of angles, a few times each with other noise: error against range."""

    operation: ClassVar[str] = "tomography.ranges"

    ranges: Annotated[tuple[Annotated[float, Field(gt=0, le=360)], ...], AfterValidator(_falling)] = Field(
        (180.0, 150.0, 120.0, 90.0, 60.0, 30.0),
        min_length=1, max_length=36, description="Degrees covered; views lie as close as angle_range and views say.",
    )  # fmt: skip
    repeats: int = Field(3, ge=1, le=50, description="Times that the noise is drawn anew at each range.")

    @model_validator(mode="after")
    def _truth(self) -> Self:
        if self.sinogram is not None:
            raise ValueError("sinogram: the error is known only where the truth is; give an image.")
        return self


@dataclass(frozen=True)
class Row:
    """One method at one range: means over the repeats, and for PSNR the ends of the 95 % interval of its mean (None for one)."""

    method: str
    covered: float
    psnr: float
    low: float | None
    high: float | None
    ssim: float
    coverage: float | None


def run(recipe: Ranges, progress: Progress = lambda share, text: None) -> Result:
    """Run `tomography.ranges`. Raises RecipeError, InputError and CheckpointError as `tomography.reconstruct` does."""
    from gen_core.tomography.reconstruct import with_weights

    pick("cpu")
    methods.check(recipe)
    named: Ranges = with_weights(recipe)  # type: ignore[assignment]
    rows, notices, total, done = [], [], len(recipe.ranges) * recipe.repeats * len(recipe.methods), 0
    for covered in recipe.ranges:
        progress(done / total, f"scanning over {covered:g} degrees")
        asked = at(named, covered)
        subject = subject_of(asked)
        notices += list(subject.notes)
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in recipe.methods}
        for k in range(recipe.repeats):
            problem = _noisy(subject, asked, recipe.seed + k)
            for name in recipe.methods:
                told = f"{methods.titled(name)} over {covered:g} degrees, noise {k + 1} of {recipe.repeats}"
                before = done / total

                def step(share: float, text: str, before: float = before, told: str = told) -> None:
                    progress(before + share / total, told)

                step(0.0, "")
                seeded = asked.replace(seed=(recipe.seed + k) % 2**32)
                found[name].append(_judged(methods.solve(name, problem, seeded, step), subject))
                done += 1
        rows += [_row(name, covered, values) for name, values in found.items()]
    numbers = numbers_of(rows)
    plain = [str(name) for name in recipe.methods if name not in PRIORS]
    baselines: dict[str, dict[str, float | None]] = {
        name: {k.split(".", 1)[1]: v for k, v in numbers.items() if k.startswith(f"{name}.")} for name in plain
    }
    files = {
        "ranges.csv": lambda path: table(path, rows, named),
        "ranges.svg": lambda path: picture(path, rows, named),
    }
    return Result(named, tuple(rows), files, numbers, baselines, unique(notices))


def at(recipe: Ranges, covered: float) -> Reconstruct:
    """The recipe of one range, its views as close together as those of the recipe."""
    assert recipe.views is not None
    fields = {name: value for name, value in recipe.fields().items() if name in Reconstruct.model_fields}
    views = max(1, round(covered * recipe.views / recipe.angle_range))
    return Reconstruct.read(fields | {"angle_range": covered, "views": views})


def asked_of(recipe: Reconstruct, ranges: Sequence[float] | None = None, repeats: int | None = None) -> Ranges:
    """The same slice, noise and methods as a recipe of ranges. Where the page stands now does not count, only how close its
    views lie: it is told by a range of 90 degrees."""
    fields = {name: value for name, value in recipe.fields().items() if name in Reconstruct.model_fields}
    views = max(1, round(90 * (recipe.views or recipe.angle_range) / recipe.angle_range))
    more = {"ranges": ranges, "repeats": repeats}
    return Ranges.read(
        fields | {"angle_range": 90.0, "views": views, "weights": None} | {k: v for k, v in more.items() if v is not None}
    )


def same_scan(one: Ranges, other: Ranges) -> bool:
    """Whether two recipes differ at most in their ranges, repeats and weights."""
    fields = ("ranges", "repeats", "weights", "angle_range", "views")
    return one.replace(**{name: getattr(other, name) for name in fields}) == other


def seconds(recipe: Ranges) -> float:
    """How long it takes on one quiet core, about."""
    once = sum(SECONDS[name] for name in recipe.methods) + 1.0
    return once * recipe.repeats * len(recipe.ranges) * (recipe.size / 128) ** 2


def _noisy(subject: Subject, recipe: Reconstruct, seed: int) -> Problem:
    assert subject.clean is not None
    scale = measure.WATER * subject.pixel if subject.pixel and subject.unit == "HU" else None
    made = measure.measured(subject.clean, recipe.noise, recipe.noise_model, seed, recipe.ring, scale)
    return replace(subject.problem, data=made.sinogram.astype(np.float32), sigma=made.sigma)


def _judged(solution: Any, subject: Subject) -> tuple[float, float, float]:
    assert subject.truth is not None
    truth, image = subject.told(subject.truth), subject.told(solution.image)
    held = float("nan")
    if solution.deviation is not None:
        held = metrics.coverage(subject.truth, solution.image, solution.deviation, 0.9, metrics.disc(len(truth)))
    return metrics.psnr(image, truth), metrics.ssim(image, truth), held


def _row(name: str, covered: float, values: list[tuple[float, float, float]]) -> Row:
    from scipy.stats import t

    psnr, ssim, held = np.array(values).T
    half = None if len(psnr) < 2 else float(t.ppf(0.975, len(psnr) - 1) * psnr.std(ddof=1) / np.sqrt(len(psnr)))
    mean = float(psnr.mean())
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Row(name, covered, mean, low, high, float(ssim.mean()), None if np.isnan(held).any() else float(held.mean()))


def numbers_of(rows: Sequence[Row]) -> dict[str, float | None]:
    """The rows as metrics: `tv.psnr_90`, `tv.psnr_90_low` and the like."""
    out: dict[str, float | None] = {}
    for row in rows:
        name = f"{row.method}.%s_{row.covered:g}"
        out[name % "psnr"] = row.psnr
        if row.low is not None:
            out[name % "psnr" + "_low"], out[name % "psnr" + "_high"] = row.low, row.high
        out[name % "ssim"] = row.ssim
        if row.coverage is not None:
            out[name % "coverage90"] = row.coverage
    return out


def rows_of(numbers: Mapping[str, Any], recipe: Ranges) -> list[Row]:
    """The rows again, from the metrics. Raises InputError where some are missing."""
    try:
        return [
            Row(
                name, covered, float(numbers[f"{name}.psnr_{covered:g}"]), numbers.get(f"{name}.psnr_{covered:g}_low"),
                numbers.get(f"{name}.psnr_{covered:g}_high"), float(numbers[f"{name}.ssim_{covered:g}"]),
                numbers.get(f"{name}.coverage90_{covered:g}"),
            )
            for covered in recipe.ranges
            for name in recipe.methods
        ]  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise InputError("This result is damaged: numbers of it are missing. Run it again.") from None


def opened(folder: Path, recipe: Ranges) -> list[Row]:
    """The rows of a result that was saved. Raises InputError where it is damaged."""
    try:
        found = json.loads(read_limited(folder / "result.json", MAX_NUMBERS))["metrics"]
    except (InputError, ValueError, KeyError, TypeError):
        raise InputError("This result is damaged or was deleted. Run it again.") from None
    return rows_of(found, recipe)


def table(path: Path, rows: Sequence[Row], recipe: Ranges) -> None:
    """The rows as CSV; PSNR in dB, the interval is of its mean over the noise."""
    head = ["method", "angle_range_deg", "views", "psnr_db", "psnr_low", "psnr_high", "ssim", "coverage90", "repeats"]
    told = lambda value: "" if value is None else f"{value:.4f}"  # noqa: E731
    lines = [
        [
            row.method,
            f"{row.covered:g}",
            at(recipe, row.covered).views,
            *map(told, (row.psnr, row.low, row.high, row.ssim, row.coverage)),
            recipe.repeats,
        ]
        for row in rows
    ]
    write_csv(path, recipe, head, lines)


def picture(path: Path, rows: Sequence[Row], recipe: Ranges) -> None:
    """The rows as a drawing for light and dark paper."""
    from gen_core.tomography import ranges_svg

    path.write_text(ranges_svg.drawing([("", ranges_svg.series(rows))]), encoding="utf-8")
    stamp(path, recipe)
