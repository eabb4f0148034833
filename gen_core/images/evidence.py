"""What a model of pictures is worth, as a page lists it: each number beside what is wanted and what does without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GATES = {
    "psnr": ("Reconstruction, code refined in 10 steps (dB)", 26.0, "high"),
    "swap_score.fine": ("Mixes against the rendered truth, fine: S", 0.9, "high"),
    "swap_score.middle": ("Mixes against the rendered truth, middle: S", 0.6, "high"),
    "swap_score.coarse": ("Mixes against the rendered truth, coarse: S", 0.5, "high"),
    "leakage_r2": ("Style read off the averaged content: R²", 0.1, "low"),
}
BESIDE = {"psnr": "mean_picture", "swap_score": "no_switch"}


@dataclass(frozen=True)
class Gate:
    """One number of a model: what was wanted, whether it is reached, and the number of the simplest way (None: there is none)."""

    title: str
    value: float
    wanted: float
    better: str
    reached: bool
    baseline: float | None


def gates(card: dict[str, Any]) -> list[Gate]:
    """The gates that a model's card has numbers for; none for a model of a user's own pictures but the reconstruction."""
    numbers, baselines = dict(card.get("metrics") or {}), dict(card.get("baselines") or {})
    found = []
    for name, (title, wanted, better) in GATES.items():
        value = numbers.get(name)
        if isinstance(value, int | float):
            simple = dict(baselines.get(BESIDE.get(name.partition(".")[0], ""), {})).get(name)
            reached = value >= wanted if better == "high" else value <= wanted
            found.append(Gate(title, float(value), wanted, better, reached, simple))
    return found
