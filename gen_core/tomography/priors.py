"""What every method is given, and what it gives back: the same for filtered backprojection and for a deep prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gen_core.tomography.geometry import Geometry
from gen_core.tomography.operator import Operator, operator

if TYPE_CHECKING:
    import torch

    from gen_core.tomography.chain import Chain
    from gen_core.tomography.operator import TorchOperator

Array = np.ndarray
Progress = Callable[[float, str], None]
MODEL_ERROR = 0.005  # of the data's root mean square: what a slice is not, being made of pixels


@dataclass(frozen=True, eq=False)
class Problem:
    """Measured data (views, bins), in pixels times attenuation, with the deviation of their noise (views, bins).

    A method weighs the data by `spread`, which adds to the noise what pixels cannot tell, and so is never 0. `pixel` is the
    size of a pixel in mm where it is known.
    """

    geometry: Geometry
    data: Array
    sigma: Array
    pixel: float | None = None

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return self.geometry.size

    @property
    def operator(self) -> Operator:
        """The projection, made once a scanner."""
        return operator(self.geometry)

    @property
    def spread(self) -> Array:
        """The deviation (views, bins), float32, of what a perfect reconstruction leaves unexplained."""
        floor = MODEL_ERROR * float(np.sqrt(np.mean(self.data.astype(np.float64) ** 2)))
        return np.sqrt(self.sigma.astype(np.float64) ** 2 + max(floor, 1e-12) ** 2).astype(np.float32)

    def torch(self, device: torch.device | str = "cpu") -> tuple[TorchOperator, torch.Tensor, torch.Tensor]:
        """The projection, the data and their spread on a device, float32."""
        import torch

        data = torch.from_numpy(np.ascontiguousarray(self.data, np.float32)).to(device)
        return self.operator.torch(device), data, torch.from_numpy(self.spread).to(device)

    def views(self, which: Array) -> Problem:
        """The same of some views only, given by their places."""
        return replace(self, geometry=self.geometry.views(which), data=self.data[which], sigma=self.sigma[which])


@dataclass(frozen=True, eq=False)
class Solution:
    """What a method found: the image (size, size), float32. What knows its uncertainty also gives its deviation (size, size)
    and samples (k, size, size). `trace` has a list of numbers per name, one entry an iteration that was looked at. A sampler
    gives the `chain` that led to its samples."""

    image: Array
    deviation: Array | None = None
    samples: Array | None = None
    trace: Mapping[str, list[float]] = field(default_factory=dict)
    converged: bool = True
    note: str = ""
    chain: Chain | None = None


def quiet(share: float, text: str) -> None:
    """A progress that nobody watches."""
