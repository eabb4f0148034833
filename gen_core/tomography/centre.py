"""Where the axis of a measured sinogram lies, and which way round it was stored: small pictures of what it could be.

Data of parallel rays agree with themselves whichever way the detector lies and the scanner turns: those pictures are turned or
mirrored, and only who knows the object can tell. Where the axis lies the data do tell, and with a fan beam also whether the
detector and the turn belong together. What they tell is measured by how much of them no image can explain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography import fbp, metrics, subject
from gen_core.tomography.operator import operator
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import Reconstruct, narrowed

Array = np.ndarray
SIZE = 64  # pixels along a side of a picture
MOST_BINS, MOST_VIEWS = 128, 90  # of the data that are looked at
STEPS = 20  # of a fit, after which what is left is not explained
BLUR = 0.8  # bins: noise is smoothed alike wherever the axis is tried, so that a shift by parts of a bin does not hide some
REACH = 0.12  # of the detector: how far from its middle the axis is looked for
AROUND = (-2, -1, 0, 1, 2)  # steps from the best axis, of a picture each
_KEPT = Memo(64 << 20, lambda made: sum(one.image.nbytes for one in made))


@dataclass(frozen=True, eq=False)
class Choice:
    """One way to read a sinogram, as a recipe's fields say it, the picture (64, 64) that it gives, and the share of the data's
    norm that no image explains."""

    flipped: bool
    clockwise: bool
    centre: float
    image: Array
    unexplained: float

    def fields(self) -> dict[str, bool | float]:
        """The recipe's fields that choose it."""
        return {"detector_flipped": self.flipped, "clockwise": self.clockwise, "rotation_centre": self.centre}


def choices(recipe: Reconstruct) -> list[list[Choice]]:
    """Rows of pictures: plain, flipped, clockwise, both; in each the axis from left to right. Raises as `subject_of`."""
    pixel = None if recipe.pixel_size is None else recipe.pixel_size * recipe.size / SIZE
    same = {"detector_flipped": False, "clockwise": False, "rotation_centre": 0.0, "size": SIZE, "pixel_size": pixel}
    asked = narrowed(recipe.replace(**same))
    found: tuple[Choice, ...] = _KEPT.get(asked.sha256, lambda: tuple(one for row in _made(asked) for one in row))
    count = len(AROUND)
    return [list(found[i : i + count]) for i in range(0, len(found), count)]


def best(rows: list[list[Choice]]) -> Choice:
    """The one that explains the data best; of equal ones the first, which changes least."""
    every = [one for row in rows for one in row]
    least = min(one.unexplained for one in every)
    return next(one for one in every if one.unexplained <= 1.02 * least + 1e-9)


def alike(rows: list[list[Choice]]) -> bool:
    """Whether the data tell nothing of the way round: those of parallel rays do not."""
    return all(one.unexplained == other.unexplained for one, other in zip(rows[0], rows[1], strict=True))


def place(rows: list[list[Choice]], recipe: Reconstruct) -> tuple[int, int] | None:
    """Row and column of the one that a recipe means; None where it means none of them."""
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            same = (one.flipped, one.clockwise) == (recipe.detector_flipped, recipe.clockwise)
            if same and abs(one.centre - recipe.rotation_centre) < 1e-3:
                return i, j
    return None


def _made(recipe: Reconstruct) -> list[list[Choice]]:
    problem, factor, said = _small(recipe)
    step = max(problem.geometry.bins / 100, 0.5)
    same = problem.geometry.kind == "parallel"
    found = [_axis(problem, flipped) for flipped in ((False,) if same else (False, True))]
    centre = min(found, key=lambda one: one[1])[0]
    # Of a fan beam a flipped detector and a turn the other way are the same but for a mirror: two readings, not four.
    images: dict[tuple[bool, int], tuple[Array, float]] = {}
    for flipped in (False, True):
        for k in AROUND:
            data = _read(problem, centre + k * step, flipped)
            images[flipped, k] = fbp.solve(data, window="hann").image, _unexplained(data)
    if same:  # equal but for rounding
        images |= {(True, k): (images[True, k][0], images[False, k][1]) for k in AROUND}
    rows = []
    for flipped, clockwise in ((False, False), (True, False), (False, True), (True, True)):
        row = []
        for k in AROUND:
            image, left = images[flipped != clockwise, k]
            told = round(factor * (centre + k * step), 3)
            row.append(Choice(flipped, clockwise, told or (1e-6 if said else 0.0), image[:, ::-1] if clockwise else image, left))
        rows.append(row)
    return rows


