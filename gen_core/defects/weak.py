"""The weak form with instruments: drift and diffusion from how the means of test functions change.

For particles that follow dx = f(x) dt + sqrt(2 D) dW and any smooth phi,

    d/dt E[phi] = E[f . grad phi] + D E[lap phi].

Integrated over a window of three times (a parabola through them; Simpson's rule where they are evenly spaced) this is one
linear equation in the weights of f and in D. Both sides are means over few particles, and noise in the regressors pulls D
towards zero. So each snapshot is split and one part is the instrument of the other: products of a particle with itself are
left out. Here that is done for all splits into groups at once, in closed form. The equations are weighted by the inverse
covariance of their noise at the weights found before (two-step generalised method of moments, Hansen 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gen_core.defects.libraries import Library
from gen_core.defects.testfunctions import PART, TestFunctions

Array = np.ndarray
GROUPS = 100  # into which the replicas of all times are split
FLOOR = 1e-3  # of the largest eigenvalue of the noise: directions below it tell little, and their Simpson errors more
KNOWN = 128 << 20  # bytes of what is worked out once for all rounds of a fit
SEEN = 2_000  # replicas of a snapshot, at most, that tell the covariance of the noise


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the replicas of each group, for each time: what a fit needs of the data.

    counts (K, G), phi (K, G, J), terms (K, G, J, P): the last column is that of D.
    """

    times: Array
    counts: Array
    phi: Array
    terms: Array


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of three times: weight (w, K) of each time in the integral, and in the change over the window."""

    integral: Array
    change: Array


@dataclass(frozen=True, eq=False)
class Looks:
    """What the noise of the equations is told from, worked out once for all rounds of a fit, as far as that fills no memory: of
    some replicas of each snapshot the values (n, J), gradients (n, N d, J) and Laplacians (n, J) of the test functions, and the
    terms (n, N d, L) of the library."""

    snapshots: Sequence[Array]
    library: Library
    tests: TestFunctions
    known: list[tuple[Array, ...]]

    def at(self, k: int) -> tuple[Array, ...]:
        """Those of the k-th snapshot."""
        return self.known[k] if k < len(self.known) else self.made(k)

    def made(self, k: int) -> tuple[Array, ...]:
        """The same, worked out."""
        seen = self.snapshots[k][:SEEN]
        return (*self.tests.evaluate(seen), self.library.forces(seen))


@dataclass(frozen=True, eq=False)
class Fit:
    """Weights theta (L,) of the library's terms and D; draws (B, L + 1) of them by the bootstrap; Hansen's J per degree of
    freedom on windows that do not overlap."""

    theta: Array
    D: float
    draws: Array
    j_test: float

    def interval(self, share: float = 0.95) -> tuple[float, float]:
        """Ends of the interval of D."""
        low, high = np.quantile(self.draws[:, -1], [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)


def moments(times: Array, snapshots: Sequence[Array], library: Library, tests: TestFunctions, groups: int = GROUPS) -> Moments:
    """The sums that the fit needs. Replica i belongs to group i mod `groups` at every time, so that replicas that were
    watched over time stay in one group."""
    J, L, K = len(tests), len(library.names), len(times)
    groups = min(groups, min(len(x) for x in snapshots) // 2)
    counts, phi, terms = np.zeros((K, groups)), np.zeros((K, groups, J)), np.zeros((K, groups, J, L + 1))
    for k, x in enumerate(snapshots):
        for start in range(0, len(x), PART // groups * groups):  # in parts, which must not fill the memory
            seen = x[start : start + PART // groups * groups]
            value, gradient, laplacian = tests.evaluate(seen)
            force = library.forces(seen)
            for g in range(min(groups, len(seen))):
                part = slice(g, None, groups)
                a, b = gradient[part], force[part]
                counts[k, g] += len(a)
                phi[k, g] += value[part].sum(0)
                terms[k, g, :, :L] += a.reshape(-1, J).T @ b.reshape(-1, L)
                terms[k, g, :, L] += laplacian[part].sum(0)
    return Moments(np.asarray(times, float), counts, phi, terms)


def windows(times: Array, apart: bool = False) -> Windows:
    """All windows of three neighbouring times, or with `apart` those that share no more than an end."""
    K = len(times)
    starts = range(0, K - 2, 2 if apart else 1)
    integral, change = np.zeros((len(starts), K)), np.zeros((len(starts), K))
    for w, k in enumerate(starts):
        a, b, c = times[k : k + 3]
        powers = np.array([[1, 1, 1], [a, b, c], [a**2, b**2, c**2]])
        integral[w, k : k + 3] = np.linalg.solve(powers, [c - a, (c**2 - a**2) / 2, (c**3 - a**3) / 3])
        change[w, k], change[w, k + 2] = -1, 1
    return Windows(integral, change)


def fit(
    found: Moments, snapshots: Sequence[Array], library: Library, tests: TestFunctions, seed: int = 0, bootstrap: int = 200,
    D: float | None = None, instruments: bool = True, looks: Looks | None = None,
) -> Fit:  # fmt: skip
    """Fit theta and D; with `D` given, theta alone. The bootstrap weighs whole groups by exponential weights (Rubin 1981), and
    its draws are spread by sqrt(G / (G - P)), as is done for G groups and P weights (Cameron and Miller 2015).

    Without `instruments` it is plain weighted least squares, a baseline: its D is too low.
    """
    over = windows(found.times)
    rows = _rows(found, over)
    ones = np.ones(found.counts.shape[1])
    looks = look(snapshots, library, tests) if looks is None else looks
    weights = _whitener(_noise(found, over, looks, None))
    answer = np.zeros(rows[0].shape[-1])
    for _ in range(2):
        made = _products(rows, weights)
        answer = _solved(made, ones, D, instruments)
        weights = _whitener(_noise(found, over, looks, answer))
    made = _products(rows, weights)
    answer = _solved(made, ones, D, instruments)
    rng = np.random.default_rng([seed, 11])
    draws = np.array([_solved(made, rng.exponential(size=len(ones)), D, instruments) for _ in range(bootstrap)])
    draws = answer + np.sqrt(len(ones) / max(len(ones) - len(answer), 1)) * (draws - answer)
    return Fit(answer[:-1], float(answer[-1]), draws, hansen(found, looks, answer))


def look(snapshots: Sequence[Array], library: Library, tests: TestFunctions) -> Looks:
    """The `Looks` of snapshots, the first of them worked out."""
    out, size = Looks(snapshots, library, tests, []), 0
    while len(out.known) < len(snapshots) and size < KNOWN:
        out.known.append(out.made(len(out.known)))
        size += sum(part.nbytes for part in out.known[-1])
    return out


def hansen(found: Moments, looks: Looks, answer: Array) -> float:
    """Hansen's J per degree of freedom on windows that do not overlap: about 1 where the library can describe the data."""
    over = windows(found.times, apart=True)
    A, y = _rows(found, over)
    A, y = A.mean(0), y.mean(0)
    white = _whitener(_noise(found, over, looks, answer))
    left, terms = white.T @ (y - A @ answer), white.T @ A
    # the weights may still move to please these equations: what they can explain is no evidence against them
    again = left - terms @ np.linalg.lstsq(terms, left, rcond=None)[0]
    return float(again @ again / max(len(left) - len(answer), 1))


