"""Five landscapes of the literature, each at three times: the test set of nn-APPEX (Guan et al. 2025, arXiv:2505.21770).

Potentials as in JKOnet* (Terpin et al. 2024); D = 0.1; times 0.01 apart; one population of particles, uniform over [-4, 4]^2 at
first, is seen at every time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gen_core.defects.worlds import World

Array = np.ndarray
WINDOW = 4.0  # half the side of the square that particles start in, and that drifts are compared over


def _poly(x: Array) -> Array:
    return -x


def _styblinski_tang(x: Array) -> Array:
    return -(2 * x**3 - 16 * x + 2.5)


def _bohachevsky(x: Array) -> Array:
    along = 2 * x[..., 0] + 0.9 * np.pi * np.sin(3 * np.pi * x[..., 0])
    across = 4 * x[..., 1] + 1.6 * np.pi * np.sin(4 * np.pi * x[..., 1])
    return -10 * np.stack([along, across], -1)


def _wavy_plateau(x: Array) -> Array:
    return np.pi * np.sin(np.pi * x) - 2 * x**3 + 6 * x


def _oakley_ohagan(x: Array) -> Array:
    return -5 * (np.cos(x) - np.sin(x) + 2 * x + 1)


def _world(name: str, force: Callable[[Array], Array]) -> Callable[[], World]:
    start = lambda n, rng: rng.uniform(-WINDOW, WINDOW, (n, 1, 2))  # noqa: E731
    return lambda: World(f"appex_{name}", force, 0.1, start, 0.02, 0.0002, followed=True, window=WINDOW)


LANDSCAPES = {
    f"appex_{name}": _world(name, force)
    for name, force in {
        "poly": _poly,
        "styblinski_tang": _styblinski_tang,
        "bohachevsky": _bohachevsky,
        "wavy_plateau": _wavy_plateau,
        "oakley_ohagan": _oakley_ohagan,
    }.items()
}
