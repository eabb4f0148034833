"""The training of the learned solvers: scenes, turned and mirrored, and how far an answer is from the exact one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.poisson import exact, grid, scenes, spectrum

if TYPE_CHECKING:
    import torch

    from gen_core.poisson.recipe import Train

Array = np.ndarray
KNOWN_SHARE = 0.7  # of the flow's rows whose charges it is told; of the others half are random fields, half scenes
POTENTIAL = 4.0  # weight of the potential's error beside that of the whitened coefficients
LEFT_OUT = 256  # scenes that watch the training


class SolverTask:
    """Rows are scenes of known charges; the exact potential is what is learned."""

    def __init__(self, recipe: Train) -> None:
        import torch

        self.kind, self.size = recipe.kind, recipe.size
        self.n_train, self.n_valid = recipe.scenes, min(LEFT_OUT, recipe.scenes)
        seeds = scenes.TRAIN_FROM + np.arange(self.n_train + self.n_valid)
        self.fingerprint = f"poisson 1 {self.kind} {self.size} {self.n_train}"
        rho, edges = scenes.batch(seeds, self.size)
        if self.kind == "fno":
            border = np.stack([grid.ring(one) for one in edges])
            phi = np.stack([exact.dirichlet(r, e) for r, e in zip(rho, edges, strict=True)])
            scale = scale_of(rho, border)[:, None, None]
            self.maps = tuple(torch.from_numpy((values / scale).astype(np.float32)) for values in (rho, border, phi))
            return
        inner = grid.inside(rho)
        inner = inner / np.sqrt((inner.astype(np.float64) ** 2).mean((1, 2), keepdims=True))
        image = spectrum.white(inner.astype(np.float64))
        self.maps = tuple(torch.from_numpy(values.astype(np.float32)) for values in (inner, image))
        n = self.size - 2
        self.sines, self.deviation = (
            torch.from_numpy(values.astype(np.float32)) for values in (spectrum.sines(n), spectrum.potential(n))
        )

    def module(self) -> torch.nn.Module:
        """The untrained network."""
        import torch

        from gen_core.poisson.model import NETS

        net = NETS[self.kind]()
        return net if self.kind == "fno" else net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """How each scene is turned, and for the flow what it is told, the time, the noise and a random field."""
        import torch

        turn = torch.randint(0, 8, (n,), generator=generator)
        if self.kind != "flow":
            return (turn,)
        told, time = torch.rand(n, generator=generator), torch.rand(n, generator=generator)
        side = self.size - 2
        noise, drawn = (torch.randn(n, side, side, generator=generator) for _ in range(2))
        return turn, told, time, noise, drawn

    def loss(self, module: torch.nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Squared relative error (m,)."""
        import torch

        chosen = torch.from_numpy(rows)
        maps = [turned(values[chosen].to(noise[0].device), noise[0]) for values in self.maps]
        if self.kind == "fno":
            rho, border, phi = maps
            return (module(rho, border) - phi).square().sum((1, 2)) / phi.square().sum((1, 2))
        rho, image = maps
        if self.kind == "regression":
            return self.error(module(rho) - image, image)
        return self.flow_loss(module, rho, image, noise[1:])

    def flow_loss(
        self, module: torch.nn.Module, rho: torch.Tensor, image: torch.Tensor, noise: tuple[torch.Tensor, ...]
    ) -> torch.Tensor:
        """The error of what the flow takes noisy images for; where charges are unknown, over what noise alone leaves open."""
        import torch

        from gen_core.poisson.model import CHARGES, FIELDS, KNOWN

        told, time, start, drawn = noise
        known, field = told < KNOWN_SHARE, told > (1 + KNOWN_SHARE) / 2
        kind = torch.where(known, KNOWN, torch.where(field, FIELDS, CHARGES))
        image = torch.where(field[:, None, None], drawn, image)
        t = time[:, None, None]
        said = module((1 - t) * start + t * image, time, rho * known[:, None, None], kind)
        open_ = (1 - time).square() / (time.square() + (1 - time).square())
        prior = (said - image).square().mean((1, 2)) / open_.clamp(min=1e-3)
        return torch.where(known, self.error(said - image, image), 0.2 * prior)

    def error(self, apart: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Squared relative errors (m,) of an image, of its coefficients and of its potential."""
        s, deviation = self.sines.to(image.device), self.deviation.to(image.device)
        weighed = [((s @ x @ s) * deviation).square().sum((1, 2)) for x in (apart, image)]
        return apart.square().sum((1, 2)) / image.square().sum((1, 2)) + POTENTIAL * weighed[0] / weighed[1]


def scale_of(rho: Array, border: Array) -> Array:
    """What densities (m, s, s) and borders are divided by for the operator (m,): doubling both doubles it."""
    inner = grid.inside(rho).astype(np.float64)
    square = (inner**2).mean((-2, -1)) + 400 * (border.astype(np.float64) ** 2).mean((-2, -1))
    return np.sqrt(np.maximum(square, 1e-300))


def turned(maps: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Each map (m, s, s) turned or mirrored in one of the eight ways that leave the square and its law as they are."""
    import torch

    for bit, axes in ((1, (1,)), (2, (2,))):
        maps = torch.where((turn & bit > 0)[:, None, None], maps.flip(axes), maps)
    return torch.where((turn & 4 > 0)[:, None, None], maps.mT, maps)
