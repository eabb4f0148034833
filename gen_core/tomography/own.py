"""The user's own slices to learn a prior from: all slices of their volumes, split so that what tests was not nearly seen.

Neighbouring slices of a volume are nearly the same picture. A random split would test a prior on what it has as good as
learned, so slices are left out in blocks of neighbours, or whole volumes where there are several, and the slices that touch a
block belong to neither side.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import InputError
from gen_core.inputs.square import Square, center_square
from gen_core.inputs.stacks import read_stacks
from gen_core.memo import Memo
from gen_core.tomography.recipe import Train
from gen_core.tomography.slices import VALIDATED, Slices
from gen_core.tomography.subject import FINEST, attenuated, halved
from gen_core.training import Step

Array = np.ndarray
LEAST, MOST = 20, 8_192  # usable slices
FLAT = 0.02  # deviation of the attenuation below which a slice counts as empty
LEFT = 10  # every tenth slice is left out to test with, and as many to tell the variances and watch the training
GAP = 2  # slices on either side of a block that are not used at all
TURN, SHIFT, ZOOM = 8.0, 0.04, 0.08  # degrees, share of the side, share: how far a slice is moved at most
_KEPT = Memo(256 << 20, lambda made: made.fine.nbytes)


@dataclass(frozen=True, eq=False)
class Own:
    """Slices `fine` (n, m, m), attenuation over that of water, float16, m at least `size`; places (n_i,) in them: `learned`
    from, `watched` (variances, and when to stop), `tested`. `notes` say in sentences how they came about."""

    fine: Array
    size: int
    learned: Array
    watched: Array
    tested: Array
    stacks: int
    whole: bool  # whether whole stacks were left out
    notes: tuple[str, ...]

    def images(self, places: Array) -> Array:
        """Slices (k, size, size), float32, as they are."""
        return np.stack([halved(self.fine[i].astype(np.float32), self.size) for i in places])

    def cases(self, most: int) -> list[tuple[Array, Array]]:
        """At most so many of the tested slices, evenly spaced: what is projected (m, m) and its truth (size, size)."""
        places = self.tested[np.unique(np.linspace(0, len(self.tested) - 1, most).round().astype(int))]
        return [(self.fine[i].astype(np.float64), halved(self.fine[i].astype(np.float64), self.size)) for i in places]


def opened(recipe: Train) -> Own:
    """The slices of the recipe's data. Raises InputError where too few can be used, and as reading them does."""
    found: Own = _KEPT.get((recipe.data, recipe.size, recipe.seed), lambda: _opened(recipe))
    return found


