"""The latent space of cells: a variational autoencoder of log1p expression, conditioned on the donor, never on the treatment.

Kingma & Welling 2014 (the autoencoder), Lotfollahi et al. 2019 (its use for responses). Were it told the treatment, it
would leave that out of the latent space, and there would be no shift to speak of.

The likelihood is Gaussian with one variance for all genes, so that it weighs genes as the scores and the components do;
the decoder's last layer is linear, so that a change of the latent point costs one product with it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from gen_core.errors import InputError
from gen_core.nets.mlp import tower, unit
from gen_core.nets.sparse import SparseLinear, dense

Array = np.ndarray
WIDTH = 128
BETA = 0.05  # weight of the divergence from the prior: small, or the codes shrink and the shifts with them
WARM_UP = 0.3  # share of the training over which that weight grows to its full size


class CellVAE(nn.Module):
    """n_genes, n_batches (1: not conditioned) and the latent size are all there is to choose.

    `mean` (G,) is where the decoder's output starts; `variance` that of an average gene.
    """

    def __init__(self, n_genes: int, latent_dim: int, n_batches: int = 1, mean: Array | None = None, variance: float = 1.0):
        super().__init__()
        self.latent_dim, self.n_batches, self.variance = latent_dim, n_batches, variance
        self.first = SparseLinear(n_genes, WIDTH)
        self.encoder = nn.Sequential(*unit(WIDTH), *tower(WIDTH, WIDTH))
        self.code = nn.Linear(WIDTH, 2 * latent_dim)
        self.decoder = tower(latent_dim + (n_batches if n_batches > 1 else 0), WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, n_genes)
        with torch.no_grad():
            self.code.weight[latent_dim:].zero_()
            self.code.bias[latent_dim:].fill_(-2.0)
            self.last.weight.normal_(0, 0.01)
            self.last.bias.copy_(torch.zeros(n_genes) if mean is None else torch.as_tensor(mean, dtype=torch.float32))

    def encode(self, x: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance, both (n, k), of the codes of cells x (n, G), CSR or dense."""
        mean, log_variance = self.code(self.encoder(self.first(x))).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)

    def hidden(self, z: torch.Tensor, batch: torch.Tensor | None = None) -> torch.Tensor:
        """The decoder up to its last layer (n, WIDTH). batch (n, n_batches): shares that sum to 1; None: the average one."""
        if self.n_batches > 1:
            share = torch.full((1, self.n_batches), 1 / self.n_batches, device=z.device) if batch is None else batch
            z = torch.cat([z, share.expand(len(z), -1)], 1)
        return self.decoder(z)

    def decode(self, z: torch.Tensor, batch: torch.Tensor | None = None) -> torch.Tensor:
        """Mean expression (n, G) at latent points z (n, k)."""
        return self.last(self.hidden(z, batch))

    def loss(self, x: Any, batch: torch.Tensor | None, noise: torch.Tensor, share: float) -> torch.Tensor:
        """Negative evidence bound (n,) of cells x per gene, the divergence weighted by BETA and its warm-up."""
        mean, log_variance = self.encode(x)
        z = mean + (log_variance / 2).exp() * noise
        target = dense(x, z.device)
        misfit = (self.decode(z, batch).float() - target).square().sum(1) / (2 * self.variance)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        return (misfit + BETA * min(1.0, share / WARM_UP) * divergence) / target.shape[1]


@dataclass(frozen=True, eq=False)
class LatentModel:
    """A trained model for use: arrays in, arrays out, nothing in it changes.

    genes (G,) name the columns; codes (n, k) are those of a sample of the training cells, of types `code_type` (n,) in
    state `code_perturbed` (n,); card says where it comes from (empty for one trained a moment ago).
    """

    net: CellVAE
    genes: Array
    codes: Array
    code_type: Array
    code_perturbed: Array
    card: dict[str, Any]

    @cached_property
    def seen(self) -> Array:
        """Marks (n,) of the training cells, see `study.marks`; empty where the card holds none."""
        return np.frombuffer(base64.b64decode(str(self.card.get("cells", ""))), np.uint32)

    @property
    def latent_dim(self) -> int:
        return self.net.latent_dim

    def encode(self, X: Any) -> Array:
        """Codes (n, k) of cells X (n, G), CSR or dense log1p expression: the means of their posteriors."""
        with torch.no_grad():
            return self.net.encode(X)[0].numpy()

    def decode(self, z: Array) -> Array:
        """Mean log1p expression (n, G) at latent points z (n, k), for an average donor; not below 0."""
        return np.maximum(self.decode_raw(z), 0)

    def decode_raw(self, z: Array) -> Array:
        """What the decoder gives, which may lie a little below 0."""
        with torch.no_grad():
            return self.net.decode(_tensor(z)).numpy()

    def change(self, z: Array, dz: Array) -> Array:
        """dec(z + dz) - dec(z), (n, G), for codes z (n, k) and one shift dz (k,) or one for each cell (n, k)."""
        with torch.no_grad():
            before, after = self.net.hidden(_tensor(z)), self.net.hidden(_tensor(z + dz))
            return ((after - before) @ self.net.last.weight.T).numpy()

    @cached_property
    def mean(self) -> Array:
        """Mean expression (G,) of what the training saw, as the decoder tells it at the mean of the codes."""
        return self.decode_raw(self.codes).mean(0)

    def on(self, genes: Array) -> LatentModel:
        """The same model with the columns of another file: its genes in its order.

        Genes the model does not know are not read and not moved; those it misses count as at their mean. Raises InputError
        where the file shares no gene with it.
        """
        if np.array_equal(genes, self.genes):
            return self
        here, there = self.shared(genes)
        if not len(here):
            raise InputError(
                f"The file shares no gene with the model: it has {str(genes[0])!r} …, the model {str(self.genes[0])!r}…"
            )
        net = CellVAE(len(genes), self.net.latent_dim, self.net.n_batches, None, self.net.variance)
        kept = {k: v for k, v in self.net.state_dict().items() if not k.startswith(("first", "last"))}
        net.load_state_dict(kept, strict=False)
        missing = np.setdiff1d(np.arange(len(self.genes)), there)
        with torch.no_grad():
            first, last = self.net.first, self.net.last
            net.first.weight.zero_()[here] = first.weight[there]
            net.first.bias.copy_(first.bias + _tensor(self.mean[missing]) @ first.weight[missing])
            net.last.weight.zero_()[here] = last.weight[there]
            net.last.bias.zero_()[here] = last.bias[there]
        return replace(self, net=net.train(False).requires_grad_(False), genes=np.asarray(genes))

    def shared(self, genes: Array) -> tuple[Array, Array]:
        """Positions of the genes that a file shares with the model: in the file, and in the model."""
        _, here, there = np.intersect1d(genes, self.genes, return_indices=True)
        return here, there


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
