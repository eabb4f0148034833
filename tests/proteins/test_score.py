"""Given sequences are scored: the same however they are written and whatever stands beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog, store
from gen_core.errors import InputError, RecipeError
from gen_core.proteins.alphabet import LETTERS, decode
from gen_core.proteins.recipe import BUNDLED
from tests.proteins.conftest import family_codes, write_fasta

NEEDED = ["id", "log_likelihood", "coupling_energy", "profile_bits", "nearest_identity", "viability"]


def scored(path: Path, out: Path, **fields: object) -> pd.DataFrame:
    gen_core.run("proteins.score", sequences=str(path), **fields).save(out, force=True)
    return pd.read_csv(out / "scores.csv")


def test_members_score_above_strangers(model_digest: str, tmp_path: Path) -> None:
    new = decode(family_codes(7, 40))
    strange = decode(np.random.default_rng(0).integers(0, 20, (40, 30)).astype(np.uint8))
    path = write_fasta(tmp_path / "f.fasta", [*new, *strange])
    table = scored(path, tmp_path / "out", model=model_digest)
    assert list(table.columns[:6]) == NEEDED
    assert table.id.tolist() == [f"s{i}" for i in range(80)]
    assert table.viability.isna().all()
    member, stranger = table[:40].median(numeric_only=True), table[40:].median(numeric_only=True)
    assert member.log_likelihood > stranger.log_likelihood + 10
    assert member.coupling_energy < stranger.coupling_energy
    assert member.profile_bits > stranger.profile_bits
    assert member.nearest_identity > stranger.nearest_identity
    assert table.kept[:40].mean() > 0.4 > table.kept[40:].mean() + 0.3
    assert catalog.from_file(tmp_path / "out" / "scores.csv").operation == "proteins.score"


def test_a_score_depends_on_its_sequence_alone(model_digest: str, rows: list[str], tmp_path: Path) -> None:
    gapped = [row for row in rows if "-" in row][:20]
    first = scored(write_fasta(tmp_path / "a.fasta", gapped), tmp_path / "a", model=model_digest)
    turned = scored(write_fasta(tmp_path / "b.fasta", gapped[::-1]), tmp_path / "b", model=model_digest)
    for name in ("log_likelihood", "coupling_energy", "profile_bits", "nearest_identity"):
        np.testing.assert_allclose(first[name], turned[name][::-1], rtol=1e-4)
    assert (first.nearest_identity == 1).all()
    plain = [row.replace("-", "") for row in gapped]
    unaligned = scored(write_fasta(tmp_path / "c.fasta", [*plain, "M" * 40]), tmp_path / "c", model=model_digest)[:20]
    same = unaligned.aligned.to_numpy() == first.aligned.to_numpy()
    assert same.mean() > 0.7
    np.testing.assert_allclose(unaligned.log_likelihood[same], first.log_likelihood[same], rtol=1e-4)
    again = scored(tmp_path / "a.fasta", tmp_path / "d", model=model_digest)
    pd.testing.assert_frame_equal(first, again)


def test_one_sequence_and_odd_names_are_scored(tmp_path: Path) -> None:
    path = tmp_path / "one.fasta"
    path.write_text(
        ">=cmd|<b>x</b>\nTSENPLLALREKISALDEKLLALLAERRELAVEVGKAKLLSHRPVRDIDRERDLLERLITLGKAHHLDAHYITRLFQLIIEDSVLTQQALLQQH\n"
    )
    table = scored(path, tmp_path / "out")
    assert table.id[0] == "'=cmd|<b>x</b>"  # no formula in a spreadsheet
    assert table.aligned[0].replace("-", "")[:8] == "TSENPLLA"
    assert table.profile_bits[0] > 60
    assert table.log_likelihood[0] > -150


def test_what_cannot_be_scored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="sequences: this field is needed"):
        gen_core.run("proteins.score")
    with pytest.raises(InputError, match="DNA"):
        gen_core.run("proteins.score", sequences=str(write_fasta(tmp_path / "d.fasta", ["ACGTTGCA" * 5])))
    with pytest.raises(RecipeError, match="label_threshold: there are no labels"):
        gen_core.run("proteins.score", sequences="x", label_threshold=1)
    strange = write_fasta(tmp_path / "s.fasta", ["G" * 30, "P" * 20])
    result = gen_core.run("proteins.score", sequences=str(strange))
    assert not result.content.kept.any()


def test_real_naturals_score_better_than_shuffled_ones(data_folder: Path, tmp_path: Path) -> None:
    csv = pd.read_csv(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv", encoding="utf-8-sig")
    rows = [row.strip() for row in csv.Sequence[:100]]
    rng = np.random.default_rng(0)
    shuffled = ["".join(rng.permutation(list(row.replace("-", "")))) for row in rows]
    digest = store.add(data_folder / "proteins" / "chorismate_mutase_train.fasta")
    path = write_fasta(tmp_path / "f.fasta", [row.replace("-", "") for row in rows] + shuffled)
    table = scored(path, tmp_path / "out", family=digest, model=BUNDLED)
    for name, sign in (("log_likelihood", 1), ("profile_bits", 1), ("coupling_energy", -1), ("nearest_identity", 1)):
        assert ((table[name][:100].to_numpy() - table[name][100:].to_numpy()) * sign > 0).mean() > 0.97
    assert table.nearest_identity[:100].median() > 0.9
    assert set("".join(table.aligned)) <= set(LETTERS)
