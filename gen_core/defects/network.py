"""The score as a trained network: what it learns from, and the score that its weights make, in the data's own units."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.defects.data import Snapshots
from gen_core.errors import InputError

if TYPE_CHECKING:
    import torch

    from gen_core.nets.score import ScoreNet

Array = np.ndarray
SIGMA = (0.1, 3.0)  # smallest and largest noise, in units of the spread of the data
PUT = 21  # times that means and covariances are kept at


class ScoreTask:
    """Rows are replicas of all snapshots in a seeded order, the last tenth to validate; lengths in units of the data's spread."""

    def __init__(self, snapshots: Snapshots, width: int, seed: int) -> None:
        if snapshots.box is not None:
            raise InputError("box: the network learns no periodic box; the score in closed form knows one.")
        scale, centre = snapshots.scale, snapshots.centre
        times = (snapshots.times - snapshots.times[0]) / (snapshots.times[-1] - snapshots.times[0])
        x = [(one - centre) / scale for one in snapshots.positions]
        at = np.concatenate([np.full(len(one), t) for one, t in zip(x, times, strict=True)])
        order = np.random.default_rng([seed, 21]).permutation(len(at))
        self.x, self.t = np.concatenate(x)[order].astype(np.float32), at[order].astype(np.float32)
        self.n_valid = len(at) // 10
        self.n_train = len(at) - self.n_valid
        self.width, self.pairs, self.charges = width, snapshots.particles > 1, snapshots.charges
        self.mean, self.spread = _normals(x, times)
        self.fingerprint = f"defects score 1 {width} {hashlib.sha256(self.x.tobytes() + self.t.tobytes()).hexdigest()}"

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        import torch

        from gen_core.nets.score import ScoreNet

        charges = None if self.charges is None else torch.tensor(self.charges, dtype=torch.float32)
        mean, spread = (torch.tensor(part, dtype=torch.float32) for part in (self.mean, self.spread))
        return ScoreNet(mean, spread, self.width, self.pairs, charges)

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Place of the noise level between the smallest and the largest, and the noise itself."""
        import torch

        return torch.rand(n, generator=generator), torch.randn(n, *self.x.shape[1:], generator=generator)

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Denoising score matching (Vincent 2011), low levels of noise twice as often as high ones."""
        import torch

        from gen_core.nets import score

        assert isinstance(module, score.ScoreNet)
        place, white = noise
        x, t = (torch.from_numpy(part[rows]).to(place.device) for part in (self.x, self.t))
        sigma = SIGMA[0] * (SIGMA[1] / SIGMA[0]) ** (place**1.5)
        return score.loss(module, x, t, sigma, white)


@dataclass(frozen=True, eq=False)
class NetScore:
    """A trained network as a score in the data's own units, in double precision; first and span of the times that it knows."""

    net: ScoreNet
    centre: Array
    scale: float
    first: float
    span: float
    card: dict[str, Any]

    def at(self, x: Array, t: float) -> Array:
        """As `Score.at`: of the density blurred by the smallest noise, made sharp again for its normal part.

        The blur widens the normal part of the density from S to S + sigma^2; the score of that part is put back exactly.
        """
        import torch

        z = torch.from_numpy(np.asarray((x - self.centre) / self.scale, np.float64))
        u = torch.full((len(z),), (t - self.first) / self.span, dtype=torch.float64)
        sigma = torch.full((len(z),), SIGMA[0], dtype=torch.float64)
        with torch.no_grad():
            s = self.net.score(z, u, sigma)
            mean, spread = self.net.normal(u)
            away = z - mean[:, None]
            eye = sigma[0] ** 2 * torch.eye(z.shape[2], dtype=torch.float64)
            blurred = torch.linalg.solve(spread + eye, away.transpose(1, 2)).transpose(1, 2)
            sharp = torch.linalg.solve(spread, away.transpose(1, 2)).transpose(1, 2)
        return np.asarray((s + blurred - sharp).numpy() / self.scale)

    def draw(self, n: int, t: float, particles: int, steps: int, seed: int) -> Array:
        """New configurations (n, N, d) at a time: the probability flow from much noise to none (Karras et al. 2022)."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        d = len(self.centre)
        levels = np.append(np.geomspace(SIGMA[1], SIGMA[0], steps), 0.0)
        u = torch.full((n,), (t - self.first) / self.span, dtype=torch.float64)
        white = torch.randn(n, particles, d, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            mean, spread = self.net.normal(u)
            wide = torch.linalg.cholesky(spread + SIGMA[1] ** 2 * torch.eye(d, dtype=torch.float64))
            z = mean[:, None] + white @ wide.transpose(1, 2)
            for high, low in itertools.pairwise(levels):
                z = self._step(z, u, float(high), float(low))
        return np.asarray(z.numpy() * self.scale + self.centre)

    def _step(self, z: torch.Tensor, u: torch.Tensor, high: float, low: float) -> torch.Tensor:
        import torch

        level = lambda sigma: torch.full((len(z),), sigma, dtype=torch.float64)  # noqa: E731
        slope = (z - self.net(z, u, level(high))) / high
        if low == 0:  # the flow to no noise shrinks a narrow normal by the root of the factor by which denoising does
            return z - high * slope / 2
        moved = z + (low - high) * slope
        again = (moved - self.net(moved, u, level(low))) / low
        return z + (low - high) * (slope + again) / 2


def _normals(x: list[Array], times: Array) -> tuple[Array, Array]:
    """Mean (PUT, d) and covariance (PUT, d, d) of the particles at evenly spaced times, smooth in time."""
    d = x[0].shape[-1]
    means = np.array([one.reshape(-1, d).mean(0) for one in x])
    spreads = np.array([np.cov(one.reshape(-1, d).T).reshape(d, d) for one in x])
    degree = min(len(times) - 1, 5)
    at = np.linspace(0, 1, PUT)[:, None] ** np.arange(degree + 1)
    table = times[:, None] ** np.arange(degree + 1)
    smooth = lambda values: at @ np.linalg.lstsq(table, values.reshape(len(times), -1), rcond=None)[0]  # noqa: E731
    spread = smooth(spreads).reshape(-1, d, d)
    low = 0.1 * float(np.linalg.eigvalsh(spreads).min())
    values, vectors = np.linalg.eigh((spread + spread.transpose(0, 2, 1)) / 2)
    return smooth(means), (vectors * np.maximum(values, low)[:, None]) @ vectors.transpose(0, 2, 1)
