"""Snapshots of a world at a few times, each of replicas of its own, as a microscope sees samples that it destroys."""

from __future__ import annotations

import itertools

import numpy as np

from gen_core.defects.worlds import World

Array = np.ndarray


def snapshots(world: World, n: int, times: Array, seed: int) -> list[Array]:
    """Positions (n, N, d) at each of the times, every snapshot of n new replicas that started at time 0; of the same ones where
    the world says so.

    Langevin motion in fine steps by Heun's rule with the same noise in both stages (weak order two where the noise does not
    depend on the place; Kloeden and Platen 1992, chapter 14).
    """
    rng = np.random.default_rng([seed, 3])
    times = np.asarray(times, float)
    if world.followed:
        return followed(world.start(n, rng), world.force, world.D, times, world.step, seed)
    x = np.stack([world.start(n, rng) for _ in times])  # (K, n, N, d)
    at = 0.0
    for k, goal in enumerate(times):
        steps = int(np.ceil((goal - at) / world.step - 1e-9))
        flat = x[k:].reshape(-1, *x.shape[2:])
        for _ in range(steps):
            flat = stepped(flat, world.force, world.D, (goal - at) / steps, rng)
        x[k:] = flat.reshape(x[k:].shape)
        at = float(goal)
    return list(x)


def stepped(x: Array, force: object, D: float, dt: float, rng: np.random.Generator) -> Array:
    """One step of the motion of positions (n, N, d) under a force, a function of such positions."""
    kick = np.sqrt(2 * D * dt) * rng.standard_normal(x.shape)
    first = force(x)  # type: ignore[operator]
    return np.asarray(x + kick + dt / 2 * (first + force(x + kick + dt * first)))  # type: ignore[operator]


def followed(
    x: Array, force: object, D: float, times: Array, step: float, seed: int, limits: tuple[Array, Array] | None = None
) -> list[Array]:  # fmt: skip
    """The same replicas (n, N, d), from the first of the times on, at each of them; kept within limits (d,) where there are any:
    a fitted polynomial throws what leaves the data to infinity."""
    rng = np.random.default_rng([seed, 5])
    out, now = [np.asarray(x, float)], np.asarray(x, float)
    for a, b in itertools.pairwise(times):
        count = max(int(np.ceil((b - a) / step - 1e-9)), 1)
        for _ in range(count):
            now = stepped(now, force, D, (b - a) / count, rng)
            now = now if limits is None else np.clip(now, *limits)
        out.append(now)
    return out
