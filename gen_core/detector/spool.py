"""Events kept a bit a channel, from some size on in a temporary file: millions of them fill no memory."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator

import numpy as np

from gen_core.detector.model import Shape

Array = np.ndarray
READ = 8_192  # events taken back at once


class Spool:
    """Events written one after the other, and read back in the same order."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.n = shape, 0
        self.width = -(-shape.size // 8)
        self.file = tempfile.SpooledTemporaryFile(max_size=32 << 20)  # noqa: SIM115
        weakref.finalize(self, self.file.close)  # it lives as long as the result

    def add(self, hits: Array) -> None:
        """Write events (m, layers, channels)."""
        self.file.write(np.packbits(hits.reshape(len(hits), self.shape.size), axis=1).tobytes())
        self.n += len(hits)

    def first(self, n: int) -> Array:
        """The first events."""
        parts, left = [np.zeros((0, self.shape.layers, self.shape.channels), np.uint8)], n
        for some in self.blocks():
            parts.append(some[:left])
            left -= len(parts[-1])
            if left <= 0:
                break
        return np.concatenate(parts)

    def blocks(self) -> Iterator[Array]:
        """All events, some thousands at a time (m, layers, channels), uint8."""
        for start in range(0, self.n, READ):
            self.file.seek(start * self.width)
            m = min(READ, self.n - start)
            packed = np.frombuffer(self.file.read(m * self.width), np.uint8).reshape(m, self.width)
            bits = np.unpackbits(packed, axis=1, count=self.shape.size)
            yield bits.reshape(m, self.shape.layers, self.shape.channels)
        self.file.seek(0, 2)
