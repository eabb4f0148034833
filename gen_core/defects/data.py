"""Snapshots as the estimators take them: bundled ones from the simulator, the user's own from a file, checked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from gen_core.defects import simulate
from gen_core.defects.landscapes import LANDSCAPES
from gen_core.defects.recipe import BUNDLED, OfSnapshots
from gen_core.defects.worlds import WORLDS as PLAIN
from gen_core.defects.worlds import World
from gen_core.errors import InputError
from gen_core.inputs.snapshots import Rows, read_snapshots
from gen_core.memo import Memo
from gen_core.recipe import DIGEST
from gen_core.result import Notice

Array = np.ndarray
WORLDS = PLAIN | LANDSCAPES
FEWEST_TIMES, FEWEST_POINTS = 3, 200
FAR = 25.0  # robust spreads from the middle beyond which a point is set aside
SURE = 5.0  # standard deviations from which on a number is said to change
STEADY = 0.9  # rank correlation with time of a number that fades
EDGE = 0.02  # share of the range that is looked at for the walls of a box
_KEPT = Memo(256 << 20, lambda found: sum(x.nbytes for x in found.positions))


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Positions (n_k, N, d) at each of the times (K,), all of the same N and d.

    counts (K,) is the mean number of particles in a replica; where it changes, `positions` hold each particle as a replica of
    its own. `world` is the known truth of simulated ones. centre (d,) and scale tell where the points lie, whatever a few of
    them do.
    """

    times: Array
    positions: list[Array]
    box: Array | None = None
    charges: Array | None = None
    world: World | None = None
    followed: bool = False  # whether the same replicas are seen at every time
    counts: Array | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def d(self) -> int:
        """Dimensions."""
        return int(self.positions[0].shape[2])

    @property
    def particles(self) -> int:
        """Particles in a replica."""
        return int(self.positions[0].shape[1])

    @property
    def n(self) -> int:
        """Replicas in the smallest snapshot."""
        return min(len(x) for x in self.positions)

    @property
    def number_changes(self) -> bool:
        """Whether replicas lose or win particles: then the equation of motion of a fixed number does not hold."""
        return self.counts is not None and bool(np.ptp(self.counts) > 1e-9)

    def pooled(self) -> Array:
        """All positions (m, d)."""
        return np.concatenate([x.reshape(-1, self.d) for x in self.positions])

    @property
    def centre(self) -> Array:
        """Median of all positions (d,)."""
        return np.asarray(np.median(self.pooled(), 0))

    @property
    def scale(self) -> float:
        """Root mean square distance from the centre along one axis."""
        return float(np.sqrt(((self.pooled() - self.centre) ** 2).mean()))

    @property
    def span(self) -> tuple[Array, Array]:
        """Lowest and highest place (d,) that is worth showing: all but a few points of every snapshot lie between."""
        ends = [np.quantile(x.reshape(-1, self.d), [0.003, 0.997], axis=0) for x in self.positions]
        return np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)

    @property
    def limits(self) -> tuple[Array, Array]:
        """Lowest and highest place (d,) that simulated particles are kept within: well outside of the data; none in a box."""
        if self.box is not None:
            return np.full(self.d, -np.inf), np.full(self.d, np.inf)
        return self.centre - 6 * self.scale, self.centre + 6 * self.scale

    def wrapped(self, x: Array) -> Array:
        """Positions brought back into the periodic box, where there is one."""
        return x if self.box is None else np.mod(x, self.box)

    def first(self, k: int) -> Snapshots:
        """The first k snapshots alone."""
        return replace(self, times=self.times[:k], positions=self.positions[:k])


def opened(recipe: OfSnapshots, n: int | None = None) -> Snapshots:
    """The snapshots of a recipe, kept while they are used. Raises InputError and MissingContent where they cannot be used."""
    found: Snapshots = _KEPT.get(key(recipe, n), lambda: _opened(recipe, n or recipe.n))
    return found


def key(recipe: OfSnapshots, n: int | None = None) -> tuple[object, ...]:
    """What tells the snapshots of one recipe from those of another."""
    return (recipe.data, n or recipe.n, recipe.snapshots, recipe.duration, recipe.data_seed, recipe.box, recipe.followed)


def _opened(recipe: OfSnapshots, n: int | None) -> Snapshots:
    if DIGEST.fullmatch(recipe.data):
        from gen_core.datasets import path_of

        return replace(checked(read_snapshots(path_of(recipe.data)), recipe.box), followed=recipe.followed)
    if recipe.data not in WORLDS:
        raise InputError(f"data: choose {', '.join(WORLDS)}, or a file of your own, not {recipe.data[:40]!r}.")
    if recipe.box is not None:
        raise InputError("box: the bundled snapshots have none; leave it out.")
    return made(recipe.data, n or BUNDLED[recipe.data][0], recipe.snapshots, recipe.data_seed, recipe.duration)


