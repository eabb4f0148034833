"""Learn to tell synthetic slices from altered ones by their sinograms: `python -m gen_core.tomography.kinds_train DIR`.

Of each synthetic slice an altered one is made (`unlike`), both are projected, seen over ranges and with noise of all sizes, and
their traits told apart by a small network. No slice of a patient is used. How strange other synthetic slices look to it,
projected in closed form, is kept beside it.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gen_core import checkpoint
from gen_core.tomography import kinds, phantoms, unlike
from gen_core.tomography.geometry import Geometry, scanner
from gen_core.tomography.standard import BINS, ROWS, STEP
from gen_core.tomography.traits import traits

Array = np.ndarray
FIRST, CALIBRATED = (601_000_000, 602_000_000, 603_000_000, 604_000_000, 605_000_000), 400_000_000  # seeds that no prior saw
SLICES, PIXELS = 600, 256  # from each of the first seeds
SPANS = (60, 50, 40, 30, 30, 20, 20, 15, 10)  # rows that are seen
ROWS_TRIED, NOISES_TRIED, TRIED = (10, 20, 30, 60), (0.001, 0.01, 0.05), 150
EPOCHS, HIDDEN, VIEWED = 40, 64, 1  # passes, width, and how often each slice is seen


def pairs(seed: int, count: int) -> tuple[Array, Array]:
    """Sinograms (2 count, 60, 128) of synthetic slices from a seed on and of altered ones in turn, and their kinds (2 count,)."""
    from gen_core.tomography.operator import matrix

    rng, canvas = np.random.default_rng(seed), unlike.Canvas(PIXELS)
    project = matrix(Geometry(BINS, tuple(STEP * i for i in range(ROWS)), BINS).doubled())
    made, told = [], []
    before: Array | None = None
    for i in range(count):
        image = phantoms.image(phantoms.phantom(phantoms.KINDS[i % 3], seed + i), PIXELS)
        plain = unlike.finished(unlike.with_lesions(image, rng, canvas) if rng.random() < 0.25 else image, rng, canvas)
        strange = unlike.finished(unlike.altered(image, image if before is None else before, rng, canvas), rng, canvas)
        both = np.stack([plain.ravel(), strange.ravel()], 1)
        made.append((project @ both).T.reshape(2, ROWS, BINS, 2).mean(3) / 2 / (BINS / 2))
        told += [i % 3, 3]
        before = image
    return np.concatenate(made).astype(np.float16), np.array(told)


def closed(family: str, first: int, count: int) -> Array:
    """Sinograms (count, 60, 128) of synthetic slices in closed form."""
    whole = scanner(BINS, ROWS, 180)
    middle = slice((whole.bins - BINS) // 2, (whole.bins + BINS) // 2)
    found = [phantoms.sinogram(phantoms.phantom(family, first + i), whole)[:, middle] / (BINS / 2) for i in range(count)]
    return np.array(found, np.float32)


def seen(sinograms: Array, start: int, count: int, rng: np.random.Generator, noise: float | None = None) -> Array:
    """Traits (n, p) of sinograms over some rows from one on, with noise of this size, or of any."""
    which = start + np.arange(count)
    y = sinograms[:, which % ROWS].astype(np.float64)
    y[:, which >= ROWS] = y[:, which >= ROWS, ::-1]
    n = len(y)
    rms = np.sqrt((y**2).mean((1, 2), keepdims=True) * BINS / 182)  # over the longer detector that a scanner has
    level = np.exp(rng.uniform(np.log(0.0007), np.log(0.06), (n, 1, 1))) if noise is None else noise
    sigma = level * rms + 0 * y
    if noise is None:  # some of counted photons
        counted = rng.random((n, 1, 1)) < 0.25
        dense = np.exp(rng.uniform(1, 4, (n, 1, 1)) * y / y.max((1, 2), keepdims=True) / 2)
        dense /= np.sqrt((dense**2).mean((1, 2), keepdims=True))
        sigma = np.where(counted, sigma * dense, sigma)
    y = y + sigma * rng.standard_normal(y.shape)
    if noise is None:  # some with bins twice as wide
        wide = rng.random(n) < 0.25
        y[wide] = y[wide].reshape(-1, count, BINS // 2, 2).mean(3).repeat(2, 2)
        sigma[wide] /= np.sqrt(2)
    return traits(y, sigma, np.ones(y.shape, bool), STEP * start)


def viewed(sinograms: Array, told: Array, times: int, rng: np.random.Generator, batch: int = 24) -> tuple[Array, Array, Array]:
    """Traits, kinds and places of sinograms, each seen so often over ranges and with noise drawn at random."""
    found, kind, place = [], [], []
    for _ in range(times):
        order = rng.permutation(len(sinograms))
        for first in range(0, len(order), batch):
            some = order[first : first + batch]
            count = int(rng.choice(SPANS))
            start = 0 if rng.random() < 0.4 else int(rng.integers(ROWS))
            found.append(seen(sinograms[some], start, count, rng))
            kind.append(told[some])
            place.append(some)
    return np.concatenate(found), np.concatenate(kind), np.concatenate(place)


def fit(found: Array, told: Array, seed: int = 0) -> tuple[Array, Array, tuple[tuple[Array, Array], ...]]:
    """Mean and scale of the traits, and the layers of the network that tells the kinds."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    mean, scale = found.mean(0), found.std(0) + 1e-6
    x = torch.from_numpy(np.clip((found - mean) / scale, -kinds.CLIP, kinds.CLIP).astype(np.float32))
    y = torch.from_numpy(told.astype(np.int64))
    widths = (x.shape[1], HIDDEN, HIDDEN)
    parts: list[nn.Module] = []
    for before, after in pairwise(widths):
        parts += [nn.Linear(before, after), nn.SiLU(), nn.Dropout(0.2)]
    net = nn.Sequential(*parts, nn.Linear(HIDDEN, len(kinds.KINDS)))
    steps = len(x) // 64
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-2)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=EPOCHS * steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for i in range(steps):
            some = order[64 * i : 64 * (i + 1)]
            loss = nn.functional.cross_entropy(net(x[some]), y[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            pace.step()
    layers = tuple((part.weight.detach().numpy(), part.bias.detach().numpy()) for part in net if isinstance(part, nn.Linear))
    return mean, scale, layers


def calibrated(mean: Array, scale: Array, layers: tuple[tuple[Array, Array], ...], whole: dict[str, Array]) -> kinds.Judge:
    """The judge, with the strangeness of synthetic slices (by family) that it has not seen."""
    rows, noises = np.array(ROWS_TRIED, np.float32), np.array(NOISES_TRIED, np.float32)
    judge = kinds.Judge(mean, scale, layers, np.zeros((0, 0, 0, 0)), rows, noises)
    rng = np.random.default_rng(CALIBRATED)
    table = [
        [
            [np.sort(judge.strangeness(seen(whole[family], 0, k, rng, noise))[family]) for noise in NOISES_TRIED]
            for k in ROWS_TRIED
        ]
        for family in kinds.FAMILIES
    ]
    return kinds.Judge(mean, scale, layers, np.array(table, np.float32), rows, noises)


def main(folder: Path) -> None:
    """Train the judge and store it in a folder."""
    import torch

    began = time.monotonic()
    torch.set_num_threads(1)
    drawn = [pairs(seed, SLICES) for seed in FIRST]
    sinograms, told = (np.concatenate([part[i] for part in drawn]) for i in range(2))
    found, kind, place = viewed(sinograms, told, VIEWED, np.random.default_rng(5))
    left = (place // 2) % 10 == 0  # a tenth tells how well it does
    parts = fit(found[~left], kind[~left])
    judge = calibrated(*parts, {family: closed(family, CALIBRATED, TRIED) for family in kinds.FAMILIES})
    best = judge.odds(found[left]).argmax(1)
    score = float(((best == 3) == (kind[left] == 3)).mean())
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.put(folder, kinds.tensors_of(judge), card_of(score, time.monotonic() - began))


def card_of(score: float, seconds: float) -> dict[str, Any]:
    """What the judge says of itself."""
    return {
        "name": kinds.NAME,
        "system": "tomography",
        "prior": "kinds",
        "summary": "Tells by a sinogram whether a slice is a synthetic chest, belly or head, or anything else.",
        "data": "phantoms_wide",
        "source": "made by this project",
        "synthetic": True,
        "command": "python -m gen_core.tomography.kinds_train DIR",
        "device": "CPU",
        "seconds": round(seconds, 1),
        "metrics": {"altered_told_apart": round(score, 4)},
        "baselines": {"chance": {"altered_told_apart": 0.5}},
        "licence": "MIT",
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
