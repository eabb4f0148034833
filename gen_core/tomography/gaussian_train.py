"""Learn the Gaussian prior: principal components of synthetic slices, their variances from slices that were left out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.tomography import phantoms
from gen_core.tomography.gaussian import Gaussian
from gen_core.training import Step

if TYPE_CHECKING:
    import torch

Array = np.ndarray
TRAIN_FROM, VALID_FROM = 100_000_000, 200_000_000  # seeds no one types: a slice with a seed below was never learned from


def slices(kind: str, first: int, count: int, size: int) -> Generator[Step, None, Array]:
    """`count` synthetic slices (count, size^2), float32, from the seed `first` on."""
    out = np.empty((count, size * size), np.float32)
    for i in range(count):
        out[i] = phantoms.image(phantoms.phantom(kind, first + i), size).ravel()
        if i % 25 == 24:
            yield Step(i + 1, count, text=f"drawing slices, {i + 1:,} of {count:,}")
    return out


def fit(train: Array, valid: Array, components: int) -> Gaussian:
    """The prior of slices (m, p): directions from `train`, variances along them and beside them from `valid`, which tells what
    they are for slices that were not learned from (the likeliest ones, Tipping and Bishop 1999, eq. 8)."""
    from scipy.linalg import eigh

    size = int(np.sqrt(train.shape[1]))
    mean = train.mean(0)
    train = train - mean
    count = min(components, len(train) - 1)
    gram = (train @ train.T).astype(np.float64)
    values, vectors = eigh(gram, subset_by_index=[len(gram) - count, len(gram) - 1])
    order = np.argsort(values)[::-1]
    parts = ((vectors[:, order] / np.sqrt(values[order])).T.astype(np.float32) @ train).astype(np.float32)
    parts = unpacked(*packed(parts))  # as they are stored
    offset = valid - mean
    along = np.linalg.solve((parts @ parts.T).astype(np.float64), (parts @ offset.T).astype(np.float64)).T
    beside = offset - along.astype(np.float32) @ parts
    rest = float(np.square(beside, dtype=np.float64).sum() / len(valid) / (train.shape[1] - count))
    seen = np.square(along).mean(0)  # few slices: smoothed with the neighbours, whose variances fall off slowly
    smooth = np.exp(_running(np.log(np.maximum(seen, 1e-12)), 9))
    return Gaussian(size, mean, parts, np.maximum(smooth - rest, 0.05 * smooth).astype(np.float64), rest)


def _running(values: Array, width: int) -> Array:
    wide = np.pad(values, width // 2, mode="edge")
    return np.convolve(wide, np.ones(width) / width, "valid")[: len(values)]


def packed(parts: Array) -> tuple[Array, Array]:
    """Components (k, p) as bytes and the scale of each (k,)."""
    scale = np.abs(parts).max(1) / 127
    return np.round(parts / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def unpacked(values: Array, scale: Array) -> Array:
    """The components (k, p) that `packed` gave, float32."""
    return values.astype(np.float32) * scale[:, None].astype(np.float32)


def tensors_of(prior: Gaussian) -> dict[str, torch.Tensor]:
    """The prior as it is stored: components in bytes."""
    import torch

    values, scale = packed(prior.parts)
    return {
        "parts": torch.from_numpy(values),
        "scale": torch.from_numpy(scale),
        "mean": torch.from_numpy(prior.mean.astype(np.float32)),
        "variance": torch.from_numpy(prior.variance.astype(np.float32)),
        "rest": torch.tensor([prior.rest], dtype=torch.float32),
    }


def made_of(tensors: dict[str, torch.Tensor], card: Mapping[str, Any]) -> Gaussian:
    """The prior that was stored. Raises ValueError, KeyError or TypeError where the tensors are of something else."""
    found = {key: tensors[key].numpy() for key in ("parts", "scale", "mean", "variance", "rest")}
    parts, mean = found["parts"], found["mean"]
    size = int(np.sqrt(mean.size))
    if parts.dtype != np.int8 or parts.ndim != 2 or parts.shape[1] != mean.size or size * size != mean.size:
        raise ValueError("parts")
    if found["variance"].shape != (len(parts),) or found["variance"].min() <= 0 or found["rest"].min() <= 0:
        raise ValueError("variance")
    variance, rest = found["variance"].astype(np.float64), float(found["rest"][0])
    return Gaussian(size, mean, unpacked(parts, found["scale"]), variance, rest, str(card["sha256"]))