def made(name: str, n: int, count: int, seed: int = 0, duration: float | None = None) -> Snapshots:
    """Simulated snapshots of a bundled world. Raises InputError for fewer than three times or too few points."""
    world = WORLDS[name]()
    times = np.linspace(0, duration or world.duration, count)
    _enough(count, n * world.particles)
    told = Notice("synthetic_data", "These snapshots are simulated; their force and diffusion constant are known.")
    found = simulate.snapshots(world, n, times, seed)
    return Snapshots(times, found, None, world.charges, world, world.followed, None, (told,))


def checked(rows: Rows, box: tuple[float, ...] | None = None) -> Snapshots:
    """The user's rows as snapshots. Raises InputError with one sentence where they cannot be used."""
    times, at = np.unique(rows.times, return_inverse=True)
    _numbers(rows)
    _order(rows, times)
    d = rows.positions.shape[1]
    if box is not None and len(box) != d:
        raise InputError(f"box: it has {len(box)} lengths and the positions {d} coordinates; give one for each.")
    _enough(len(times), int(np.bincount(at).min()))
    positions, notices = rows.positions, []
    if box is None:
        centre = np.median(positions, 0)
        spread = 1.4826 * np.median(np.abs(positions - centre), 0)
        if not (spread > 0).all():
            raise InputError("More than half of the positions are the same in one coordinate; leave that coordinate out.")
        far = (np.abs(positions - centre) > FAR * spread).any(1)
        rows, at, more = _without(rows, at, far)
        notices += more + _walls(rows.positions)
    found, counts = _replicas(rows, at, len(times))
    charges = None
    if rows.charges is not None and found[0].shape[1] > 1:
        charges = _charges(rows, at, found[0].shape[1])
    _different(found)
    notices += [] if counts is not None else _fading(found)
    notices.append(Notice("no_truth", "The true force is not known here: errors cannot be told, only the tests and intervals."))
    wide = None if box is None else np.array(box, float)
    if wide is not None:
        found = [np.mod(x, wide) for x in found]
    return Snapshots(times, found, wide, charges, None, False, counts, tuple(notices))


def _numbers(rows: Rows) -> None:
    wrong = ~np.isfinite(rows.positions).all(1) | ~np.isfinite(rows.times)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum()):,} of {len(wrong):,} rows hold a time or a coordinate that is no number (the first is row "
            f"{int(np.argmax(wrong)) + 1}); leave such rows out."
        )


def _order(rows: Rows, times: Array) -> None:
    if len(times) > 1:
        gaps = np.diff(times)
        if gaps.min() < 1e-9 * (times[-1] - times[0]):
            raise InputError(f"Two snapshots have the same time but for rounding (near {times[np.argmin(gaps)]:g}); merge them.")
    if np.any(np.diff(rows.times) < 0):
        starts = np.flatnonzero(np.diff(rows.times) != 0)
        if len(starts) + 1 == len(times):  # whole snapshots, but not in order
            raise InputError("The times are not in order; sort the snapshots by time.")
    keys = np.stack([rows.times, rows.replicas.astype(float), rows.particles.astype(float)], 1)
    if len(np.unique(keys, axis=0)) < len(keys):
        raise InputError(
            "Some particle is listed twice at one time (a doubled snapshot, or replicas that are not numbered); give each time, "
            "replica and particle once."
        )


def _enough(times: int, points: int) -> None:
    if times < FEWEST_TIMES:
        raise InputError(
            f"There are snapshots of {times} time{'s' * (times != 1)}; at least {FEWEST_TIMES} different times are needed "
            "to tell "
            "drift from diffusion."
        )
    if points < FEWEST_POINTS:
        raise InputError(
            f"A snapshot holds {points} positions; at least {FEWEST_POINTS} in each are needed, and some thousand for an "
            "error of a "
            "few per cent."
        )


