"""What is learned from and tested on: scenes drawn at their angles, or the user's pictures turned by splines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import InputError
from gen_core.recipe import DIGEST
from gen_core.result import Notice
from gen_core.symmetry import scenes, turn

Array = np.ndarray
LEAST = 20  # pictures of the user's without which there is nothing to learn
FLAT = 1e-3  # deviation within the disc below which a picture shows nothing
KEPT_ASIDE = 0.1  # share of the user's pictures that nothing learns from


@dataclass(frozen=True, eq=False)
class Own:
    """The user's pictures (n, 32, 32), grey and faded out at the disc's edge, in one shuffled order; the last are kept aside."""

    images: Array
    notices: tuple[Notice, ...]

    @property
    def aside(self) -> int:
        """How many are kept aside."""
        return max(round(KEPT_ASIDE * len(self.images)), 4)

    @property
    def learned(self) -> int:
        """How many may be learned from."""
        return len(self.images) - self.aside


def check_name(data: str) -> None:
    """Raise InputError where these are no pictures of this system."""
    if data not in scenes.KINDS and not DIGEST.fullmatch(data):
        raise InputError(f"data: {data[:30]!r} are no pictures here; choose {' or '.join(scenes.KINDS)}, or a zip of your own.")


@dataclass(frozen=True, eq=False)
class Tested:
    """Pictures (n, 32, 32) that nothing learned from, their angles (n,) in degrees, and which picture each shows (n,)."""

    images: Array
    angles: Array
    sources: Array
    notices: tuple[Notice, ...] = ()

    @property
    def energy(self) -> float:
        """The mean squared norm of the pictures, over which errors are."""
        return float((self.images.astype(np.float64) ** 2).sum((1, 2)).mean())


def own(data: str) -> Own:
    """The pictures in a zip: the same are kept aside whatever the seed of a recipe.

    Raises InputError where they cannot be read, are too few, or show nothing.
    """
    from gen_core.inputs.images import read_pictures

    found = read_pictures(path_of(data), scenes.SIZE)
    grey = found.images.astype(np.float32).mean(3) / 255
    shown = grey[:, turn.disc(scenes.SIZE)].std(1) > FLAT
    grey = (grey * turn.fade(scenes.SIZE)).astype(np.float32)
    flat = int((~shown).sum())
    if not shown.any():
        raise InputError("All of these pictures are of one grey within the disc: there is nothing to see turn.")
    if shown.sum() < LEAST:
        raise InputError(f"Only {shown.sum()} pictures that show something; at least {LEAST} are needed.")
    told = [Notice("cut", "Of each picture the disc in its middle square is used, in grey, 32 pixels across.")]
    if flat:
        told.append(Notice("left_out", f"{flat} of {len(grey)} pictures are of one grey within the disc and were left out."))
    order = np.random.default_rng([0, 84]).permutation(int(shown.sum()))
    return Own(grey[shown][order], (*found.notices, *told))


def learned(data: str, count: int, copies: int, turned: bool, seed: int) -> tuple[Array, Array, tuple[Notice, ...]]:
    """Pictures to learn from (count * copies, 32, 32), or (count, …) where none is turned, others to watch with, and notices."""
    check_name(data)
    copies = copies if turned else 1
    watched = min(max(count // 8, 16), 256)
    if data in scenes.KINDS:
        seeds = scenes.TRAIN_FROM + 10_000_000 * (seed % 10) + np.arange(count + watched)
        rows = np.concatenate([np.tile(seeds[:count], copies), seeds[count:]])
        angles = scenes.angles(len(rows), seed) if turned else np.zeros(len(rows))
        drawn = scenes.pictures(rows, angles, data)
        return drawn[: count * copies], drawn[count * copies :], ()
    mine = own(data)
    base = mine.images[: min(count, mine.learned)]
    rows = np.concatenate([np.tile(base, (copies, 1, 1)), mine.images[mine.learned :]])
    if turned:
        rows = turn.turn_each(rows, scenes.angles(len(rows), seed))
    return rows[: len(base) * copies], rows[len(base) * copies :], mine.notices


def tested(data: str, count: int, turned: bool, seed: int) -> Tested:
    """Pictures that nothing learned from. Of the user's own few are kept aside: each is then turned again and again."""
    check_name(data)
    if data in scenes.KINDS:
        angles = scenes.angles(count, seed + 1) if turned else np.zeros(count)
        rows = scenes.TEST_FROM + seed % 100_000 * 1_000 + np.arange(count)
        return Tested(scenes.pictures(rows, angles, data), angles, np.arange(count))
    mine = own(data)
    kept = mine.images[mine.learned :]
    sources = np.arange(count) % len(kept) if turned else np.arange(min(count, len(kept)))
    rows = kept[sources]
    angles = scenes.angles(len(rows), seed + 1) if turned else np.zeros(len(rows))
    told = mine.notices
    if len(kept) < count:
        again = f", each turned by {count // len(kept)} or more random angles" if turned else ""
        text = f"Only {len(kept)} different pictures were kept aside to be measured on{again}: the intervals are wide."
        told = (*told, Notice("few_samples", text))
    return Tested(turn.turn_each(rows, angles) if turned else rows, angles, sources, told)
