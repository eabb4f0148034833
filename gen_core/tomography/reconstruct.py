"""Scan a slice over a limited range of angles and reconstruct it by several methods, each with what it measured and invented."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.device import pick
from gen_core.result import Notice, Result, unique
from gen_core.tomography import files, lesion, methods, metrics, trust
from gen_core.tomography.priors import Problem, Solution
from gen_core.tomography.recipe import PRIORS, Reconstruct
from gen_core.tomography.split import split
from gen_core.tomography.subject import Subject, subject_of

Array = np.ndarray
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """What `tomography.reconstruct` found, values in the unit of what came in.

    images, measured, invented: a slice (size, size) for each method, the last two in attenuation over that of water and
    adding up to the image in attenuation. `projections` are the methods' own sinograms, in the scale of `sinogram`.
    """

    subject: Subject
    images: dict[str, Array]
    truth: Array | None
    solutions: dict[str, Solution]
    deviations: dict[str, Array]
    samples: dict[str, Array]
    measured: dict[str, Array]
    invented: dict[str, Array]
    projections: dict[str, Array]
    calibration: dict[str, Array]
    trust: trust.Trust | None

    @property
    def sinogram(self) -> Array:
        """The data (views, bins)."""
        return self.subject.problem.data

    @property
    def angles(self) -> Array:
        """Degrees (views,)."""
        return np.asarray(self.subject.problem.geometry.angles)


def run(
    recipe: Reconstruct,
    progress: Progress = lambda share, text: None,
    scan: Callable[[Reconstruct], Subject] = subject_of,
    solve: Callable[[str, Problem, Reconstruct, Progress], Solution] = methods.solve,
) -> Result:
    """Run `tomography.reconstruct`. Raises RecipeError, InputError and CheckpointError where it cannot be done.

    A page gives a `scan` and a `solve` of its own that keep what they made (see `kept`).
    """
    pick("cpu")
    methods.check(recipe)
    recipe = with_weights(recipe)
    seconds: dict[str, float] = {}
    progress(0.0, "scanning the slice")
    began = time.perf_counter()
    subject = scan(recipe)
    _ = subject.problem.operator
    seconds["scan"] = time.perf_counter() - began
    solutions: dict[str, Solution] = {}
    for i, name in enumerate(recipe.methods):
        before, part = 0.05 + 0.75 * i / len(recipe.methods), 0.75 / len(recipe.methods)
        began = time.perf_counter()

        def told(share: float, text: str, before: float = before, part: float = part) -> None:
            progress(before + part * share, text)

        solutions[name] = solve(name, subject.problem, recipe, told)
        seconds[name] = time.perf_counter() - began
    progress(0.85, "telling the measured from the invented")
    began = time.perf_counter()
    made, numbers, notices = _looked_at(recipe, subject, solutions)
    seconds["evidence"] = time.perf_counter() - began
    numbers |= {f"{name}.seconds": seconds[name] for name in recipe.methods}
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made),
        metrics=numbers,
        baselines=_baselines(numbers, recipe),
        warnings=unique(notices),
        seconds=seconds,
    )


def with_weights(recipe: Reconstruct) -> Reconstruct:
    """The recipe with the sha256 of the weights of every prior that is used."""
    from gen_core.tomography.modelfile import KIND, named, open_card

    weights = dict(recipe.weights or {})
    for kind in dict.fromkeys(KIND[name] for name in recipe.methods if name in KIND):
        weights.setdefault(kind, open_card(named(recipe, kind)[0])["sha256"])  # type: ignore[arg-type]
    return recipe.replace(weights=weights) if weights else recipe


def _looked_at(
    recipe: Reconstruct, subject: Subject, solutions: Mapping[str, Solution]
) -> tuple[Reconstructed, dict[str, Any], list[Notice]]:
    """What the solutions are worth: numbers, and what a reader must be told."""
    problem = subject.problem
    notices = list(subject.notes)
    numbers: dict[str, Any] = {}
    truth = None if subject.truth is None else subject.told(subject.truth)
    view = metrics.disc(problem.size)
    made = Reconstructed(subject, {}, truth, dict(solutions), {}, {}, {}, {}, {}, {}, None)
    noisy = float(np.linalg.norm(problem.sigma)) > 0
    for name, solution in solutions.items():
        made.images[name] = subject.told(solution.image)
        made.projections[name] = problem.operator.forward(solution.image)
        made.measured[name], made.invented[name] = split(problem, solution.image)
        image = made.images[name]
        residual = metrics.residual(made.projections[name], problem.data, problem.sigma) if noisy else float("nan")
        numbers |= {
            f"{name}.psnr": None if truth is None else metrics.psnr(image, truth),
            f"{name}.ssim": None if truth is None else metrics.ssim(image, truth),
            f"{name}.rmse": None if truth is None else metrics.rmse(image, truth),
            f"{name}.psnr_view": None if truth is None else metrics.psnr(image, truth, view),
            f"{name}.data_residual": residual,
            f"{name}.invented_share": _share(made.invented[name], made.measured[name]),
        }
        if solution.deviation is not None:
            made.deviations[name] = (abs(subject.gain) * solution.deviation).astype(np.float32)
            if truth is not None:
                found, error = metrics.calibration(truth, image, made.deviations[name], view)
                made.calibration[name] = found
                numbers[f"{name}.coverage90"] = metrics.coverage(truth, image, made.deviations[name], 0.9, view)
                numbers[f"{name}.calibration_error"] = error
        if solution.samples is not None:
            made.samples[name] = subject.told(solution.samples)
        if name == "tv":
            numbers["tv.objective"], numbers["tv.objective_bound"] = solution.trace["objective"][-1], solution.trace["bound"][-1]
        if not solution.converged:
            notices.append(Notice("not_converged", f"{methods.titled(name)} stopped before it had converged ({solution.note})."))
        if subject.delta is not None and subject.truth is not None:
            numbers[f"{name}.lesion_recovered"] = lesion.recovered(solution.image, subject.truth, subject.delta)
    if truth is not None:
        numbers["data_range"] = metrics.range_of(truth)
    if subject.delta is not None:
        numbers["lesion.d_prime"], numbers["lesion.null_share"] = lesion.detectability(problem, subject.delta)
    made, told = _trusted(recipe, made, solutions)
    if made.trust is not None:
        judged = {"surprise": made.trust.surprise, "held_out_residual": made.trust.held_out, "unlike": made.trust.unlike}
        numbers |= {name: value for name, value in judged.items() if not np.isnan(value)}
    return made, numbers, notices + told


def _share(part: Array, other: Array) -> float:
    """The energy of a part over that of both."""
    mine, theirs = float(np.vdot(part, part)), float(np.vdot(other, other))
    return mine / max(mine + theirs, 1e-30)


def _trusted(recipe: Reconstruct, made: Reconstructed, solutions: Mapping[str, Solution]) -> tuple[Reconstructed, list[Notice]]:
    """The same with the verdict on the priors, where one was used."""
    from dataclasses import replace

    from gen_core.tomography import kinds
    from gen_core.tomography.modelfile import KIND, named, open_card, opened

    used = dict.fromkeys(KIND[name] for name in solutions if name in KIND)
    if not used:
        return made, []
    found = trust.Trust()
    if "gaussian" in solutions:
        prior = opened(*named(recipe, "gaussian"), "gaussian")
        found = trust.trust(made.subject, prior, solutions["gaussian"].image)
    families = dict.fromkeys(str(open_card(named(recipe, kind)[0]).get("kind")) for kind in used)
    for family in families:
        if family in kinds.FAMILIES:
            share = kinds.unlike(made.subject.problem, family)
            if not np.isnan(share) and not share >= found.unlike:
                found = replace(found, unlike=share, family=family)
    return replace(made, trust=found), trust.notices(found)


def _baselines(numbers: Mapping[str, Any], recipe: Reconstruct) -> dict[str, dict[str, Any]]:
    """Each method that learned nothing, under the names that a single method's numbers have."""
    plain = [name for name in recipe.methods if name not in PRIORS]
    return {
        name: {
            key.split(".", 1)[1]: value for key, value in numbers.items() if key.startswith(f"{name}.") and "seconds" not in key
        }
        for name in plain
    }
