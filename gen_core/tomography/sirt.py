"""Simultaneous iterative reconstruction (SIRT): small steps towards the data, never below zero.

Gregor and Benson (2008), https://doi.org/10.1109/TMI.2008.923696. Stopping early is what keeps the noise out.
"""

from __future__ import annotations

import numpy as np

from gen_core.tomography.priors import Problem, Progress, Solution, quiet

ITERATIONS = 100


def solve(problem: Problem, progress: Progress = quiet, iterations: int = ITERATIONS) -> Solution:
    """Iterate x + C A^T R (y - A x), clipped at 0, from 0; R and C are one over the sums of A's rows and columns."""
    a = problem.operator
    data = problem.data.astype(np.float32)
    rows, columns = a.forward(np.ones((a.size, a.size), np.float32)), a.adjoint(np.ones(data.shape, np.float32))
    r = np.where(rows > 1e-3, 1 / np.maximum(rows, 1e-3), 0)
    c = np.where(columns > 1e-3, 1 / np.maximum(columns, 1e-3), 0)
    expected = float(np.linalg.norm(problem.spread))
    x = np.zeros((a.size, a.size), np.float32)
    trace: dict[str, list[float]] = {"iteration": [], "data_residual": []}
    for k in range(iterations):
        left = data - a.forward(x)
        trace["iteration"].append(k)
        trace["data_residual"].append(float(np.linalg.norm(left)) / expected)
        x = np.maximum(x + c * a.adjoint(r * left), 0)
        progress((k + 1) / iterations, f"SIRT, iteration {k + 1} of {iterations}")
    return Solution(x, trace=trace, note=f"{iterations} iterations")
