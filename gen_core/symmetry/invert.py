"""The codes that explain measurements best (Bora et al. 2017), for many pictures at once, by damped Gauss-Newton steps.

What is minimised is the misfit over its variance plus the squared code: the most probable code under the model's normal prior.
The variance is that of the noise and of what the model leaves open on pictures such as it learned from; nothing of the truth is
used.
Of several starts the one with the lowest value of this is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gen_core.symmetry.dense import Dense

if TYPE_CHECKING:
    import torch

    from gen_core.symmetry.modelfile import Prior

Array = np.ndarray
FOLLOWED = 2  # starts that are followed
FIRST, SECOND = 2, 20  # steps with all of those, and at most with the best
DAMPING = 1e-1  # at first
DONE = 3e-3  # relative decrease below which a picture is done
SPREAD = 0.3  # deviation of the starts around the codes of pictures that the model learned from
TURN = math.pi * (3 - math.sqrt(5))  # between the angles of an orbit's starts, which so are spread over the circle


@dataclass(frozen=True, eq=False)
class Found:
    """Codes (n, d), pictures (n, 32, 32), and the share of them whose search was still going on at the last step."""

    codes: Array
    pictures: Array
    unfinished: float


def search(
    model: Prior, seen: Array, measure: Array | None, noise: float = 0.0, starts: int = 512, seed: int = 0, prior: bool = True
) -> Found:
    """Codes and pictures from measurements (n, m) by a matrix (m, 1024), or from pictures (n, 32, 32) where it is None.

    noise: deviation of the noise of a measurement. Without `prior` the best picture that the model can draw at all is looked for,
    the prior being weakened to what keeps the steps bounded.
    """
    import torch

    measured = None if measure is None else torch.from_numpy(np.ascontiguousarray(measure, np.float32))
    dense = Dense(model.net, measured)
    values = torch.from_numpy(np.ascontiguousarray(seen, np.float32))
    y = dense.seen(values) if measure is None else values
    # A row of the matrix has length 1024 / m, so that an error of e a pixel is one of e sqrt(1024 / m) a measurement.
    reach = 1.0 if measured is None else float(measured.square().sum(1).mean())
    weight = 1 / (noise**2 + reach * left_open(model))
    problem = _Problem(dense, y, weight, 1.0 if prior else 0.02)
    codes = _starts(problem, torch.from_numpy(model.codes), starts, seed)
    kept, n = codes.shape[0], len(y)
    run = _Run(problem, codes.flatten(0, 1), kept)
    for _ in range(FIRST):
        run.step()
    best = run.value.view(kept, n).argmin(0) * n + torch.arange(n)
    run = run.only(best)
    for _ in range(SECOND):
        if run.done.all():
            break
        run.step()
    with torch.no_grad():
        pictures = torch.cat([model.net.decode(part) for part in run.codes.split(256)])
    return Found(run.codes.numpy(), pictures.numpy(), float((~run.done).float().mean()))


def left_open(model: Prior) -> float:
    """The mean square of what the model leaves open of a pixel, on pictures such as it learned from; a usual one where its card
    does not say it."""
    told = (model.card.get("metrics") or {}).get("pixel_mse")
    return float(told) if isinstance(told, int | float) and told > 0 else 2e-4


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is minimised: weight * |G(z) - y|^2 + tie * |z|^2 over the numbers that have a prior."""

    dense: Dense
    y: torch.Tensor
    weight: float
    tie: float

    def value(self, apart: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return self.weight * apart.square().sum(1) + self.tie * codes[:, : self.dense.free].square().sum(1)


def _starts(problem: _Problem, known: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """The codes (k, n, d) that fit best of `count` around known ones: the same for each picture."""
    import torch

    dense, y = problem.dense, problem.y
    generator = torch.Generator().manual_seed(seed)
    drawn = known[torch.arange(count) % len(known)]
    drawn = drawn + SPREAD * torch.randn(drawn.shape, generator=generator)
    if dense.orbit:
        drawn[:, -1] = TURN * torch.arange(count)
    seen = torch.cat([dense.value(part) for part in drawn.split(64)])
    far = problem.weight * (seen.square().sum(1)[:, None] - 2 * seen @ y.T)  # the rest is the same for all starts
    far = far + problem.tie * drawn[:, : dense.free].square().sum(1)[:, None]
    best = far.argsort(0)[: min(FOLLOWED, count)]
    return drawn[best]


class _Run:
    """Codes on their way, each with its own damping (Levenberg 1944, Marquardt 1963)."""

    def __init__(self, problem: _Problem, codes: torch.Tensor, copies: int) -> None:
        import torch

        self.problem, self.codes = problem, codes
        self.y = problem.y.repeat(copies, 1)
        self.damping = torch.full((len(codes),), DAMPING)
        self.done = torch.zeros(len(codes), dtype=torch.bool)
        self.value = problem.value(problem.dense.value(codes) - self.y, codes)

    def only(self, rows: torch.Tensor) -> _Run:
        """The same with some rows alone."""
        out = _Run.__new__(_Run)
        out.problem = self.problem
        out.codes, out.y, out.damping, out.done, out.value = (
            part[rows] for part in (self.codes, self.y, self.damping, self.done, self.value)
        )
        return out

    def step(self) -> None:
        """One step for each picture that is not done, taken where it lowers the value."""
        import torch

        open_ = (~self.done).nonzero()[:, 0]
        if not len(open_):
            return
        problem, codes = self.problem, self.codes[open_]
        normal, down = [], []
        for part, y in zip(codes.split(40), self.y[open_].split(40), strict=True):
            value, slope = problem.dense.both(part)
            normal.append(slope @ slope.transpose(1, 2))
            down.append((slope @ (y - value)[:, :, None])[:, :, 0])
        d = codes.shape[1]
        tie = torch.zeros(d)
        tie[: problem.dense.free] = problem.tie
        matrix = problem.weight * torch.cat(normal) + torch.diag(tie)
        towards = problem.weight * torch.cat(down) - tie * codes
        damped = matrix + self.damping[open_][:, None, None] * torch.diag_embed(matrix.diagonal(dim1=1, dim2=2) + 1e-6)
        move = torch.linalg.solve(damped.double(), towards.double()).float()
        trial = codes + move.clamp(-2, 2)
        value = problem.value(problem.dense.value(trial) - self.y[open_], trial)
        old = self.value[open_]
        better = value < old
        self.codes[open_] = torch.where(better[:, None], trial, codes)
        self.value[open_] = torch.where(better, value, old)
        self.damping[open_] *= torch.where(better, 0.2, 5.0)
        self.done[open_] = (better & (old - value < DONE * old)) | (self.damping[open_] > 1e6)
