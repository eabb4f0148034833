"""A sinogram of any scanner as the parallel one that its rays are part of: 3 degrees a row, 128 bins across the slice.

What is learned of sinograms is learned of these, whatever the range of angles, the beam, the detector and the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.tomography.priors import Problem

Array = np.ndarray
ROWS, BINS, STEP = 60, 128, 3.0  # rows of half a turn, bins, degrees from row to row
PARTS = 4  # points in a bin, each read from the nearest bin of the scanner
NEAR = 1.6  # degrees at which a ray still stands for that of a row; more where the views lie farther apart
SPARSE = 6.5  # degrees between views beyond which rows are left out
FLOOR = 0.001  # of the root mean square: less noise than this is not told apart


@dataclass(frozen=True, eq=False)
class Standard:
    """Line integrals (k, 128) in units of half the slice's side, the deviation of their noise, which of them were measured, and
    the angle of the first row in degrees."""

    values: Array
    sigma: Array
    known: Array
    first: float


def standard(problem: Problem) -> Standard:
    """The rows from the first to the last that was measured; one that was not, or not from end to end, is 0."""
    geometry = problem.geometry
    half = geometry.size / 2
    rows = geometry.angles[0] + STEP * np.arange(ROWS)
    s = ((np.arange(BINS * PARTS) + 0.5) / (BINS * PARTS) * 2 - 1) * half  # pixels from the axis
    order = np.argsort(np.mod(geometry.angles, 360))
    turns = np.mod(geometry.angles, 360)[order]
    gap = np.full((ROWS, len(s)), np.inf)
    before, behind, place = (np.zeros(gap.shape, int) for _ in range(3))
    share = np.zeros(gap.shape)  # of the view behind; between two views of a fan, since neighbouring rays come from several
    for side, sign in ((0.0, 1.0), (180.0, -1.0)):  # a ray is the same from its other end
        away = sign * s
        if geometry.kind == "parallel":
            lean = np.zeros_like(away)
            u = away
        else:
            lean = np.arcsin(np.clip(away / geometry.source_origin, -1, 1))
            far = geometry.source_origin + geometry.origin_detector
            u = far * (lean if geometry.curved else np.tan(lean))
        bins = np.rint(u / geometry.spacing + (geometry.bins - 1) / 2 + geometry.rotation_centre).astype(int)
        asked = np.mod(rows[:, None] + side + np.rad2deg(lean)[None], 360)
        after = np.searchsorted(turns, asked) % len(turns)
        off = [np.abs(np.mod(turns[at] - asked + 180, 360) - 180) for at in (after - 1, after)]
        part = np.where(off[0] + off[1] > 0, off[0] / np.maximum(off[0] + off[1], 1e-12), 0.0)
        if geometry.kind == "parallel":
            part = np.rint(part)
        part = np.where(off[0] + off[1] > 2 * SPARSE, off[1] < off[0], part)  # beyond the first or the last view
        least = np.minimum(off[0], off[1])
        better = (least < gap - 1e-9) & (bins >= 0)[None] & (bins < geometry.bins)[None]
        gap[better], share[better] = least[better], part[better]
        before[better], behind[better] = order[after - 1][better], order[after][better]
        place[better] = np.broadcast_to(bins, gap.shape)[better]
    split = lambda x: x.reshape(ROWS, BINS, PARTS)  # noqa: E731
    step = float(np.median(np.abs(np.diff(geometry.angles)))) if len(geometry.angles) > 1 else 0.0
    near = max(NEAR, step / 2 + 0.1) if step <= SPARSE else NEAR
    known = split(gap <= near).all(2)
    known &= known.all(1)[:, None]  # of a view that sees a part only, nothing can be compared
    scale = 1.0 if geometry.kind == "parallel" else geometry.source_origin / (geometry.source_origin + geometry.origin_detector)
    joined = max(1.0, 2 * half / BINS / (geometry.spacing * scale))  # bins of the scanner in one of these
    at = (1 - share) * problem.data[before, place] + share * problem.data[behind, place]
    variance = ((1 - share) * problem.sigma[before, place]) ** 2 + (share * problem.sigma[behind, place]) ** 2
    values = split(at).mean(2) / half * known
    sigma = np.sqrt(split(variance).mean(2) / joined) / half * known
    start, count = _span(known.any(1))
    which = (start + np.arange(count)) % ROWS
    turned = start + np.arange(count) >= ROWS  # beyond half a turn the detector is seen from behind
    parts = [np.where(turned[:, None], part[which][:, ::-1], part[which]) for part in (values, sigma, known)]
    return Standard(parts[0], parts[1], parts[2], float(rows[start]))


def _span(there: Array) -> tuple[int, int]:
    """The shortest stretch of a circle of rows that holds all that are there: its start and its length."""
    if there.all() or not there.any():
        return 0, len(there)
    twice = np.concatenate([there, there])
    best, length = 0, 0
    run = 0
    for i, one in enumerate(twice):
        run = 0 if one else run + 1
        if run > length:
            best, length = i + 1, run
    return best % len(there), len(there) - min(length, len(there) - 1)


def channels(values: Array, sigma: Array, known: Array, first: float) -> Array:
    """What a network sees (n, 6, k, 128) of sinograms (n, k, 128): the line integrals, their fine detail over the noise and as it
    is, how much noise there is, what is known, and the angle."""
    count = np.maximum(known.sum((1, 2), keepdims=True), 1)
    rms = np.sqrt((values**2).sum((1, 2), keepdims=True) / count) + 1e-9
    noise = np.maximum(sigma, FLOOR * rms)
    wide = np.pad(values, ((0, 0), (0, 0), (2, 2)), mode="edge")
    smooth = sum(wide[..., i : i + values.shape[2]] for i in range(5)) / 5
    fine = (values - smooth) * known
    angle = np.deg2rad(first + STEP * np.arange(values.shape[1]))[None, :, None]
    loud = (np.log10(noise / rms) + 2) * known
    parts = [values, np.arcsinh(fine / noise) / 2, 40 * fine, loud, known, np.cos(2 * angle) + 0 * values]
    return np.stack(parts, 1).astype(np.float32)