def _rows(found: Moments, over: Windows) -> tuple[Array, Array]:
    """The equations of each group: A (G, rows, P) and y (G, rows), so that their means over groups are those of all replicas."""
    A = np.einsum("wk,kgjp->gwjp", over.integral, found.terms / found.counts[..., None, None])
    y = np.einsum("wk,kgj->gwj", over.change, found.phi / found.counts[..., None])
    return A.reshape(len(A), -1, A.shape[-1]), y.reshape(len(y), -1)


def _noise(found: Moments, over: Windows, looks: Looks, answer: Array | None) -> Array:
    """Covariance (rows, rows) of the equations' noise, snapshots being independent; without an answer that of the changes."""
    J, W = found.phi.shape[-1], len(over.change)
    out = np.zeros((W, J, W, J))
    for k in range(len(found.times)):
        phi, gradient, laplacian, terms = looks.at(k)
        moved = np.zeros_like(phi)
        if answer is not None:
            force = terms @ answer[:-1]
            moved = np.einsum("nm,nmj->nj", force, gradient) + answer[-1] * laplacian
        both = np.concatenate([phi - phi.mean(0), moved - moved.mean(0)], 1)
        cov = both.T @ both / max(len(phi) - 1, 1) / found.counts[k].sum()
        touched = np.flatnonzero(over.change[:, k] != 0) if answer is None else np.flatnonzero(over.integral[:, k])
        for v in touched:
            for w in touched:
                left = over.change[v, k] * cov[:J] - over.integral[v, k] * cov[J:]
                out[v, :, w, :] += over.change[w, k] * left[:, :J] - over.integral[w, k] * left[:, J:]
    return out.reshape(W * J, W * J)


def _whitener(noise: Array) -> Array:
    """Directions (rows, r) scaled to noise of one; those in which nothing can be told from rounding are left out."""
    values, vectors = np.linalg.eigh((noise + noise.T) / 2)
    kept = values > FLOOR * values[-1]
    return vectors[:, kept] / np.sqrt(values[kept])


def _products(rows: tuple[Array, Array], white: Array) -> tuple[Array, Array, Array, Array]:
    """Whitened equations of each group, and their products within the group."""
    A = np.einsum("rs,grp->gsp", white, rows[0], optimize=True)
    y = rows[1] @ white
    return A, y, np.einsum("gsp,gsq->gpq", A, A, optimize=True), np.einsum("gsp,gs->gp", A, y, optimize=True)


def _solved(made: tuple[Array, Array, Array, Array], u: Array, D: float | None, instruments: bool) -> Array:
    """The weights that solve the equations of groups weighed by u, no group being its own instrument."""
    A, y, within, beside = made
    mean, told = np.tensordot(u, A, 1), u @ y
    own = u**2 if instruments else 0 * u
    M = mean.T @ mean - np.tensordot(own, within, 1)
    v = mean.T @ told - own @ beside
    if D is not None:
        rest = np.linalg.solve(M[:-1, :-1], v[:-1] - M[:-1, -1] * D)
        return np.append(rest, D)
    return np.linalg.solve(M, v)
