"""Whether a prior meets what it knows: the data against other slices', against what it predicts, and views that it was not shown.

Three things are looked at. How strange the sinogram looks beside synthetic slices of the family that the prior learned from, by
a judge of sinograms (see `kinds`); this needs no reconstruction and is asked for every prior. And for the Gaussian prior how far
the data are from what it expects, and one view in ten that it did not see: a flexible prior explains what it sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gen_core.result import Notice
from gen_core.tomography import gaussian
from gen_core.tomography.gaussian import Gaussian
from gen_core.tomography.subject import Subject, without

Array = np.ndarray
# Of 200 synthetic slices each that nothing was learned from, with 1 % noise, 5 chests and 4 of all kinds were called unlike at
# 90 degrees, 3 and 4 at 60; at 30 to 180 degrees with .1 to 5 % noise 0 to 3 of 60. Every real slice was, 98 of a trunk, a lung
# and a vertebra, for chests and for all kinds, at 60 and 90 degrees; so were all of 14 of the trunk at 60 to 180 degrees with .1
# to 5 % noise, but for all kinds only 10 at 30. Fan beams and views 6 degrees apart are called unlike more often: 2 of 24 and
# 3 of 16 synthetic slices.
RARE = 0.03  # of synthetic slices may be called unlike the others
EVERY = 10  # one view in this many is held out
# With 1 % noise no synthetic chest lay above: 30 each at 120 and 90 degrees, 64 x 64, and 16 each at 90 and 60, 128 x 128,
# where the highest were 1.16 and 1.88. A real lung lies at 1.22 there, a real trunk below 1.
SURPRISE, HELD_OUT = 1.2, 2.0

WORDS = {"thorax": "synthetic chests", "wide": "synthetic chests, bellies and heads"}


@dataclass(frozen=True)
class Trust:
    """`unlike`: the share of synthetic slices of `family` whose data look at least as strange, nan where the prior is of no
    such family. `surprise`: root of the chi-square of the data under the prior, per ray, 1 expected. `held_out`: error of the
    views that were held out over their noise. `residual`: root of the chi-square of the residual per ray. The last three are
    nan where the prior is no Gaussian one."""

    surprise: float = math.nan
    held_out: float = math.nan
    residual: float = math.nan
    unlike: float = math.nan
    family: str = ""


def trust(subject: Subject, prior: Gaussian, image: Array) -> Trust:
    """How well the data of a problem fit a Gaussian prior, whose posterior mean `image` is."""
    problem = subject.problem
    prior = prior.at(problem.size)
    a, w = problem.operator, 1 / problem.spread.astype(np.float64)
    left = problem.data - a.forward(image)
    off = problem.data - a.forward(prior.mean.reshape(image.shape))
    # (A C A^T + noise)^-1 (y - A mean) is the weighted residual at the posterior mean
    surprise = float(np.sqrt(max(float(np.mean(off * w * w * left)), 0.0)))
    views = len(problem.data)
    held = np.arange(views) % EVERY == EVERY // 2
    if not held.any():
        return Trust(surprise, float("nan"), float(np.sqrt(np.mean((w * left) ** 2))))
    found = gaussian.solve(without(subject, held), prior)
    error = (problem.data - a.forward(found.image))[held] * w[held]
    return Trust(surprise, float(np.sqrt(np.mean(error**2))), float(np.sqrt(np.mean((w * left) ** 2))))


def share(unlike: float) -> str:
    """`unlike` in words: a share that is counted among some hundred slices, with a digit more where it is small."""
    percent = max(100 * unlike, 0.1)
    return f"{percent:.0f}\u00a0%" if percent >= 10 else f"{percent:.1f}\u00a0%"


def notices(found: Trust) -> list[Notice]:
    """The warning that the prior does not know this slice, where that is so."""
    told = []
    if found.unlike < RARE:
        told.append(f"of {WORDS[found.family]} seen so, at most {share(found.unlike)} have data at least as strange as these")
    if found.surprise > SURPRISE or found.held_out > HELD_OUT:
        told.append(
            f"its data are {found.surprise:.1f} times as far from what the prior expects as it says they would be, and views "
            f"that it was not shown are missed by {found.held_out:.1f} times the noise"
        )
    if not told:
        return []
    return [
        Notice(
            "out_of_distribution",
            f"This slice is unlike those that the prior learned from: {'; '.join(told)}. What the prior adds may be wrong.",
        )
    ]
