"""A plate is chosen for score and spread, and the backtest says how many of such a plate worked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gen_core.proteins import viability
from gen_core.proteins.backtest import backtest
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.plate import expected, picked
from gen_core.proteins.recipe import BUNDLED, Sample
from tests.proteins.conftest import family_codes
from tests.proteins.test_viability import assayed as assayed
from tests.proteins.test_viability import labelled_of, truth


def test_the_best_are_picked_and_none_too_alike() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (60, 12)).astype(np.uint8)
    codes[1] = codes[0]
    scores = rng.random(60)
    scores[[0, 1]] = 2, 1.5
    scores[5] = np.nan
    plain = picked(scores, codes, 10)
    assert plain.tolist() == np.argsort(-np.nan_to_num(scores, nan=-9), kind="stable")[:10].tolist()
    spread = picked(scores, codes, 60, 0.5)
    assert 1 not in spread
    for i, a in enumerate(spread):
        for b in spread[:i]:
            assert (codes[a] == codes[b]).mean() <= 0.5
    left = next(i for i in np.argsort(-scores) if i not in spread)
    assert max((codes[left] == codes[a]).mean() for a in spread if scores[a] > scores[left]) > 0.5  # none left out for nothing
    assert len(picked(scores, codes, 0)) == 0


def test_what_is_expected_comes_out(model: FamilyModel) -> None:
    codes = np.unique(family_codes(1, 500), axis=0)
    odds = 1 / (1 + np.exp(-2 * (truth(codes) - 1.75)))
    yes = np.random.default_rng(0).random(len(codes)) < odds
    made = viability.learned(labelled_of(codes, yes.astype(float), yes), model, 0)
    new = np.unique(family_codes(60, 2_000), axis=0)
    chances = made.chances(new, model)
    best = picked(chances, new, 96)
    mean, low, high = expected(made, chances[best])
    assert low < mean < high
    assert mean == pytest.approx(chances[best].sum())
    real = (1 / (1 + np.exp(-2 * (truth(new[best]) - 1.75)))).sum()
    assert low - 5 < real < high + 5
    nothing, _, _ = expected(made, chances[:0])
    assert nothing == 0


def test_a_backtest_counts_the_hidden_ones(model: FamilyModel) -> None:
    codes = np.unique(family_codes(1, 400), axis=0)
    yes = truth(codes) > 2
    made = viability.learned(labelled_of(codes, yes.astype(float), yes), model, 0)
    table = backtest(made, k=20).set_index("chosen_by")
    assert set(table.index) == {"viability", "viability_spread", "profile", "independent_sites", "random"}
    assert table.hits["random"] == pytest.approx(20 * yes.mean(), abs=2.5)
    assert table.low["viability"] > table.hits["random"]
    assert (table.low <= table.hits).all()
    assert (table.hits <= table.high).all()
    np.testing.assert_allclose(table.per_96, table.hits * 96 / 20)
    few = backtest(viability.learned(labelled_of(codes[:40], yes[:40].astype(float), yes[:40]), model, 0))
    assert (few.k == 6).all()  # a third of what is hidden


def test_on_the_assay_viability_beats_what_needs_no_labels(assayed: str, data_folder: Path) -> None:
    made = viability.assess(Sample(labels=assayed), open_model(BUNDLED), "chorismate_mutase")
    table = backtest(made).set_index("chosen_by")
    assert table.k.tolist() == [96] * 5
    assert table.hits["random"] == pytest.approx(96 * 0.366, abs=4)
    assert table.low["viability"] > table.high["profile"]
    assert table.hits["viability"] > 75
