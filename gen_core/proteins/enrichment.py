"""What each filter is worth: the share of functional sequences among the labelled ones that pass it and that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gen_core.proteins import filters
from gen_core.proteins.agreement import wilson
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.values import values_of

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.viability import Viability

# The usual bound of a filter that is off, so that its worth is seen before it is used
USUAL = {
    "max_instability": 40.0,
    "charge_tail": 1.0,
    "pi_tail": 1.0,
    "max_gravy_percentile": 97.0,
    "max_composition_percentile": 95.0,
    "min_profile_percentile": 25.0,
    "max_energy_percentile": 95.0,
    "min_viability": 0.5,
}
BOUNDS = {
    "charge": ("min_charge", "max_charge", "charge_tail"),
    "pi": ("min_pi", "max_pi", "pi_tail"),
    "gravy": ("min_gravy", "max_gravy", "gravy_tail", "max_gravy_percentile"),
}


def enrichment(made: Viability, model: FamilyModel, asked: Filters) -> pd.DataFrame:
    """One row a filter: its bounds, whether it is on, and `n`, `functional`, `share`, `low`, `high` of those that pass
    (`passed_…`) and of those that do not (`failed_…`), with 90 % Wilson intervals; `ratio` is that of the two shares.

    Novelty and uniqueness say nothing of function and are not among them. Viability is that of fits that did not see the
    sequence. The energy of a sequence that the model was trained on is lower than that of one it never saw: read its row so.
    """
    codes = made.labelled.codes
    values = values_of(codes, model, codes[:1], patterns=asked.motifs or ())
    values["viability"] = made.calibration.chance(made.honest)
    off = {name: bound for name, bound in USUAL.items() if _is_off(asked, name)}
    shown = asked.model_copy(update=off | {"unique": False})
    on = {verdict.name for verdict in filters.judge(asked, values, model.naturals, model.rows(codes), False)}
    lines = []
    for verdict in filters.judge(shown, values, model.naturals, model.rows(codes), False):
        line = {"filter": verdict.name, "on": verdict.name in on, "low": verdict.low, "high": verdict.high}
        shares = []
        for word, part in (("passed", verdict.passed), ("failed", ~verdict.passed)):
            n, hits = int(part.sum()), int(made.functional[part].sum())
            shares.append(hits / n if n else float("nan"))
            low, high = wilson(hits, n)
            line |= {f"{word}_n": n, f"{word}_functional": hits, f"{word}_share": shares[-1]}
            line |= {f"{word}_low": low, f"{word}_high": high}
        lines.append(line | {"ratio": shares[0] / shares[1] if shares[1] else float("nan")})
    return pd.DataFrame(lines).astype({"low": float, "high": float})


def _is_off(asked: Filters, name: str) -> bool:
    bounds = next((group for group in BOUNDS.values() if name in group), (name,))
    return all(getattr(asked, bound) is None for bound in bounds)
