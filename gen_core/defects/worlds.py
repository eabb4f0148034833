"""The worlds that the bundled snapshots come from: a force, a diffusion constant, a start; all of it is the known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
SOFT = 0.3  # length below which the repulsion of a pair no longer grows


@dataclass(frozen=True, eq=False)
class World:
    """Overdamped motion dx = f(x) dt + sqrt(2 D) dW of N particles in two dimensions.

    force: (n, N, d) to (n, N, d). start: draws n replicas from a generator. duration: time from the first snapshot to the last.
    pair: the force (positive: apart) of two particles at distances r, where there is one; charges (N,) of the particles.
    trap: strength of the pull to the middle, where there is one; potential: (m, d) to (m,), where the force is a gradient.
    """

    name: str
    force: Callable[[Array], Array]
    D: float
    start: Callable[[int, np.random.Generator], Array]
    duration: float
    step: float = 0.01
    particles: int = 1
    pair: Callable[[Array], Array] | None = None
    charges: Array | None = None
    potential: Callable[[Array], Array] | None = None
    known: dict[str, float] = field(default_factory=dict)
    followed: bool = False  # whether the same replicas are seen at every time
    window: float | None = None  # half the side of a square that drifts are also compared over


def double_well() -> World:
    """Two wells at x = -1 and 1 with a barrier of 1 between them (4 kT of D = .25), harmonic in y; started to one side."""

    def potential(x: Array) -> Array:
        return (x[..., 0] ** 2 - 1) ** 2 + x[..., 1] ** 2

    def force(x: Array) -> Array:
        return np.stack([-4 * x[..., 0] * (x[..., 0] ** 2 - 1), -2 * x[..., 1]], -1)

    start = lambda n, rng: _normal(n, rng, (-0.2, 0.9), (0.55, 0.3))  # noqa: E731
    return World("double_well", force, 0.25, start, 1.0, potential=potential)


def rotating() -> World:
    """A harmonic trap that also turns its particles around: no potential has this force."""
    turn = np.array([[-1.0, -2.0], [2.0, -1.0]])
    start = lambda n, rng: _normal(n, rng, (1.3, 0.0), (0.5, 0.25))  # noqa: E731
    return World("rotating", lambda x: x @ turn.T, 0.25, start, 1.0, known={"turn": 2.0})


def stationary() -> World:
    """The double well when nothing changes any more: its snapshots tell the force over D, and never D itself."""
    world = double_well()
    assert world.potential is not None
    potential = world.potential

    def start(n: int, rng: np.random.Generator) -> Array:
        kept: list[Array] = []
        while sum(map(len, kept)) < n:  # rejection from a box that holds all but a millionth
            at = rng.uniform([-2.2, -2.8], [2.2, 2.8], (4 * n, 2))
            kept.append(at[rng.uniform(size=len(at)) < np.exp(-potential(at) / world.D)])
        return np.concatenate(kept)[:n, None, :]

    return World("stationary", world.force, world.D, start, 1.0, potential=potential)


def pairs() -> World:
    """Ten defects of one sign in a harmonic trap, repelling as two vortices do, softly at short distance."""
    return _interacting("pairs", np.ones(10))


def pairs_signed() -> World:
    """Ten defects, five of each sign: like ones repel, unlike ones attract (softly, so that none annihilate)."""
    return _interacting("pairs_signed", np.repeat([1.0, -1.0], 5))


def _interacting(name: str, charges: Array, trap: float = 1.0, strength: float = 0.5) -> World:
    def pair(r: Array) -> Array:
        return strength * r / (r**2 + SOFT**2)

    def force(x: Array) -> Array:
        return -trap * x + _pairwise(x, charges, strength)

    start = lambda n, rng: np.array([0.9, 0.0]) + rng.normal(0, 0.5, (n, len(charges), 2))  # noqa: E731
    known = {"trap": trap, "strength": strength, "soft": SOFT}
    signs = charges if len(set(charges.tolist())) > 1 else None
    return World(name, force, 0.15, start, 0.7, 0.02, len(charges), pair, signs, None, known)


def _pairwise(x: Array, charges: Array, strength: float) -> Array:
    """Sum over the others of strength q q' (x - x') / (r^2 + SOFT^2), each pair worked out once."""
    first, second = np.triu_indices(len(charges), 1)
    meets = np.zeros((len(first), len(charges)))  # +1 at the first of a pair, -1 at the second
    meets[np.arange(len(first)), first], meets[np.arange(len(first)), second] = 1, -1
    apart = [x[..., i] @ meets.T for i in range(x.shape[-1])]  # (n, pairs) each
    weight = strength * charges[first] * charges[second] / (sum(a * a for a in apart) + SOFT**2)
    return np.stack([(weight * a) @ meets for a in apart], -1)


def _normal(n: int, rng: np.random.Generator, mean: tuple[float, ...], spread: tuple[float, ...]) -> Array:
    return (np.array(mean) + np.array(spread) * rng.standard_normal((n, len(mean))))[:, None, :]


WORLDS: dict[str, Callable[[], World]] = {
    "double_well": double_well,
    "rotating": rotating,
    "stationary": stationary,
    "pairs": pairs,
    "pairs_signed": pairs_signed,
}
