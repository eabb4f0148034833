"""Filtered backprojection, of parallel and fan beams, with weights for directions that were seen twice.

Kak and Slaney, Principles of Computerized Tomographic Imaging (1988), chapter 3; Parker (1982) for the short scan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography.geometry import Geometry
from gen_core.tomography.priors import Problem, Progress, Solution, quiet

Array = np.ndarray
WINDOWS = ("ramp", "hann")
_KEPT = Memo(512 << 20, lambda made: made.data.nbytes + made.indices.nbytes + made.indptr.nbytes)


def solve(problem: Problem, progress: Progress = quiet, window: str | None = None) -> Solution:
    """Filter each view and smear it back. `window` is `ramp`, sharpest, or `hann`, smoother; by the noise where None.

    The ramp undoes the width of the bins. What was not measured stays out: the wedge shows as streaks.
    """
    geometry = problem.geometry
    if window is None:
        noisy = float(np.linalg.norm(problem.sigma)) > 1e-3 * float(np.linalg.norm(problem.data))
        window = "hann" if noisy else "ramp"
    filtered = filtered_views(problem.data, geometry, window)
    back = _KEPT.get(geometry, lambda: backprojection(geometry))
    image = back @ filtered.ravel().astype(np.float32)
    return Solution(np.asarray(image.reshape(problem.size, problem.size), np.float32), note=f"{window} filter")


def filtered_views(data: Array, geometry: Geometry, window: str) -> Array:
    """The views (views, bins) weighted and filtered along the detector, so that their weighted backprojection is the image."""
    u = geometry.places()[:, 0]
    fan = geometry.kind == "fan"
    away = geometry.source_origin + geometry.origin_detector
    if not fan:
        lean, step, weighted = np.zeros_like(u), geometry.spacing, np.asarray(data, np.float64)
    elif geometry.curved:
        lean, step = u / away, geometry.spacing / away
        weighted = data * (geometry.source_origin * np.cos(lean))
    else:
        lean, step = np.arctan(u / away), geometry.spacing * geometry.source_origin / away  # on a detector through the axis
        weighted = data * np.cos(lean)
    length = 1 << int(np.ceil(np.log2(2 * geometry.bins)))
    k = np.fft.fftfreq(length, 1 / length)
    ramp = np.where(k == 0, 0.25, np.where(k % 2 == 1, -1 / (np.pi * np.where(k == 0, 1, k)) ** 2, 0)) / step
    if fan and geometry.curved:
        angle = np.clip(k * step, -3, 3)
        ramp *= np.where(k == 0, 1, (angle / np.where(k == 0, 1, np.sin(angle))) ** 2)
    frequency = np.fft.rfftfreq(length)
    shape = 1 / np.sinc(frequency) if window == "ramp" else 0.5 + 0.5 * np.cos(2 * np.pi * frequency)
    weighted = weighted * redundancy(geometry, lean)
    spectrum = np.fft.rfft(weighted, length, axis=1) * (np.fft.rfft(ramp).real * shape)
    return np.fft.irfft(spectrum, length, axis=1)[:, : geometry.bins]


def redundancy(geometry: Geometry, lean: Array) -> Array:
    """The weight (views, bins) of each ray in the integral over directions, in radians: the share of the turn that its view
    stands for, less where the same line was measured from the other side, too."""
    fan = geometry.kind == "fan"
    period = 2 * np.pi if fan else np.pi
    turn = np.mod(geometry.radians, period)
    order = np.argsort(turn, kind="stable")
    gaps = np.diff(np.append(turn[order], turn[order[0]] + period))
    usual = np.median(gaps[gaps > 1e-6 * period]) if (gaps > 1e-6 * period).any() else 0.0  # directions seen twice leave none
    gaps = np.minimum(gaps, 1.5 * usual if usual > 0 else period)  # the missing wedge is no one's share
    share = np.empty(len(turn))
    share[order] = (gaps + np.roll(gaps, 1)) / 2
    if not fan:
        return np.broadcast_to(share[:, None], (len(turn), len(lean)))
    begin = order[np.argmax(np.diff(np.append(turn[order], turn[order[0]] + period)))]
    begin = turn[order[(np.flatnonzero(order == begin)[0] + 1) % len(order)]]  # the first view after the widest gap
    at = np.mod(turn - begin, period)[:, None]
    covered = float(share.sum())
    if covered > 2 * np.pi * (1 - 0.51 / len(turn)):
        return np.broadcast_to(share[:, None] / 2, (len(turn), len(lean)))
    spare = covered - np.pi  # Parker's weights, with the spare range in place of the fan's angle
    if spare > 2 * np.abs(lean).max() - 1e-6:
        half = spare / 2
        g = -lean[None]  # positive where the same line comes back early
        with np.errstate(divide="ignore", invalid="ignore"):
            rise = np.sin(np.pi / 4 * at / np.maximum(half - g, 1e-9)) ** 2
            fall = np.sin(np.pi / 4 * (np.pi + 2 * half - at) / np.maximum(half + g, 1e-9)) ** 2
        weight = np.where(at < 2 * (half - g), rise, np.where(at > np.pi - 2 * g, fall, 1.0))
        return share[:, None] * weight
    other = np.mod(at + np.pi - 2 * lean[None], period)  # where the same line is measured from the other side
    return share[:, None] * np.where(other < covered, 0.5, 1.0)


def backprojection(geometry: Geometry) -> Any:
    """Each pixel reads every view where its ray meets the detector, by linear interpolation: scipy CSR (size^2, views * bins)."""
    from scipy.sparse import csr_array

    n, bins = geometry.size, geometry.bins
    step = np.arange(n) - (n - 1) / 2
    x, y = np.tile(step, n)[:, None], -np.repeat(step, n)[:, None]
    cos, sin = np.cos(geometry.radians)[None], np.sin(geometry.radians)[None]
    across, along = x * cos + y * sin, y * cos - x * sin
    weight = np.ones_like(across)
    if geometry.kind == "fan":
        away, near = geometry.source_origin + geometry.origin_detector, np.maximum(geometry.source_origin + along, 1e-3)
        if geometry.curved:
            weight = 1 / (near**2 + across**2)
            across = away * np.arctan2(across, near)
        else:
            weight = (geometry.source_origin / near) ** 2
            across = away * across / near
    place = across / geometry.spacing + (bins - 1) / 2 + geometry.rotation_centre  # (pixels, views)
    low = np.clip(np.floor(place), 0, bins - 2)
    share = place - low
    weight = np.where((share >= 0) & (share <= 1), weight, 0)
    column = (np.arange(len(geometry.angles)) * bins + low).astype(np.int32)
    columns = np.stack([column, column + 1], 2).reshape(n * n, -1)
    values = np.stack([weight * (1 - share), weight * share], 2).reshape(n * n, -1).astype(np.float32)
    ends = (np.arange(n * n + 1) * columns.shape[1]).astype(np.int32)
    return csr_array((values.ravel(), columns.ravel(), ends), shape=(n * n, len(geometry.angles) * bins))
