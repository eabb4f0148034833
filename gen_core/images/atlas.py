"""The map of a model's training pictures: what each of them is, what a spot between them means, and how they look.

The places are a UMAP, made once when the model was measured (`measure.space_of`); what is needed to draw a picture again is
kept with the model, so that an empty spot can be drawn too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gen_core.images.files import eight_bit
from gen_core.images.space import CONTENT, Array, Space, standard
from gen_core.latent.density import neighbours
from gen_core.latent.maps import FlatMap, lattice
from gen_core.memo import Memo

STEP = 0.05  # of a kept content, which varies by 1: a picture drawn from it is the same to 58 dB
EXACT = 1e-3  # on the map: nearer than that to a picture's place is that picture
THUMBNAILS = 130  # at most
WIDEST, MOST = 1.15, 2.0  # width of a map over its height from which it is stretched upwards, and by how much at most
COMPARED = 100  # pictures of a region, or of the whole map, whose mean and spread are drawn
VERTICES = 60  # of a lasso are kept
ATLASES = Memo(128 << 20, lambda atlas: 16 << 20)


def atlas_of(space: Space) -> Atlas:
    """The map of an opened model, kept with the pictures it has drawn."""
    found: Atlas = ATLASES.get(space.card["sha256"], lambda: Atlas(space))
    return found


def kept_content(codes: Array) -> Array:
    """The contents of latent vectors (n, 2096) as they are kept with a model: (n, 2048) int8."""
    return np.asarray(np.clip(np.round(codes[:, :CONTENT] / STEP), -127, 127), np.int8)


@dataclass(frozen=True, eq=False)
class Atlas:
    """The training pictures that a model keeps, on its map. Each is drawn once, when it is first asked for."""

    space: Space
    _drawn: dict[int, Array] = field(default_factory=dict)  # 8 bit

    @property
    def places(self) -> Array:
        """Where the pictures lie (n, 2)."""
        return self.space.places

    @cached_property
    def near(self) -> FlatMap:
        """The map with the coordinates in which distances between pictures are measured: it places new pictures."""
        return FlatMap(self.space.near, self.places)

    @cached_property
    def styles(self) -> FlatMap:
        """The map with the styles (n, 48) of the pictures, read back from these coordinates."""
        return FlatMap(self.space.prior.styles_of(self.space.near), self.places)

    def codes(self, rows: Array) -> Array:
        """The latent vectors (m, 2096) of pictures by their rows (m,)."""
        return standard(np.concatenate([STEP * self.space.content[rows].astype(np.float32), self.styles.codes[rows]], 1))

    def latent(self, spots: Array) -> Array:
        """The latent vectors (m, 2096) that spots (m, 2) mean.

        The styles are the weighted mean of those of the 15 nearest pictures on the map. The content is that of the nearest
        one: structures do not line up, so that a mean of contents is a blur that no picture looks like. The content
        therefore jumps half way between two pictures. On a picture's own place it is that picture's code.
        """
        distance, nearest = neighbours(spots, self.places, 1)
        own = self.codes(nearest[:, 0])
        found = own.copy()
        found[:, CONTENT:] = self.styles.latent(spots)
        return np.asarray(np.where(distance <= EXACT, own, found))

    def percentile(self, spots: Array) -> Array:
        """How little to trust what spots (m, 2) show, in % (m,): the larger of two percentiles.

        How unlike the training pictures their latent vectors are, and how little the map says there
        (`FlatMap.strangeness`), which does not count on a picture's own place: there nothing was led back.
        """
        distance, _ = neighbours(spots, self.places, 1)
        away = np.where(distance[:, 0] <= EXACT, 0, self.near.strangeness(spots))
        return np.asarray(np.maximum(away, self.space.percentile(self.latent(spots))))

    def place(self, z: Array) -> Array:
        """Where latent vectors (m, 2096) lie on the map (m, 2): among their nearest pictures in the latent space."""
        return self.near.place(self.space.prior.near(z))

    def nearest(self, z: Array, k: int = 5) -> Array:
        """The rows (m, k) of the pictures nearest to latent vectors (m, 2096) in the latent space, which the map may belie."""
        return neighbours(self.space.prior.near(z), self.space.near, k)[1]

    def pictures(self, rows: Array) -> Array:
        """How pictures look by their rows (m,), as the model draws them: (m, 64, 64, 3) in [0, 1].

        Drawn one by one: what a picture's last digits are would otherwise depend on what was drawn with it, and when.
        """
        for row in np.ravel(rows).tolist():
            if row not in self._drawn:
                self._drawn[row] = eight_bit(self.space.decode(self.codes(np.array([row])))[0])
        return np.stack([self._drawn[row] for row in np.ravel(rows).tolist()]).astype(np.float32) / 255

    def some(self, rows: Array) -> Array:
        """At most 100 of these rows, always the same ones."""
        if len(rows) <= COMPARED:
            return rows
        return np.sort(np.random.default_rng(0).choice(rows, COMPARED, replace=False))

    @cached_property
    def spread(self) -> float:
        """How unlike each other the pictures of the whole map are, see `spread_of`."""
        return spread_of(self.pictures(self.some(np.arange(len(self.places)))))

    @cached_property
    def thumbnails(self) -> tuple[Array, Array, float]:
        """Where thumbnails lie (m, 2), whose they are (m,), and how wide they are: one for each lattice cell with a picture.

        The cells are square on a map whose second axis is drawn `upright` times as long.
        """
        middles, rows, side = lattice(self.places * [1, self.upright], THUMBNAILS)
        return middles / [1, self.upright], rows, side

    @cached_property
    def upright(self) -> float:
        """How many times as long as the first axis the second is drawn, so that a narrow map fills the screen better."""
        wide, high = np.ptp(self.places, axis=0)
        return float(np.clip(wide / max(WIDEST * high, 1e-6), 1, MOST))


def deviation(images: Array) -> Array:
    """How much pictures (n, h, w, 3) differ at each pixel: (h, w), root mean square over the channels; zero for a single one."""
    variance = images.var(0, ddof=1) if len(images) > 1 else np.zeros(images.shape[1:])
    return np.asarray(np.sqrt(variance.mean(2)))


def spread_of(images: Array) -> float:
    """How unlike each other pictures (n, h, w, 3) are: the root mean square of `deviation`, which does not grow with n."""
    return float(np.sqrt(np.square(deviation(images)).mean()))


def thinned(region: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A drawn outline with no more vertices than a link bears, and as fine as places are."""
    step = -(-len(region) // VERTICES)
    return [(round(float(x), 3), round(float(y), 3)) for x, y in region[:: max(step, 1)]]
