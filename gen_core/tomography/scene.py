"""Painting with ellipses: what is painted later covers what lies below, and still every line integral is in closed form.

A painted scene becomes a sum of parts, each an intersection of ellipses with a density: to paint a shape with a value is to
add the value there and to take away, within the shape, what was there. A line meets an intersection of ellipses in one
segment, whose ends follow from quadratic equations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Array = np.ndarray
MOST = 4  # ellipses in one part
AROUND = np.linspace(0, 2 * np.pi, 48, endpoint=False)
RING = np.stack([np.cos(AROUND), np.sin(AROUND)])  # (2, 48)
SURE = 0.008  # an outline bulges between its 48 points by less than this
ROOM = 1024


class Scene:
    """A scene under work. Lengths are in mm, values are attenuation over that of water."""

    def __init__(self, rng: np.random.Generator, field: float) -> None:
        self.rng, self.field = rng, field
        self.n = 0
        self.centre = np.zeros((ROOM, 2))
        self.inverse = np.zeros((ROOM, 2, 2))  # takes the ellipse to the unit circle
        self.ring = np.zeros((ROOM, 2, 48))  # points on its outline
        self.radius = np.zeros(ROOM)
        self.ellipses: list[tuple[float, float, float, float, float]] = []
        self.parts: list[tuple[tuple[int, ...], float]] = []
        self.table = np.full((ROOM, MOST), -1)  # the parts' ellipses
        self.blobs: list[tuple[float, float, float, float]] = []
        self.within: list[Array] = []  # for each ellipse: which earlier ones hold it whole
        self.apart: list[Array] = []  # which earlier ones do not meet it
        self.holds: list[Array] = []  # which earlier ones it holds whole

    # ---- shapes

    def ellipse(self, x: float, y: float, a: float, b: float, angle: float = 0.0) -> int:
        """A new ellipse (half axes a, b, turned by `angle` degrees); nothing is painted yet."""
        turn = np.deg2rad(angle)
        c, s = np.cos(turn), np.sin(turn)
        i = self.n
        self.n += 1
        self.ellipses.append((x, y, a, b, turn))
        self.centre[i] = x, y
        self.inverse[i] = [[c / a, s / a], [-s / b, c / b]]
        self.ring[i] = np.array([[x], [y]]) + np.array([[c * a, -s * b], [s * a, c * b]]) @ RING
        self.radius[i] = max(a, b)
        mine = self.depth_in(slice(0, i), self.ring[i])  # (i, 48)
        theirs = self._depth(i, self.ring[:i])
        self.within.append(np.asarray((mine < 1 - SURE).all(1)))
        self.holds.append(np.asarray((theirs < 1 - SURE).all(1)))
        self.apart.append(np.asarray((mine > 1 + SURE).all(1) & (theirs > 1 + SURE).all(1)))
        return i

    def depth_in(self, which: slice | Array, points: Array) -> Array:
        """How far out points (2, p) lie in each of some ellipses (k, p): 0 in the middle, 1 on the outline (squared)."""
        moved = points[None] - self.centre[which, :, None]
        turned = self.inverse[which] @ moved
        return np.asarray((turned * turned).sum(1))

    def _depth(self, i: int, rings: Array) -> Array:
        turned = self.inverse[i] @ (rings - self.centre[i, :, None])
        return np.asarray((turned * turned).sum(1))

    def inside(self, i: int, j: int) -> bool:
        """Whether ellipse i lies whole within j."""
        return i == j or bool(self.within[i][j] if j < i else self.holds[j][i])

    def disjoint(self, i: int, j: int) -> bool:
        """Whether ellipses i and j do not meet."""
        return i != j and bool(self.apart[max(i, j)][min(i, j)])

    # ---- paint

    def paint(self, shape: int | Sequence[int], value: float, only_in: Sequence[int] = (), off: Sequence[int] = ()) -> bool:
        """Give what all ellipses of `shape` share this value. Returns False, and paints nothing, where it is too intricate,
        where it does not lie whole within each of `only_in`, or meets one of `off`."""
        members = self._least((shape,) if isinstance(shape, int) else tuple(shape))
        if not all(any(self.inside(i, j) for i in members) for j in only_in):
            return False
        if not all(any(self.disjoint(i, j) for i in members) for j in off):
            return False
        added: dict[tuple[int, ...], float] = {members: value}
        for k in np.flatnonzero(~self._apart_from(members)[self.table[: len(self.parts)]].any(1)):
            below, density = self.parts[k]
            both = self._least(tuple(dict.fromkeys((*members, *below))))
            if len(both) > MOST:
                return False
            added[both] = added.get(both, 0.0) - density
        for part, density in added.items():
            if abs(density) > 1e-12:
                self.table[len(self.parts), : len(part)] = part
                self.parts.append((part, density))
        return True

    def _apart_from(self, members: tuple[int, ...]) -> Array:
        """Which ellipses do not meet one of these (n + 1,); the last entry, where no ellipse is named, is False."""
        out = np.zeros(self.n + 1, bool)
        for i in members:
            out[:i] |= self.apart[i]
            for j in range(i + 1, self.n):
                out[j] |= self.apart[j][i]
        return out

    def _least(self, members: tuple[int, ...]) -> tuple[int, ...]:
        """Without those that hold another whole."""
        kept = [i for i in members if not any(i != j and self.inside(j, i) for j in members)]
        return tuple(sorted(kept))

    def blob(self, x: float, y: float, sigma: float, amount: float) -> None:
        """A Gaussian, added to what is there."""
        self.blobs.append((x, y, sigma, amount))

    # ---- chance

    def between(self, low: float, high: float) -> float:
        """A number between two, all equally likely."""
        return float(self.rng.uniform(low, high))

    def often(self, share: float) -> bool:
        """True in this share of all scenes."""
        return bool(self.rng.random() < share)

    def hu(self, low: float, high: float) -> float:
        """An attenuation between two Hounsfield numbers."""
        return 1 + self.between(low, high) / 1000

    def spot(self, i: int, reach: float = 0.9) -> tuple[float, float]:
        """A place within an ellipse, all equally likely, at most `reach` of the way to its outline."""
        x, y, a, b, turn = self.ellipses[i]
        far, way = reach * np.sqrt(self.rng.random()), self.between(0, 2 * np.pi)
        u, v = a * far * np.cos(way), b * far * np.sin(way)
        return x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)

    def texture(self, i: int, count: int, sigma: tuple[float, float], hu: float, reach: float = 0.8) -> None:
        """Soft spots within an ellipse, lighter by up to twice `hu`, whose feet stay inside; none is darker, so that no value
        falls below zero."""
        _, _, a, b, _ = self.ellipses[i]
        for _ in range(count):
            wide = min(self.between(*sigma), (1 - reach) * min(a, b) / 2 + sigma[0] / 2)
            self.blob(*self.spot(i, max(0.0, min(reach, 1 - 3 * wide / min(a, b)))), wide, self.between(0, 2 * hu) / 1000)

    # ---- the end

    def finished(self, turn: float, shift: tuple[float, float], zoom: float = 1.0) -> tuple[Array, Array, Array, Array, float]:
        """Ellipses (m, 5), members (n, MOST; -1 for none), densities (n,) and blobs (k, 4), turned about the middle by `turn`
        degrees and moved by `shift` mm, in units of half the field; and the field in mm, smaller by `zoom`, larger where
        something would leave it."""
        used = sorted({i for members, _ in self.parts for i in members})
        place = {old: new for new, old in enumerate(used)}
        ellipses = np.array([self.ellipses[i] for i in used])
        members = np.full((len(self.parts), MOST), -1, np.int32)
        for row, (part, _) in enumerate(self.parts):
            members[row, : len(part)] = [place[i] for i in part]
        density = np.array([d for _, d in self.parts])
        blobs = np.array(self.blobs).reshape(-1, 4)
        angle = np.deg2rad(turn)
        spin = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        ellipses[:, :2] = ellipses[:, :2] @ spin + shift
        ellipses[:, 4] += angle
        blobs[:, :2] = blobs[:, :2] @ spin + shift
        rings = np.stack([self.ring[i] for i in used])  # (m, 2, 48)
        turned = np.einsum("kps,pq->kqs", rings, spin) + np.array(shift)[None, :, None]
        reach = np.append(np.sqrt((turned * turned).sum(1)).max(1), np.inf)  # the last where no ellipse is named
        furthest = reach[members].min(1).max()  # what several share reaches no further than each
        field = max(self.field / zoom, furthest / 0.495)
        ellipses[:, :4] *= 2 / field
        blobs[:, :3] *= 2 / field
        return ellipses, members, density, blobs, field
