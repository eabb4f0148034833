"""Fidelity against speed: the bundled models as their cards say, and what was published of calorimeters."""

from __future__ import annotations

from dataclasses import dataclass

from gen_core.detector import modelfile
from gen_core.detector.recipe import KINDS


@dataclass(frozen=True)
class Point:
    """One model: events a second, AUC on features (one half is perfect) with its interval, error of correlations, measured on."""

    name: str
    kind: str
    per_second: float
    auc: float
    auc_low: float
    auc_high: float
    corr_error: float
    on: str

    @property
    def hours(self) -> float:
        """Hours for 10^9 events."""
        return hours_for(1e9, self.per_second)


@dataclass(frozen=True)
class Published:
    """A pair of models of a calorimeter: how many times faster the fast one is, and how much higher its AUC, from to."""

    name: str
    faster: tuple[float, float]
    auc_more: float | None
    source: str


PUBLISHED = (
    Published("CaloFlow, student against teacher", (74, 184), 0.03, "Krause, Pang and Shih 2022, arXiv:2210.14245"),
    Published("iCaloFlow, student against teacher", (86, 86), None, "Buckley et al. 2023, arXiv:2305.11934"),
    Published("CaloScore, one step against many", (330, 530), 0.15, "Mikuni and Nachman 2023, arXiv:2308.03847"),
)


def hours_for(events: float, per_second: float) -> float:
    """Hours that so many events take."""
    return events / max(per_second, 1e-9) / 3_600


def points() -> list[Point]:
    """The bundled models at the steps they are used with, masked and middle also at others, and channels on their own."""
    found: list[Point] = []
    for kind in KINDS:
        if not modelfile.there(kind):
            continue
        card = modelfile.open_card(kind)
        rows = [("", card["metrics"])] if "curve" not in card else [(f", K = {row['steps']}", row) for row in card["curve"]]
        found += [
            Point(
                f"{kind}{more}", kind, row["events_per_second"], row["auc_features"], row["auc_features_low"],
                row["auc_features_high"], row["corr_error"], card["device"],
            )
            for more, row in rows
        ]  # fmt: skip
    return found


def front(found: list[Point]) -> list[Point]:
    """Those of which no other is both faster and closer to the truth, slowest first."""
    best: list[Point] = []
    for point in sorted(found, key=lambda p: -p.per_second):
        if not best or point.auc < best[-1].auc:
            best.append(point)
    return best[::-1]


def against(slow: Point, fast: Point) -> tuple[float, float]:
    """How many times faster one model is than another, and how much higher its AUC."""
    return fast.per_second / slow.per_second, fast.auc - slow.auc