def _small(recipe: Reconstruct) -> tuple[Problem, float, bool]:
    """The sinogram with fewer views and bins, its axis taken to be in the middle; how many bins went into one; and whether the
    file says where the axis is."""
    from scipy import ndimage

    known = bool(subject.read(recipe).rotation_centre)
    whole = subject.subject_of(recipe).problem
    views = np.arange(0, len(whole.geometry.angles), -(-len(whole.geometry.angles) // MOST_VIEWS))
    some = whole.views(views)
    factor = -(-some.geometry.bins // MOST_BINS)
    count = some.geometry.bins // factor
    cut = (some.geometry.bins - count * factor) // 2  # a rest at the edges shifts the middle by less than a bin
    data = some.data[:, cut : cut + count * factor].reshape(len(views), count, factor).mean(2)
    data = ndimage.gaussian_filter1d(data, BLUR, axis=1, mode="nearest")
    shift = (2 * cut + count * factor - some.geometry.bins) / 2
    geometry = replace(some.geometry, bins=count, spacing=some.geometry.spacing * factor, rotation_centre=0.0)
    made = Problem(geometry, data, np.full(data.shape, float(np.median(some.sigma)) / np.sqrt(factor)), some.pixel)
    return _shifted(made, -shift / factor), float(factor), known


def _shifted(problem: Problem, bins: float) -> Problem:
    """The data as a detector moved by so many bins would have measured them; its edges go on."""
    from scipy import ndimage

    return replace(problem, data=ndimage.shift(problem.data, (0, -bins), order=3, mode="nearest").astype(np.float32))


def _read(problem: Problem, centre: float, flipped: bool) -> Problem:
    """The data as read with the axis `centre` bins to the right of the stored detector's middle, then flipped or not."""
    moved = _shifted(problem, centre)
    return replace(moved, data=np.ascontiguousarray(moved.data[:, ::-1])) if flipped else moved


def _axis(problem: Problem, flipped: bool) -> tuple[float, float]:
    """The axis (bins from the middle) that leaves least unexplained, and how much it leaves: on a grid, then finer around it."""
    reach = REACH * problem.geometry.bins
    places: Array = np.linspace(-reach, reach, 25)
    step = float(places[1] - places[0])
    score: dict[float, float] = {}
    for _ in range(3):
        for place in places:
            key = round(float(place), 4)
            if key not in score:
                score[key] = _unexplained(_read(problem, key, flipped))
        centre = min(score, key=score.__getitem__)
        step /= 4
        places = centre + step * np.arange(-3, 4)
    return centre, score[centre]


def _unexplained(problem: Problem) -> float:
    """The share of the data's norm that is left after a few steps towards the best image without negative values in the field
    of view (SIRT, projected and accelerated: Beck & Teboulle 2009). Without that bound few directions contradict no axis."""
    a, data, view = operator(problem.geometry), np.asarray(problem.data, np.float32), metrics.disc(problem.size)
    reached = a.forward(np.ones((problem.size, problem.size), np.float32))
    rows = np.where(reached > 0.5, 1 / np.maximum(reached, 0.5), 0)
    columns = view / np.maximum(a.adjoint(np.ones_like(data)), 1e-3)
    x = ahead = np.zeros((problem.size, problem.size), np.float32)
    pace: float = 1.0
    for _ in range(STEPS):
        new = np.maximum(ahead + columns * a.adjoint(rows * (data - a.forward(ahead))), 0)
        faster = (1 + float(np.sqrt(1 + 4 * pace * pace))) / 2
        x, ahead, pace = new, new + (pace - 1) / faster * (new - x), faster
    left = (data - a.forward(x))[:, reached.max(0) > 0.5]
    return float(np.linalg.norm(left) / max(float(np.linalg.norm(data)), 1e-30))
