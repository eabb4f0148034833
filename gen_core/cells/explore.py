"""What a place on the map means: which cells live there, how strange it is, and which genes set it apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gen_core.cells.space import Space
from gen_core.latent.density import Density, neighbours, place

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Spot:
    """A latent point and what it decodes to.

    z (k,); percentile, how unlike the cells it is; nearest, names and shares of the groups of the 15 cells around it;
    genes, a table (gene, expression, change) of its profile against a reference profile, the largest change first.
    """

    z: Array
    percentile: float
    nearest: tuple[tuple[str, float], ...]
    genes: pd.DataFrame


def spot_at(
    spot: tuple[float, float],
    axes: tuple[int, int],
    codes: Array,
    groups: Array,
    space: Space,
    genes: Array,
    reference: Array,
) -> Spot:
    """Decode a place (x, y) on two axes of a map of codes (n, k) whose cells belong to groups (n,).

    How far out it lies is measured along the two axes shown: along the others it was given typical values.
    """
    z = place(np.array([spot]), codes, list(axes))[0]
    return point_at(z, codes, groups, space, genes, reference, axes)


def point_at(z: Array, codes: Array, groups: Array, space: Space, genes: Array, reference: Array, axes: tuple[int, int]) -> Spot:
    """Decode a latent point z (k,), see `spot_at`."""
    profile = space.decode(z[None])[0]
    _, nearest = neighbours(z[None], codes, 15)
    names, counts = np.unique(groups[nearest[0]], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    frame = pd.DataFrame({"gene": genes, "expression": profile, "change": profile - reference})
    frame = frame.sort_values("change", key=np.abs, ascending=False, ignore_index=True, kind="stable")
    return Spot(
        z,
        float(Density.of(codes[:, list(axes)]).percentile(z[None, list(axes)])[0]),
        tuple((str(names[i]), counts[i] / counts.sum()) for i in order),
        frame,
    )
