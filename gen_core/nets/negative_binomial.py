"""The negative binomial: how likely counts are, and what their log1p is on average.

With mean m and dispersion t the variance is m + m^2 / t: that of molecules counted by chance in cells that differ.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse

STEP = 0.75  # of log s in `mean_log1p`
LOWEST, GRID = -12.0, 0.125  # of the log means at which a `Curve` is worked out


def log_likelihood(
    counts: sparse.csr_matrix, log_mean: torch.Tensor, log_dispersion: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """log P (n,) of each cell's counts (n, G) CSR for log means (n, G); dispersions and weights are those of the genes (G,)."""
    device, dispersion = log_mean.device, log_dispersion.exp()
    ratio = log_mean - log_dispersion
    # No count costs one term; what else a count costs is worked out only where there is one.
    none = -(weight * dispersion * torch.nn.functional.softplus(ratio)).sum(1)
    cell = torch.from_numpy(np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))).to(device)
    gene = torch.from_numpy(counts.indices.astype(np.int64)).to(device)
    y, t = torch.from_numpy(counts.data.astype(np.float32)).to(device), dispersion[gene]
    some = torch.lgamma(y + t) - torch.lgamma(t) - torch.lgamma(y + 1) - y * torch.nn.functional.softplus(-ratio[cell, gene])
    return none.index_add(0, cell, weight[gene] * some)


def mean_log1p(mean: torch.Tensor, dispersion: torch.Tensor, one: float) -> torch.Tensor:
    """E log(1 + one * y) of counts y of these means and dispersions (broadcast); to about .001.

    log(1 + a) is the integral of (1 - exp(-a s)) exp(-s) / s over s > 0, and the mean of exp(-y one s) is known:
    (1 + m (1 - exp(-one s)) / t)^-t. What is left is a smooth integral over log s, by trapezoids.
    """
    ratio = mean / dispersion
    total = torch.zeros_like(ratio)
    for s in np.exp(np.arange(LOWEST - np.log(max(one, 1.0)), 3.0, STEP)):
        total -= STEP * float(np.exp(-s)) * torch.expm1(-dispersion * torch.log1p(ratio * float(-np.expm1(-one * s))))
    return total


class Curve:
    """`mean_log1p` of every gene by its log mean, worked out once on a grid up to `highest` and read off: 20 times faster."""

    def __init__(self, log_dispersion: torch.Tensor, one: float, highest: float) -> None:
        grid = torch.arange(LOWEST, highest + 2 * GRID, GRID)
        self.table = mean_log1p(grid.exp(), log_dispersion.exp()[:, None], one)  # (G, M)
        self.table[:, 0] = 0  # where there is no mean to speak of
        self.first = torch.arange(len(self.table)) * len(grid)

    def __call__(self, log_mean: torch.Tensor) -> torch.Tensor:
        """E log(1 + one * y) (n, G) at log means (n, G)."""
        return torch.cat([self._read(part) for part in log_mean.split(256)])  # each takes several times its memory

    def _read(self, log_mean: torch.Tensor) -> torch.Tensor:
        at = ((log_mean - LOWEST) / GRID).clamp(0, self.table.shape[1] - 1.001)
        below = at.floor()
        index, values = below.long() + self.first, self.table.flatten()
        return torch.lerp(values[index], values[index + 1], at - below)
