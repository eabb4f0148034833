"""A linear layer whose input may be sparse: of cells with 6 % of their genes counted, it does 6 % of the work."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn


class SparseLinear(nn.Module):
    """(n, n_in) CSR or dense -> (n, n_out): x W + b. The weight is kept as (n_in, n_out), which rows of CSR pick from."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) / n_in**0.5)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Any) -> torch.Tensor:
        """On a CPU CSR stays sparse, forward and backward; on another device, or where x is a tensor, it is dense."""
        if sparse.issparse(x) and self.weight.device.type == "cpu":
            product: torch.Tensor = _Product.apply(self.weight, x.astype(np.float32, copy=False))
            return product + self.bias
        return dense(x, self.weight.device) @ self.weight + self.bias


def dense(x: Any, device: torch.device) -> torch.Tensor:
    """CSR, array or tensor as a float32 tensor on a device."""
    x = x.toarray() if sparse.issparse(x) else x
    tensor = x if isinstance(x, torch.Tensor) else torch.from_numpy(np.asarray(x, np.float32))
    return tensor.to(device, torch.float32)


class _Product(torch.autograd.Function):
    """x W with the gradient x^T g of W; x itself needs none."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, x: sparse.csr_matrix) -> torch.Tensor:
        ctx.x = x
        return torch.from_numpy(np.asarray(x @ weight.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return torch.from_numpy(np.asarray(ctx.x.T @ gradients[0].numpy())), None