def _opened(recipe: Train) -> Own:
    stacks = read_stacks(path_of(recipe.data))
    notes: list[str] = []
    fine_size = min(2 * recipe.size, FINEST)
    kept: list[list[Array]] = []
    total, empty, coarse = sum(len(volume) for volume in stacks), 0, 0
    every = max(1, -(-total // MOST))
    for volume in stacks:
        kept.append([])
        for i in range(0, len(volume), every):
            square = center_square(volume, i, fine_size)
            slice_ = _attenuation(square)
            if slice_ is None:
                empty += 1
                continue
            coarse += min(square.place[2:]) < 0.99 * recipe.size  # rows and columns of the file that it covers
            kept[-1].append(slice_)
    kept = [slices for slices in kept if slices]
    count = sum(len(slices) for slices in kept)
    if count < LEAST:
        raise InputError(_too_few(count, total, empty, len(stacks)))
    if every > 1:
        notes.append(f"Every {every}th of {total:,} slices was taken.")
    if empty:
        notes.append(f"{empty:,} slices with next to nothing in them were left out.")
    if coarse:
        notes.append(f"{coarse:,} slices have fewer pixels than {recipe.size} across the body; resampling adds no detail.")
    if any(volume.unit != "HU" for volume in stacks):
        notes.append("Some values are not in HU: each such slice was scaled to its own range.")
    fine = np.concatenate([np.stack(slices) for slices in kept])
    learned, watched, tested, whole = divided([len(slices) for slices in kept], recipe.seed)
    notes.append(_told(len(kept), whole, len(learned), len(watched), len(tested)))
    return Own(fine, recipe.size, learned, watched, tested, len(kept), whole, tuple(notes))


def notes_of(own: Own, recipe: Train) -> list[str]:
    """What a card must tell of the slices: how they were split, what was left out, and how they were made more."""
    if len(own.learned) >= recipe.slices:
        return list(own.notes)
    more = (
        f"The {len(own.learned):,} slices to learn from were turned by up to {TURN:g}°, moved, scaled and mirrored to make "
        f"{recipe.slices:,}: that adds views of the same bodies, not bodies."
    )
    return [*own.notes, more]


def _attenuation(square: Square) -> Array | None:
    """A slice as attenuation (m, m), float16; None where next to nothing is in it."""
    try:
        found = attenuated(square.values, square.unit)[0]
    except InputError:
        return None
    return None if float(found.std()) < FLAT else np.minimum(found, 60_000).astype(np.float16)


def _too_few(count: int, total: int, empty: int, stacks: int) -> str:
    if total and empty == total:
        return f"All {total:,} slices of this file have the same value nearly everywhere; there is nothing to learn from."
    there = f"There {'is' if count == 1 else 'are'} {count:,} slice{'s' * (count != 1)} to learn from here"
    gone = f" ({empty:,} more are empty)" if empty else ""
    return f"{there}{gone}; at least {LEAST} are needed, better some hundreds. Give a volume, or a zip or folder of many slices."


def _told(stacks: int, whole: bool, learned: int, watched: int, tested: int) -> str:
    how = (
        f"whole volumes or series of {stacks:,} (two of one patient would be near copies, which cannot be told here)"
        if whole
        else f"blocks of neighbours, with {GAP} slices unused on either side, since a random split would test on near copies"
    )
    return f"Learned from {learned:,} slices; {tested:,} to test and {watched:,} to tell variances were left out as {how}."


def divided(lengths: list[int], seed: int) -> tuple[Array, Array, Array, bool]:
    """Places to learn from, to watch and to test, for stacks of these many slices one after the other; and whether whole stacks
    are left out. Nothing tested or watched lies within GAP slices of what is learned from, or of the other."""
    rng = np.random.default_rng([seed, 91])
    first = np.concatenate([[0], np.cumsum(lengths)])
    places = [np.arange(a, b) for a, b in pairwise(first)]
    total = int(first[-1])
    wanted = max(total // LEFT, 2)
    order = [int(i) for i in rng.permutation(len(places))]
    groups: list[list[int]] = [[], []]  # stacks to test and to watch with
    for group in groups:
        for i in sorted((i for i in order if i not in groups[0]), key=lambda i: lengths[i]):
            if sum(lengths[k] for k in group) < wanted:
                group.append(i)
    out = {i for group in groups for i in group}
    if len(out) < len(places) and sum(lengths[i] for i in out) <= total // 2 and not set(groups[0]) & set(groups[1]):
        test, watch = (np.sort(np.concatenate([places[i] for i in group])) for group in groups)
        return np.concatenate([places[i] for i in range(len(places)) if i not in out]), watch, test, True
    roles = np.zeros(total, np.int8)  # 0 learned from, 1 watched, 2 tested, 3 not used
    blocks = 1 if total < 100 else 2
    for k in range(2 * blocks):  # test and watch take turns along the slices, each at a place of its stretch that chance gives
        long = max(wanted // blocks, 2)
        low, high = total * k // (2 * blocks), total * (k + 1) // (2 * blocks)
        at = int(rng.integers(low, max(high - long - 2 * GAP, low) + 1))
        roles[at : at + long + 2 * GAP] = 3
        roles[at + GAP : at + GAP + long] = 2 - k % 2
    return np.flatnonzero(roles == 0), np.flatnonzero(roles == 1), np.flatnonzero(roles == 2), False


def drawn(own: Own, places: Array, count: int, seed: int, text: str) -> Generator[Step, None, Array]:
    """`count` slices (count, size, size), float32: first those of these places as they are, then moved ones, in turn; evenly
    spaced ones where there are more."""
    out = np.empty((count, own.size, own.size), np.float32)
    if len(places) > count:
        places = places[np.linspace(0, len(places) - 1, count).round().astype(int)]
    for i in range(count):
        if i < len(places):
            fine = own.fine[places[i]].astype(np.float32)
        else:
            fine = moved(own.fine[places[i % len(places)]].astype(np.float32), np.random.default_rng([seed, 93, i]))
        out[i] = halved(fine, own.size)
        if i % 50 == 49:
            yield Step(i + 1, count, text=f"{text}, {i + 1:,} of {count:,}")
    return out


def moved(image: Array, rng: np.random.Generator) -> Array:
    """A slice (m, m) mirrored half of the times, turned, scaled and shifted a little; what leaves the field of view is cut."""
    from scipy import ndimage

    from gen_core.tomography.metrics import disc

    angle = np.deg2rad(rng.uniform(-TURN, TURN))
    zoom, shift = 1 + rng.uniform(-ZOOM, ZOOM), rng.uniform(-SHIFT, SHIFT, 2) * len(image)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    if rng.random() < 0.5:
        image = image[:, ::-1]
    middle = np.full(2, (len(image) - 1) / 2)
    out = ndimage.affine_transform(image, turn, middle - turn @ (middle + shift), order=1)
    out[~disc(len(image))] = 0
    return np.asarray(out, np.float32)


def to_learn(own: Own, recipe: Train) -> Slices:
    """What a network learns from: `recipe.slices` of them, then those that watch."""
    n_valid = min(VALIDATED, max(recipe.slices // 8, 4))
    parts: list[Any] = []
    for places, count, seed in ((own.learned, recipe.slices, recipe.seed), (own.watched, n_valid, recipe.seed + 1)):
        work = drawn(own, places, count, seed, "")
        while True:
            try:
                next(work)
            except StopIteration as end:
                parts.append(end.value)
                break
    images = np.concatenate(parts).astype(np.float16)
    return Slices(images, n_valid, f"own {recipe.data} {recipe.slices} {recipe.size} {recipe.seed}")
