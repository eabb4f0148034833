"""What the operations of symmetry found, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Turned:
    """What `symmetry.rotate` found: of n codes (n, d) the pictures (n, 32, 32), those turned, and those of the turned codes."""

    kind: str
    angle: float
    used: float  # degrees by which the code was turned
    codes: Array
    codes_turned: Array
    pictures: Array
    turned: Array
    drawn: Array
    errors: Array  # (n,) relative
    angles: Array = field(default_factory=lambda: np.zeros(0))  # of the curve, degrees
    curves: dict[str, Array] = field(default_factory=dict)  # relative error at each, by model

    @property
    def difference(self) -> Array:
        """What is drawn less what would be right (n, 32, 32)."""
        return self.drawn - self.turned


@dataclass(frozen=True, eq=False)
class Recovered:
    """What `symmetry.recover` found.

    truth (n, 32, 32) and angles (n,); by model and number of measurements the pictures, their errors and residuals (n,); floors
    by model (n,). `lasso` is among them and has no floor.
    """

    truth: Array
    angles: Array
    measurements: tuple[int, ...]
    pictures: dict[str, dict[int, Array]]
    errors: dict[str, dict[int, Array]]
    residuals: dict[str, dict[int, Array]]
    floors: dict[str, Array]
    best: dict[str, Array]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """All that recover, in order."""
        return list(self.errors)
