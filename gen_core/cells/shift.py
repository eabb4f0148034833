"""The response of each cell type, and how the responses of some become the shift of another.

A predictor is a way to average (`how`) and a space to average in (genes, or the principal components):

    no_change      nothing                            gene_shift     balanced_mean in genes
    pca_shift      balanced_mean in the components    nearest_shift  nearest in genes
    weighted_shift similarity_weighted in genes       latent         the recipe's `shift` in the latent space (transfer.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.cells.moved import AnyMoved, Moved

Array = np.ndarray

# The simplest first: `auto` prefers an earlier one where a later one is not better by more than scores can tell. Those in
# components come last: they need a space fitted to the cells, which has seen what the folds leave out.
PREDICTORS = ("no_change", "gene_shift", "nearest_shift", "weighted_shift", "pca_shift", "latent")
BASELINES = PREDICTORS[:-1]
HOW = {
    "gene_shift": "balanced_mean",
    "pca_shift": "balanced_mean",
    "nearest_shift": "nearest",
    "weighted_shift": "similarity_weighted",
}
IN_COMPONENTS = ("pca_shift", "latent")
SOFTNESS = 0.5  # of the similarity weights: a type 50 % farther than the nearest counts 1/e


@dataclass(frozen=True, eq=False)
class Response:
    """What one cell type did: the change of its mean expression at each measured dose.

    doses (D,) ascending, in the unit of the dose column, or [1.] where there is one dose; change (D, G); n (D,) perturbed
    cells; n_control; control (G,) mean of its control cells; centroid (k,) of its control cells in the components;
    noise (D, G) variance of `change` from the finite number of cells (or of donors).
    """

    name: str
    doses: Array
    change: Array
    noise: Array
    n: Array
    n_control: int
    control: Array
    centroid: Array

    def at(self, dose: float) -> Array:
        """The change (G,) at a dose, see `dose_weights`."""
        return dose_weights(self.doses, dose) @ self.change

    def noise_at(self, dose: float) -> Array:
        """Variance (G,) of that change."""
        return dose_weights(self.doses, dose) ** 2 @ self.noise

    def without(self, dose: float) -> Response:
        """The same as if this dose had not been measured."""
        keep = self.doses != dose
        return Response(
            self.name,
            self.doses[keep],
            self.change[keep],
            self.noise[keep],
            self.n[keep],
            self.n_control,
            self.control,
            self.centroid,
        )


def dose_weights(doses: Array, dose: float) -> Array:
    """Weights (D,) with which the changes at the measured doses give the change at another dose.

    No dose is no change; from 0 to the lowest measured dose it grows in proportion; between two measured doses it is
    linear in log dose; beyond the highest the last slope goes on (with one dose: in proportion), which is extrapolation.
    """
    weights = np.zeros(len(doses))
    if len(doses) == 1 or dose <= doses[0]:
        weights[0] = dose / doses[0]
        return weights
    upper = min(int(np.searchsorted(doses, dose)), len(doses) - 1)
    share = np.log(dose / doses[upper - 1]) / np.log(doses[upper] / doses[upper - 1])
    weights[upper - 1], weights[upper] = 1 - share, share
    return weights


def weights_of(how: str, responses: list[Response], centroid: Array) -> Array:
    """Weight (T,) of each response in the shift of a type whose control cells have this centroid (k,).

    `similarity_weighted`: w ~ exp(-(d / d_min - 1) / 0.5) sqrt(n), d the distance of the control centroids in the
    components, n the cells of the type: like types and well measured ones count more.
    """
    if how == "balanced_mean":
        return np.full(len(responses), 1 / len(responses))
    distance = np.array([np.linalg.norm(r.centroid - centroid) for r in responses])
    if how == "nearest":
        return np.eye(len(responses))[int(distance.argmin())]
    nearest = max(float(distance.min()), 1e-9)
    cells = np.array([r.n.sum() + r.n_control for r in responses])
    weights = np.exp(-(distance / nearest - 1) / SOFTNESS) * np.sqrt(cells)
    return weights / weights.sum()


@dataclass(frozen=True, eq=False)
class Shift:
    """A predicted change of mean expression, and how unsure it is.

    vector (G,); weights (T,) of the types it was taken from; spread (G,) standard deviation of a new type's change around
    it: how much the types differ among themselves, and how well each was measured; agreement (G,) share of the types
    whose own change has the sign of the vector.
    """

    vector: Array
    weights: Array
    spread: Array
    agreement: Array

    def move(self, X: Any) -> AnyMoved:
        """Cells X (n, G) CSR, moved."""
        return Moved.by(X, self.vector)


def estimate(predictor: str, how: str, responses: list[Response], centroid: Array, axes: Array, dose: float) -> Shift:
    """The shift that `predictor` gives to a type with this control centroid, from the responses of other types."""
    changes = np.stack([r.at(dose) for r in responses])  # (T, G)
    how = HOW.get(predictor, how)
    weights = weights_of("balanced_mean" if how == "mean" else how, responses, centroid)
    if predictor == "no_change":
        vector, weights = np.zeros(changes.shape[1]), np.zeros(len(responses))
    elif how == "mean":
        vector, weights = _pooled(responses, dose)
    else:
        vector = weights @ changes
    if predictor in IN_COMPONENTS:
        vector = axes @ (axes.T @ vector)
    return Shift(vector, weights, *uncertain(vector, weights, responses, dose))


def uncertain(vector: Array, weights: Array, responses: list[Response], dose: float) -> tuple[Array, Array]:
    """Spread and agreement (G,), (G,) of a shift, see `Shift`."""
    changes = np.stack([r.at(dose) for r in responses])
    among = weights if weights.any() else np.full(len(responses), 1 / len(responses))
    freedom = 1 - among @ among
    between = among @ (changes - vector) ** 2 / freedom if freedom > 1e-6 else np.zeros_like(vector)
    within = among**2 @ np.stack([r.noise_at(dose) for r in responses])
    return np.sqrt(between + within), (np.sign(changes) == np.sign(vector)).mean(0)


def _pooled(responses: list[Response], dose: float) -> tuple[Array, Array]:
    """All perturbed cells' mean less all control cells' mean: what a mixture of types in unlike shares does to the mean.

    It is the oldest estimate (scGen's): the change of the cells, and on top of it the change of the mixture, which is
    scaled with the dose like the change so that no dose is no change.
    """
    perturbed = np.array([r.n.sum() for r in responses], float)
    control = np.array([r.n_control for r in responses], float)
    perturbed, control = perturbed / perturbed.sum(), control / control.sum()
    means, changes = np.stack([r.control for r in responses]), np.stack([r.at(dose) for r in responses])
    share = float(np.mean([dose_weights(r.doses, dose).sum() for r in responses]))
    return perturbed @ changes + share * ((perturbed - control) @ means), perturbed
