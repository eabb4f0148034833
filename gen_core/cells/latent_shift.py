"""The response as a vector in latent space: each cell type's own, and what they make for a type that was not treated.

The names are those of the shifts in genes (`gen_core.cells.shift`), with one more: `transport` moves every cell by the
shift of the source cells in its own place, as optimal transport pairs control with perturbed cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.cells.shift import dose_weights
from gen_core.latent.density import neighbours

Array = np.ndarray
Moves = Callable[[Array], Array]
PAIRED = 600  # cells a side that transport pairs at most; of more, an evenly spaced part
BLUR = 0.1  # entropy of the pairing in units of the mean cost: below, single cells' noise decides who goes where
AROUND = 30  # source cells whose shift a cell follows


@dataclass(frozen=True, eq=False)
class Group:
    """One cell type: codes of its control cells (n, k) and of its perturbed cells (m, k)."""

    name: str
    control: Array
    perturbed: Array

    @property
    def shift(self) -> Array:
        """Its own dz (k,): the change of the mean code."""
        return np.asarray(self.perturbed.mean(0) - self.control.mean(0))

    @property
    def centre(self) -> Array:
        """Mean code (k,) of its control cells."""
        return np.asarray(self.control.mean(0))

    @cached_property
    def paired(self) -> tuple[Array, Array]:
        """Places (m, k) of some control cells relative to their middle, and their shifts (m, k) by optimal transport."""
        control, perturbed = _some(self.control), _some(self.perturbed)
        shift = displacements(control, perturbed) + (self.shift - (perturbed.mean(0) - control.mean(0)))
        return np.asarray(control - control.mean(0)), np.asarray(shift)

    def transported(self, place: Array) -> Array:
        """Shift (n, k) of cells at `place` (n, k) relative to their type's middle, from this type's cells in the same places."""
        places, shift = self.paired
        distance, nearest = neighbours(place, places, AROUND)
        weights = np.exp(-0.5 * (distance / np.maximum(distance[:, [-1]] / 2, 1e-9)) ** 2)
        return np.asarray(np.einsum("nj,njk->nk", weights / weights.sum(1, keepdims=True), shift[nearest]))


@dataclass(frozen=True, eq=False)
class LatentResponse:
    """What one cell type did in a latent space: its groups (D,) at the doses (D,) that were measured."""

    doses: Array
    groups: tuple[Group, ...]

    def at(self, dose: float) -> Array:
        """dz (k,) at a dose, see `dose_weights`."""
        return np.asarray(dose_weights(self.doses, dose) @ np.stack([group.shift for group in self.groups]))

    def of_each(self, place: Array, dose: float) -> Array:
        """dz (n, k) of cells at `place` (n, k) relative to the middle of their type, by optimal transport."""
        weights = dose_weights(self.doses, dose)
        return np.asarray(sum(w * group.transported(place) for w, group in zip(weights, self.groups, strict=True) if w))


def moves(how: str, responses: Sequence[LatentResponse], weights: Array, middle: Array, dose: float) -> Moves:
    """How the cells of a type whose mean code is `middle` (k,) move: from codes (n, k) to dz, (k,) or (n, k).

    The responses (T,) of other types count by `weights` (T,); `mean` pools all cells whatever their type, as scGen does, so
    that it also holds what an unlike mixture of types does to the mean.
    """
    if how == "transport":
        return lambda z: np.asarray(
            sum(w * r.of_each(z - middle, dose) for w, r in zip(weights, responses, strict=True) if w > 1e-4)
        )
    vector = _pooled(responses, dose) if how == "mean" else weights @ np.stack([r.at(dose) for r in responses])
    return lambda z: vector


def _pooled(responses: Sequence[LatentResponse], dose: float) -> Array:
    """As `shift._pooled`: the change of the cells, and of the mixture of types, which is scaled with the dose like it."""
    perturbed = np.array([sum(len(group.perturbed) for group in r.groups) for r in responses], float)
    control = np.array([len(r.groups[0].control) for r in responses], float)
    perturbed, control = perturbed / perturbed.sum(), control / control.sum()
    share = float(np.mean([dose_weights(r.doses, dose).sum() for r in responses]))
    centres = np.stack([r.groups[0].centre for r in responses])
    return np.asarray(perturbed @ np.stack([r.at(dose) for r in responses]) + share * ((perturbed - control) @ centres))


def cosines(shifts: Array) -> Array:
    """How alike the directions of shifts (T, k) are: cosine (T, T) of each two; 0 for one of no length."""
    length = np.linalg.norm(shifts, axis=1, keepdims=True)
    unit = np.divide(shifts, length, out=np.zeros_like(shifts), where=length > 0)
    return np.asarray(unit @ unit.T)


def share_explained(shifts: Array) -> float:
    """Share of the types' responses (T, k) that one constant vector explains: 1 - sum |dz_t - mean|^2 / sum |dz_t|^2.

    1 where all types shift alike; 1/T where the shifts are of one length and at right angles.
    """
    total = float((shifts**2).sum())
    return 1 - float(((shifts - shifts.mean(0)) ** 2).sum()) / total if total > 0 else float("nan")


def displacements(control: Array, perturbed: Array) -> Array:
    """Shift (n, k) of each control cell towards the perturbed cells (m, k) that optimal transport pairs it with.

    Entropic transport of squared distances (Cuturi 2013): each cell goes to the mean of its partners. Means lie inwards,
    also of a group paired with itself, so that this self-pairing is subtracted (the debiased map of Pooladian & Niles-Weed
    2021). The mean over the cells is the change of the mean code, exactly.
    """
    change = perturbed.mean(0) - control.mean(0)
    # The common shift is taken out first: what is left to pair is how cells lie within their group.
    here, there = control - control.mean(0), perturbed - perturbed.mean(0)
    shift = _partners(here, there) - _partners(here, here)
    return np.asarray(shift - shift.mean(0) + change)


def _partners(here: Array, there: Array) -> Array:
    """Mean partner (n, k) of each cell here among the cells there (m, k), by Sinkhorn's iterations on logarithms."""
    cost = (here**2).sum(1)[:, None] - 2 * here @ there.T + (there**2).sum(1)
    score = -cost / max(BLUR * float(cost.mean()), 1e-12)
    rows, columns = np.zeros(len(here)), np.zeros(len(there))
    for _ in range(100):
        columns = -_log_sum(score + rows[:, None], 0) - np.log(len(there))
        rows = -_log_sum(score + columns, 1) - np.log(len(here))
    plan = np.exp(score + rows[:, None] + columns) * len(here)  # each row sums to 1
    return np.asarray(plan @ there)


def _some(codes: Array) -> Array:
    """At most PAIRED of the codes, evenly spaced over their order."""
    return codes if len(codes) <= PAIRED else codes[np.linspace(0, len(codes) - 1, PAIRED).astype(int)]


def _log_sum(values: Array, axis: int) -> Array:
    """log of the sum of exp along an axis."""
    top = values.max(axis, keepdims=True)
    return np.asarray(np.log(np.exp(values - top).sum(axis)) + top.squeeze(axis))
