"""Work in shards: how an operation says which parts its work has, and how any one of them is made without the others.

A system names a `Sharded` of each operation that draws many samples or predicts a whole file (`systems.Operation.shards`);
`batch` hands the shards out. Shard k is a function of the recipe and of k alone: who makes it, and when, changes no byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gen_core.errors import RecipeError
from gen_core.recipe import Recipe
from gen_core.result import Notice

Writer = Callable[[Path], None]
PARTS = 16  # shards from which on they grow instead of becoming more, as long as they may
MOST = 100_000  # shards


@dataclass(frozen=True)
class Piece:
    """Which items shard `k` holds, `first` to `stop` - 1 of all, and the seed that draws them."""

    k: int
    first: int
    stop: int
    seed: int = 0

    @property
    def n(self) -> int:
        """Items."""
        return self.stop - self.first

    def name(self, kind: str, ending: str) -> str:
        """The path of a file of this shard among others of its kind."""
        return f"{kind}/part-{self.k:05d}{ending}"


@dataclass(frozen=True)
class Plan:
    """What is made in all: n items in pieces. `recipe` is filled in, with as many items as the largest shard has."""

    recipe: Recipe
    n: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Shard:
    """What one shard leaves: files by their path in the batch's folder, what was counted, to be summed over the shards, and
    what the end is to know of it."""

    files: Mapping[str, Writer]
    counts: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)  # plain JSON


@dataclass(frozen=True)
class Whole:
    """What is said once all shards are there: files of all of them together, and what stands in result.json."""

    files: Mapping[str, Writer] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


Files = Sequence[Sequence[Path]]
"""The files of each shard."""


class Sharded(Protocol):
    """An operation in shards."""

    @property
    def promise(self) -> str:
        """What holds across shards, in a sentence or two: it stands in the manifest."""

    @property
    def begins(self) -> bool:
        """Whether something comes before the shards."""

    def plan(self, recipe: Any, n: int | None) -> Plan:
        """The pieces of n items; raises RecipeError or InputError where this cannot be done."""

    def begin(self, recipe: Any, scratch: Path) -> Shard:
        """What all shards share and what is there before them, made in `scratch`, an empty folder."""

    def shard(self, recipe: Any, piece: Piece) -> Shard:
        """One shard of a plan's recipe."""

    def end(self, plan: Plan, counts: Mapping[str, int], files: Files, told: Mapping[str, Any]) -> Whole:
        """What is said of all shards, `counts` being their sums and `told` what `begin` had to tell."""


@dataclass(frozen=True)
class Sampled:
    """An operation that draws: a shard is what the operation draws by the seed of the shard.

    `count` is the field of the recipe that says how many, `fill` fills in what the seed would decide anew in each shard, `draw`
    makes a shard by its own recipe, given also that of all. A `whole` looks at all shards in the end. Seeds differ modulo
    `apart`.
    """

    count: str
    least: int
    most: int
    fill: Callable[[Any], Any]
    draw: Callable[[Any, Piece, Any], Shard]
    whole: Callable[[Plan, Mapping[str, int], Files], Whole] | None = None
    promise: str = "Every shard is drawn by a seed of its own, so that no shard repeats another; equal samples are by chance."
    apart: int = 2**32
    begins: bool = False

    def plan(self, recipe: Any, n: int | None) -> Plan:
        if n is None:
            raise RecipeError(f"{recipe.operation} needs --n: how many there are to be in all, over all shards.")
        if not 1 <= n <= MOST * self.most:
            raise RecipeError(f"--n {n} is not allowed; {recipe.operation} makes 1 to {MOST * self.most:,} in all.")
        bounds = bounds_of(n, self.least, self.most)
        seeds = seeds_of(recipe.seed, len(bounds) - 1, self.apart)
        pieces = tuple(Piece(k, bounds[k], bounds[k + 1], seed) for k, seed in enumerate(seeds))
        return Plan(self.fill(recipe.replace(**{self.count: max(piece.n for piece in pieces)})), n, pieces)

    def begin(self, recipe: Any, scratch: Path) -> Shard:
        return Shard({})

    def recipe_of(self, recipe: Any, piece: Piece) -> Any:
        """The recipe of one shard: to `run` it gives the same samples."""
        return recipe.replace(**{self.count: piece.n, "seed": piece.seed})

    def shard(self, recipe: Any, piece: Piece) -> Shard:
        return self.draw(self.recipe_of(recipe, piece), piece, recipe)

    def end(self, plan: Plan, counts: Mapping[str, int], files: Files, told: Mapping[str, Any]) -> Whole:
        return Whole(metrics=dict(counts)) if self.whole is None else self.whole(plan, counts, files)


def bounds_of(n: int, least: int, most: int) -> tuple[int, ...]:
    """Where the shards of n items begin and end: about PARTS of them, of no fewer than half of `least` and at most `most` items;
    no two differ by more than one item."""
    size = min(max(-(-n // PARTS), least), most)
    count = -(-n // size)
    return tuple(n * k // count for k in range(count + 1))


def seeds_of(seed: int, count: int, apart: int = 2**32) -> tuple[int, ...]:
    """The seeds of shards 0 to count - 1: of each the first number of its own child of the seed (numpy's SeedSequence) that no
    shard before has, modulo `apart`. The seed of a shard does not depend on how many there are."""
    taken: set[int] = set()
    out = []
    for child in np.random.SeedSequence(seed).spawn(count):
        words = 1
        while (found := int(child.generate_state(words)[-1])) % apart in taken:
            words += 1
        taken.add(found % apart)
        out.append(found)
    return tuple(out)
