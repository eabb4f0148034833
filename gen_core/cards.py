"""The bundled models beside the simple methods that they must beat, as one table: what README shows is made from the cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gen_core import checkpoint
from gen_core.systems import SYSTEMS

CEILINGS = {"ceiling", "natural_holdout", "rendered_truth", "exact", "floor"}  # how good anything could be: no method
VARIANTS = {"normal_prior"}  # the model itself in another way


@dataclass(frozen=True)
class Measure:
    """One number of a card and how it reads; `low` where less is better."""

    name: str
    title: str
    digits: int = 2
    low: bool = False
    ceiling: bool = True  # whether how good anything could be was measured in the same way


PSNR = tuple(Measure(f"psnr_{x}", f"PSNR over {x}° (dB)", 1) for x in (120, 90, 60))
# by the beginning of a model's name, the first that fits
MEASURES: dict[str, tuple[Measure, ...]] = {
    "cells": (
        Measure("pearson_delta_all", "correlation of the change", 3),
        Measure("e_distance_relative", "energy distance (doing nothing: 1)", 3, low=True),
    ),
    "images-micrographs": (
        Measure("psnr", "reconstruction (dB)", 1),
        Measure("swap_score.coarse", "mixes, coarse style (truth: 1)"),
        Measure("swap_score.fine", "mixes, fine style (truth: 1)"),
    ),
    "images-plain": (Measure("psnr", "reconstruction (dB)", 1),),
    "images-lecture": (Measure("psnr.1", "reconstruction from two numbers (dB)", 1),),
    "proteins": (
        Measure("pair_correlation_pearson", "correlations of pairs (r)", ceiling=False),
        Measure("r20", "words of 2 to 8 sites (r20)"),
    ),
    "tomography": PSNR,
    "defects": (
        Measure("sample_w1", "samples, W1 over the spread", 3, low=True),
        Measure("pair_w1", "distances of pairs, W1", 3, low=True),
    ),
    "detector": (
        Measure("auc_features", "told apart by features (AUC)", 3, low=True),
        Measure("corr_error", "correlations of channels", 3, low=True),
    ),
    "poisson": (
        Measure("error_l2", "error of the potential", 4, low=True),
        Measure("residual", "law broken by", 4, low=True),
    ),
}
MEASURES |= dict.fromkeys(  # of each kind one size stands for all
    (f"symmetry-{kind}-20" for kind in ("plain", "augmented", "c4", "c8", "c16", "orbit")),
    (
        Measure("error_50", "error from 50 measurements, turned", 4, low=True),
        Measure("equivariance_db_90", "turned by 90° (dB)", 1),
    ),
)


def table() -> str:
    """A Markdown table: model, measure, its value, the best of the simple methods, and the ceiling where there is one."""
    lines = ["| model | measure | its value | best simple method | ceiling |", "|---|---|---|---|---|"]
    for system in SYSTEMS:
        for name, card in checkpoint.known(system.name).items():
            if not name.startswith("sha256:"):
                lines += [_line(name, measure, card) for measure in _measures(name) if measure.name in card.get("metrics", {})]
    return "\n".join(lines) + "\n"


def _measures(name: str) -> tuple[Measure, ...]:
    return next((found for start, found in MEASURES.items() if name.startswith(start)), ())


def _line(name: str, measure: Measure, card: Mapping[str, Any]) -> str:
    own = float(card["metrics"][measure.name])
    others = {
        key: float(row[measure.name]) for key, row in card.get("baselines", {}).items() if row.get(measure.name) is not None
    }
    simple = {key: value for key, value in others.items() if key not in CEILINGS | VARIANTS}
    top = next((value for key, value in others.items() if key in CEILINGS and measure.ceiling), None)
    best = (min if measure.low else max)(simple, key=simple.__getitem__) if simple else None
    value, against = _number(own, measure), "–"
    if best is not None:
        against = f"{_number(simple[best], measure)} ({best.replace('_', ' ')})"
        if simple[best] < own if measure.low else simple[best] > own:
            against = f"**{against}**"
        else:
            value = f"**{value}**"
    return f"| {name} | {measure.title} | {value} | {against} | {'–' if top is None else _number(top, measure)} |"


def _number(value: float, measure: Measure) -> str:
    return f"{value:.{measure.digits}f}".replace("-", "−")
