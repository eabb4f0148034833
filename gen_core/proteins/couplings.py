"""A Potts energy of a family: E(x) = - sum_i h_i(x_i) - sum_{i<j} J_ij(x_i, x_j), lower for likelier sequences.

Mean-field couplings (Morcos 2011) are the start, then the pseudolikelihood is maximised in minibatches (Ekeberg 2013;
Balakrishnan 2011). Couplings are kept as bytes, each pair with a scale of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import one_hot

from gen_core.device import Device
from gen_core.proteins.alphabet import Q
from gen_core.proteins.pack import pack, unpack
from gen_core.proteins.statistics import Moments, moments, pair_order
from gen_core.training import Settings, Step, train

Array = np.ndarray
MOST_COLUMNS = 300  # of longer families no couplings are fitted: their number grows with the square
PSEUDOCOUNT = 0.5  # share of the uniform distribution mixed into the mean-field statistics
PENALTY = 0.1  # of the squared couplings, times the number of other columns, per effective sequence
START = 0.2  # share of the mean-field couplings to start from: whole, they fit the noise of the few sequences there are
BATCH = 128
LARGE, LARGE_BATCH = 120, 512  # columns from which the couplings themselves, not the batch, take an update's time


@dataclass(frozen=True, eq=False)
class Couplings:
    """fields (L, Q); pairs (P, Q*Q) in the order of `statistics.pair_order`; both in the zero-sum gauge."""

    fields: Array
    pairs: Array

    @property
    def length(self) -> int:
        return len(self.fields)

    def energy(self, codes: Array) -> Array:
        """Energy (n,) of sequences codes (n, L): smaller is likelier."""
        columns = np.ascontiguousarray(codes.T).astype(np.int32)
        total = np.zeros(len(codes))
        for column, field in zip(columns, self.fields, strict=True):
            total -= field[column]
        for p, (i, j) in enumerate(pair_order(self.length)):
            if j == i + 1:
                left = columns[i] * Q
            total -= self.pairs[p].take(left + columns[j])
        return total

    def matrix(self) -> Array:
        """Couplings as one symmetric matrix (L*Q, L*Q), zero where i = j."""
        full = np.zeros((self.length, Q, self.length, Q), np.float32)
        for p, (i, j) in enumerate(pair_order(self.length)):
            full[i, :, j] = self.pairs[p].reshape(Q, Q)
            full[j, :, i] = full[i, :, j].T
        return full.reshape(self.length * Q, -1)

    def packed(self) -> tuple[Array, Array]:
        """The couplings as bytes (P, Q*Q) and their scales (P,)."""
        return pack(self.pairs)

    @classmethod
    def of_packed(cls, fields: Array, values: Array, scales: Array) -> Couplings:
        """The inverse of `packed`, up to half a step of each scale."""
        return cls(fields, unpack(values, scales))

    def sample(self, n: int, sweeps: int, rng: np.random.Generator, kept: int = 1) -> Array:
        """Sequences (n * kept, L) by Gibbs sampling: n chains from independent sites, `kept` states each, four sweeps apart."""
        J = self.matrix().reshape(self.length, Q, self.length * Q)
        start = np.exp(self.fields) / np.exp(self.fields).sum(1, keepdims=True)
        codes = np.stack([rng.choice(Q, n, p=p / p.sum()) for p in start.astype(np.float64)], 1)
        H = np.tile(self.fields.reshape(1, -1), (n, 1)).astype(np.float32)  # what each state of each site would add
        for i in range(self.length):
            H += J[i][codes[:, i]]
        states = []
        for sweep in range(sweeps):
            for i in range(self.length):
                here = H[:, i * Q : (i + 1) * Q]
                ladder = np.exp(here - here.max(1, keepdims=True)).cumsum(1)
                new = (rng.random((n, 1)) * ladder[:, -1:] > ladder).sum(1)
                moved = np.flatnonzero(new != codes[:, i])
                H[moved] += J[i][new[moved]] - J[i][codes[moved, i]]
                codes[:, i] = new
            if (sweeps - 1 - sweep) % 4 == 0 and (sweeps - 1 - sweep) // 4 < kept:
                states.append(codes.astype(np.uint8))
        return np.concatenate(states)


class PottsTask:
    """The pseudolikelihood of a Potts model as `gen_core.training` asks for it, started from mean-field couplings."""

    n_valid = 0

    def __init__(self, codes: Array, weights: Array, key: str) -> None:
        self.codes, self.start = codes, mean_field(moments(codes, weights), START)
        self.weights = (weights / weights.mean()).astype(np.float32)
        self.penalty = PENALTY * (codes.shape[1] - 1) / float(weights.sum())
        self.n_train = len(codes)
        self.fingerprint = f"couplings {key} {codes.shape} {PENALTY} {PSEUDOCOUNT}"

    def module(self) -> nn.Module:
        """The model that mean field gives."""
        return Potts(self.start)

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """None is needed."""
        return ()

    def loss(self, module: nn.Module, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        """Negative log pseudolikelihood (n,) of each row by its weight, and the penalty."""
        assert isinstance(module, Potts)
        device = module.fields.device
        codes, weights = torch.from_numpy(self.codes[rows]).to(device), torch.from_numpy(self.weights[rows]).to(device)
        J = module.symmetric()
        return module.misfit(codes, J) * weights + self.penalty / 2 * (J.square().sum() / 2 + module.fields.square().sum())


class Potts(nn.Module):
    """The parameters while they are fitted: J is half of the couplings, made symmetric when used."""

    def __init__(self, start: Couplings) -> None:
        super().__init__()
        self.length = start.length
        self.fields = nn.Parameter(torch.from_numpy(start.fields.astype(np.float32)).flatten())
        self.J = nn.Parameter(torch.from_numpy(start.matrix()) / 2)

    def symmetric(self) -> torch.Tensor:
        """Couplings (L*Q, L*Q), zero where i = j."""
        both = (self.J + self.J.T).view(self.length, Q, self.length, Q)
        own = torch.eye(self.length, device=both.device)[:, None, :, None]
        return (both * (1 - own)).view(self.length * Q, -1)

    def misfit(self, codes: torch.Tensor, J: torch.Tensor) -> torch.Tensor:
        """Negative log pseudolikelihood (n,) of sequences codes (n, L): each site given all others."""
        x = one_hot(codes.long(), Q).flatten(1).float()
        log_p = (x @ J + self.fields).unflatten(1, (self.length, Q)).log_softmax(-1)
        return -(log_p.flatten(1) * x).sum(1)


def mean_field(found: Moments, share: float = 1.0, pseudocount: float = PSEUDOCOUNT) -> Couplings:
    """Couplings as minus the inverse of the correlations, all but the last state of each site (Morcos 2011, eq. 12), times
    `share`; the fields are those with which the sites' frequencies still fit to them."""
    length = len(found.sites)
    sites = (1 - pseudocount) * found.sites + pseudocount / Q
    full = np.zeros((length, Q, length, Q))
    for p, (i, j) in enumerate(pair_order(length)):
        joint = found.pairs[p].reshape(Q, Q) + np.outer(found.sites[i], found.sites[j])
        full[i, :, j] = (1 - pseudocount) * joint + pseudocount / Q**2 - np.outer(sites[i], sites[j])
        full[j, :, i] = full[i, :, j].T
    for i in range(length):
        full[i, :, i] = np.diag(sites[i]) - np.outer(sites[i], sites[i])
    n = length * (Q - 1)
    inverse = np.linalg.inv(full[:, :-1, :, :-1].reshape(n, n))
    J = np.zeros((length, Q, length, Q))
    J[:, :-1, :, :-1] = -share * inverse.reshape(length, Q - 1, length, Q - 1)
    for i in range(length):
        J[i, :, i] = 0
    logs = np.log(sites)
    fields = logs - logs[:, -1:] - np.einsum("iajb,jb->ia", J, sites)
    pairs = np.stack([J[i, :, j].ravel() for i, j in pair_order(length)]) if length > 1 else np.zeros((0, Q * Q))
    return zero_sum(fields, pairs)


