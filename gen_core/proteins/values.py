"""What filters look at: numbers of each sequence, from its residues, its place in the columns, and the family's model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gen_core.proteins import identity, motifs
from gen_core.proteins.alphabet import GAP, decode, encode, ungapped
from gen_core.proteins.properties import composition_of, properties

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel

Array = np.ndarray
WINDOW = 20  # residues in a row in which complexity is measured
BLOCK = 2_000


def values_of(
    codes: Array,
    model: FamilyModel,
    known: Array,
    residues: tuple[bytes, ...] | None = None,
    patterns: Sequence[str] = tuple(motifs.ON.values()),
) -> dict[str, Array]:
    """Values (n,) by name of sequences codes (n, L): length, longest_run, complexity, profile_bits, coupling_energy (NaN
    without couplings), nearest_identity to known sequences (m, L), what `properties` gives, and motifs, how many of the
    patterns are found.

    All are of what stands in the columns, so that a domain inside a longer protein is judged as one; only the profile looks
    for its match in the whole sequences, `residues`, where they are given.
    """
    texts = ungapped(decode(codes))
    rows = tuple(row.encode() for row in texts)
    packed = _packed(rows)
    energy = np.full(len(codes), np.nan) if model.couplings is None else model.couplings.energy(codes)
    near = identity.nearest(codes, known)[0] if len(known) else np.full(len(codes), np.nan)
    return {
        "length": np.array([len(row) for row in rows]),
        "longest_run": longest_run(packed),
        "complexity": complexity(packed),
        "profile_bits": model.profile.bits(rows if residues is None else residues),
        "coupling_energy": energy,
        "nearest_identity": near,
        **properties(packed, composition_of(model.moments.sites)),
        "motifs": motifs.hits(texts, patterns),
    }


def longest_run(packed: Array) -> Array:
    """Longest run (n,) of one residue in sequences (n, m) that end in gaps."""
    best, run = np.zeros(len(packed), np.int64), np.zeros(len(packed), np.int64)
    before = np.full(len(packed), GAP, np.uint8)
    for column in packed.T:
        run = np.where(column == GAP, 0, np.where(column == before, run + 1, 1))
        best, before = np.maximum(best, run), column
    return best


def complexity(packed: Array, window: int = WINDOW) -> Array:
    """Entropy in bits (n,) of the composition of the least varied `window` residues in a row; of all where there are fewer."""
    found = np.zeros(len(packed))
    table = np.arange(window + 1) / window
    table = -table * np.log2(np.where(table > 0, table, 1))
    for start in range(0, len(packed), BLOCK):
        block = packed[start : start + BLOCK]
        lengths = (block != GAP).sum(1)
        counts = np.zeros((len(block), GAP), np.int16)
        least = np.full(len(block), np.inf)
        every = np.arange(len(block))
        for end in range(block.shape[1]):
            here = block[:, end]
            inside = here != GAP
            counts[every[inside], here[inside]] += 1
            if end >= window:
                gone = block[:, end - window]
                counts[every[inside], gone[inside]] -= 1  # past its end a sequence keeps its last window
            if end >= window - 1:
                least = np.where(inside, np.minimum(least, table[counts].sum(1)), least)
        short = lengths < window
        if short.any():
            share = counts[short] / np.maximum(lengths[short], 1)[:, None]
            least[short] = -(share * np.log2(np.where(share > 0, share, 1))).sum(1)
        found[start : start + BLOCK] = least
    return found


def _packed(rows: tuple[bytes, ...]) -> Array:
    """Codes (n, m) of sequences without gaps, filled up with gaps at their end; m is at least 1."""
    width = max(1, max(map(len, rows), default=0))
    flat = b"".join(row.ljust(width, b"-") for row in rows)
    return encode(np.frombuffer(flat, np.uint8)).reshape(len(rows), width)
