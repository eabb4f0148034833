"""A disc put into the slice before the scan, and how much of it the data can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gen_core.errors import RecipeError
from gen_core.tomography.phantoms import Phantom
from gen_core.tomography.priors import Problem
from gen_core.tomography.recipe import Lesion
from gen_core.tomography.scene import MOST
from gen_core.tomography.split import measured_part

Array = np.ndarray


def placed(lesion: Lesion, size: int, pixel: float, contrast: float) -> Phantom:
    """The lesion alone, `contrast` in attenuation. Raises RecipeError where it does not lie in the field of view."""
    field = size * pixel
    r = lesion.diameter / field
    x, y = 2 * lesion.x / field, 2 * lesion.y / field
    if np.hypot(x, y) + r > 1:
        raise RecipeError(
            f"lesion: a disc of {lesion.diameter:g} mm at ({lesion.x:g}, {lesion.y:g}) mm does not lie in the field of view, "
            f"whose radius is {field / 2:.0f} mm."
        )
    members = np.full((1, MOST), -1, np.int32)
    members[0, 0] = 0
    ellipse = np.array([[x, y, r, r, 0.0]])
    return Phantom("lesion", 0, ellipse, members, np.array([contrast]), np.zeros((0, 4)), field)


def joined(made: Phantom, spot: Phantom) -> Phantom:
    """A synthetic slice with the lesion added."""
    members = np.where(spot.members >= 0, spot.members + len(made.ellipses), -1).astype(np.int32)
    return replace(
        made,
        ellipses=np.concatenate([made.ellipses, spot.ellipses]),
        members=np.concatenate([made.members, members]),
        density=np.concatenate([made.density, spot.density]),
    )


def detectability(problem: Problem, delta: Array) -> tuple[float, float]:
    """d' of an observer who knows the lesion and looks at the data, |A delta| over the noise; and the share of the lesion's
    energy in the null space, which no data can show (Barrett and Myers, Foundations of Image Science, 2004)."""
    sigma = problem.sigma if float(np.min(problem.sigma)) > 0 else problem.spread
    signal = float(np.linalg.norm(problem.operator.forward(delta) / sigma))
    seen = measured_part(problem, delta)
    whole = float(np.vdot(delta, delta))
    return signal, float(np.clip(np.vdot(delta - seen, delta - seen) / max(whole, 1e-30), 0, 1))


def recovered(image: Array, truth: Array, delta: Array) -> float:
    """The contrast of the lesion against a ring around it, over its true contrast: 1 where a method shows it whole."""
    from scipy.ndimage import binary_dilation

    inside = np.abs(delta) > 0.5 * np.abs(delta).max()
    near = binary_dilation(np.abs(delta) > 0, iterations=1)
    ring = binary_dilation(near, iterations=3) & ~near
    # what surrounds it in the truth without the lesion is taken off: only the lesion is asked for
    plain = truth - delta
    contrast = (image[inside].mean() - image[ring].mean()) - (plain[inside].mean() - plain[ring].mean())
    return float(contrast / delta[inside].mean())