def zero_sum(fields: Array, pairs: Array) -> Couplings:
    """The same energies, up to a constant, in the gauge in which rows and columns of each coupling sum to zero."""
    fields = fields - fields.mean(1, keepdims=True)
    blocks = pairs.reshape(-1, Q, Q)
    rows, columns, all_ = blocks.mean(2), blocks.mean(1), blocks.mean((1, 2))
    for p, (i, j) in enumerate(pair_order(len(fields))):
        fields[i] += rows[p] - all_[p]
        fields[j] += columns[p] - all_[p]
    moved = blocks - rows[:, :, None] - columns[:, None] + all_[:, None, None]
    return Couplings(fields.astype(np.float32), moved.reshape(-1, Q * Q).astype(np.float32))


def fit(
    codes: Array, weights: Array, key: str, epochs: int, seed: int, device: Device, max_seconds: float | None = None
) -> Generator[Step, None, Couplings]:
    """Fit couplings to sequences codes (n, L) in some epochs; cancelled, it starts anew."""
    task = PottsTask(codes, weights, key)
    settings = Settings(
        epochs, BATCH if codes.shape[1] < LARGE else LARGE_BATCH, 5e-3, 0.0, averaging=0.9, seed=seed, max_seconds=max_seconds
    )
    fitted = yield from train(task, settings, None, device)
    assert isinstance(fitted, Potts)
    with torch.no_grad():
        J = fitted.symmetric().numpy().reshape(task.start.length, Q, -1, Q)
    pairs = np.stack([J[i, :, j].ravel() for i, j in pair_order(len(J))]) if len(J) > 1 else np.zeros((0, Q * Q))
    return zero_sum(fitted.fields.detach().numpy().reshape(-1, Q).astype(np.float64), pairs)
