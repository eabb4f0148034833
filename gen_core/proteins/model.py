"""The latent space of a protein family: a variational autoencoder of aligned sequences, with dropout and weighted sequences.

Riesselman 2018 and Ding 2019 for families, McGee 2021 for how to judge them. Sequences are weighted by one over the number of
their relatives at 80 % identity, the divergence is warmed up, and half-trained or collapsed latent dimensions, the usual
failures, are told by the card.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import one_hot

from gen_core.proteins.alphabet import Q
from gen_core.proteins.prior import Mixture

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray
WIDTH = 256
DROPOUT = 0.3
WARM_UP = 0.3  # share of the training over which the divergence grows to its full weight
BLOCK = 4_096  # latent points decoded at once


class FamilyVAE(nn.Module):
    """length columns and the latent size are all there is to choose; `sites` (L, Q) are where the decoder's output starts."""

    def __init__(self, length: int, latent_dim: int, sites: Array | None = None) -> None:
        super().__init__()
        self.length, self.latent_dim = length, latent_dim
        self.encoder = nn.Sequential(
            *(nn.Linear(length * Q, WIDTH), nn.ELU(), nn.Dropout(DROPOUT)),
            *(nn.Linear(WIDTH, WIDTH), nn.ELU(), nn.Linear(WIDTH, 2 * latent_dim)),
        )
        last = nn.Linear(WIDTH, length * Q)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent_dim, WIDTH), nn.ELU(), nn.Linear(WIDTH, WIDTH), nn.ELU(), nn.Dropout(DROPOUT), last)
        )
        if sites is not None:
            with torch.no_grad():
                last.bias.copy_(torch.from_numpy(np.log(sites + 1e-2)).flatten())

    def encode(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance, both (n, k), of the latent points of sequences codes (n, L)."""
        mean, log_variance = self.encoder(one_hot(codes.long(), Q).flatten(1).float()).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Log probabilities (n, L, Q) of each residue at each column, for latent points z (n, k)."""
        return self.decoder(z).unflatten(1, (self.length, Q)).log_softmax(-1)

    def loss(self, codes: torch.Tensor, noise: torch.Tensor, share: float) -> torch.Tensor:
        """Negative evidence bound (n,) per column of sequences codes (n, L), the divergence weighted by its warm-up."""
        mean, log_variance = self.encode(codes)
        z = mean + (log_variance / 2).exp() * noise
        misfit = -chosen(self.decode(z), codes).sum(1)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        return (misfit + min(1.0, share / WARM_UP) * divergence) / self.length


def chosen(log_p: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """The log probability (n, L) of the residues codes (n, L) among log_p (n, L, Q)."""
    return log_p.gather(2, codes.long().unsqueeze(2)).squeeze(2)


class FamilyTask:
    """The training of a FamilyVAE as `gen_core.training` asks for it. The last epoch is kept: what is left out of the training
    scores the model, and must not have chosen it."""

    n_valid = 0

    def __init__(self, codes: Array, weights: Array, latent_dim: int, key: str) -> None:
        self.codes, self.latent_dim = codes, latent_dim
        self.weights = (weights / weights.mean()).astype(np.float32)
        self.n_train = len(codes)
        self.fingerprint = f"proteins {key} {codes.shape} {latent_dim} {WIDTH} {DROPOUT} {WARM_UP}"

    def module(self) -> nn.Module:
        """The untrained network."""
        from gen_core.proteins.statistics import frequencies

        return FamilyVAE(self.codes.shape[1], self.latent_dim, frequencies(self.codes, self.weights))

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Where in its posterior each sequence is taken."""
        return (torch.randn(n, self.latent_dim, generator=generator),)

    def loss(self, module: nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """See `FamilyVAE.loss`; each row counts by its weight."""
        (eps,) = noise
        assert isinstance(module, FamilyVAE)
        codes, weights = torch.from_numpy(self.codes[rows]), torch.from_numpy(self.weights[rows])
        return module.loss(codes.to(eps.device), eps, share) * weights.to(eps.device)


@torch.no_grad()
def posterior(net: FamilyVAE, codes: Array) -> tuple[Array, Array]:
    """Means and standard deviations (n, k) of the latent points of sequences codes (n, L)."""
    parts = [net.encode(torch.from_numpy(codes[rows])) for rows in _blocks(len(codes), BLOCK)]
    if not parts:
        return np.zeros((0, net.latent_dim), np.float32), np.zeros((0, net.latent_dim), np.float32)
    mean, log_variance = (torch.cat(part) for part in zip(*parts, strict=True))
    return mean.numpy(), (log_variance / 2).exp().numpy()


@torch.no_grad()
def probabilities(net: FamilyVAE, z: Array, temperature: float = 1.0) -> Array:
    """Probabilities (n, L, Q) at latent points z (n, k); a temperature below 1 sharpens them."""
    log_p = net.decode(torch.from_numpy(np.asarray(z, np.float32)))
    return (log_p / temperature).softmax(-1).numpy()


def draw(net: FamilyVAE, z: Array, rng: np.random.Generator, temperature: float = 1.0) -> Array:
    """One sequence (n, L) for each latent point z (n, k), each site drawn from its probabilities."""
    found = np.empty((len(z), net.length), np.uint8)
    for rows in _blocks(len(z), BLOCK):
        ladder = probabilities(net, z[rows], temperature).cumsum(-1)
        height = rng.random((len(ladder), net.length, 1), np.float32) * ladder[..., -1:]
        found[rows] = (height > ladder).sum(-1, dtype=np.uint8).clip(max=Q - 1)
    return found


@torch.no_grad()
def likelihood(net: FamilyVAE, prior: Mixture, codes: Array, samples: int, seed: int = 0) -> Array:
    """Importance-weighted bound (n,) in nats on the log likelihood of sequences codes (n, L) (Burda 2016).

    It grows with the number of samples towards the likelihood itself. The noise is the same for all sequences, so that the
    score of one does not depend on which others are scored with it.
    """
    noise = torch.randn(samples, net.latent_dim, generator=torch.Generator().manual_seed(seed))
    density = torch.tensor([-0.5 * net.latent_dim * math.log(2 * math.pi)]) - 0.5 * noise.square().sum(1)
    found = np.empty(len(codes))
    for rows in _blocks(len(codes), max(BLOCK // samples, 1)):
        here = torch.from_numpy(codes[rows])
        mean, log_variance = net.encode(here)
        z = mean[:, None] + (log_variance / 2).exp()[:, None] * noise  # (b, samples, k)
        fit = chosen(net.decode(z.flatten(0, 1)), here.repeat_interleave(samples, 0)).sum(1).unflatten(0, (-1, samples))
        proposal = density - log_variance.sum(1, keepdim=True) / 2
        terms = fit.double() + torch.from_numpy(prior.log_density(z.numpy())) - proposal.double()
        found[rows] = (terms.logsumexp(1) - math.log(samples)).numpy()
    return found


@torch.no_grad()
def likelihood_of_changes(net: FamilyVAE, prior: Mixture, row: Array, samples: int, seed: int = 0) -> Array:
    """The same bound (L, 21) of all single changes of one sequence row (L,): at (i, a) that of the row with a at column i.

    All are weighted against latent points of the sequence itself: one change hardly moves where a sequence lies, and the decoder
    treats the columns as independent, so that one decoding tells of all changes.
    """
    noise = torch.randn(samples, net.latent_dim, generator=torch.Generator().manual_seed(seed))
    density = -0.5 * net.latent_dim * math.log(2 * math.pi) - 0.5 * noise.square().sum(1)
    mean, log_variance = net.encode(torch.from_numpy(row[None]))
    z = mean + (log_variance / 2).exp() * noise  # (samples, k)
    logs = net.decode(z).log_softmax(-1).double()  # (samples, L, 21)
    own = logs[:, torch.arange(len(row)), torch.from_numpy(row.astype(np.int64))]
    proposal = (density - log_variance.sum() / 2).double()
    whole = own.sum(1) + torch.from_numpy(prior.log_density(z.numpy())) - proposal
    found = [(whole - own[:, i])[:, None] + logs[:, i] for i in range(len(row))]
    return np.array([(terms.logsumexp(0) - math.log(samples)).numpy() for terms in found])


def _blocks(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))
