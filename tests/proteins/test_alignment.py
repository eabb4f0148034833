"""Weights, identities, moments and the profile, against plain re-implementations and known truths."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen_core import store
from gen_core.errors import CheckpointError, InputError
from gen_core.inputs.sequences import read_sequences
from gen_core.proteins import align as proteins_align
from gen_core.proteins import identity, statistics
from gen_core.proteins.align import EXTENDED, Profile, columns_of
from gen_core.proteins.alphabet import GAP, LETTERS, Q, decode, encode, encode_text, ungapped
from gen_core.proteins.family import of_sequences, open_family, place_row, placed
from gen_core.proteins.pack import pack, unpack
from gen_core.proteins.values import complexity, longest_run
from tests.proteins.conftest import TIED, family_codes, write_fasta

CODES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed))
QUICK = settings(deadline=None, max_examples=25)


def onehot(codes: np.ndarray) -> np.ndarray:
    return np.eye(Q)[codes]


def test_letters_and_codes_are_one_to_one() -> None:
    assert decode(np.arange(Q, dtype=np.uint8)[None]) == [LETTERS]
    np.testing.assert_array_equal(encode_text("ACX-yBJOUZ*"), [0, 1, *[GAP] * 9])


@given(CODES, st.sampled_from([1, 7, 254, 255, 256, 511, 600]))
@QUICK
def test_identity_is_that_of_brute_force(rng: np.random.Generator, length: int) -> None:
    codes, known = rng.integers(0, 3, (19, length)).astype(np.uint8), rng.integers(0, 3, (7, length)).astype(np.uint8)
    same = (codes[:, None] == known[None]).mean(2)
    found, which = identity.nearest(codes, known)
    np.testing.assert_allclose(found, same.max(1))
    np.testing.assert_array_equal(which, same.argmax(1))
    near = (codes[:, None] == codes[None]).mean(2) >= 0.4 - 1e-9
    np.testing.assert_allclose(identity.weights(codes, 0.4), 1 / near.sum(1))


def test_copies_share_one_weight() -> None:
    codes = np.repeat(family_codes(1, 30), [1, 4] * 15, axis=0)
    assert identity.weights(codes, 1.0).sum() == pytest.approx(len(np.unique(codes, axis=0)))


@given(CODES)
@QUICK
def test_moments_are_those_of_one_hot_vectors(rng: np.random.Generator) -> None:
    codes, weights = rng.integers(0, Q, (23, 5)).astype(np.uint8), rng.random(23)
    for w in (None, weights):
        found = statistics.moments(codes, w)
        p = np.full(23, 1 / 23) if w is None else w / w.sum()
        X = onehot(codes)
        sites = np.einsum("n,nia->ia", p, X)
        joint = np.einsum("n,nia,njb->iajb", p, X, X)
        np.testing.assert_allclose(found.sites, sites, atol=1e-9)
        for row, (i, j) in zip(found.pairs, statistics.pair_order(5), strict=True):
            np.testing.assert_allclose(row.reshape(Q, Q), joint[i, :, j] - np.outer(sites[i], sites[j]), atol=1e-6)
        # a row or column of a connected correlation sums to zero
        np.testing.assert_allclose(found.pairs.reshape(-1, Q, Q).sum(1), 0, atol=1e-6)


def test_pearson_and_slope_are_those_of_scipy() -> None:
    from scipy.stats import linregress

    rng = np.random.default_rng(0)
    x, y = rng.random(50), rng.random(50)
    fit = linregress(x, y)
    assert statistics.pearson(x, y) == pytest.approx(fit.rvalue)
    assert statistics.slope(y, x) == pytest.approx(fit.slope)
    assert np.isnan(statistics.pearson(x, np.ones(50)))


@given(CODES)
@QUICK
def test_packed_numbers_are_near_and_keep_zero(rng: np.random.Generator) -> None:
    blocks = rng.normal(size=(6, 9)) * 10.0 ** rng.integers(-6, 6, (6, 1))
    blocks[2] = 0
    again = unpack(*pack(blocks))
    assert (np.abs(again - blocks) <= np.abs(blocks).max(1, keepdims=True) / 250).all()
    assert (again[2] == 0).all()


def slow_run(row: str) -> int:
    return max((len(list(group)) for _, group in groupby(row)), default=0)


def slow_complexity(row: str, window: int) -> float:
    parts = [row[i : i + window] for i in range(max(len(row) - window + 1, 1))]
    entropies = []
    for part in parts:
        share = np.array([part.count(letter) for letter in set(part)]) / max(len(part), 1)
        entropies.append(float(-(share * np.log2(share)).sum()) if len(share) else 0.0)
    return min(entropies)


@given(st.lists(st.text("AKL", max_size=30), min_size=1, max_size=6))
@QUICK
def test_runs_and_complexity_are_those_of_plain_python(rows: list[str]) -> None:
    width = max(map(len, rows))
    packed = encode(np.frombuffer("".join(row.ljust(width, "-") for row in rows).encode(), np.uint8)).reshape(len(rows), width)
    assert longest_run(packed).tolist() == [slow_run(row) for row in rows]
    np.testing.assert_allclose(complexity(packed, 5), [slow_complexity(row, 5) for row in rows], atol=1e-9)


def test_a_profile_has_the_alignments_columns_and_puts_its_sequences_back(rows: list[str]) -> None:
    codes = family_codes()
    profile = Profile.build(codes)
    assert profile.length == codes.shape[1]
    assert profile.text == Profile.build(codes).text
    back = profile.place([row.encode() for row in ungapped(rows)])
    assert (back == codes).mean() > 0.97
    strange = np.random.default_rng(0).integers(0, 20, (50, codes.shape[1])).astype(np.uint8)
    bits = [profile.bits([row.encode() for row in decode(part)]) for part in (codes[codes[:, 10] != GAP][:50], strange)]
    assert np.median(bits[0]) > np.median(bits[1]) + 15


def test_placing_does_not_depend_on_what_is_placed_beside(rows: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile.build(family_codes())
    residues = [b"GS" * (i % 7) + row.replace("-", "").encode() for i, row in enumerate(rows[:60])]
    together = profile.place(residues)
    monkeypatch.setattr(proteins_align, "RESIDUES", 100)
    np.testing.assert_array_equal(profile.place(residues), together)
    assert profile.place([]).shape == (0, 30)
    bits = profile.bits(residues)
    np.testing.assert_allclose(bits[7], profile.bits(residues[7:8])[0], atol=1e-3)


def test_a_domain_inside_a_longer_protein_is_found(rows: list[str]) -> None:
    profile = Profile.build(family_codes())
    alone, numbers = profile.place_numbered(rows[0].replace("-", "").encode())
    inside, shifted = profile.place_numbered(b"GSHMGSGS" * 3 + rows[0].replace("-", "").encode() + b"GSGSGSGS")
    matched = (alone != GAP) & (shifted > 0)
    assert (alone[matched] == inside[matched]).mean() > 0.9
    assert np.median(shifted[matched] - numbers[matched]) == 24


A2M = st.text("ACK-acg.", min_size=1, max_size=40).filter(lambda row: any(c in "ACK-" for c in row))


@given(A2M)
@QUICK
def test_numbers_name_the_residue_in_each_column(row: str) -> None:
    codes, numbers = columns_of(row.encode())
    whole = row.replace("-", "").replace(".", "").upper()
    assert len(codes) == sum(c in "ACK-" for c in row)
    assert ((codes == GAP) == (numbers == 0)).all()
    there = numbers[numbers > 0]
    assert (np.diff(there) > 0).all()
    assert decode(codes[codes != GAP][None])[0] == "".join(whole[i - 1] for i in there)
    plain = encode(np.frombuffer("".join(c for c in row if c in "ACK-").encode(), np.uint8))
    assert (codes[plain != GAP] == plain[plain != GAP]).all()
    assert ((codes != GAP) & (plain == GAP)).sum() <= 2 * EXTENDED


def test_unaligned_sequences_are_aligned_and_strangers_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = decode(family_codes(clans=1))
    tails = ["".join(rng.choice(list("GSTNQ"), rng.integers(0, 9))) for _ in rows]
    mixed = [tail + row.replace("-", "") for tail, row in zip(tails, rows, strict=True)]
    mixed += decode(rng.integers(0, 20, (20, 60)).astype(np.uint8))
    family = of_sequences(read_sequences(write_fasta(tmp_path / "f.fasta", mixed)), "x")
    assert abs(len(family.codes) - len(rows)) <= 20
    assert abs(family.codes.shape[1] - 30) <= 6
    assert {"aligned_here", "unrelated_left_out"} <= {notice.code for notice in family.notices}
    found = family.moments.pairs.reshape(-1, Q, Q)
    strongest = max(range(len(found)), key=lambda p: np.abs(found[p]).sum())
    i, j = list(statistics.pair_order(family.codes.shape[1]))[strongest]
    assert j - i in {b - a for a, b in TIED}  # what was tied is still tied


def test_sequences_of_no_family_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list(LETTERS[:20]), rng.integers(40, 90))) for _ in range(40)]
    with pytest.raises(InputError, match="not sequences of one family"):
        of_sequences(read_sequences(write_fasta(tmp_path / "f.fasta", rows)), "x")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (["MKVLAWTDEF"], "1 sequence;"),
        (["MKVLAWTDEF"] * 5, "5 sequences"),
        (["MKVLAWTDEF"] * 10 + ["-" * 10] * 15, "10 sequences are left"),
        (["MKVL" + "-" * 20] * 19 + ["MKVL" + "A" * 20], "Only 4 of 24 columns"),
    ],
)
def test_what_is_too_little_is_refused(content: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        of_sequences(read_sequences(write_fasta(tmp_path / "f.fasta", content)), "x")


def test_gapped_columns_are_left_out_and_come_back_as_gaps(tmp_path: Path) -> None:
    rows = [row[:15] + "-" * 20 + row[15:] for row in decode(family_codes())]
    family = open_family(store.add(write_fasta(tmp_path / "f.fasta", rows)))
    assert family.width == 50
    np.testing.assert_array_equal(family.columns, [*range(15), *range(35, 50)])
    np.testing.assert_array_equal(family.codes, family_codes())
    assert "gapped_columns" in {notice.code for notice in family.notices}
    learned, left_out = family.split(0)
    assert sorted([*learned, *left_out]) == list(range(len(rows)))
    assert len(left_out) == len(rows) // 10


def test_rows_of_the_familys_width_stand_as_they_are(rows: list[str], tmp_path: Path) -> None:
    codes = family_codes()
    profile, columns = Profile.build(codes), np.arange(30)
    found = read_sequences(write_fasta(tmp_path / "f.fasta", rows))
    np.testing.assert_array_equal(placed(profile, columns, 30, found), codes)
    gapped = next(row for row in rows if "-" in row)
    one, numbers = place_row(profile, columns, 30, gapped, "around")
    np.testing.assert_array_equal(one, encode_text(gapped))
    assert numbers.max() == 29
    with pytest.raises(InputError, match="around: "):
        place_row(profile, columns, 30, "G" * 9, "around")


def test_a_damaged_profile_is_said_to_be_damaged() -> None:
    for text in (b"", b"HMMER3/f [3.4]\nNAME x\n", b"nothing"):
        with pytest.raises(CheckpointError, match="profile"):
            _ = Profile(text).hmm


def test_the_real_family_has_the_weights_and_the_profile_that_the_field_gives_it(data_folder: Path) -> None:
    family = of_sequences(read_sequences(data_folder / "proteins" / "chorismate_mutase_train.fasta"), "x")
    assert family.codes.shape == (1259, 96)
    some = np.arange(0, 1259, 40)
    near = (family.codes[some][:, None] == family.codes[None]).mean(2) >= 0.8
    np.testing.assert_allclose(family.weights[some], 1 / near.sum(1))
    found = read_sequences(data_folder / "proteins" / "chorismate_mutase_train.fasta")
    profile = Profile.build(family.codes)
    back = profile.place(found.residues[:300])
    assert (back == family.codes[:300]).mean() > 0.93
    assert np.median(profile.bits(found.residues[:300])) > 60
