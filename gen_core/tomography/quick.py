"""The scan and the filtered backprojection of a range of angles at once, for a page on which the range is being moved.

With a view each degree a smaller range is the beginning of a larger one: the whole turn is projected once, and every range
takes its rows and its columns of the backprojection.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography import fbp, measure, metrics
from gen_core.tomography.geometry import Geometry
from gen_core.tomography.priors import Problem, Solution
from gen_core.tomography.recipe import Reconstruct, narrowed
from gen_core.tomography.subject import Subject, geometry_of, subject_of

Array = np.ndarray
_TURNS = Memo(128 << 20, lambda made: made.problem.data.nbytes * 3)
_BACK = Memo(512 << 20, lambda made: made.data.nbytes + made.indices.nbytes)
_SCANS = Memo(128 << 20, lambda made: made.problem.data.nbytes * 3)
LARGEST = 256  # pixels along a side, up to which a whole turn is projected at once


def scan(recipe: Reconstruct) -> Subject:
    """The subject of a recipe, as `subject_of` gives it, kept by what it depends on."""
    found: Subject = _SCANS.get(key(recipe), lambda: _scanned(recipe))
    return found


def key(recipe: Reconstruct) -> str:
    """What tells one scan from another, whatever is then made of it."""
    return narrowed(recipe).sha256


def stepwise(recipe: Reconstruct) -> bool:
    """Whether the views lie a degree apart from the start on, as those of the whole turn do."""
    return recipe.sinogram is None and recipe.views == recipe.angle_range and recipe.size <= LARGEST


def prepare(recipe: Reconstruct) -> None:
    """Project the whole turn, so that any range of it is there at once: for the time after a result was shown."""
    if stepwise(recipe):
        asked = _whole(recipe)
        _TURNS.get(key(asked), lambda: subject_of(asked))


def turn_of(recipe: Reconstruct) -> int:
    """Degrees of the whole turn that a range is a part of."""
    return 180 if recipe.geometry == "parallel" and recipe.angle_range <= 180 else 360


def backprojected(subject: Subject, recipe: Reconstruct) -> Solution:
    """Filtered backprojection, equal to that of `fbp` but for rounding, without a matrix for each range of its own."""
    if not _prepared(recipe):
        return fbp.solve(subject.problem, window=recipe.fbp_filter)
    problem, geometry = subject.problem, subject.problem.geometry
    noisy = float(np.linalg.norm(problem.sigma)) > 1e-3 * float(np.linalg.norm(problem.data))
    window = recipe.fbp_filter or ("hann" if noisy else "ramp")
    whole = _turned(geometry, recipe)
    filtered = np.zeros(whole.shape, np.float32)
    filtered[: len(geometry.angles)] = fbp.filtered_views(problem.data, geometry, window)
    back = _BACK.get(whole, lambda: fbp.backprojection(whole))
    return Solution(
        np.asarray((back @ filtered.ravel()).reshape(problem.size, problem.size), np.float32), note=f"{window} filter"
    )


def numbers(subject: Subject, solution: Solution, projected: bool = True) -> dict[str, float | None]:
    """PSNR, SSIM and data residual of an image, as `reconstruct` tells them; the last only where it may be `projected`, for
    which a new range of angles needs its matrix first."""
    problem, image = subject.problem, subject.told(solution.image)
    truth = None if subject.truth is None else subject.told(subject.truth)
    noisy = float(np.linalg.norm(problem.sigma)) > 0
    own = problem.operator.forward(solution.image) if projected and noisy else None
    return {
        "psnr": None if truth is None else metrics.psnr(image, truth),
        "ssim": None if truth is None else metrics.ssim(image, truth),
        "data_residual": None if own is None else metrics.residual(own, problem.data, problem.sigma),
    }


def _turned(geometry: Geometry, recipe: Reconstruct) -> Geometry:
    return replace(geometry, angles=tuple(float(recipe.start_angle + k) for k in range(turn_of(recipe))))


def _prepared(recipe: Reconstruct) -> bool:
    return stepwise(recipe) and _TURNS.has(key(_whole(recipe)))


def _whole(recipe: Reconstruct) -> Reconstruct:
    turn = turn_of(recipe)
    return recipe.replace(angle_range=turn, views=turn, noise=0.0, noise_model="gaussian", ring=0.0, seed=0)


def _scanned(recipe: Reconstruct) -> Subject:
    if not _prepared(recipe):
        return subject_of(recipe)
    asked = _whole(recipe)
    whole: Subject = _TURNS.get(key(asked), lambda: subject_of(asked))
    assert whole.clean is not None
    assert recipe.views is not None
    clean = whole.clean[: recipe.views]
    scale = measure.WATER * whole.pixel if whole.pixel and whole.unit == "HU" else None
    made = measure.measured(clean, recipe.noise, recipe.noise_model, recipe.seed, recipe.ring, scale)
    problem = Problem(geometry_of(recipe, whole.pixel), made.sinogram.astype(np.float32), made.sigma, whole.pixel)
    return replace(whole, problem=problem, clean=clean)
