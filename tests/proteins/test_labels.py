"""Assay labels: whatever a spreadsheet makes of them is read or refused in one sentence that names the row."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gen_core
from gen_core import store
from gen_core.errors import InputError, RecipeError
from gen_core.inputs.labels import read_labels
from gen_core.proteins.alphabet import LETTERS
from gen_core.proteins.labels import Labelled, clusters_of, open_labels
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Score
from tests.proteins.conftest import family_codes


@pytest.fixture
def labelled(model: FamilyModel, model_digest: str, family_digest: str, tmp_path: Path) -> Any:
    """The labels that a text makes, with other fields of the recipe."""

    def read(text: str, **fields: Any) -> Labelled:
        (tmp_path / "labels.csv").write_text(text)
        digest = store.add(tmp_path / "labels.csv")
        recipe = Score.read({"sequences": family_digest, "model": model_digest, "labels": digest} | fields)
        return open_labels(recipe, model, family_digest)

    return read


def csv_of(keys: list[str], values: Any, head: str = "sequence,value") -> str:
    return head + "\n" + "".join(f"{key},{value}\n" for key, value in zip(keys, values, strict=True))


def test_dialects_read_alike(tmp_path: Path) -> None:
    plain = "id,value\na,1\nb,2.5\n"
    texts = [
        plain,
        "\ufeff" + plain,
        plain.replace(",", ";"),
        plain.replace(",", "\t"),
        plain.replace("\n", "\r\n"),
        'extra,"VALUE ", ID\n"x, y",1,a\n\n,2.5,b\n,NA,c\n',
    ]
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.csv").write_bytes(text.encode())
        found = read_labels(tmp_path / f"{i}.csv")
        assert (found.kind, found.keys, found.values.tolist()) == ("id", ("a", "b"), [1, 2.5])
    assert found.missing == 1
    assert found.rows == (2, 4)
    (tmp_path / "g").write_bytes(gzip.compress(plain.encode(), mtime=0))
    assert read_labels(tmp_path / "g").keys == ("a", "b")
    (tmp_path / "w.csv").write_text("mutant,DMS_score\nA1C,yes\n,no\n")
    assert read_labels(tmp_path / "w.csv").values.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("sequence,value\nMKV,1\n".encode("utf-16"), "UTF-16"),
        (b"", "is empty"),
        (b">a\nMKV\n", "but a fasta file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "but a hdf5 file"),
        (b'{"a": 1}', "but a json file"),
        (b"<html><body>x</body></html>", "but a html file"),
        (gzip.compress(bytes(5000), mtime=0), "holds no text"),
        (b"id,score_of_it\na,1\n", "has no column value"),
        (b"what,value\na,1\n", "has the columns 'what', 'value'"),
        (b"id,value,value\na,1,2\n", "2 columns 'value'"),
        (b"id,value\n", "holds no value"),
        (b"id,value\na,NA\n", "holds no value"),
        (b"id,value\na,1\nb,=2+3\n", "Row 3: the value '=2.3' is not a number"),
        (b"id,value\na,inf\n", "Row 2: the value 'inf' is not a finite"),
        (b"id,value\na,1e999\n", "not a finite"),
        (b"id,value\n,1\n", "Row 2 has a value but no id"),
        (b"id,value\na,1\nb\n", "Row 3 has 1 cells"),
        (b"id,value\n" + b"A" * 30_000 + b",1\n", "has 30,000 characters"),
        (b"id,value\n" + b"A" * 200_000 + b",1\n", "damaged"),
        (b"id,value\n" + b"a,1\n" * 200_001, "more than 200,000 rows"),
        (b"id,value" + b",x" * 2_000 + b"\na,1\n", "2,002 columns"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError, match=sentence) as error:
        read_labels(tmp_path / "f")
    assert "\n" not in str(error.value)
    assert "recipe" not in str(error.value)


def test_sequences_are_matched_however_they_are_written(labelled: Any, rows: list[str]) -> None:
    some, values = rows[:40], np.arange(40) % 2
    aligned = labelled(csv_of(some, values))
    assert len(aligned) == 40
    assert aligned.kind == "binary"
    assert {row.tobytes() for row in aligned.codes} == {row.tobytes() for row in family_codes()[:40]}
    whole = labelled(csv_of([row.replace("-", "").lower() for row in some], values))
    same = {row.tobytes() for row in whole.codes} & {row.tobytes() for row in aligned.codes}
    assert len(same) > 30  # where a gap stands, the profile may say otherwise
    named = labelled(csv_of([f"s{i}" for i in range(40)], values, "id,value"))
    np.testing.assert_array_equal(named.codes, aligned.codes)
    np.testing.assert_array_equal(named.functional, aligned.functional)


def test_replicates_are_averaged(labelled: Any, rows: list[str]) -> None:
    values = np.linspace(0, 1, 30)
    found = labelled(csv_of([*rows[:30], *rows[:30]], [*values, *(values + 0.2)]), label_threshold=0.5)
    assert len(found) == 30
    assert set(found.replicates) == {2}
    np.testing.assert_allclose(np.sort(found.values), values + 0.1)
    assert found.functional.sum() == (values + 0.1 >= 0.5).sum()
    assert found.kind == "continuous"
    assert "replicates" in {notice.code for notice in found.notices}


def test_mutations_change_the_reference(labelled: Any, rows: list[str]) -> None:
    reference = next(row for row in rows if row[10] == "-")  # residue 11 stands in column 12
    whole = reference.replace("-", "")
    singles = [f"{whole[i]}{i + 1}{'W' if whole[i] != 'W' else 'A'}" for i in range(25)]
    double = f"{singles[0]}:{singles[12]}"
    found = labelled(csv_of([*singles, double, "WT"], range(27), "mutations,value"), reference=reference, label_threshold=5)
    by_value = dict(zip(found.values.tolist(), found.codes, strict=True))
    own = by_value[26]
    assert "".join(LETTERS[a] for a in own) == reference
    for i in range(25):
        changed = np.flatnonzero(by_value[i] != own)
        assert changed.tolist() == [i if i < 10 else i + 1]
        assert LETTERS[by_value[i][changed[0]]] == singles[i][-1]
    assert np.flatnonzero(by_value[25] != own).tolist() == [0, 13]
    shifted = [f"{word[0]}{int(word[1:-1]) + 100}{word[-1]}" for word in singles]
    again = labelled(
        csv_of([*shifted, "wt"], range(26), "mutant,value"), reference=reference, reference_offset=100, label_threshold=5
    )
    np.testing.assert_array_equal(np.sort(again.codes, 0), np.sort(found.codes[found.values != 25], 0))


def test_what_says_nothing_is_said(labelled: Any, rows: list[str]) -> None:
    whole = rows[0].replace("-", "")
    wrong = "A" if whole[3] != "A" else "C"
    of = lambda words, **fields: labelled(  # noqa: E731
        csv_of(words, np.arange(len(words)) % 2, "mutations,value"), reference=rows[0], **fields
    )
    cases: list[tuple[Any, str]] = [
        (lambda: of([f"{whole[0]}1W", f"{wrong}4W"]), f"row 3: {wrong}4W says {wrong} at residue 4, where the reference has"),
        (lambda: of([f"{whole[0]}1W", f"{wrong}400W"]), "row 3: .*: the reference has residues 1 to"),
        (lambda: of([f"{whole[0]}1W", "A2*"]), "row 3: 'A2.' is no mutation"),
        (lambda: of(["<b>", "A2C"]), "row 2: '<B>' is no mutation"),
        (lambda: labelled(csv_of(["A1C", "A2C"], [0, 1], "mutant,value")), "give the sequence they change as reference"),
        (lambda: labelled(csv_of(["x", "y"], [0, 1], "id,value")), "none of these 2 ids .the first is 'x'"),
        (lambda: labelled(csv_of(["GGGGGGGGGG", "PPPPPPPPP"], [0, 1])), "none of these 2 sequences is like the family"),
        (lambda: labelled(csv_of([rows[0], "MK=V"], [0, 1])), "row 3: 'MK=V' is no protein"),
        (lambda: labelled(csv_of([rows[0], "MK*V"], [0, 1])), "row 3: the sequence is empty or has a stop"),
        (lambda: labelled(csv_of(rows[:30], [1] * 30)), "all 30 values are 1"),
        (lambda: labelled(csv_of(rows[:10], np.arange(10) % 2)), "10 labelled sequences are of this family; at least 20"),
        (lambda: labelled(csv_of(rows[:30], [1, *[0] * 29])), "1 of 30 sequences have a value of 0.5 or more"),
        (lambda: labelled(csv_of(rows[:30], range(30)), label_kind="binary"), "30 different values, not two"),
    ]
    for make, sentence in cases:
        with pytest.raises((InputError, RecipeError), match=sentence) as error:
            make()
        assert "\n" not in str(error.value)


def test_some_that_match_nothing_are_left_out_and_counted(labelled: Any, rows: list[str]) -> None:
    found = labelled(csv_of([*rows[:30], "GGGGGGGGGGGG"], [*(np.arange(30) % 2), 1]))
    assert len(found) == 30
    assert "1 of 31 labels" in next(notice.text for notice in found.notices if notice.code == "labels_unmatched")


def test_clusters_link_relatives() -> None:
    codes = np.zeros((6, 10), np.uint8)
    codes[1, :4], codes[2, :8] = 1, 1  # 0 and 1 share six columns, 1 and 2 six, 0 and 2 two
    codes[3], codes[4], codes[5] = 5, 6, 6
    assert clusters_of(codes).tolist() == [0, 0, 0, 1, 2, 2]


def test_labels_without_labels_are_refused(model_digest: str) -> None:
    with pytest.raises(RecipeError, match="there are no labels that it is of"):
        gen_core.run("proteins.sample", model=model_digest, n=5, label_threshold=1)


def test_the_column_of_values_is_named_where_it_must_be(rows: list[str], model_digest: str, tmp_path: Path) -> None:
    from gen_core.inputs.labels import read_labels, value_columns

    path = tmp_path / "assay.csv"
    lines = "".join(f"{i},{row},E. coli,{i / 7:.3f},{i % 2}\n" for i, row in enumerate(rows[:60]))
    path.write_text("\ufeffNo.,Sequence , Species,norm r.e. ,Grown\n" + lines)
    assert value_columns(path) == (["No.", "norm r.e.", "Grown"], None)
    with pytest.raises(
        InputError, match=r"no column value; name one of its columns of numbers \('No\.', 'norm r\.e\.', 'Grown'\)"
    ):
        read_labels(path)
    assert read_labels(path, " NORM r.e.").values[7] == pytest.approx(1.0)
    with pytest.raises(InputError, match="no column 'fitness'"):
        read_labels(path, "fitness")
    with pytest.raises(InputError, match="says which sequence"):
        read_labels(path, "sequence")
    with pytest.raises(InputError, match=r"Row 2: the value 'E\. coli' is not a number"):
        read_labels(path, "Species")
    named = gen_core.run("proteins.sample", model=model_digest, n=10, labels=str(path), label_column="Grown")
    assert named.content.viability.labelled.kind == "binary"
    scale = gen_core.run("proteins.sample", model=model_digest, n=10, labels=str(path), label_column="norm r.e.")
    assert scale.content.viability.labelled.kind == "continuous"
    path.write_text(path.read_text().replace("Grown", "Value"))
    assert value_columns(path) == (["No.", "norm r.e.", "Value"], "Value")
    assert read_labels(path).values[:4].tolist() == [0, 1, 0, 1]
    path.write_text("id,yes,r\nsynthetic,,.5\ns2,true,\n")
    assert value_columns(path) == (["yes", "r"], None)
    path.write_text("id,r,word\ns1,.5,high\n")
    assert value_columns(path) == (["r"], None)
    assert read_labels(path, "R").values.tolist() == [0.5]


def test_the_assayed_naturals_are_read_as_they_are(data_folder: Path) -> None:
    from gen_core.inputs.labels import read_labels, value_columns

    path = data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv"
    columns, usual = value_columns(path)
    assert usual is None
    assert columns[-1] == "norm r.e."
    found = read_labels(path, "norm r.e.")
    assert len(found.values) == 1_130
    assert (found.values > 0.42).mean() == pytest.approx(0.366, abs=0.001)
