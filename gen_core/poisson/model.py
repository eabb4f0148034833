"""The three learned solvers as modules, and what they see and say.

`flow` and `regression` speak of whitened sine coefficients, shown as an image (see `spectrum`): the edges are the harmonic lift's
and hold exactly, and the 1 / k^2 of the law lies in the whitening. `fno` speaks of the potential itself, edges and all: what a
plain surrogate does.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from gen_core.nets.fno import FNO
from gen_core.nets.unet import UNet

KNOWN, FIELDS, CHARGES = 0.0, 1.0, -1.0  # what the flow is told: the charges; or only which kind of charges there may be
WIDTHS = (32, 64)
MODES, WIDTH = 8, 20


class Flow(nn.Module):
    """What noisy coefficients most likely were (Lipman et al. 2023, in the parametrisation of Karras et al. 2022).

    On the way x_t = (1 - t) noise + t image. With the charges known the image is a function of them and the network says it
    itself; with them unknown, whitened coefficients have mean 0 and variance 1, and it says what that alone leaves open.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = UNet(3, 1, WIDTHS)

    def forward(self, x: torch.Tensor, t: torch.Tensor, rho: torch.Tensor, kind: torch.Tensor) -> torch.Tensor:
        """x (m, s, s) at times t (m,), rho (m, s, s) the charge density (zero where unknown), kind (m,): images (m, s, s)."""
        at, told = t[:, None, None], kind[:, None, None]
        seen = (at.square() + (1 - at).square()).sqrt()
        said = self.net(framed(torch.stack([x / seen, rho, told.expand_as(x)], 1)), t)[:, 0, 1:-1, 1:-1]
        return torch.where(told == KNOWN, said, at / seen.square() * x + (1 - at) / seen * said)


class Regression(nn.Module):
    """The same network without noise: charge density in, image out."""

    def __init__(self) -> None:
        super().__init__()
        self.net = UNet(1, 1, WIDTHS)

    def forward(self, rho: torch.Tensor) -> torch.Tensor:
        """rho (m, s, s): images (m, s, s)."""
        said = self.net(framed(rho[:, None]), torch.zeros(len(rho), device=rho.device))
        return torch.as_tensor(said[:, 0, 1:-1, 1:-1])


class Operator(nn.Module):
    """A Fourier neural operator on the nodes: density, values on the edges and place in, potential out."""

    def __init__(self) -> None:
        super().__init__()
        self.net = FNO(4, 1, WIDTH, MODES)

    def forward(self, rho: torch.Tensor, border: torch.Tensor) -> torch.Tensor:
        """rho and border (m, s, s), both over the scene's scale: potentials (m, s, s) over the same."""
        at = torch.linspace(-1, 1, rho.shape[-1], device=rho.device)
        x, y = at.expand_as(rho), at[:, None].expand_as(rho)
        return torch.as_tensor(self.net(torch.stack([rho, 10 * border, x, y], 1))[:, 0]) / 10


def framed(maps: torch.Tensor) -> torch.Tensor:
    """Maps of inner nodes with the edges' zeros around them."""
    return F.pad(maps, (1, 1, 1, 1))


NETS: dict[str, type[nn.Module]] = {"flow": Flow, "regression": Regression, "fno": Operator}
