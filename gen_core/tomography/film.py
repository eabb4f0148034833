"""Slices as strips of grey frames, for the page's player."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from gen_core.tomography.files import window_of

if TYPE_CHECKING:
    from gen_core.tomography.reconstruct import Reconstructed

Array = np.ndarray


def strip(made: Reconstructed, slices: Array, window: tuple[float, float] | None = None) -> bytes:
    """Slices (k, size, size) in a row as one grey PNG, in the window (level, width) or that of `window_of`."""
    from PIL import Image

    level, width = window if window is not None and made.subject.unit == "HU" else window_of(made)
    grey = np.round(255 * np.clip((slices - level) / width + 0.5, 0, 1)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.concatenate(list(grey), axis=1)).save(out, "PNG")
    return out.getvalue()
