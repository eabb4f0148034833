"""Which part of an image the data determine, and which part only the method does.

The measured part is the projection onto what the scanner sees above the noise, A^T (A A^T + e)^-1 A x; the rest, which the
scanner does not see (null space, and directions below the noise), was invented: by a prior, by smoothing, or as streaks.
"""

from __future__ import annotations

import numpy as np

from gen_core.tomography.priors import Problem

Array = np.ndarray
DETAIL = 0.1  # attenuation that is still looked for: directions in which it drowns in the noise count as not measured
STEPS = 40


def measured_part(problem: Problem, image: Array, steps: int = STEPS) -> Array:
    """The part (size, size) that the data determine, by conjugate gradients on A A^T + e."""
    a = problem.operator
    e = float(np.median(problem.spread.astype(np.float64) ** 2)) / DETAIL**2
    right = a.forward(np.asarray(image, np.float32))
    z = np.zeros_like(right)
    r = right.copy()
    d, rr = r, float(np.vdot(r, r))
    first = rr
    for _ in range(steps):
        if rr <= 1e-8 * first:
            break
        ad = a.forward(a.adjoint(d)) + e * d
        alpha = rr / float(np.vdot(d, ad))
        z, r = z + alpha * d, r - alpha * ad
        new = float(np.vdot(r, r))
        d, rr = r + new / rr * d, new
    return a.adjoint(z)


def split(problem: Problem, image: Array) -> tuple[Array, Array]:
    """The measured and the invented part, which add up to the image."""
    seen = measured_part(problem, image)
    return seen, image - seen
