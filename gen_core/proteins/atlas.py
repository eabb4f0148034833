"""The map of a family's latent space: where its naturals lie on a plane, and what any spot of that plane means.

The plane is that of the two widest principal components of the training sequences' codes, or the latent space itself where
it has two dimensions. A spot keeps its place on the plane exactly; along the dimensions that the plane does not show it gets
the Gaussian-weighted mean of the 15 naturals nearest on the map, so that it decodes to a sequence like those around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.latent.density import Density, neighbours, place
from gen_core.memo import Memo
from gen_core.proteins.model import probabilities
from gen_core.proteins.modelfile import FamilyModel

Array = np.ndarray
DIGITS = 3  # of a latent coordinate: a link that names a spot stays short, and names exactly this one
EXACT = 1e-3  # on the map: nearer than that to a natural's place is that natural
VERTICES = 60  # of a lasso are kept
NEAREST = 5
ATLASES = Memo(64 << 20, lambda atlas: int(atlas.model.codes.means.nbytes * 4 + (1 << 20)))


@dataclass(frozen=True, eq=False)
class Atlas:
    """turn (k, k): orthonormal axes as rows, the two of the plane first; centre (k,); shares (2,) of the variance on these."""

    model: FamilyModel
    turn: Array
    centre: Array
    shares: Array

    @cached_property
    def turned(self) -> Array:
        """The naturals' codes (n, k) in the map's own axes."""
        return self._to(self.model.codes.means)

    @property
    def places(self) -> Array:
        """Where the naturals lie on the map (n, 2)."""
        return self.turned[:, :2]

    def place(self, z: Array) -> Array:
        """Where latent points (m, k) lie on the map (m, 2)."""
        return self._to(np.asarray(z, float))[:, :2]

    def latent(self, spots: Array) -> Array:
        """Latent points (m, k) of spots (m, 2), as a recipe holds them: in three digits. A natural's own place is its code."""
        spots = np.asarray(spots, float)
        filled = place(spots, self.turned, [0, 1]) if self.model.latent_dim > 2 else spots
        distance, nearest = neighbours(spots, self.places, 1)
        filled = np.where(distance <= EXACT, self.turned[nearest[:, 0]], filled)
        return np.asarray(np.round(filled @ self.turn + self.centre, DIGITS))

    def percentile(self, z: Array) -> Array:
        """Share in % (m,) of the naturals that lie closer to their neighbours than latent points (m, k) to theirs."""
        return self._density.percentile(np.asarray(z, float))

    def nearest(self, z: Array, k: int = NEAREST) -> Array:
        """The naturals (m, k) nearest to latent points in the latent space, which the plane may belie."""
        return neighbours(np.asarray(z, float), self.model.codes.means.astype(float), k)[1]

    @cached_property
    def spans(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Ranges of both axes with a margin, in which empty spots can be clicked too."""
        low, high = self.places.min(0), self.places.max(0)
        margin = 0.08 * np.maximum(high - low, 1e-3)
        (left, bottom), (right, top) = low - margin, high + margin
        return (float(left), float(right)), (float(bottom), float(top))

    def title(self, axis: int) -> str:
        """What an axis of the map is called."""
        if self.model.latent_dim == 2:
            return f"Latent dimension {axis + 1}"
        return f"Component {axis + 1} of the latent space ({100 * self.shares[axis]:.0f} % of its variance)"

    @cached_property
    def _density(self) -> Density:
        return Density.of(self.model.codes.means.astype(float))

    def _to(self, z: Array) -> Array:
        return np.asarray((z - self.centre) @ self.turn.T)


@dataclass(frozen=True, eq=False)
class Spot:
    """What one latent point z (k,) means: its place (2,), the likeliest sequence codes (L,) with its row, the probabilities
    (L, Q) it has there, how unlike any natural it is in %, and the naturals (m,) nearest to it."""

    z: Array
    place: Array
    codes: Array
    row: str
    probabilities: Array
    percentile: float
    nearest: Array


def atlas_of(model: FamilyModel) -> Atlas:
    """The map of a model, made once. A model that is not stored yet has no digest, and its map is not kept."""
    digest = model.card.get("sha256")
    if digest is None:
        return _made(model)
    found: Atlas = ATLASES.get(digest, lambda: _made(model))
    return found


def _made(model: FamilyModel) -> Atlas:
    k, means = model.latent_dim, model.codes.means.astype(float)
    if k == 2:
        variance = means.var(0)
        return Atlas(model, np.eye(2), np.zeros(2), variance / max(float(variance.sum()), 1e-12))
    weights = model.codes.weights.astype(float) / float(model.codes.weights.sum())
    centre = weights @ means
    values, axes = np.linalg.eigh(((means - centre) * weights[:, None]).T @ (means - centre))
    turn = axes[:, ::-1].T
    turn = turn * np.sign(turn[np.arange(k), np.abs(turn).argmax(1)])[:, None]  # or their signs would be the library's mood
    return Atlas(model, turn, centre, values[::-1][:2] / max(float(values.sum()), 1e-12))


def spot_at(atlas: Atlas, z: Array) -> Spot:
    """What a latent point (k,) means."""
    model, z = atlas.model, np.asarray(z, float)
    p = probabilities(model.net, z[None])[0]
    codes = p.argmax(1).astype(np.uint8)
    return Spot(
        z,
        atlas.place(z[None])[0],
        codes,
        model.rows(codes[None])[0],
        p,
        float(atlas.percentile(z[None])[0]),
        atlas.nearest(z[None])[0],
    )


def percentiles(spot: Spot, model: FamilyModel) -> dict[str, float]:
    """Where the likeliest sequence of a spot stands among held-out naturals, in % of them that score lower, by value."""
    from gen_core.proteins.alphabet import decode, ungapped

    values = {"profile_bits": model.profile.bits([row.encode() for row in ungapped(decode(spot.codes[None]))])}
    if model.couplings is not None:
        values["coupling_energy"] = model.couplings.energy(spot.codes[None])
    return {name: float(100 * (model.naturals[name] < value[0]).mean()) for name, value in values.items()}


def thinned(region: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A drawn outline with no more corners than a link bears, and as fine as places are."""
    step = -(-len(region) // VERTICES)
    return [(round(float(x), DIGITS), round(float(y), DIGITS)) for x, y in region[:: max(step, 1)]]
