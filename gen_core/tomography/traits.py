"""Numbers that tell a painted slice from others, from a sinogram alone: outline, spectrum, and what its picture is like.

The support of an ellipse has a middle and a squared width that are sinusoids of the angle: an outline that is none leaves a rest.
The picture is a filtered backprojection of what was measured, whose noise is known.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from gen_core.tomography.standard import BINS, FLOOR, ROWS, STEP

Array = np.ndarray
BANDS = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 100, 128)  # of 128 frequencies along the detector
LEVELS = (0.08, 0.2, 0.4, 0.6, 0.8)  # of the largest line integral of a view
SCALES = (0.8, 1.6, 3.2, 6.4)  # pixels of 128
VALUES = np.array([-0.3, 0.0, 0.2, 0.4, 0.6, 0.8, 0.88, 0.94, 1.0, 1.06, 1.12, 1.2, 1.35, 1.6, 2.2])
WAVE = np.fft.rfftfreq(2 * BINS)
RAMP = (WAVE * np.cos(np.pi * WAVE) ** 2 * np.pi / ROWS).astype(np.float32)


def traits(values: Array, sigma: Array, known: Array, first: float) -> Array:
    """Traits (n, p) of standard sinograms (n, k, 128), the deviation of their noise and what of them is known."""
    count = np.maximum(known.sum((1, 2)), 1)
    rms = np.sqrt((values**2).sum((1, 2)) / count) + 1e-9
    noise = np.maximum(np.sqrt((sigma**2 * known).sum((1, 2)) / count), FLOOR * rms)
    whole = np.all(known, 2)  # views that were measured from end to end
    share = known.mean((1, 2)) * values.shape[1] / ROWS
    told = [np.log(noise / rms)[:, None], share[:, None], np.log(rms)[:, None]]
    told.append(_spectrum(values, noise, rms, whole))
    told.append(_outline(values, whole, first))
    told.append(_picture(values, noise, first))
    return np.nan_to_num(np.concatenate(told, 1), posinf=0, neginf=0).astype(np.float32)


def _mean(x: Array, weight: Array) -> Array:
    w = weight[(...,) + (None,) * (x.ndim - 2)]
    return (x * w).sum(1) / np.maximum(w.sum(1), 1)


def _spectrum(values: Array, noise: Array, rms: Array, whole: Array) -> Array:
    """The power in bands along the detector and of the change from view to view, without that of the noise."""
    out = []
    for x, gain, there in ((values, 1.0, whole), (np.diff(values, axis=1), 2.0, whole[:, 1:] & whole[:, :-1])):
        power = np.abs(np.fft.rfft(x, 2 * BINS, axis=-1)) ** 2 / BINS
        bands = np.stack([power[..., a:b].mean(-1) for a, b in pairwise(BANDS)], -1)
        mean = _mean(bands, there.astype(float))
        floor = gain * noise[:, None] ** 2
        out.append(np.log(np.maximum(mean - floor, 0.1 * floor) / rms[:, None] ** 2))
    return np.concatenate(out, 1)


def _outline(values: Array, whole: Array, first: float) -> Array:
    """How far the middle and the squared width at some heights are from sinusoids, how wide, and how steep the profile is."""
    n, k, _ = values.shape
    x = np.pad(values, ((0, 0), (0, 0), (1, 1)), mode="edge")
    x = (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4
    angle = np.deg2rad(first + STEP * np.arange(k))
    single, double = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([np.ones(k), np.cos(2 * angle), np.sin(2 * angle)], 1)
    out = []
    most = x.max(2)
    at = (np.arange(BINS) + 0.5) / BINS * 2 - 1
    for level in LEVELS:
        over = x > level * most[..., None]
        left, right = _crossing(x, over, level * most, at), _crossing(x[..., ::-1], over[..., ::-1], level * most, at)
        middle, width = (left - right) / 2, (-right - left)
        for what, basis in ((middle, single), (width**2, double)):
            rest = np.empty(n)
            for i in range(n):
                use = whole[i]
                a, b = basis[use], what[i, use]
                rest[i] = np.sqrt(np.mean((b - a @ np.linalg.lstsq(a, b, rcond=None)[0]) ** 2)) if use.sum() > 3 else 0.0
            out.append(np.log(rest + 1e-3))
        out += [_mean(width, whole.astype(float)), width.max(1) - width.min(1)]
    out.append(_mean(most, whole.astype(float)))
    return np.stack(out, 1)


def _crossing(x: Array, over: Array, level: Array, at: Array) -> Array:
    """Where a profile first rises above a level, between two bins."""
    i = np.maximum(over.argmax(-1), 1)
    high = np.take_along_axis(x, i[..., None], -1)[..., 0]
    low = np.take_along_axis(x, i[..., None] - 1, -1)[..., 0]
    part = np.clip((level - low) / np.maximum(high - low, 1e-9), 0, 1)
    return np.asarray(at[i - 1] + part * (at[1] - at[0]))


@cache
def _back() -> Any:
    from gen_core.tomography.geometry import Geometry
    from gen_core.tomography.operator import matrix

    return matrix(Geometry(BINS, tuple(STEP * i for i in range(ROWS)), BINS)).T.tocsr()


def picture(values: Array) -> Array:
    """Filtered backprojections (n, 128, 128), turned so that the first row lies at 0 degrees."""
    n, k, _ = values.shape
    views = np.zeros((n, ROWS, BINS), np.float32)
    spectrum = np.fft.rfft(values * (BINS / 2), 2 * BINS, axis=-1) * RAMP
    views[:, :k] = np.fft.irfft(spectrum, 2 * BINS, axis=-1)[..., :BINS]
    return np.asarray((_back() @ views.reshape(n, -1).T).T.reshape(n, BINS, BINS))


def _picture(values: Array, noise: Array, first: float) -> Array:
    """Fine structure of the picture at some scales within tissue, against its noise; and how often which values occur."""
    from scipy.ndimage import gaussian_filter

    x = picture(values)
    k = values.shape[1]
    deviation = noise * (BINS / 2) * np.sqrt(np.mean(RAMP**2) * k)
    out = []
    for one, level in zip(x, deviation, strict=True):
        smooth = [one, *(gaussian_filter(one, scale) for scale in SCALES)]
        body = smooth[3] > 0.35 * np.percentile(smooth[3], 98)
        tissue = body & (np.abs(smooth[2] - np.median(smooth[2][body])) < 0.25)
        row = [float(body.mean()), float(tissue.mean())]
        for fine, coarse in pairwise(smooth):
            for mask in (body, tissue):
                d = np.abs((fine - coarse)[mask])
                if d.size < 50:
                    d = np.zeros(50)
                q = np.percentile(d, (25, 50, 75, 95))
                row += list(np.log(q + 0.1 * level + 1e-4))
                row.append(float(np.log(np.mean(d**4) + 1e-12) - 2 * np.log(np.mean(d**2) + 1e-6)))
        found = np.histogram(smooth[2], VALUES)[0] / BINS**2
        row += list(np.log(found + 0.002))
        row.append(float(np.log(level)))
        out.append(row)
    return np.array(out)
