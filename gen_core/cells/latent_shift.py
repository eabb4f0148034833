"""The response as a vector in latent space: each cell type's own, and what they make for a type that was not treated.

The names are those of the shifts in genes (`gen_core.cells.shift`), with one more: `transport` moves every cell by the
shift of the source cells in its own place, as optimal transport pairs control with perturbed cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.cells.shift import SOFTNESS
from gen_core.latent.density import neighbours

Array = np.ndarray
HOW = ("mean", "balanced_mean", "nearest", "similarity_weighted", "transport")
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
class LatentShift:
    """dz (k,), or one for each cell (n, k) where `how` is transport; weights (T,) of the types it was taken from."""

    dz: Array
    weights: Array


def estimate(how: str, groups: Sequence[Group], z: Array, distance: Array | None = None) -> LatentShift:
    """The shift of cells with codes z (n, k), from the responses of other types.

    `distance` (T,) says how unlike each type is, in whatever space measures that best; by default the distance of the
    mean codes. `mean` pools all cells whatever their type, as scGen does, so that it also holds what an unlike mixture of
    types does to the mean.
    """
    if how == "mean":
        share = np.array([len(g.perturbed) for g in groups], float)
        pooled = np.concatenate([g.perturbed for g in groups]).mean(0) - np.concatenate([g.control for g in groups]).mean(0)
        return LatentShift(np.asarray(pooled), share / share.sum())
    weights = weights_of(how, groups, z, distance)
    if how == "transport":
        place = z - z.mean(0)
        return LatentShift(sum(w * g.transported(place) for w, g in zip(weights, groups, strict=True) if w > 1e-4), weights)
    return LatentShift(weights @ each(groups), weights)


def weights_of(how: str, groups: Sequence[Group], z: Array, distance: Array | None = None) -> Array:
    """Weight (T,) of each type, see `gen_core.cells.shift.weights_of`; transport weighs by similarity too."""
    if how not in HOW:
        raise ValueError(f"how must be one of {', '.join(HOW)}")
    if how == "balanced_mean":
        return np.full(len(groups), 1 / len(groups))
    if distance is None:
        distance = np.array([np.linalg.norm(g.centre - z.mean(0)) for g in groups])
    if how == "nearest":
        return np.eye(len(groups))[int(distance.argmin())]
    cells = np.array([len(g.control) + len(g.perturbed) for g in groups])
    weights = np.exp(-(distance / max(float(distance.min()), 1e-9) - 1) / SOFTNESS) * np.sqrt(cells)
    return np.asarray(weights / weights.sum())


def each(groups: Sequence[Group]) -> Array:
    """Every type's own dz (T, k): what the arrows on a map are drawn from."""
    return np.stack([g.shift for g in groups])


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
