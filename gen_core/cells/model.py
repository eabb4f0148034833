"""The latent space of cells: a variational autoencoder of log1p expression, conditioned on the donor, never on the treatment.

Kingma & Welling 2014 (the autoencoder), Lotfollahi et al. 2019 (its use for responses). Were it told the treatment, it
would leave that out of the latent space, and there would be no shift to speak of.

`CellVAE` has a Gaussian likelihood with one variance for all genes, so that it weighs genes as the scores and the components
do; its decoder's last layer is linear, so that a change of the latent point costs one product with it. `CountVAE` has a
negative binomial of the counts behind the log1p (Lopez et al. 2018). Both read and give log1p expression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn

from gen_core.cells.moved import column_variance
from gen_core.errors import InputError
from gen_core.nets.mlp import tower, unit
from gen_core.nets.negative_binomial import Curve, log_likelihood
from gen_core.nets.sparse import SparseLinear, dense

Array = np.ndarray
WIDTH = 128
BETA = 0.05  # weight of the divergence from the prior: small, or the codes shrink and the shifts with them
WARM_UP = 0.3  # share of the training over which that weight grows to its full size
DISPERSION = math.log(5.0)  # the log dispersion that counts start at: from less, it explains the responses instead of the codes
WEIGHED = 0.5  # genes count by this power of the variance of their log1p, or the many that hardly vary outvote the response
OF_GENES = ("first", "last", "log_dispersion")  # the parameters that are of single genes


class CellVAE(nn.Module):
    """n_genes, n_batches (1: not conditioned) and the latent size are all there is to choose.

    `mean` (G,) is where the decoder's output starts; `variance` that of an average gene.
    """

    likelihood = "gaussian"
    fingerprint = f"{WIDTH} {BETA} {WARM_UP}"  # all else that a checkpoint depends on

    def __init__(self, n_genes: int, latent_dim: int, n_batches: int = 1, mean: Array | None = None, variance: float = 1.0):
        super().__init__()
        self.n_genes, self.latent_dim, self.n_batches, self.variance = n_genes, latent_dim, n_batches, variance
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

    @classmethod
    def starting_at(cls, X: sparse.csr_matrix, counts: sparse.csr_matrix | None, latent_dim: int, n_batches: int) -> CellVAE:
        """An untrained network for cells X (n, G) log1p, whose decoder starts at their mean."""
        mean = np.asarray(X.mean(0)).ravel()
        variance = float((X.multiply(X).mean(0) - np.square(mean)).mean())
        return cls(X.shape[1], latent_dim, n_batches, mean, variance)

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
        """Mean log1p expression (n, G) at latent points z (n, k)."""
        return self.last(self.hidden(z, batch))

    def change(self, z: torch.Tensor, dz: torch.Tensor) -> torch.Tensor:
        """decode(z + dz) - decode(z), (n, G)."""
        return (self.hidden(z + dz) - self.hidden(z)) @ self.last.weight.T

    def misfit(self, z: torch.Tensor, batch: torch.Tensor | None, x: Any, counts: sparse.csr_matrix | None) -> torch.Tensor:
        """Minus the log likelihood (n,) of cells x (n, G) decoded from z, without what is the same for every z."""
        return (self.decode(z, batch).float() - dense(x, z.device)).square().sum(1) / (2 * self.variance)

    def loss(
        self, x: Any, batch: torch.Tensor | None, noise: torch.Tensor, share: float, counts: sparse.csr_matrix | None = None
    ) -> torch.Tensor:
        """Negative evidence bound (n,) of cells x per gene, the divergence weighted by BETA and its warm-up."""
        mean, log_variance = self.encode(x)
        z = mean + (log_variance / 2).exp() * noise
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        return (self.misfit(z, batch, x, counts) + BETA * min(1.0, share / WARM_UP) * divergence) / self.n_genes

    def on(self, n_genes: int, here: Array, there: Array, mean: Array) -> CellVAE:
        """The same network for n_genes columns, of which `here` are its own `there`; those it misses count as at `mean`."""
        net = type(self)(n_genes, self.latent_dim, self.n_batches, None, self.variance)
        net.load_state_dict({k: v for k, v in self.state_dict().items() if not k.startswith(OF_GENES)}, strict=False)
        missing = np.setdiff1d(np.arange(self.n_genes), there)
        with torch.no_grad():
            net.first.weight.zero_()[here] = self.first.weight[there]
            net.first.bias.copy_(self.first.bias + _tensor(mean[missing]) @ self.first.weight[missing])
            net._last_of(self, here, there, missing)
        return net.train(False).requires_grad_(False)

    def _last_of(self, other: Any, here: Array, there: Array, missing: Array) -> None:
        self.last.weight.zero_()[here] = other.last.weight[there]
        self.last.bias.zero_()[here] = other.last.bias[there]


class CountVAE(CellVAE):
    """The same with counts: negative binomial, mean = total of the cell x softmax, a dispersion for each gene.

    `mean` (G,) are logits here. `typical` (2,): log total and log value of one count (before the log) of a typical training
    cell, as which it decodes: for a cell of few counts mean log1p expression is lower, though its rates are the same.
    """

    likelihood = "negative_binomial"
    fingerprint = f"{CellVAE.fingerprint} {DISPERSION} {WEIGHED}"
    typical: torch.Tensor
    weight: torch.Tensor  # (G,) what a gene counts in the likelihood; of use in training only

    def __init__(self, n_genes: int, latent_dim: int, n_batches: int = 1, mean: Array | None = None, variance: float = 1.0):
        super().__init__(n_genes, latent_dim, n_batches, mean, variance)
        self.log_dispersion = nn.Parameter(torch.full((n_genes,), DISPERSION))
        self.register_buffer("typical", torch.zeros(2))
        self.register_buffer("weight", torch.ones(n_genes), persistent=False)

    @classmethod
    def starting_at(cls, X: sparse.csr_matrix, counts: sparse.csr_matrix | None, latent_dim: int, n_batches: int) -> CellVAE:
        assert counts is not None
        logits = np.log(np.asarray(counts.sum(0)).ravel() + 0.5)
        net = cls(X.shape[1], latent_dim, n_batches, logits - logits.mean())
        total, value = np.asarray(counts.sum(1)).ravel(), np.expm1(X).sum(1)
        some = total > 0
        typical = np.log([np.median(total[some]), np.median(np.asarray(value).ravel()[some] / total[some])])
        weight = column_variance(X) ** WEIGHED
        net.typical, net.weight = _tensor(typical), _tensor(weight / weight.mean())
        return net

    def log_share(self, z: torch.Tensor, batch: torch.Tensor | None = None) -> torch.Tensor:
        """Log of each gene's share (n, G) of the counts at latent points z (n, k)."""
        return self.last(self.hidden(z, batch)).float().log_softmax(1)[:, : self.n_genes]

    @cached_property
    def curve(self) -> Curve:
        """From log means to mean log1p expression; of a network that is no longer trained."""
        total, one = self.typical.tolist()
        return Curve(self.log_dispersion.detach(), math.exp(one), total)

    def decode(self, z: torch.Tensor, batch: torch.Tensor | None = None) -> torch.Tensor:
        return self.curve(self.log_share(z, batch) + self.typical[0])

    def change(self, z: torch.Tensor, dz: torch.Tensor) -> torch.Tensor:
        return self.decode(z + dz) - self.decode(z)

    def misfit(self, z: torch.Tensor, batch: torch.Tensor | None, x: Any, counts: sparse.csr_matrix | None) -> torch.Tensor:
        assert counts is not None
        total = _tensor(counts.sum(1)).to(z.device)  # (n, 1); a cell of no counts fits whatever is decoded
        log_mean = self.log_share(z, batch) + total.clamp(min=1e-6).log()
        return -log_likelihood(counts, log_mean, self.log_dispersion, self.weight)

    def _last_of(self, other: Any, here: Array, there: Array, missing: Array) -> None:
        # The genes that the file misses have their share all the same: they stay, behind those of the file.
        self.last = nn.Linear(WIDTH, self.n_genes + len(missing))
        self.last.weight.zero_()[here] = other.last.weight[there]
        self.last.weight[self.n_genes :] = other.last.weight[missing]
        self.last.bias.fill_(-math.inf)[here] = other.last.bias[there]
        self.last.bias[self.n_genes :] = other.last.bias[missing]
        self.log_dispersion[here] = other.log_dispersion[there]


NETS: dict[str, type[CellVAE]] = {net.likelihood: net for net in (CellVAE, CountVAE)}


@dataclass(frozen=True, eq=False)
class LatentModel:
    """A trained model for use: arrays in, arrays out, nothing in it changes.

    genes (G,) name the columns; codes (n, k) are those of a sample of the training cells, of types `code_type` (n,) in
    state `code_perturbed` (n,); card says where it comes from (empty for one trained a moment ago); seen (m,) are marks of
    the training cells, see `study.marks`.
    """

    net: CellVAE
    genes: Array
    codes: Array
    code_type: Array
    code_perturbed: Array
    card: dict[str, Any]
    seen: Array

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
            return self.net.change(_tensor(z), _tensor(dz)).numpy()

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
        return replace(self, net=self.net.on(len(genes), here, there, self.mean), genes=np.asarray(genes))

    def shared(self, genes: Array) -> tuple[Array, Array]:
        """Positions of the genes that a file shares with the model: in the file, and in the model."""
        _, here, there = np.intersect1d(genes, self.genes, return_indices=True)
        return here, there


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
