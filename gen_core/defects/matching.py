"""Where particles of one snapshot went in the next, by optimal transport: first weights and D of the propagated weak form.

Of one population that is seen again and again, D is what the matched ways leave unexplained. Matching is cheap: it takes the
shortest ways, not the true ones, and so D comes out too low. How much too low is told by simulations of the fit itself,
matched in the same way; where twice the D would look the same, particles lie too dense and matching tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gen_core.defects.libraries import Library

Array = np.ndarray
MATCHED = 2_500  # replicas of each snapshot that are matched, at most
GROUPS = 100  # into which the matched replicas are split for the bootstrap
TELLS = 0.6  # how much the matched D must grow where D does, both as logarithms; below it matching tells nothing


@dataclass(frozen=True, eq=False)
class Ways:
    """Equations (m, d, L) and (m, d) of the matched velocities at the middle of their way, weights theta and D."""

    terms: Array
    velocity: Array
    theta: Array
    D: float
    pause: float


def matched(a: Array, b: Array) -> Array:
    """For each place of a (n, d) the one of b that optimal transport sends it to; of unequal snapshots the first of both."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    n = min(len(a), len(b), MATCHED)
    return np.asarray(linear_sum_assignment(cdist(a[:n], b[:n], "sqeuclidean"))[1])


def transported(x: list[Array], times: Array, library: Library, matches: list[Array], ridge: Array) -> Ways:
    """Weights from the matched velocities, and D from what is left of these."""
    left, right = [], []
    for (a, b), (t, u), match in zip(pairwise(x), pairwise(times), matches, strict=True):
        one, other = a[: len(match)], b[match]
        left.append(library.forces((one + other) / 2))
        right.append((other - one)[:, 0] / (u - t))
    A, y = np.concatenate(left), np.concatenate(right)
    flat = A.reshape(-1, A.shape[-1])
    theta = np.linalg.solve(flat.T @ flat + _ridge(flat, ridge), flat.T @ y.ravel())
    pause = float(np.diff(times).mean())
    return Ways(A, y, theta, _unexplained(y - A @ theta, pause), pause)


def corrected(
    x: list[Array], ways: Ways, again: Callable[[float], list[Array]], times: Array, library: Library, ridge: Array
) -> float | None:
    """D that, simulated and matched (`again` gives the ends of each snapshot under a D), leaves as much unexplained as the
    snapshots do; None where the matched D hardly depends on it."""

    def seen(D: float) -> float:
        found = []
        for k, end in enumerate(again(D)):
            match = matched(x[k][:, 0], end[:, 0])
            found.append(transported([x[k], end], times[k : k + 2], library, [match], ridge).D)
        return float(np.log(np.mean(found)))

    goal, at = np.log(ways.D), np.log(ways.D)
    low, high = seen(float(np.exp(at))), seen(2 * float(np.exp(at)))
    slope = (high - low) / np.log(2)
    if slope < TELLS:
        return None
    guess = at + float(np.clip((goal - low) / slope, 0.0, 3.0))
    now = seen(float(np.exp(guess)))
    if guess > at + 1e-3:
        slope = (now - low) / (guess - at)
    if slope < TELLS:
        return None
    return float(np.exp(guess + np.clip((goal - now) / slope, -1.0, 1.0)))


def draws(ways: Ways, ridge: Array, count: int, seed: int) -> Array:
    """Weights and D (B, L + 1) of draws of the matched particles, whole groups of them with exponential weights."""
    rng = np.random.default_rng([seed, 31])
    groups = min(GROUPS, len(ways.terms))
    place = np.arange(len(ways.terms)) % groups
    flat = ways.terms.reshape(-1, ways.terms.shape[-1])
    gram = np.array([np.einsum("ndp,ndq->pq", a, a) for a in (ways.terms[place == g] for g in range(groups))])
    told = np.array([np.einsum("ndp,nd->p", ways.terms[place == g], ways.velocity[place == g]) for g in range(groups)])
    rest = np.abs(ways.velocity - ways.terms @ ways.theta)
    out = np.empty((count, len(ways.theta) + 1))
    for b in range(count):
        u = rng.exponential(size=groups)
        out[b, :-1] = np.linalg.solve(np.tensordot(u, gram, 1) + _ridge(flat, ridge), u @ told)
        some = rest[rng.integers(0, len(rest), len(rest))]
        out[b, -1] = (1.4826 * float(np.median(some))) ** 2 * ways.pause / 2
    return out


def _ridge(flat: Array, ridge: Array) -> Array:
    return np.diag(ridge + 1e-9 * (flat**2).sum() / len(ridge))


def _unexplained(left: Array, pause: float) -> float:
    spread = 1.4826 * float(np.median(np.abs(left)))  # a few are matched wrongly, and far
    return max(spread**2 * pause / 2, 1e-12)
