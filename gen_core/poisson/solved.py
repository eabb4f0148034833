"""What `poisson.solve` found, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gen_core.poisson import correct, sensors
from gen_core.poisson.problem import Problem

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Solved:
    """What `poisson.solve` found.

    phi: the potential (size, size), corrected where that was asked for; samples (k, size, size) as the model said them; exact:
    the exact potential, None where it is not known; others: the baselines' potentials; `traces` by method and start
    (`cg`, `two_grid`; `model`, `zero`): error and residual against correction steps; `seconds` by solver.
    """

    problem: Problem
    phi: Array
    samples: Array
    exact: Array | None
    others: dict[str, Array]
    traces: dict[str, dict[str, correct.Trace]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    unlike: float = 0.0
    data: sensors.Data | None = None
    posterior: sensors.Posterior | None = None
    true_posterior: sensors.Posterior | None = None

    @property
    def deviation(self) -> Array:
        """The deviation of the samples (size, size); of the posterior with sensors."""
        if self.posterior is not None:
            return self.posterior.deviation
        return self.samples.std(0) if len(self.samples) > 1 else np.zeros_like(self.phi)
