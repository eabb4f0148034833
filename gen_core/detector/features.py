"""Numbers that physicists would look at in a pattern of hits: how many, how wide, how they line up from layer to layer."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def features(hits: Array) -> Array:
    """Features (n, k) float32 of patterns (n, layers, channels).

    Hits, clusters and mean place of each layer, widths of clusters, hits that the next layer continues, hits on straight
    lines of five slopes through three layers, and hits that have nothing beside them.
    """
    x = np.pad(hits, ((0, 0), (0, 0), (1, 1))).astype(bool)
    inner, left, right = x[:, :, 1:-1], x[:, :, :-2], x[:, :, 2:]
    counts = inner.sum(2)
    starts = inner & ~left
    clusters = starts.sum(2)
    place = np.arange(hits.shape[2], dtype=np.float32)
    mean = (inner @ place) / np.maximum(counts, 1)
    square = (inner @ place**2) / np.maximum(counts, 1)
    wide = inner & right
    widths = np.stack([(starts & ~right).sum((1, 2)), wide.sum((1, 2)), (wide[:, :, :-1] & right[:, :, 1:]).sum((1, 2))], 1)
    near = inner | left | right
    near2 = near | np.pad(inner, ((0, 0), (0, 0), (2, 0)))[:, :, :-2] | np.pad(inner, ((0, 0), (0, 0), (0, 2)))[:, :, 2:]
    follows = (inner[:, :-1] & near2[:, 1:]).sum(2)
    alone = inner & ~(left | right)
    alone[:, 1:] &= ~near2[:, :-1]
    alone[:, :-1] &= ~near2[:, 1:]
    lines = []
    for slope in range(-2, 3):
        shifted = np.pad(inner, ((0, 0), (0, 0), (4, 4)))
        width = inner.shape[2]
        one = shifted[:, 1:-1, 4 + slope : 4 + slope + width]
        two = shifted[:, 2:, 4 + 2 * slope : 4 + 2 * slope + width]
        lines.append((inner[:, :-2] & one & two).sum((1, 2)))
    parts = [counts.sum(1, keepdims=True), counts, clusters, mean, np.sqrt(np.maximum(square - mean**2, 0)), widths, follows]
    parts += [alone.sum((1, 2))[:, None], np.stack(lines, 1), counts.max(1, keepdims=True), counts.min(1, keepdims=True)]
    return np.concatenate(parts, 1).astype(np.float32)
