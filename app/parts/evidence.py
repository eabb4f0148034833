"""How far to trust what is shown: warnings, and scores beside those of simple baselines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from app.parts.guard import plain
from gen_core.result import Notice
from gen_core.scores import number as number  # pages ask for it here
from gen_core.scores import title as called

# Good to know, and no reason to doubt the result; every other warning is one, and is shown in red.
CALM = {
    *("synthetic_data", "no_truth"),
    # how a file of sequences was read
    *("inserts", "unknown_residues", "gapped_columns", "empty_rows", "renamed", "sampled_family", "aligned_here"),
    # and one of labels
    *("replicates", "labels_missing", "labels_unmatched", "sampled_labels", "no_threshold"),
    # and one of a structure
    *("template_backbone", "template_gaps", "structures_capped", "left_out", "several_models", "alternative_locations"),
    *("modified_residues", "missing_residues", "incomplete_residues"),
    # and one of slices, or of a sinogram
    *("padding", "resampled", "resolution_lost", "no_detail_gained", "turned", "tilted", "inverted", "colours", "first_volume"),
    *("one_series", "no_positions", "no_spacing", "no_orientation", "taken_as_hu", "not_hu", "radians", "sorted"),
    *("noise_estimated", "one_of_several"),
    # and what a symmetry, or a generator of events, does and does not
    *("no_action", "nearest_element", "between_elements", "told_the_angle", "gap_is_floor", "gap_over_floor", "saving"),
    *("beats_gaussian", "against_gaussian", "other_pictures", "cut"),
    *(
        "no_proportion",
        "no_gain_at_few",
        "fewer_examples",
        "measured_before",
        "steps_ignored",
        "temperature_ignored",
        "approximate",
    ),
}

ARROWS = {"high": "\u00a0↑", "low": "\u00a0↓", "one": "", "none": ""}
Interval = tuple[float, float]


@dataclass(frozen=True)
class Score:
    """One column of a table of scores. `name` is the metric's name in result.json."""

    name: str
    title: str = ""  # as everywhere where it is empty; says so itself where the best is 1
    better: Literal["high", "low", "one", "none"] = "high"  # none: more or less of it is not better as such
    digits: int = 3

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", called(self.name))


def notices(warnings: Iterable[Notice], words: Callable[[str], str] = str, lessons: Iterable[str] = ()) -> None:
    """A result's warnings: real ones in red first, then what is only good to know, in small print; in the page's `words`.

    Those of `lessons` are no alarm on this page but its point: they come first, in blue.
    """
    taught = set(lessons)
    ordered = sorted(warnings, key=lambda w: (w.code not in taught, w.code in CALM))
    for warning in ordered:
        if warning.code in taught:
            st.info(plain(words(warning.text)), icon=":material/balance:")
            continue
        if warning.code in CALM:
            st.caption(f":material/info: {plain(words(warning.text))}")
        else:
            st.error(plain(words(warning.text)), icon=":material/warning:")


def score_table(
    scores: Sequence[Score],
    rows: Mapping[str, Mapping[str, object]],
    intervals: Mapping[str, Mapping[str, Interval]] | None = None,
    highlight: str | None = None,
    reference: Iterable[str] = (),
    caption: str | None = None,
    marks: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Methods as rows, scores as columns, the best of each column bold, intervals in brackets.

    `rows` is {"method as shown": result.metrics or result.baselines[…]}. `highlight` marks the row in use. Rows in
    `reference` (a ceiling) never count as best. Where a score is null the cell is a dash. `marks` by row and score stand before
    a number ("≤ "), or in the place of the dash.
    """
    left_out = set(reference)
    best = {score.name: _best(score, {row: values for row, values in rows.items() if row not in left_out}) for score in scores}
    table: dict[str, list[str]] = {
        "Method": [f"**{plain(row)}** :material/arrow_left_alt:" if row == highlight else plain(row) for row in rows]
    }
    for score in scores:
        table[score.title + ARROWS[score.better]] = [
            _cell(
                values.get(score.name),
                (intervals or {}).get(row, {}).get(score.name),
                score,
                row in best[score.name],
                (marks or {}).get(row, {}).get(score.name, ""),
            )
            for row, values in rows.items()
        ]
    st.table(table, border="horizontal", hide_index=True)
    contest = any(ARROWS[score.better] for score in scores)
    st.caption(f"{caption or ''} {'↑ higher is better, ↓ lower is better; the best is bold.' if contest else ''}".strip())


def badge(text: str, good: bool | None = None) -> None:
    """A short verdict: green where it is good, red where it warns, grey where it only informs."""
    colour: Literal["green", "red", "gray"] = "gray" if good is None else "green" if good else "red"
    icon = ":material/info:" if good is None else ":material/check:" if good else ":material/warning:"
    st.badge(plain(text), icon=icon, color=colour)


def _best(score: Score, rows: Mapping[str, Mapping[str, object]]) -> set[str]:
    """The rows whose value, as it is shown, is the best: what reads the same is equally good. None where there is no contest."""
    if score.better == "none":
        return set()
    values = {row: value for row, row_values in rows.items() if isinstance(value := row_values.get(score.name), int | float)}
    shown = {row: round(value, score.digits) for row, value in values.items() if math.isfinite(value)}
    if not shown:
        return set()
    if score.better == "one":
        near = min(abs(value - 1) for value in shown.values())
        return {row for row, value in shown.items() if abs(value - 1) <= near + 1e-9}
    top = max(shown.values()) if score.better == "high" else min(shown.values())
    return {row for row, value in shown.items() if value == top}


def _cell(value: object, interval: Interval | None, score: Score, best: bool, mark: str = "") -> str:
    text = number(value, score.digits)
    if text == "–":
        return mark or text
    text = f"{mark}{text}"
    if best:
        text = f"**{text}**"
    if interval is not None and any(math.isfinite(end) for end in interval):
        text += f" ({number(interval[0], score.digits)} to {number(interval[1], score.digits)})"
    return text
