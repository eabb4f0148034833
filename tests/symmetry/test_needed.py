"""Where curves fall to an error, the lines through those numbers, and what is said of them: against known truths."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen_core.symmetry import files, lines, needed, needed_reading
from gen_core.symmetry.recipe import Needed


def test_where_a_curve_falls_to_an_error() -> None:
    at = (10, 20, 40, 80)
    means = np.array([[0.8, 0.4, 0.2, 0.1], [0.8, 0.4, 0.5, 0.3], [0.1, 0.1, 0.1, 0.1]])
    assert np.allclose(lines.crossing(at, means, 0.2), [40, np.inf, 10])  # never, and by the fewest already, are told apart
    assert np.allclose(lines.crossing(at, means[0], 8 / 30), 30)  # error = 8 / m, straight on logarithmic scales
    assert np.isinf(lines.crossing(at, means[0], 0.05))
    assert np.allclose(lines.crossing((20,), means[:, :1], 0.2), [np.inf, np.inf, 20])


def test_never_and_by_the_fewest_already_follow_into_numbers_tables_and_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    at = (5, 10, 20, 40, 80)
    spread = 1 + 0.05 * rng.normal(size=60)
    falling = lambda start, floor: np.maximum(0.05 * start / np.array(at), floor)[:, None] * spread  # noqa: E731
    errors = {
        "augmented": {5: falling(30, 0.2), 10: falling(30, 0), 20: falling(32, 0), 40: falling(34, 0)},
        "orbit": {5: falling(12, 0), 10: falling(1, 0), 20: falling(14, 0), 40: falling(16, 0)},
    }
    floors = {name: {d: np.zeros(60) for d in sizes} for name, sizes in errors.items()}
    made = lines.Curves(at, errors, floors, (0.05,), gaussian=falling(12, 0))
    numbers, notices = needed.read(made)
    assert np.isnan(numbers["augmented.needed.0.05.5"])
    assert numbers["orbit.needed.0.05.10"] == 5
    assert numbers["orbit.needed.0.05.10_at_most"]
    assert numbers["orbit.needed.0.05.best_dim"] == 10
    assert "orbit.needed.0.05.20_at_most" not in numbers
    found = lines.lines(made, 0.05)
    assert list(found["augmented"].sound) == [False, True, True, True]
    assert list(found["orbit"].sound) == [True, False, True, True]
    said = next(n.text for n in notices if n.code == "saving")
    assert "reached by orbit alone with 5 numbers" in said
    assert "at least 6.0" in said
    shown = needed_reading.marks(made, numbers)
    assert shown["orbit.needed.0.05.10"] == "≤ "
    assert shown["orbit.saving.0.05.10"] == "≥ "
    assert shown["orbit.saving.0.05.5"] == "by this alone"
    assert 11 < numbers["gaussian.needed.0.05"] < 13
    assert numbers["orbit.saving_gaussian.0.05.20_high"] < 1 < numbers["orbit.saving_gaussian.0.05.10_low"]
    files.needed_table(tmp_path / "needed.csv", Needed(), made)
    rows = [line.split(",")[:7] for line in (tmp_path / "needed.csv").read_text().splitlines()]
    assert ["0.05", "augmented", "5", "", "", "", "not reached"] in rows
    assert any(row[:4] == ["0.05", "orbit", "10", "5"] and row[6] == "at most" for row in rows)
    assert any(row[1] == "gaussian" and row[2] == "" for row in rows)


def test_a_change_has_a_sign_and_zero_none() -> None:
    assert [needed_reading.signed(v) for v in (-0.001, 0.004, -0.25, 0.07)] == ["0.00", "0.00", "−0.25", "+0.07"]


def test_a_proportion_and_what_is_none_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    at = tuple(range(5, 400, 5))
    for start, said in ((0.0, set()), (60.0, {"no_proportion"})):
        sizes = {}
        for d in (5, 10, 20, 40):
            mean = 0.05 * (start + 3 * d) / np.array(at)  # 0.05 is reached at start + 3 d measurements
            sizes[d] = mean[:, None] * (1 + 0.2 * rng.normal(size=200))
        made = lines.Curves(at, {"c8": sizes}, {"c8": {d: np.zeros(200) for d in sizes}}, (0.05,))
        numbers, notices = needed.read(made)
        assert {n.code for n in notices} == said
        assert abs(numbers["c8.slope.0.05"] - 3) < 0.4
        assert abs(numbers["c8.intercept.0.05"] - start) < 6
        assert numbers["c8.needed.0.05.best_dim"] == 5
