"""Words of several sites: as counted by hand, perfect for the same sequences, and lost where sites are drawn on their own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gen_core import checkpoint
from gen_core.proteins.alphabet import LETTERS, Q, decode
from gen_core.proteins.recipe import BUNDLED
from gen_core.proteins.words import LENGTHS, TOP, frequencies, r20, spelled
from tests.proteins.conftest import family_codes


def test_words_are_spelled_and_counted_as_by_hand() -> None:
    codes, sites = family_codes(n=80), np.array([2, 11, 20, 29])
    words = ["".join(row[i] for i in sites) for row in decode(codes)]
    numbers = spelled(codes, sites)
    assert len(set(zip(words, numbers.tolist(), strict=True))) == len(set(words)) == len(set(numbers.tolist()))
    some = np.unique(numbers)[::3]
    by_hand = Counter(numbers.tolist())
    np.testing.assert_allclose(frequencies(numbers, some), [by_hand[word] / 80 for word in some.tolist()])
    highest = spelled(np.full((1, 8), Q - 1, np.uint8), np.arange(8))
    assert int(highest[0]) == len(LETTERS) ** 8 - 1  # eight letters fit


def test_r20_is_that_of_a_plain_count() -> None:
    naturals, others = family_codes(0, 300), family_codes(1, 300)
    weights = np.random.default_rng(0).uniform(0.2, 1, 300)
    told = r20(naturals, weights, {"others": others}, 5, 3)["others"]
    rng = np.random.default_rng([3, 6])
    found = []
    for length in LENGTHS:
        for _ in range(5):
            sites = np.sort(rng.choice(30, length, replace=False))
            if length != 3:
                continue
            shares: Counter[str] = Counter()
            for row, weight in zip(decode(naturals[:, sites]), weights, strict=True):
                shares[row] += float(weight / weights.sum())
            top = sorted(shares, key=lambda word: -shares[word])[:TOP]
            seen = Counter(decode(others[:, sites]))
            found.append(np.corrcoef([shares[w] for w in top], [seen[w] / 300 for w in top])[0, 1])
    assert told["r20_3"] == pytest.approx(np.mean(found), abs=1e-6)
    assert told["r20"] == pytest.approx(np.mean([told[f"r20_{k}"] for k in LENGTHS]))


def test_the_same_sequences_agree_and_shuffled_columns_do_not() -> None:
    rng = np.random.default_rng(1)

    def chains() -> np.ndarray:
        """Each site mostly as the one before it: pairs and longer words are far from what single sites would give."""
        start, turns = rng.integers(0, 2, (4_000, 1)), rng.random((4_000, 11)) < 0.1
        return np.concatenate([start, (start + turns.cumsum(1)) % 2], 1).astype(np.uint8)

    naturals = chains()
    shuffled = np.stack([rng.permutation(column) for column in naturals.T], 1)
    told = r20(naturals, np.ones(4_000), {"same": naturals, "again": chains(), "shuffled": shuffled}, 20, 0)
    assert told["same"]["r20"] == pytest.approx(1)
    assert told["again"]["r20"] > 0.98
    for length in LENGTHS:
        assert told["shuffled"][f"r20_{length}"] < 0.6


def test_short_families_have_no_long_words() -> None:
    codes = family_codes(n=50)[:, :5]
    told = r20(codes, np.ones(50), {"same": codes}, 3, 0)["same"]
    assert told["r20_5"] == pytest.approx(1)
    assert np.isnan(told["r20_6"])


def test_the_bundled_card_tells_it_beside_what_naturals_reach() -> None:
    card = checkpoint.read_card(checkpoint.BUNDLED / BUNDLED)
    told, ceiling = card["metrics"], card["baselines"]["natural_holdout"]["r20"]
    assert card["baselines"]["independent_sites"]["r20"] < told["r20"] <= ceiling + 0.05
    assert told["naturals_r20"] > card["baselines"]["independent_sites"]["r20"]
