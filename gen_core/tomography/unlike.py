"""Slices that no painter of ellipses would paint, made of those that one did: what a judge of slices learns the rest from.

Nothing of a patient is in them. Outlines and organs are bent, tissue gets a texture, fat and muscle are mixed, the lungs are
denser, the field of view is too small, metal is put in, two slices are blended: in random strength, at least one of these.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Rng = np.random.Generator


class Canvas:
    """The pixels of slices (n, n), and random fields on them."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.y, self.x = (part.astype(np.float32) - (n - 1) / 2 for part in np.mgrid[:n, :n])
        self.radius, self.angle = np.hypot(self.x, self.y), np.arctan2(self.y, self.x)
        self.unit = n / 256  # lengths below are for 256 pixels

    def smooth(self, rng: Rng, length: float) -> Array:
        """A random field of deviation 1 that changes over so many pixels."""
        from scipy.ndimage import gaussian_filter, zoom

        length *= self.unit
        small = max(1, int(length // 3))
        count = self.n // small
        made = gaussian_filter(rng.standard_normal((count, count)).astype(np.float32), length / small, mode="wrap")
        made = zoom(made, self.n / count, order=1) if small > 1 else made
        return np.asarray(made / made.std(), np.float32)

    def rough(self, rng: Rng, power: float) -> Array:
        """A random field of deviation 1 whose power falls off with this power of the frequency."""
        wave = np.hypot(np.fft.fftfreq(self.n)[:, None], np.fft.rfftfreq(self.n)[None])
        spectrum = np.fft.rfft2(rng.standard_normal((self.n, self.n))) * np.maximum(wave, 1 / 64 / self.unit) ** (-power / 2)
        made = np.fft.irfft2(spectrum, s=(self.n, self.n))
        return np.asarray(made / made.std(), np.float32)


def between(rng: Rng, low: float, high: float) -> float:
    """A random number whose logarithm is even."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def altered(image: Array, other: Array, rng: Rng, canvas: Canvas) -> Array:
    """A slice (n, n) unlike any synthetic one, of two synthetic ones; attenuation over that of water."""
    while True:
        x, bent = _bent(image, rng, canvas)
        x, changed = _changed(x, other, rng, canvas)
        if bent or changed:
            return x


def _bent(x: Array, rng: Rng, canvas: Canvas) -> tuple[Array, bool]:
    from scipy.ndimage import map_coordinates

    dy, dx = np.zeros_like(canvas.y), np.zeros_like(canvas.x)
    done = False
    if rng.random() < 0.5:  # organs
        length = between(rng, 5, 40)
        far = rng.uniform(0.08, 0.35) * 0.5 * length * canvas.unit
        dy, dx, done = dy + far * canvas.smooth(rng, length), dx + far * canvas.smooth(rng, length), True
    if rng.random() < 0.5:  # the outline
        out = np.zeros_like(canvas.y)
        for m in range(2, int(rng.integers(4, 11))):
            out += rng.uniform(0, 0.5) / m * np.cos(m * canvas.angle + rng.uniform(0, 6.3))
        out *= rng.uniform(0.1, 0.4)
        dy, dx, done = dy + out * canvas.y, dx + out * canvas.x, True
    if rng.random() < 0.1:  # a field of view that holds only a part
        zoom = rng.uniform(0.4, 0.75) - 1
        dy = dy + zoom * canvas.y + rng.uniform(-30, 30) * canvas.unit
        dx, done = dx + zoom * canvas.x + rng.uniform(-30, 30) * canvas.unit, True
    if not done:
        return x, False
    middle = (canvas.n - 1) / 2
    return map_coordinates(x, [canvas.y + dy + middle, canvas.x + dx + middle], order=1, mode="constant"), True


def _changed(x: Array, other: Array, rng: Rng, canvas: Canvas) -> tuple[Array, bool]:
    done = False
    if rng.random() < 0.15:  # two slices in one
        rng.integers(3)  # a draw of no use, kept so that the bundled weights can be made again
        share = 1 / (1 + np.exp(-canvas.smooth(rng, rng.uniform(15, 50)) * rng.uniform(2, 8)))
        x, done = x * share + other * (1 - share), True
    if rng.random() < 0.4:  # texture
        x, done = x + (x > 0.15) * rng.uniform(0.005, 0.05) * canvas.rough(rng, rng.uniform(0.5, 3)), True
    if rng.random() < 0.5:  # fat within muscle, or the other way round
        soft, field = (x > 0.8) & (x < 1.2), canvas.smooth(rng, between(rng, 2, 14))
        most = rng.uniform(-1, 1.3)
        by = rng.uniform(0.03, 0.13) * rng.choice([-1, 1])
        x, done = x + soft * by / (1 + np.exp(-(field - most) * rng.uniform(2, 12))), True
    if rng.random() < 0.25:  # lungs that are not empty
        lung = (x > 0.02) & (x < 0.6)
        x, done = x + lung * (rng.uniform(0, 0.12) + rng.uniform(0, 0.06) * canvas.rough(rng, rng.uniform(0.5, 2.5))), True
    if rng.random() < 0.15:  # another scale
        x, done = np.maximum(x, 0) ** rng.uniform(0.85, 1.2), True
    if rng.random() < 0.08:  # metal
        for _ in range(int(rng.integers(1, 4))):
            x = x + rng.uniform(1, 3) * _spot(rng, canvas, 47.5, 1, 8)
        done = True
    return x, done


def _spot(rng: Rng, canvas: Canvas, far: float, least: float, most: float) -> Array:
    at = (rng.uniform(-far, far, 2) + 0.5) * canvas.unit
    return np.hypot(canvas.y - at[0], canvas.x - at[1]) < rng.uniform(least, most) * canvas.unit


def with_lesions(image: Array, rng: Rng, canvas: Canvas) -> Array:
    """The slice with one or two small discs in it: what is still to be taken for a synthetic one."""
    x = image
    for _ in range(int(rng.integers(1, 3))):
        x = x + rng.uniform(-0.3, 0.4) * _spot(rng, canvas, 57.5, 1.5, 7)
    return x


def finished(x: Array, rng: Rng, canvas: Canvas) -> Array:
    """What a scanner sees of it: nothing outside its field of view, at times somewhat blurred."""
    from scipy.ndimage import gaussian_filter

    if rng.random() < 0.5:
        x = gaussian_filter(x, rng.uniform(0.3, 1.3) * canvas.unit)
    return np.asarray(np.maximum(x, 0) * (canvas.radius <= canvas.n / 2), np.float32)
