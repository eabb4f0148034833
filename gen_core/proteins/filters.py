"""Which sequences are kept: one filter after the other, each with its bound, its values and how many it took out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gen_core.proteins.filters_recipe import Filters

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Verdict:
    """One filter's word on n sequences: `passed` (n,); `low` and `high` are the bounds on `value`, None where there is none."""

    name: str
    value: str
    low: float | None
    high: float | None
    passed: Array


def judge(
    filters: Filters, values: Mapping[str, Array], naturals: Mapping[str, Array], rows: list[str], novelty: bool
) -> list[Verdict]:
    """The verdicts of the filters that are on, in the order in which they are applied.

    `values` and `naturals` are as `values.values_of` gives them, for the sequences and for held-out naturals; `rows` tell equal
    sequences; without `novelty` there is nothing real to be new against, and that filter is off. So is one whose value is not
    there: viability without labels.
    """
    percentile = lambda name, p: _percentile(naturals.get(name), p)  # noqa: E731
    within = lambda name, low, high, tail: (  # noqa: E731
        name,
        name,
        _tighter(max, low, percentile(name, tail)),
        _tighter(min, high, percentile(name, _other_end(tail))),
    )
    greasy = _tighter(min, filters.max_gravy, percentile("gravy", filters.max_gravy_percentile))
    bounds: list[tuple[str, str, float | None, float | None]] = [
        within("length", filters.min_length, filters.max_length, filters.length_tail),
        ("homopolymer", "longest_run", None, filters.max_homopolymer),
        ("complexity", "complexity", filters.min_complexity, None),
        ("motifs", "motifs", None, 0.0 if filters.motifs else None),
        within("charge", filters.min_charge, filters.max_charge, filters.charge_tail),
        within("pi", filters.min_pi, filters.max_pi, filters.pi_tail),
        within("gravy", filters.min_gravy, greasy, filters.gravy_tail),
        ("composition", "composition", None, percentile("composition", filters.max_composition_percentile)),
        ("instability", "instability", None, filters.max_instability),
        ("profile", "profile_bits", percentile("profile_bits", filters.min_profile_percentile), None),
        ("energy", "coupling_energy", None, percentile("coupling_energy", filters.max_energy_percentile)),
        ("novelty", "nearest_identity", filters.min_identity, filters.max_identity),
        ("viability", "viability", filters.min_viability, None),
    ]
    found = [Verdict("unique", "sequence", None, None, _first(rows))] if filters.unique else []
    for name, value, low, high in bounds:
        if (low is None and high is None) or value not in values or (name == "novelty" and not novelty):
            continue
        numbers = values[value]
        passed = np.ones(len(numbers), bool)
        if low is not None:
            passed &= numbers >= low
        if high is not None:
            passed &= numbers <= high
        found.append(Verdict(name, value, low, high, passed))
    return found


def kept(verdicts: list[Verdict], n: int) -> Array:
    """Which of n sequences (n,) pass all filters."""
    passed = np.ones(n, bool)
    for verdict in verdicts:
        passed &= verdict.passed
    return passed


def funnel(verdicts: list[Verdict], n: int) -> dict[str, int]:
    """How many sequences each filter took out of those that the filters before it had left."""
    left, removed = np.ones(n, bool), {}
    for verdict in verdicts:
        removed[verdict.name] = int((left & ~verdict.passed).sum())
        left &= verdict.passed
    return removed


def _first(rows: list[str]) -> Array:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(row, i) == i for i, row in enumerate(rows)], bool)


def _percentile(naturals: Array | None, percent: float | None) -> float | None:
    if naturals is None or percent is None or not len(naturals) or np.isnan(naturals).all():
        return None
    return float(np.nanpercentile(naturals, percent))


def _other_end(tail: float | None) -> float | None:
    return None if tail is None else 100 - tail


def _tighter(pick, *bounds: float | None) -> float | None:  # type: ignore[no-untyped-def]
    """The tighter of the bounds that are there."""
    there = [bound for bound in bounds if bound is not None]
    return float(pick(there)) if there else None
