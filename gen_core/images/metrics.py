"""How good a picture, a mix or a way is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gen_core.images.space import BATCH, CONTENT, Array, Space, split

FLOOR = 1e-4  # codes vary by about 1
MEASURED = 8  # points of a way at which its derivative is taken, at most


def mse(a: Array, b: Array) -> Array:
    """Mean squared difference (n,) of pictures (n, h, w, 3)."""
    return np.asarray(np.square(np.asarray(a, float) - b).mean((1, 2, 3)))


def psnr(a: Array, b: Array) -> Array:
    """Peak signal to noise (n,) in dB of pictures (n, h, w, 3) in [0, 1]."""
    return np.asarray(-10 * np.log10(np.maximum(mse(a, b), 1e-12)))


def ssim(a: Array, b: Array) -> float:
    """Structural similarity of two pictures (h, w, 3) in [0, 1] (Wang et al. 2004): Gaussian window of 1.5 pixels."""
    from scipy.ndimage import gaussian_filter

    blur = lambda x: gaussian_filter(x, (1.5, 1.5, 0), truncate=3.5)  # noqa: E731
    a, b = np.asarray(a, float), np.asarray(b, float)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(value.mean())


def swap_score(mixed: Array, kept: Array, truth: Array) -> float:
    """S = 1 - MSE(G(c_A, s_B), R(A, B)) / MSE(G(c_A, s_A), R(A, B)) over pictures (n, h, w, 3): 1 perfect, 0 no effect.

    R(A, B) is the rendered truth of the mix, and `kept` what the model draws without any switch.
    """
    return float(1 - mse(mixed, truth).mean() / max(float(mse(kept, truth).mean()), 1e-12))


def kept_and_moved(mixed: Array, a: Array, b: Array, switched: Array) -> tuple[float, float]:
    """`content_kept` and `style_moved` of mixes, by their codes (n, 2096) as the encoder sees them.

    Means over pairs of 1 - |E_c(mix) - c_A| / |c_A - c_B| and, over the switched styles (2096,) bool, of
    1 - |E_s(mix) - s_B| / |s_A - s_B|. Pairs of a picture with itself say nothing and are left out.
    """
    norm = lambda x: np.linalg.norm(x, axis=1)  # noqa: E731
    apart = norm(a - b) > 1e-6
    if not apart.any():
        return float("nan"), float("nan")
    mixed, a, b = mixed[apart], a[apart], b[apart]
    content = slice(0, CONTENT)
    kept = 1 - norm(mixed[:, content] - a[:, content]) / norm(a[:, content] - b[:, content])
    moved = 1 - norm(mixed[:, switched] - b[:, switched]) / norm(a[:, switched] - b[:, switched])
    return float(kept.mean()), float(moved.mean())


@dataclass(frozen=True)
class Speed:
    """How a way goes: `pixels` and `features` are mean squared lengths of its derivative, per pixel value and per code."""

    pixels: float
    features: float
    uniformity: float  # standard deviation over mean of the steps' lengths in pixels: 0 is constant speed
    excess: float  # length over that of the straight line between the ends, minus 1
    curvature: float  # mean angle in degrees between one step and the next


def speed(space: Space, codes: Array, images: Array) -> Speed:
    """Of a way through latent vectors (n, 2096), n >= 2, and its pictures, the parameter going from 0 to 1.

    ||J v||^2 with v = dz/dt, by forward differentiation (`torch.func.jvp`) in the middle of at most 8 steps. It is no
    PPL: that takes LPIPS, which was trained on photographs.
    """
    v = np.diff(codes, axis=0) * (len(codes) - 1)
    middle = (codes[1:] + codes[:-1]) / 2
    some = np.unique(np.linspace(0, len(v) - 1, min(len(v), MEASURED)).astype(int))
    v, middle = v[some], middle[some]
    pixels, features = [], []
    for i in range(0, len(v), BATCH):
        at, way = split(middle[i : i + BATCH]), split(v[i : i + BATCH])
        drawn, change = derivative(space.net.decode, at, way)
        pixels.append(change.square().flatten(1).mean(1).detach())
        _, told = derivative(space.net.encode, (drawn,), (change,))
        features.append(torch.cat([told[0].flatten(1), told[1].flatten(1)], 1).square().mean(1).detach())
    steps = np.diff(images.reshape(len(images), -1).astype(float), axis=0)
    length = np.linalg.norm(steps, axis=1)
    straight = float(np.linalg.norm(images[-1].astype(float) - images[0]))
    dots = (steps[1:] * steps[:-1]).sum(1) / np.maximum(length[1:] * length[:-1], 1e-12)
    turn = float(np.degrees(np.arccos(np.clip(dots, -1, 1))).mean()) if len(dots) else 0.0
    return Speed(
        float(torch.cat(pixels).mean()),
        float(torch.cat(features).mean()),
        float(length.std() / max(length.mean(), 1e-12)),
        float(length.sum() / max(straight, 1e-12) - 1),
        turn,
    )


def derivative(function: Any, at: tuple[torch.Tensor, ...], way: tuple[torch.Tensor, ...]) -> tuple[Any, Any]:
    """A function's value and its derivative along `way`."""
    with warnings.catch_warnings():  # torch compiles some derivatives the first time, by a call that it calls outdated itself
        warnings.simplefilter("ignore", DeprecationWarning)
        value, change = torch.func.jvp(function, at, way)  # type: ignore[misc]
    return value, change


def read(codes: Array, values: Array, fitted: Array) -> Array:
    """Values (n, F) as they are read linearly off codes (n, k), learned on the rows where fitted (n,) is true.

    Ridge regression with a thousandth of the mean variance, so that many codes of few pictures do not read noise;
    what varies by less than FLOOR is rounding and is not read either.
    """
    centre, middle = codes[fitted].mean(0), values[fitted].mean(0)
    x, y = codes[fitted] - centre, values[fitted] - middle
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += 1e-3 * np.trace(gram) / len(gram) + len(x) * FLOOR**2
    return np.asarray((codes - centre) @ np.linalg.solve(gram, x.T @ y) + middle)


def explained(codes: Array, values: Array, fitted: Array) -> Array:
    """R^2 (F,) of values (n, F) read linearly off codes (n, k), on the rows that were not fitted."""
    told, rest = read(codes, values, fitted), ~fitted
    miss = np.square(told[rest] - values[rest]).sum(0)
    return np.asarray(1 - miss / np.square(values[rest] - values[rest].mean(0)).sum(0))