def _without(rows: Rows, at: Array, far: Array) -> tuple[Rows, Array, list[Notice]]:
    """The rows without those far away, nor others of their replica where it holds several particles."""
    if not far.any():
        return rows, at, []
    if far.mean() > 0.01:
        raise InputError(
            f"{100 * far.mean():.0f} % of the positions lie more than {FAR:.0f} spreads from the rest; check the unit and "
            "the columns."
        )
    several = len(np.unique(rows.particles)) > 1
    gone = far
    if several:
        number = np.unique(rows.replicas, return_inverse=True)[1]
        mark = at * (number.max() + 1) + number
        gone = np.isin(mark, mark[far])
    kept = ~gone
    text = f"{int(far.sum())} of {len(far):,} positions lie far outside all others and were set aside" + (
        ", with the rest of their replica." if several else "."
    )
    left = Rows(
        rows.times[kept], rows.replicas[kept], rows.particles[kept], rows.positions[kept],
        None if rows.charges is None else rows.charges[kept], rows.numbered,
    )  # fmt: skip
    return left, at[kept], [Notice("outliers", text)]


def _walls(positions: Array) -> list[Notice]:
    """A warning where the points fill a box up to its edges: it may be periodic, and nobody said so."""
    for axis in range(positions.shape[1]):
        values = positions[:, axis]
        low, high = float(values.min()), float(values.max())
        edge = EDGE * (high - low)
        share = [float((values < low + edge).mean()), float((values > high - edge).mean())]
        if min(share) > 0.5 * EDGE:
            return [
                Notice(
                    "box_undeclared",
                    f"The positions fill {'xyz'[axis]} from {low:.4g} to {high:.4g} up to both edges, as in a periodic box. "
                    "If it is "
                    "one, give box; else particles that cross its edge count as a force.",
                )
            ]
    return []


def _replicas(rows: Rows, at: Array, K: int) -> tuple[list[Array], Array | None]:
    """Positions (n, N, d) of each time, and the mean number of particles (K,) where that changes."""
    parts, sizes = [], []
    for k in range(K):
        here = np.flatnonzero(at == k)
        order = here[np.lexsort((rows.particles[here], rows.replicas[here]))]
        _, counts = np.unique(rows.replicas[order], return_counts=True)
        parts.append(rows.positions[order])
        sizes.append(counts)
    first = sizes[0]
    d = rows.positions.shape[1]
    if all(set(counts.tolist()) == {int(first[0])} for counts in sizes):
        return [part.reshape(-1, int(first[0]), d) for part in parts], None
    means = np.array([counts.mean() for counts in sizes])
    if set(first.tolist()) == {int(first.max())} or _changes(sizes):
        return [part[:, None, :] for part in parts], means  # the number changes: no law for a fixed number holds
    raise InputError(
        f"Replicas hold unlike numbers of particles ({int(first.min())} to {int(first.max())} at the first time), though their "
        "mean changes no more than chance does; give replicas of one number, or leave the column replica out to treat each "
        "particle alone."
    )


def _changes(sizes: list[Array]) -> bool:
    """Whether the mean number of particles in a replica changes more than its standard errors explain."""
    counts = np.array([len(one) for one in sizes], float)
    means = np.array([one.mean() for one in sizes])
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in sizes) / max(counts.sum() - len(sizes), 1)
    common = (counts * means).sum() / counts.sum()
    free = len(sizes) - 1
    deviation = float((counts * (means - common) ** 2).sum()) / max(within, 1e-12)
    return deviation > free + SURE * np.sqrt(2 * free)


def _fading(found: list[Array]) -> list[Notice]:
    """A warning where single particles get fewer (or more) with time: they may annihilate, and nobody numbered the images."""
    counts = np.array([len(x) for x in found], float)
    if found[0].shape[1] > 1 or abs(counts[-1] - counts[0]) < SURE * np.sqrt(counts[0] + counts[-1]):
        return []
    order = np.arange(len(counts))
    if abs(np.corrcoef(order, np.argsort(np.argsort(counts)))[0, 1]) < STEADY:
        return []
    return [
        Notice(
            "number_changes",
            f"The number of positions goes steadily from {int(counts[0]):,} to {int(counts[-1]):,}. If particles vanish or "
            "enter, the equation for a fixed number does not hold, and neither force nor D may be used; if only fewer were "
            "looked at, all is well.",
        )
    ]


def _charges(rows: Rows, at: Array, N: int) -> Array:
    assert rows.charges is not None
    order = np.lexsort((rows.particles, rows.replicas, at))
    table = rows.charges[order].reshape(-1, N)
    if np.ptp(table, axis=0).any() or not np.isin(table[0], (-1.0, 1.0)).all():
        raise InputError("charge must be 1 or -1, and the same for a particle's number in all replicas; sort particles by it.")
    signs = np.asarray(table[0], float)
    return signs if len(np.unique(signs)) > 1 else None  # type: ignore[return-value]


def _different(found: list[Array]) -> None:
    for a, b in itertools.pairwise(found):
        if a.shape == b.shape and np.array_equal(a, b):
            raise InputError("Two snapshots in a row are equal in every position; check that each time has its own data.")
