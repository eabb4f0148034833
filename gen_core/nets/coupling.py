"""A normalising flow of couplings (RealNVP, Dinh et al. 2017): a learned prior of latent codes that is drawn in one pass.

What goes in: codes (m, d). What comes out: normal numbers (m, d) and the logarithm of the volume's change; and back.
"""

from __future__ import annotations

import torch
from torch import nn


class Coupling(nn.Module):
    """Half of the code moves and stretches the other half."""

    def __init__(self, d: int, width: int, swapped: bool) -> None:
        super().__init__()
        self.cut, self.swapped = d // 2, swapped
        self.net = nn.Sequential(nn.Linear(self.cut, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.end = nn.Linear(width, 2 * (d - self.cut))
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def _moved(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        stretch, move = self.end(self.net(seen)).chunk(2, -1)
        return 2 * torch.tanh(stretch / 2), move

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z (m, d) towards normal numbers, and the logarithm of the volume's change (m,)."""
        seen, other = self._halves(z)
        stretch, move = self._moved(seen)
        return self._joined(seen, (other - move) * (-stretch).exp()), -stretch.sum(-1)

    def back(self, z: torch.Tensor) -> torch.Tensor:
        """The inverse of `forward`."""
        seen, other = self._halves(z)
        stretch, move = self._moved(seen)
        return self._joined(seen, other * stretch.exp() + move)

    def _halves(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        a, b = z[..., : self.cut], z[..., self.cut :]
        return (b, a) if self.swapped else (a, b)

    def _joined(self, seen: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.cat([other, seen] if self.swapped else [seen, other], -1)


class Prior(nn.Module):
    """Couplings in a row; d must be even."""

    def __init__(self, d: int, depth: int = 6, width: int = 96) -> None:
        super().__init__()
        self.d = d
        self.couplings = nn.ModuleList(Coupling(d, width, bool(i % 2)) for i in range(depth))

    def log_density(self, z: torch.Tensor) -> torch.Tensor:
        """Nats (m,) of codes (m, d)."""
        change = torch.zeros(len(z), device=z.device)
        for one in self.couplings:
            z, more = one(z)
            change = change + more
        return change - 0.5 * z.square().sum(1) - 0.5 * self.d * 1.8378770664093453

    def codes(self, normal: torch.Tensor) -> torch.Tensor:
        """Codes (m, d) from normal numbers (m, d)."""
        for one in reversed(self.couplings):
            normal = one.back(normal)  # type: ignore[operator]
        return normal
