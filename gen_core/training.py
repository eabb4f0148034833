"""One training loop for every system: a generator of steps that can be stopped, resumed and watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """How far long work is: what a progress bar, a live curve and a job's snapshot are made from.

    done and total count the same unit of work (for a training: epochs); metrics are the newest numbers, such as
    {"train_loss": …, "valid_loss": …}; text says in words what is being done.
    """

    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
