"""A plate order: the DNA means the protein, holds nothing forbidden, and is as long as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import gen_core
from gen_core import catalog
from gen_core.errors import InputError, RecipeError
from gen_core.proteins.codons import CODE, SITES, USAGE, reverse_complement, translate
from gen_core.proteins.dna import coded, codons_of
from gen_core.proteins.order import joined, well
from gen_core.proteins.order_recipe import Order
from tests.proteins.test_sample import ECM

PROTEINS = [ECM, "M" + "KRKKNNIK" * 6, "G" * 3 + "AGPRAGPR" * 8, "HHHHHH" + ECM[:40] + "HHHHHH", "MW"]


def test_the_code_is_that_of_biopython_and_usage_adds_up() -> None:
    from Bio.Data import CodonTable, IUPACData
    from Bio.Restriction import Restriction
    from Bio.Seq import Seq

    table = CodonTable.unambiguous_dna_by_id[1]
    assert {codon: residue for codon, residue in CODE.items() if residue != "*"} == table.forward_table
    assert {codon for codon, residue in CODE.items() if residue == "*"} == set(table.stop_codons)
    for usage in USAGE.values():
        assert len(usage) == 64
        assert sum(usage.values()) == pytest.approx(1_000, abs=1)
    for name, site in SITES.items():
        assert getattr(Restriction, name).site == site
        assert reverse_complement(site) == str(Seq(site).reverse_complement())
    assert set(codons_of("e_coli", 0.1)["L"]) == {"TTA", "TTG", "CTG", "CTC", "CTT"}
    assert all(part for part in codons_of("human", 1.0).values())
    assert IUPACData.protein_letters == "ACDEFGHIKLMNPQRSTVWY"


@pytest.mark.parametrize("host", ["e_coli", "human", "yeast"])
def test_dna_translates_back_and_keeps_the_limits(host: Any) -> None:
    from Bio.Seq import Seq

    order = Order(
        host=host,
        avoid=("NdeI", "XhoI", "BsaI", "GCGCGC"),
        min_gc=0.25,
        max_gc=0.75,
        max_homopolymer=5,
        max_repeat=12,
        flank_5="GGCTGCCATATG",
        flank_3="CTCGAGCACCACCACCACCAC",
    )
    for i, protein in enumerate(PROTEINS):
        coding, dna = coded(protein, order, 7, "x")
        assert dna == order.flank_5 + coding + order.flank_3
        assert str(Seq(coding).translate()) == protein + "*"
        inside = dna[len(order.flank_5) - 3 : len(dna) - len(order.flank_3) + 3]  # sites in the flanks are meant to be there
        for site in ("CATATG", "CTCGAG", "GGTCTC", "GAGACC", "GCGCGC"):
            assert site not in inside
            assert dna.count(site) <= 1
        assert not re.search(r"A{6}|C{6}|G{6}|T{6}", dna)
        words = [dna[k : k + 13] for k in range(len(dna) - 12)]
        assert len(set(words)) == len(words)
        for k in range(len(dna) - 49):
            window = dna[k : k + 50]
            assert 0.25 <= (window.count("G") + window.count("C")) / 50 <= 0.75
        assert coded(protein, order, 7, "x")[0] == coding
        if i == 0:
            assert coded(protein, order, 8, "x")[0] != coding
    assert translate("ATGTAA") == "M*"


def test_codons_are_used_as_the_host_uses_them() -> None:
    order = Order(avoid=(), min_gc=0, max_gc=1, max_repeat=60, max_homopolymer=20)
    counts: dict[str, int] = {}
    for seed in range(60):
        coding = coded("L" * 15 + "A" * 5, order, seed, "x")[0]
        for k in range(0, 45, 3):
            counts[coding[k : k + 3]] = counts.get(coding[k : k + 3], 0) + 1
    total = sum(counts.values())
    for codon, share in codons_of("e_coli", 0.1)["L"].items():
        expected = share / sum(codons_of("e_coli", 0.1)["L"].values())
        assert counts[codon] / total == pytest.approx(expected, abs=0.05)


def test_limits_that_nothing_meets_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no DNA for sample_3 meets all limits") as error:
        coded("MWWWWWWWWWWWWWWWWWWWWWWWWWWW", Order(max_gc=0.5), 0, "sample_3")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"avoid": ["BsaX"]}, "no restriction site 'BsaX': did you mean"),
        ({"avoid": ["ACG"]}, "no restriction site 'ACG'"),
        ({"avoid": ["<script>"]}, "no restriction site"),
        ({"flank_5": "ACGU"}, "'ACGU' is no DNA"),
        ({"tag": "HHXH"}, "'HHXH' is no tag"),
        ({"host": "mouse"}, "order.host: 'mouse'"),
        ({"wells": 0}, "order.wells: 0"),
        ({"min_gc": 0.6, "max_gc": 0.4}, "nothing lies between"),
        ({"full_length": True}, "come from a reference; give one"),
    ],
)
def test_a_wrong_order_is_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence) as error:
        gen_core.run("proteins.sample", n=5, order=fields)
    assert "\n" not in str(error.value)
    with pytest.raises(ValidationError):
        Order(nothing=1)  # type: ignore[call-arg]


def test_the_reference_fills_ends_and_inserts() -> None:
    codes = np.array([0, 20, 2, 3, 20], np.uint8)  # A - D E -
    numbers = np.array([3, 4, 0, 6, 7])  # residue 5 is an insert state, 1, 2 and 8 are ends, column 3 is a gap in the reference
    assert joined(codes, numbers, "MKWYHFVT") == "mkADhEt"
    assert [well(i, 96) for i in (0, 11, 12, 95)] == ["A1", "A12", "B1", "H12"]
    assert [well(i, 384) for i in (0, 24, 383)] == ["A1", "B1", "P24"]


def test_a_plate_is_a_file_of_a_sample(tmp_path: Path) -> None:
    reference = "MSRGS" + ECM + "GGKW"
    asked = {"wells": 24, "max_identity": 0.7, "full_length": True, "tag": "HHHHHH", "flank_5": "GGTACC", "avoid": ["NdeI"]}
    result = gen_core.run("proteins.sample", n=300, seed=3, order=asked, reference=reference)
    result.save(tmp_path / "a")
    table = pd.read_csv(tmp_path / "a" / "plate.csv")
    assert catalog.from_file(tmp_path / "a" / "plate.csv") == result.recipe
    assert catalog.from_query(result.recipe.query(), "proteins.sample") == result.recipe
    assert list(table.columns[:4]) == ["well", "name", "sequence", "dna"]
    assert len(table) == 24 == result.metrics["n_ordered"]
    assert table.well[12] == "B1"
    samples = pd.read_csv(tmp_path / "a" / "sequences.csv").set_index("id")
    for line in table.itertuples():
        own = samples.loc[line.name]
        assert own.kept
        marked = line.domain_upper_reference_lower
        assert "".join(letter for letter in marked if letter.isupper()) == own.sequence
        assert marked.startswith("msrg")  # the s fits into a column
        assert marked.endswith("ggkw")
        assert line.sequence == "M" + "HHHHHH" + marked.upper()
        assert translate(line.coding_dna) == line.sequence + "*"
        assert line.dna == "GGTACC" + line.coding_dna
        assert line.bases == len(line.dna)
        assert line.construct == "full length"
    rows = [samples.aligned[name] for name in table.name]
    for i, a in enumerate(rows):
        for b in rows[:i]:
            assert np.mean([x == y for x, y in zip(a, b, strict=True)]) <= 0.7
    assert table.profile_bits.is_monotonic_decreasing
    assert "domain_only" not in {warning.code for warning in result.warnings}
    gen_core.catalog.run(result.recipe).save(tmp_path / "b")
    assert (tmp_path / "a" / "plate.csv").read_bytes() == (tmp_path / "b" / "plate.csv").read_bytes()
    alone = gen_core.run("proteins.sample", n=20, order={})
    codes = {warning.code for warning in alone.warnings}
    assert {"domain_only", "wells_empty"} <= codes
    alone.save(tmp_path / "c")
    assert set(pd.read_csv(tmp_path / "c" / "plate.csv").construct) == {"domain only"}
    none = gen_core.run("proteins.sample", n=5, order={}, filters={"max_gravy": -4})
    none.save(tmp_path / "d")
    assert len(pd.read_csv(tmp_path / "d" / "plate.csv")) == 0


def test_the_plate_for_reading_is_that_of_the_file(tmp_path: Path) -> None:
    from gen_core.proteins import table

    result = gen_core.run("proteins.sample", n=60, order={"wells": 7}, filters={"min_profile_percentile": None})
    result.save(tmp_path / "a")
    written, shown = pd.read_csv(tmp_path / "a" / "plate.csv"), table.plate(result.content.ordered)
    assert shown["DNA"].tolist() == written.dna.tolist()
    assert shown["Name"].tolist() == written["name"].tolist()
    words = table.plate_words(result.content.ordered)
    assert words.startswith("7 wells, domain only: ")
    assert f"{written.bases.sum():,} in all" in words
    assert f"{100 * written.gc.min():.0f} to {100 * written.gc.max():.0f} % GC" in words


def test_another_picture_does_not_make_the_plate_anew(model_digest: str) -> None:
    asked = {"model": model_digest, "n": 40, "order": {"wells": 3}}
    first, second = (gen_core.run("proteins.sample", b_factor=b, **asked).content for b in ("conservation", "mutation"))
    assert first.ordered is second.ordered
    other = gen_core.run("proteins.sample", **asked | {"order": {"wells": 3, "host": "human"}}).content
    assert other.ordered is not first.ordered
    assert other.ordered.table.sequence.tolist() == first.ordered.table.sequence.tolist()
