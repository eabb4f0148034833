"""How a set of sequences compares with its family, and the sets that it must be read beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gen_core.proteins.statistics import Moments, pearson, slope

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel

Array = np.ndarray
Numbers = dict[str, float | int | str | bool | None]
PASSING = 25.0  # percentile of the naturals' profile bits that `profile_pass_fraction` asks for where that filter is off
NAMES = (
    *("kept_fraction", "site_frequency_pearson", "pair_correlation_pearson", "pair_correlation_pearson_heldout"),
    *("pair_correlation_slope", "identity_nearest_median", "identity_nearest_mean", "profile_pass_fraction", "unique_fraction"),
    "identity_among_mean",
)


def compared(found: Moments, family: Moments, held_out: Moments | None) -> Numbers:
    """Correlations of the moments of a set with those of the whole family and of its held-out part; and how alike two sequences
    of the set are on average, which its site frequencies alone tell."""
    return {
        "site_frequency_pearson": pearson(found.sites, family.sites),
        "pair_correlation_pearson": pearson(found.pairs, family.pairs),
        "pair_correlation_pearson_heldout": float("nan") if held_out is None else pearson(found.pairs, held_out.pairs),
        "pair_correlation_slope": slope(found.pairs, family.pairs),
        "identity_among_mean": float((found.sites**2).sum(1).mean()),
    }


def of_values(values: Mapping[str, Array], codes: Array, kept: Array, bits: float) -> Numbers:
    """The metrics that need no moments: of sequences codes (n, L), of which `kept` (n,) pass the filters."""
    return {
        "kept_fraction": float(kept.mean()),
        "identity_nearest_median": float(np.median(values["nearest_identity"])),
        "identity_nearest_mean": float(np.mean(values["nearest_identity"])),
        "profile_pass_fraction": float((values["profile_bits"] >= bits).mean()),
        "unique_fraction": len(np.unique(codes, axis=0)) / len(codes),
    }


def passing_bits(model: FamilyModel, percentile: float | None) -> float:
    """The bits that a sequence must reach to pass the profile."""
    return float(np.percentile(model.naturals["profile_bits"], PASSING if percentile is None else percentile))


def independent(family: Moments, n: int, rng: np.random.Generator) -> Array:
    """Sequences (n, L) whose sites are drawn on their own from the family's frequencies."""
    ladder = family.sites.cumsum(1)
    heights = rng.random((n, len(ladder))) * ladder[:, -1]
    return np.stack([np.searchsorted(steps, column) for steps, column in zip(ladder, heights.T, strict=True)], 1).astype(np.uint8)
