"""From the responses of some cell types to the shifts that every predictor gives to another type's cells.

In genes and in the components one vector moves all cells (shift.py). In a model's latent space, and where optimal transport
pairs cells, each cell is moved by a change of its own: x' = max(x + dec(z + dz) - dec(z), 0), so that what the decoder does
not know of a cell, its noise, stays with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from gen_core.cells.latent_shift import Moves, cosines, moves, share_explained
from gen_core.cells.moved import AnyMoved, MovedEach
from gen_core.cells.shift import PREDICTORS, Shift, estimate, uncertain, weights_of
from gen_core.cells.space import Space

if TYPE_CHECKING:
    from gen_core.cells.study import Study

Array = np.ndarray
SAMPLED = 500  # cells whose mean change stands for the shift of their type


@dataclass(frozen=True, eq=False)
class LatentMove(Shift):
    """A shift in a latent space: dz maps codes (n, k) to what is added to them, (k,) or (n, k)."""

    space: Space
    dz: Moves

    def move(self, X: Any) -> AnyMoved:
        return moved(self.space, X, self.dz)


def moved(space: Space, X: Any, dz: Moves) -> MovedEach:
    """Cells X (n, G), CSR or dense, moved in a latent space: max(x + dec(z + dz) - dec(z), 0)."""
    z = space.encode(X)
    values = space.change(z, dz(z))
    if sparse.issparse(X):  # X is mostly zeros: to add the rest in place costs a tenth of a dense copy
        cells = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        values.reshape(-1)[cells * X.shape[1] + X.indices] += X.data
    else:
        values += X
    return MovedEach(np.maximum(values, 0, out=values))


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike the types respond in the latent space: what a constant shift takes for granted.

    names (T,) of the types; cosines (T, T) between the directions of their shifts; share of the responses that one constant
    vector explains, see `latent_shift.share_explained`.
    """

    names: tuple[str, ...]
    cosines: Array
    share: float

    @classmethod
    def of(cls, study: Study, dose: float) -> Likeness:
        """Of the types that the response is taken from."""
        vectors = np.stack([study.latent_responses[name].at(dose) for name in study.sources])
        return cls(study.sources, cosines(vectors), share_explained(vectors))


def both(first: Shift, second: Shift) -> Shift:
    """Two shifts one after the other, as if neither changed what the other does."""
    vector, spread = first.vector + second.vector, np.hypot(first.spread, second.spread)
    agreement = np.minimum(first.agreement, second.agreement)
    if isinstance(first, LatentMove) and isinstance(second, LatentMove):
        one, two = first.dz, second.dz
        return LatentMove(vector, first.weights, spread, agreement, first.space, lambda z: np.asarray(one(z) + two(z)))
    return Shift(vector, first.weights, spread, agreement)


def shifts(study: Study, how: str, sources: Sequence[str], rows: Array, dose: float) -> dict[str, Shift]:
    """The shift of every predictor for the cells `rows` of a type, from the responses of the types `sources`."""
    responses = [study.responses[name] for name in sources]
    centroid = study.codes[rows].mean(0)
    made = {p: estimate(p, how, responses, centroid, study.latent.axes, dose) for p in PREDICTORS}
    if study.model is not None or how == "transport":
        made["latent"] = _latent(study, how, sources, rows, centroid, dose)
    return made


def _latent(study: Study, how: str, sources: Sequence[str], rows: Array, centroid: Array, dose: float) -> LatentMove:
    """The latent shift. How alike types are is measured in the components, which orders them better than a model's codes."""
    z = study.places[rows]
    responses = [study.responses[name] for name in sources]
    latent = [study.latent_responses[name] for name in sources]
    weights = weights_of({"mean": "balanced_mean", "transport": "similarity_weighted"}.get(how, how), responses, centroid)
    shifted = moves(how, latent, weights, z.mean(0), dose)
    some = np.unique(np.linspace(0, len(z) - 1, min(len(z), SAMPLED)).astype(int))
    move = shifted if study.model is None else _settled(study.space, study.X[rows[some]], z[some], shifted)
    mean = study.space.change(z[some], move(z[some])).mean(0)
    return LatentMove(mean, weights, *uncertain(mean, weights, responses, dose), study.space, move)


def _settled(space: Space, X: sparse.csr_matrix, z: Array, dz: Moves) -> Moves:
    """dz corrected by one vector, so that cells X (n, G) with codes z (n, k) land where it says.

    Moved cells keep their noise and do not fall below 0, so that, encoded again, they lie a little off z + dz; what they miss
    on average is added. Once: it was measured to help, and more rounds may run away where a decoder is poor.
    """
    landed = space.encode(moved(space, X, dz).values)
    missed = np.asarray((z + dz(z)).mean(0) - landed.mean(0))
    return lambda z: np.asarray(dz(z) + missed)
