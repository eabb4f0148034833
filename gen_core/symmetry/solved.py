"""What the operations of symmetry found, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gen_core.symmetry import boots

Array = np.ndarray
GAUSSIAN, LASSO = "gaussian", "lasso"
SIMPLE = (GAUSSIAN, LASSO)  # the baselines, which have no codes


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
    curve_codes: int = 0  # codes that these are means over, the first of all

    @property
    def difference(self) -> Array:
        """What is drawn less what would be right (n, 32, 32)."""
        return self.drawn - self.turned


@dataclass(frozen=True, eq=False)
class Recovered:
    """What `symmetry.recover` found.

    truth (n, 32, 32), angles (n,) and the picture each row shows (n,); by model and number of measurements the pictures, their
    errors and residuals (n,); floors by model (n,). The baselines are among them, last, and have no floor.
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
    sources: Array | None = None

    @property
    def models(self) -> list[str]:
        """All that recover, in order."""
        return list(self.errors)

    @property
    def networks(self) -> list[str]:
        """Those of them that draw from codes."""
        return [name for name in self.errors if name not in SIMPLE]

    @property
    def different(self) -> int:
        """How many different pictures there are: rows may show one picture turned by several angles."""
        return len(self.truth) if self.sources is None else len(np.unique(self.sources))

    def mean(self, each: Array) -> tuple[float, float, float]:
        """The mean of a value for each row (n,) with the ends of its interval over the pictures."""
        return boots.mean(each, self.sources)
