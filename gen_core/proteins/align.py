"""A family's profile (a hidden Markov model, HMMER 3) and what it does: put sequences into the columns, score them in bits.

Its match states are the alignment's own columns, so that whatever is placed stands in the columns the model was trained on.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from gen_core.errors import CheckpointError, InputError
from gen_core.proteins.alphabet import GAP, decode, encode

Array = np.ndarray
BLOCK, RESIDUES = 1_000, 300_000  # sequences, residues aligned at once: the widest inserts of a block make its rows' width
ROUNDS = 3  # times that unaligned sequences are aligned to the profile that the round before gave
SEEDS = 2_000  # sequences that the first profile of unaligned ones is made from
RELATED = 1e-3  # E-value, per sequence, up to which an unaligned sequence counts as of the family
EXTENDED = 10  # columns at either end that the flanking residues are put into where the profile's local match stops short
LEAST = 5  # columns without which there is no family


@dataclass(frozen=True, eq=False)
class Profile:
    """text is a HMMER 3 file with as many match states as there are columns."""

    text: bytes

    @classmethod
    def build(cls, codes: Array) -> Profile:
        """The profile of aligned codes (n, L), every column a match state. Raises InputError where HMMER refuses them."""
        from pyhmmer import easel

        rows = decode(codes)
        msa = easel.TextMSA(
            name="family",
            sequences=[easel.TextSequence(name=str(i), sequence=row) for i, row in enumerate(rows) if row.strip("-")],
        )
        msa.reference = "x" * codes.shape[1]
        return cls._built(msa, architecture="hand")

    @classmethod
    def _built(cls, msa: Any, architecture: Literal["fast", "hand"]) -> Profile:
        from pyhmmer import easel, plan7

        alphabet = easel.Alphabet.amino()
        try:
            hmm, _, _ = plan7.Builder(alphabet, architecture=architecture).build_msa(
                msa.digitize(alphabet), plan7.Background(alphabet)
            )
        except (ValueError, RuntimeError, ArithmeticError) as error:
            raise InputError(f"No profile can be made of these sequences ({error}); are they of one family?") from None
        return cls._of(hmm)

    @classmethod
    def _of(cls, hmm: Any) -> Profile:
        hmm.creation_time = None  # or the same alignment would give other bytes each time
        hmm.command_line = None
        text = io.BytesIO()
        hmm.write(text)
        lines = [line for line in text.getvalue().splitlines(keepends=True) if not line.startswith((b"DATE", b"COM"))]
        return cls(b"".join(lines))

    @cached_property
    def hmm(self) -> Any:
        """As pyhmmer has it. Raises CheckpointError where the text is none."""
        from pyhmmer import plan7

        try:
            with plan7.HMMFile(io.BytesIO(self.text)) as file:
                hmm = file.read()
        except (ValueError, OSError, EOFError) as error:
            raise CheckpointError(f"The model's profile is damaged ({error}); train it again.") from None
        if hmm is None:
            raise CheckpointError("The model's profile is empty; train it again.")
        return hmm

    @property
    def length(self) -> int:
        """Number of columns."""
        return int(self.hmm.M)

    def place(self, residues: Sequence[bytes]) -> Array:
        """Codes (n, L) of whole sequences put into the columns; what stands between or outside of them is left out."""
        found = np.full((len(residues), self.length), GAP, np.uint8)
        for start, rows in self._aligned(residues):
            for i, row in enumerate(rows, start):
                found[i] = columns_of(row.encode())[0]
        return found

    def place_numbered(self, residues: bytes) -> tuple[Array, Array]:
        """Codes (L,) of one sequence, and which of its residues, from 1 on, stands in each column (0 at a gap)."""
        ((_, rows),) = self._aligned([residues])
        return columns_of(rows[0].encode())

    def _aligned(self, residues: Sequence[bytes]) -> Iterator[tuple[int, Any]]:
        """Blocks of rows in A2M: upper case and `-` in the columns."""
        from pyhmmer import easel, hmmer

        for start, stop in _blocks(residues):
            msa = hmmer.hmmalign(self.hmm, _digital(residues[start:stop]), cpus=1, all_consensus_cols=True)
            assert isinstance(msa, easel.TextMSA)
            yield start, msa.alignment

    def bits(self, residues: Sequence[bytes]) -> Array:
        """Score (n,) in bits of whole sequences, of the best way through the profile; 0 where no match was found at all."""
        return self._searched(residues)[0]

    def _searched(self, residues: Sequence[bytes]) -> tuple[Array, Array]:
        """Bits (n,) and E-values (n,), each sequence on its own."""
        from pyhmmer import plan7

        # No heuristic filter: they are made for databases in which nearly nothing matches, and would leave gaps.
        pipeline = plan7.Pipeline(
            self.hmm.alphabet, bias_filter=False, F1=1.0, F2=1.0, F3=1.0, E=1e300, domE=1e300, Z=1.0, domZ=1.0
        )
        bits, expected = np.zeros(len(residues)), np.full(len(residues), np.inf)
        for hit in pipeline.search_hmm(self.hmm, _digital(residues)):
            i = int(hit.name)
            bits[i], expected[i] = hit.score, hit.evalue
        return bits, expected


def align(residues: Sequence[bytes]) -> tuple[Profile, Array, Array]:
    """A profile of unaligned sequences, their codes (n, L) in its columns, and which of them (n,) belong to it.

    The first profile is that of one sequence of middle length; each round aligns the sequences to the last one and makes a
    new one of those that match. Raises InputError where they have nothing in common.
    """
    from pyhmmer import easel, hmmer, plan7

    lengths = np.array([len(row) for row in residues])
    order = np.argsort(np.abs(lengths - np.median(lengths)), kind="stable")
    some = [residues[i] for i in np.sort(order[:SEEDS])]
    alphabet = easel.Alphabet.amino()
    seed = easel.TextSequence(name="family", sequence=residues[order[0]].decode()).digitize(alphabet)
    hmm, _, _ = plan7.Builder(alphabet).build(seed, plan7.Background(alphabet))
    profile = Profile._of(hmm)
    for _ in range(ROUNDS):
        related = profile._searched(some)[1] <= RELATED
        kept = [row for row, yes in zip(some, related, strict=True) if yes]
        if len(kept) < max(2, 0.2 * len(some)):
            raise InputError(
                f"Only {len(kept)} of {len(some)} sequences are like each other: these are not sequences of one family, or "
                "they need to be aligned first."
            )
        msa = hmmer.hmmalign(profile.hmm, _digital(kept), cpus=1, trim=True, all_consensus_cols=True)
        msa.name = "family"
        profile = Profile._built(msa, architecture="fast")
    if profile.length < LEAST:
        raise InputError("These sequences share too few positions to be aligned; give an alignment instead.")
    return profile, profile.place(residues), profile._searched(residues)[1] <= RELATED


def columns_of(row: bytes) -> tuple[Array, Array]:
    """Codes (L,) in the columns of one row in A2M, and which residue of the sequence, from 1 on, each is (0 at a gap).

    HMMER's matches are local and stop where the ends are not clearly alike; there the residues that follow are put into the
    columns that are left, without a gap.
    """
    letters = np.frombuffer(row, np.uint8)
    upper = (letters >= ord("A")) & (letters <= ord("Z"))
    lower = (letters >= ord("a")) & (letters <= ord("z"))
    column = upper | (letters == ord("-"))
    number = np.cumsum(upper | lower)
    codes, numbers = encode(letters[column]), np.where(upper, number, 0)[column]
    whole = encode(letters[upper | lower] & ~np.uint8(32))  # the sequence, in upper case
    placed = np.flatnonzero(numbers)
    if len(placed):
        first, last = placed[0], placed[-1]
        before, after = numbers[first] - 1, len(whole) - numbers[last]
        left, right = min(first, before, EXTENDED), min(len(codes) - 1 - last, after, EXTENDED)
        numbers[first - left : first] = np.arange(before - left, before) + 1
        numbers[last + 1 : last + 1 + right] = numbers[last] + 1 + np.arange(right)
        codes = np.where(numbers > 0, whole[numbers - 1], GAP).astype(np.uint8)
    return codes, numbers


def _blocks(residues: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of the sequences that are aligned at once."""
    start, size = 0, 0
    for i, row in enumerate(residues):
        if i > start and (i - start >= BLOCK or size + len(row) > RESIDUES):
            yield start, i
            start, size = i, 0
        size += len(row)
    if start < len(residues):
        yield start, len(residues)


def _digital(residues: Sequence[bytes]) -> Any:
    from pyhmmer import easel

    alphabet = easel.Alphabet.amino()
    return easel.DigitalSequenceBlock(
        alphabet,
        [easel.TextSequence(name=str(i), sequence=row.decode()).digitize(alphabet) for i, row in enumerate(residues)],
    )
