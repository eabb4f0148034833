"""A family of proteins as its alignment: columns chosen, sequences weighted, a part held out to score what is learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.datasets import named, path_of
from gen_core.errors import InputError
from gen_core.inputs.sequences import Sequences, read_sequences
from gen_core.memo import Memo
from gen_core.proteins import identity
from gen_core.proteins.align import LEAST as LEAST_COLUMNS
from gen_core.proteins.align import Profile, align, columns_of
from gen_core.proteins.alphabet import GAP, encode
from gen_core.proteins.statistics import Moments, moments
from gen_core.result import Notice

Array = np.ndarray
LEAST = 20  # sequences from which there is something to learn
FEW = 100  # effective sequences below which correlations are mostly noise
GAPPED = 0.9  # share of gaps above which a column is left out
MOST = 30_000  # sequences that a family is learned from; weighting takes the square of it
HELD_OUT = 0.1
MOST_HELD_OUT = 1_000
KEPT = Memo(512 << 20, lambda family: int(family.codes.nbytes * 4 + (1 << 20)))


@dataclass(frozen=True, eq=False)
class Family:
    """codes (n, L) in the columns that are learned from; `columns` (L,) are their places among the `width` columns of the
    file; `source` is what the recipe calls it."""

    source: str
    names: Array
    codes: Array
    columns: Array
    width: int
    synthetic: bool
    notices: tuple[Notice, ...]

    @cached_property
    def weights(self) -> Array:
        """Weight (n,) of each sequence: one over the number of sequences at least 80 % identical to it."""
        return identity.weights(self.codes)

    @property
    def effective(self) -> float:
        """The sum of the weights: how many unlike sequences there are."""
        return float(self.weights.sum())

    @cached_property
    def moments(self) -> Moments:
        """Site frequencies and connected correlations of the whole weighted family."""
        return moments(self.codes, self.weights)

    def split(self, seed: int) -> tuple[Array, Array]:
        """Rows to learn from and rows held out (a random tenth, at most 1,000), both ascending."""
        order = np.random.default_rng([seed, 3]).permutation(len(self.codes))
        count = min(max(int(len(order) * HELD_OUT), 1), MOST_HELD_OUT)
        return np.sort(order[count:]), np.sort(order[:count])


def open_family(source: str) -> Family:
    """The family of a recipe, from memory where it was read before.

    Raises InputError where the file is no family: too few sequences, no columns, nothing in common.
    """
    family: Family = KEPT.get(source, lambda: _read(source))
    return family


def _read(source: str) -> Family:
    known = named(source)
    return of_sequences(read_sequences(path_of(source, "family")), source, bool(known and known.synthetic))


def of_sequences(found: Sequences, source: str, synthetic: bool = False) -> Family:
    """The family that a file's sequences make; unaligned ones are aligned first."""
    if len(found) == 1:
        raise InputError("This file holds 1 sequence; a family needs many, aligned or not.")
    if len(found) < LEAST:
        raise InputError(f"This file holds {len(found)} sequences; at least {LEAST} are needed to learn a family from.")
    notices, names = list(found.notices), found.names
    if found.columns is None:
        rows = np.arange(len(found)) if len(found) <= MOST else _some(len(found))
        _, codes, related = align([found.residues[i] for i in rows])
        codes, names = codes[related], names[rows[related]]
        if strangers := int((~related).sum()):
            notices.append(Notice("unrelated_left_out", f"{strangers:,} sequences are unlike the others and are left out."))
        notices.append(
            Notice(
                "aligned_here",
                f"The sequences were aligned here, in {codes.shape[1]} columns; an alignment made with care is better.",
            )
        )
    else:
        codes = encode(found.columns)
    if len(rows := np.flatnonzero((codes != GAP).any(1))) < len(codes):
        notices.append(Notice("empty_rows", f"{len(codes) - len(rows):,} rows hold only gaps and are left out."))
        codes, names = codes[rows], names[rows]
    if len(codes) > MOST:
        notices.append(Notice("sampled_family", f"Of {len(codes):,} sequences a seeded sample of {MOST:,} is used."))
        rows = _some(len(codes))
        codes, names = codes[rows], names[rows]
    if len(codes) < LEAST:
        raise InputError(f"Only {len(codes)} sequences are left; at least {LEAST} are needed to learn a family from.")
    width = codes.shape[1]
    columns = np.flatnonzero((codes == GAP).mean(0) <= GAPPED)
    if len(columns) < LEAST_COLUMNS:
        raise InputError(
            f"Only {len(columns)} of {width} columns hold residues in more than a tenth of the sequences; at least "
            f"{LEAST_COLUMNS} are needed."
        )
    if len(columns) < width:
        notices.append(
            Notice("gapped_columns", f"{width - len(columns)} of {width} columns are gaps in over {GAPPED:.0%} and left out.")
        )
    return Family(source, names, np.ascontiguousarray(codes[:, columns]), columns, width, synthetic, tuple(notices))


def placed(profile: Profile, columns: Array, width: int, found: Sequences) -> Array:
    """Codes (n, L) of a file's sequences in the columns of a model: as they stand where they are aligned like its family
    (gaps in rows of its width), else put there by the profile."""
    if found.columns is not None and found.columns.shape[1] == width and (found.columns == ord("-")).any():
        return np.ascontiguousarray(encode(found.columns[:, columns]))
    return profile.place(found.residues)


def place_row(profile: Profile, columns: Array, width: int, row: str, field: str) -> tuple[Array, Array]:
    """Codes (L,) of a sequence that a recipe holds as text, and its residue numbers (L,), in the columns of a model.

    A row of the family's alignment is taken as it stands. Raises InputError where nothing of it is like the family.
    """
    matches = sum(letter.isupper() or letter == "-" for letter in row)
    whole = row.upper().replace("-", "").replace(".", "").rstrip("*")
    if matches == width and ("-" in row or "." in row):
        codes, numbers = (part[columns] for part in columns_of(_known(row)))
    else:
        codes, numbers = profile.place_numbered(_known(whole))
    if (codes == GAP).all() or profile.bits([_known(whole)])[0] <= 0:
        raise InputError(f"{field}: {whole[:20]!r}… is not like this family (its profile scores it at 0 bits or less).")
    return codes, numbers


def _known(residues: str) -> bytes:
    """What is none of the twenty becomes X, in the case it has."""
    return residues.encode().translate(bytes.maketrans(b"BJOUXZ*bjouxz", b"XXXXXXXxxxxxx"))


def _some(n: int) -> Array:
    return np.sort(np.random.default_rng(0).choice(n, MOST, replace=False))
