"""A few sensors, the charges unknown: samples of what they leave open, beside the exact Gaussian posterior.

The potential is the lift plus a random field whose sine coefficients have the deviations of `spectrum`. In whitened
coefficients that prior is white noise, and a linear measurement has a posterior in closed form (Rasmussen and Williams 2006,
eq. 2.23 and 2.24). How large the field is, the m sensors tell themselves: under the prior 1 / a its size a has an inverse
chi-square distribution, and the potential a Student t of m degrees of freedom (Gelman et al. 2013, section 3.2), for both alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gen_core.errors import InputError
from gen_core.poisson import exact, grid, metrics, spectrum
from gen_core.poisson.problem import Problem

if TYPE_CHECKING:
    from gen_core.poisson.modelfile import Learned
    from gen_core.poisson.recipe import Solve

Array = np.ndarray
LEVEL = 0.9
REACH = 1.6448536269514722  # deviations to either side that hold 90 % of a normal distribution
MOST = 64  # samples drawn at once
WORST = 1e12  # condition number of what the sensors say together


@dataclass(frozen=True, eq=False)
class Data:
    """`values` (m,) of the potential at `places` (m, 2), less the lift; `noise` their deviation; `size` that of the random field
    in units of the prior."""

    places: Array
    values: Array
    measured: Array
    noise: float
    amplitude: float
    operator: Array  # (m, n^2): what each sensor sees of a whitened image
    lift: Array


@dataclass(frozen=True, eq=False)
class Posterior:
    """Mean and deviation of the potential (size, size); of the exact one also the `scale` (size, size) of its Student t
    distribution and the `freedom` of that."""

    mean: Array
    deviation: Array
    scale: Array | None = None
    freedom: int = 0


def measured(recipe: Solve, problem: Problem, truth: Array | None) -> Data:
    """What the sensors say. Raises InputError where they all lie on the edges, or say nothing."""
    rng, size = np.random.default_rng([recipe.seed, 73]), problem.size
    if isinstance(recipe.sensors, int):
        n = size - 2
        if recipe.sensors > n * n:
            raise InputError(f"sensors: there are only {n * n} inner nodes for {recipe.sensors} sensors; give fewer.")
        chosen = np.sort(rng.permutation(n * n)[: recipe.sensors])
        places = np.column_stack([chosen % n + 1, chosen // n + 1]) / (size - 1)
        given = None
    else:
        table = np.array(recipe.sensors, np.float64)
        places, given = table[:, :2], table[:, 2] if table.shape[1] == 3 else None
    reads = reading(places, size)
    if not np.abs(reads).sum(1).all():
        raise InputError(
            "A sensor lies on an edge, where the potential is given and nothing is left to measure; move it inwards."
        )
    lift = exact.lift(problem.edges)
    if given is None:
        assert truth is not None
        clean = reads @ grid.inside(truth - lift).ravel()
        noise = recipe.sensor_noise * _size(clean)
        values = clean + noise * rng.normal(size=len(clean))
    else:
        values = given - linear(places, lift)
        noise = recipe.sensor_noise * _size(values)
    if _size(values) == 0:
        raise InputError("All sensors say what the edges alone explain, so nothing tells how large the charges are; move some.")
    n = size - 2
    operator = spectrum.potential_of(reads.reshape(-1, n, n)).reshape(len(reads), -1)
    return Data(places, values, values + linear(places, lift), noise, amplitude(operator, values, noise), operator, lift)


def reading(places: Array, size: int) -> Array:
    """What each sensor reads off the inner nodes (m, n^2): the mean of the nodes around it, nearer ones counting more."""
    at = grid.nodes(size)[1:-1]
    hats = [np.clip(1 - np.abs(places[:, axis, None] - at[None]) * (size - 1), 0, None) for axis in (1, 0)]
    return (hats[0][:, :, None] * hats[1][:, None, :]).reshape(len(places), -1)


def linear(places: Array, phi: Array) -> Array:
    """A potential (size, size) between its nodes, at places (m, 2)."""
    at = grid.nodes(len(phi))
    hats = [np.clip(1 - np.abs(places[:, axis, None] - at[None]) * (len(phi) - 1), 0, None) for axis in (1, 0)]
    return np.asarray(np.einsum("mi,ij,mj->m", hats[0], phi, hats[1]))


def amplitude(operator: Array, values: Array, noise: float) -> float:
    """The size a of the field by which the sensors are most likely: a^2 = y' (A A' + s^2 / a^2)^-1 y / m.

    Raises InputError where sensors contradict each other.
    """
    gram = operator @ operator.T
    found = _size(values) / float(np.sqrt(np.trace(gram) / len(gram)))
    for _ in range(30):
        inner = gram + (noise / found) ** 2 * np.eye(len(gram))
        if np.linalg.cond(inner) > WORST:  # only an endless field would tell such readings apart
            raise InputError(
                "Sensors at one place, or nearly so, read values farther apart than their noise allows; raise the noise, or take "
                "one of them away."
            )
        found = max(float(values @ np.linalg.solve(inner, values)) / len(values), 1e-300) ** 0.5
    return found


def posterior(data: Data, size: int) -> Posterior:
    """The exact posterior of the potential."""
    n, a = size - 2, data.amplitude
    gram = data.operator @ data.operator.T + (data.noise / a) ** 2 * np.eye(len(data.values))
    seen = spectrum.potential_of(data.operator.reshape(-1, n, n)).reshape(len(data.values), -1)  # C H', transposed
    mean = data.values @ np.linalg.solve(gram, seen)
    whole = (spectrum.sines(n) ** 2) @ (spectrum.potential(n) ** 2) @ (spectrum.sines(n) ** 2)
    told = (seen * np.linalg.solve(gram, seen)).sum(0).reshape(n, n)
    scale = grid.framed(a * np.sqrt(np.clip(whole - told, 0, None)))
    m = len(data.values)
    return Posterior(data.lift + grid.framed(mean.reshape(n, n)), scale * (m / (m - 2)) ** 0.5, scale, m)


def samples(model: Learned, data: Data, size: int, steps: int, count: int, seed: int, prior: str = "fields") -> Array:
    """Potentials (count, size, size) that the model's prior and the sensors leave open.

    At each step the network says what the noisy image most likely was; around that, the image is a normal variable of known
    deviation, which is drawn given the sensors (Matheron's rule) and made noisy again for the next step. For a Gaussian prior
    every step is exact; for charges it is the usual approximation (Song et al. 2023, pseudoinverse guidance). Each sample has a
    size of its own, spread evenly over what the sensors leave open.
    """
    import torch
    from scipy.special import chdtri

    from gen_core.poisson.model import CHARGES, FIELDS

    generator, n = torch.Generator().manual_seed(seed), size - 2
    a = torch.from_numpy(data.operator).float()
    m = len(data.values)
    even = (np.random.default_rng([seed, 74]).permutation(count) + 0.5) / count
    sizes = data.amplitude * np.sqrt(m / chdtri(m, even))  # (count,)
    said_by = torch.from_numpy(data.values / sizes[:, None]).float()  # (count, m), each in units of its sample's size
    noise = data.noise / data.amplitude
    gram = a @ a.T
    out = []
    with torch.no_grad():
        for x, y in zip(torch.randn(count, n, n, generator=generator).split(MOST), said_by.split(MOST), strict=True):
            rho = torch.zeros_like(x)
            kind = torch.full((len(x),), FIELDS if prior == "fields" else CHARGES)
            for i in range(steps):
                t = i / steps
                open_ = (1 - t) ** 2 / ((1 - t) ** 2 + t**2)  # the variance that the noise leaves open
                clean = model.net(x, torch.full((len(x),), t), rho, kind)
                drawn = (clean + open_**0.5 * torch.randn(x.shape, generator=generator)).flatten(1)
                said = y + noise * torch.randn(y.shape, generator=generator) - drawn @ a.T
                inner = open_ * gram + noise**2 * torch.eye(m)
                image = (drawn + open_ * torch.linalg.solve(inner, said.T).T @ a).reshape(x.shape)
                t = (i + 1) / steps
                x = t * image + (1 - t) * torch.randn(x.shape, generator=generator) if i < steps - 1 else image
            out.append(x.numpy().astype(np.float64))
    fields = sizes[:, None, None] * spectrum.potential_of(np.concatenate(out))
    return np.stack([data.lift + grid.framed(one) for one in fields])


def summed(drawn: Array) -> Posterior:
    """Mean and deviation of samples (k, size, size), the deviation a k-th more because the mean itself is a guess."""
    return Posterior(drawn.mean(0), drawn.std(0, ddof=1) * np.sqrt(1 + 1 / len(drawn)))


def scores(found: Posterior, true: Posterior, truth: Array | None, lift: Array) -> dict[str, float]:
    """How well a posterior tells what the sensors leave open, at the inner nodes.

    `coverage90` is the share of all that is possible by the exact posterior which lies in the 90 % intervals; `spread_skill` is
    the correlation, over the nodes, of the deviation with the error to be expected by the exact posterior. The same with the one
    truth, where it is known, ends in `_truth`: a single draw, and so noisier.
    """
    mean, deviation, best, open_ = (grid.inside(m) for m in (found.mean, found.deviation, true.mean, true.deviation))
    shift = mean - best
    expected = np.sqrt(open_**2 + shift**2)
    told = {
        "coverage90": held(found, true, REACH),
        "spread_skill": correlation(deviation, expected),
        "mean_error_to_exact_posterior": metrics.relative(shift, best - grid.inside(lift)),
        "deviation_to_exact_posterior": metrics.relative(deviation - open_, open_),
    }
    if truth is not None:
        apart = np.abs(grid.inside(truth) - mean)
        told |= {
            "coverage90_truth": float((apart <= REACH * deviation).mean()),
            "spread_skill_truth": correlation(deviation, apart),
        }
    return told


def held(found: Posterior, true: Posterior, reach: float) -> float:
    """The share of what is possible by the exact posterior that lies within so many deviations around the mean of another."""
    from scipy.special import stdtr

    assert true.scale is not None
    mean, deviation, best, open_ = (grid.inside(m) for m in (found.mean, found.deviation, true.mean, true.scale))
    shift, floor, m = mean - best, np.maximum(open_, 1e-12 * open_.max()), true.freedom
    return float((stdtr(m, (shift + reach * deviation) / floor) - stdtr(m, (shift - reach * deviation) / floor)).mean())


def coverages(found: Posterior, true: Posterior) -> tuple[Array, Array]:
    """Levels of intervals (19,), and the share that each really holds."""
    from scipy.special import ndtri

    levels = np.linspace(0.05, 0.95, 19)
    return levels, np.array([held(found, true, float(ndtri(0.5 + level / 2))) for level in levels])


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation of two maps; not a number where one is flat."""
    x, y = np.ravel(a) - np.mean(a), np.ravel(b) - np.mean(b)
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / size if size > 0 else float("nan")


def _size(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))
