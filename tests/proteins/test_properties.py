"""Properties are ProtParam's; motifs are checked before they run; both make filters."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core.errors import RecipeError
from gen_core.proteins import motifs
from gen_core.proteins.alphabet import LETTERS, encode_text
from gen_core.proteins.filters import judge
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.model import draw
from gen_core.proteins.modelfile import open_model
from gen_core.proteins.properties import composition_of, properties
from gen_core.proteins.recipe import BUNDLED
from gen_core.proteins.values import values_of

OFF = {name: None for name in Filters.model_fields if name != "unique"} | {"unique": False}


def packed(rows: list[str]) -> np.ndarray:
    width = max(map(len, rows))
    return np.stack([encode_text(row.ljust(width, "-")) for row in rows])


def test_properties_are_those_of_protparam() -> None:
    from Bio.SeqUtils.ProtParam import ProteinAnalysis

    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list(LETTERS[:20]), rng.integers(2, 150))) for _ in range(300)] + ["K", "D" * 40, "R" * 40, "MA"]
    found = properties(packed(rows), np.full(20, 0.05))
    for i, row in enumerate(rows):
        oracle = ProteinAnalysis(row)
        assert found["charge"][i] == pytest.approx(oracle.charge_at_pH(7.4), abs=1e-6)
        assert found["pi"][i] == pytest.approx(oracle.isoelectric_point(), abs=1e-3)
        assert found["gravy"][i] == pytest.approx(oracle.gravy(), abs=1e-9)
        assert found["weight"][i] == pytest.approx(oracle.molecular_weight(), abs=1e-3)
        assert found["aromaticity"][i] == pytest.approx(oracle.aromaticity(), abs=1e-9)
        assert found["instability"][i] == pytest.approx(oracle.instability_index(), abs=1e-6)


def test_composition_is_measured_from_the_family() -> None:
    family = np.zeros((2, 21))
    family[0, 0] = family[1, 1] = 1
    assert composition_of(family)[:3].tolist() == [0.5, 0.5, 0]
    found = properties(packed(["AC", "AAAA", "WWW"]), composition_of(family))["composition"]
    np.testing.assert_allclose(found, [0, 0.5, 1])
    assert np.isnan(properties(packed(["AC", ""]), composition_of(family))["gravy"]).tolist() == [False, True]


def test_ten_thousand_sequences_pass_everything() -> None:
    model, rng = open_model(BUNDLED), np.random.default_rng(0)
    codes, known = (draw(model.net, model.prior.sample(10_000, rng), rng) for _ in range(2))
    values = values_of(codes, model, known)
    verdicts = judge(Filters(), values, model.naturals, model.rows(codes), True)
    assert {"motifs", "pi", "gravy"} <= {verdict.name for verdict in verdicts}
    assert "instability" not in {verdict.name for verdict in verdicts}


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "has 0 characters"),
        ("A" * 101, "has 101 characters"),
        ("[", "is no regular expression"),
        ("A**", "is no regular expression"),
        (r"(A)\1", "is no motif"),
        ("(?=A)", "is no motif"),
        ("<b>", "is no motif"),
        ("(A+)+K", "repeats a group"),
        ("(A|A)*K", "repeats a group"),
        ("((A?){9}C){9}", "repeats a group"),
        (".*.*K", "too many ways"),
        ("A{2,90}A{2,90}K", "too many ways"),
        ("(A|A)" * 12, "too many ways"),
        ("A{500}", "more than 100 times"),
    ],
)
def test_a_wrong_motif_is_one_sentence_that_names_it(pattern: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence) as error:
        gen_core.run("proteins.sample", n=5, filters={"motifs": ["RGD", pattern]})
    assert "\n" not in str(error.value)
    assert "filters.motifs.1" in str(error.value)
    assert repr(pattern[:40]) in str(error.value)


@pytest.mark.parametrize("pattern", ["N.{1,20}[ST].{1,20}P", ".*K", "(A|B)(A|C)(D|E)K?", "[^P]+$", "(KR){2,5}", "A{1,99}K"])
def test_what_is_allowed_ends_soon_on_the_worst_sequence(pattern: str) -> None:
    began = time.process_time()
    motifs.hits(["A" * 10_000], [motifs.check(pattern)])
    assert time.process_time() - began < 5


def test_the_motifs_that_are_on_are_rare_in_the_family(data_folder: Any) -> None:
    csv = pd.read_csv(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv", encoding="utf-8-sig")
    rows = [row.strip().replace("-", "") for row in csv.Sequence]
    for pattern in motifs.ON.values():
        assert motifs.hits(rows, [pattern]).mean() < 0.01
    for pattern in (*motifs.ON.values(), *motifs.OFF.values()):
        assert motifs.check(pattern) == pattern
        assert motifs.hits(rows, [pattern]).sum() == sum(bool(re.search(pattern, row)) for row in rows)


def test_bounds_and_ranges_of_the_family_make_filters() -> None:
    model = open_model(BUNDLED)
    bounds = {"min_charge": -3, "max_charge": 3, "min_pi": 5, "max_gravy": -0.2, "max_instability": 40, "motifs": ["W", "c"]}
    made = gen_core.run("proteins.sample", n=500, filters=OFF | bounds).content
    assert [verdict.name for verdict in made.verdicts] == ["motifs", "charge", "pi", "gravy", "instability"]
    rows = [row.replace("-", "") for row in made.rows]
    for row, kept, charge in zip(rows, made.kept, made.values["charge"], strict=True):
        assert not (kept and ("W" in row or "C" in row or abs(charge) > 3))
    tails = gen_core.run("proteins.sample", n=500, filters=OFF | {"charge_tail": 10, "max_composition_percentile": 50}).content
    charge = next(verdict for verdict in tails.verdicts if verdict.name == "charge")
    assert charge.low == pytest.approx(np.percentile(model.naturals["charge"], 10))
    assert charge.high == pytest.approx(np.percentile(model.naturals["charge"], 90))
    tighter = gen_core.run("proteins.sample", n=5, filters=OFF | {"charge_tail": 10, "min_charge": 50, "max_charge": 60}).content
    assert tighter.verdicts[0].low == 50
    with pytest.raises(RecipeError, match="nothing lies between"):
        gen_core.run("proteins.sample", n=5, filters={"min_pi": 9, "max_pi": 8})


def test_the_card_tells_what_the_filters_keep() -> None:
    model = open_model(BUNDLED)
    made = gen_core.run("proteins.sample", n=10_000, seed=0)
    held_out = made.baselines["natural_holdout"]["kept_fraction"]
    assert held_out == pytest.approx(model.card["baselines"]["natural_holdout"]["kept_fraction"], abs=0.05)
    passed = made.content.kept  # the card's is with the novelty filter, against the alignment itself
    assert passed.mean() == pytest.approx(model.card["metrics"]["kept_fraction"], abs=0.03)
