"""Rendered pictures as a file, for whoever wants to look at them or train another tool on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen_core import store
from gen_core.images import files, render

COUNT = 256


def micrographs() -> Path:
    """A zip of 256 rendered micrographs."""
    return _zip("metal")


def cells() -> Path:
    """A zip of 256 rendered pictures of cells."""
    return _zip("cells")


def _zip(family: str) -> Path:
    path = store.home() / "made" / f"rendered-{family}.zip"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        seeds = np.arange(COUNT)
        files.zipped(path, {f"{family}-{i:03d}.png": x for i, x in zip(seeds, render.pictures(seeds, family), strict=True)})
    return path
