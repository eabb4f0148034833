"""What a sinogram is of: a chest, a belly or a head as they are painted here, or anything else; and how sure that is.

A small network reads the traits of a sinogram. What it says is compared with what it says of other synthetic slices over as
wide a range of angles and with as much noise: the share of these that look at least as strange is the p-value (conformal, Vovk
2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.tomography.priors import Problem
from gen_core.tomography.standard import FLOOR, ROWS, standard
from gen_core.tomography.traits import traits

if TYPE_CHECKING:
    import torch

Array = np.ndarray
NAME = "tomography-kinds"
KINDS = ("thorax", "abdomen", "head", "other")
FAMILIES = ("thorax", "wide")  # of the slices that a prior learned from
LEAST = 8  # rows, of 3 degrees, that there must be
CLIP = 6.0  # deviations from the mean of a trait beyond which it says no more


@dataclass(frozen=True, eq=False)
class Judge:
    """mean and scale (p,) of the traits, layers of the network as pairs (out, in), (out,), and the strangeness
    (families, ranges, noises, m) of synthetic slices, sorted, at `rows` (ranges,) and `noises` (noises,)."""

    mean: Array
    scale: Array
    layers: tuple[tuple[Array, Array], ...]
    strange: Array
    rows: Array
    noises: Array

    def odds(self, found: Array) -> Array:
        """Log probabilities (n, 4) of KINDS for traits (n, p)."""
        x = np.clip((found - self.mean) / self.scale, -CLIP, CLIP).astype(np.float64)
        for i, (weight, bias) in enumerate(self.layers):
            x = x @ weight.T.astype(np.float64) + bias
            if i + 1 < len(self.layers):
                x = x / (1 + np.exp(-x))
        x = x - x.max(1, keepdims=True)
        return np.asarray(x - np.log(np.exp(x).sum(1, keepdims=True)))

    def strangeness(self, found: Array) -> dict[str, Array]:
        """For each family the log odds (n,) that a slice of these traits is none of it."""
        told = self.odds(found)
        out = {}
        for family, which in (("thorax", [0]), ("wide", [0, 1, 2])):
            inside = np.logaddexp.reduce(told[:, which], axis=1)
            beyond = np.logaddexp.reduce(told[:, [i for i in range(4) if i not in which]], axis=1)
            out[family] = beyond - inside
        return out

    def p_value(self, strange: float, family: str, rows: float, noise: float) -> float:
        """The share of synthetic slices of the family at least as strange, between the ranges and noises that were tried."""
        here = self.strange[FAMILIES.index(family)]
        share = (1 + (here >= strange).sum(-1)) / (1 + here.shape[-1])  # (ranges, noises)
        along = [np.interp(np.log(noise), np.log(self.noises), row) for row in share]
        return float(np.interp(rows, self.rows, along))


def unlike(problem: Problem, family: str) -> float:
    """The p-value of a problem's data under synthetic slices of a family, `thorax` or `wide`; nan where fewer than
    24 degrees were seen from end to end, or with views too far apart. Raises CheckpointError."""
    from gen_core.tomography.modelfile import opened

    judge: Judge = opened(NAME, None, "kinds")
    made = standard(problem)
    if made.known[:, 0].sum() < LEAST or not made.known[:, 0].mean() > 0.9:
        return float("nan")
    found = traits(made.values[None], made.sigma[None], made.known[None], made.first)
    noise = float(np.exp(found[0, 0]))
    rows = ROWS * float(found[0, 1])
    return judge.p_value(float(judge.strangeness(found)[family][0]), family, rows, max(noise, FLOOR))


def tensors_of(judge: Judge) -> dict[str, torch.Tensor]:
    """The judge as it is stored."""
    import torch

    parts = {"mean": judge.mean, "scale": judge.scale, "strange": judge.strange, "rows": judge.rows, "noises": judge.noises}
    for i, (weight, bias) in enumerate(judge.layers):
        parts |= {f"layers.{i}.weight": weight, f"layers.{i}.bias": bias}
    return {name: torch.from_numpy(np.ascontiguousarray(part, np.float32)) for name, part in parts.items()}


def made_of(tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Judge:
    """The judge that was stored. Raises KeyError or ValueError where the tensors are of something else."""
    found = {name: tensor.numpy() for name, tensor in tensors.items()}
    count = sum(name.endswith(".weight") for name in found)
    layers = tuple((found[f"layers.{i}.weight"], found[f"layers.{i}.bias"]) for i in range(count))
    if not layers or layers[0][0].shape[1] != len(found["mean"]) or len(layers[-1][1]) != len(KINDS):
        raise ValueError("layers")
    if found["strange"].shape[:3] != (len(FAMILIES), len(found["rows"]), len(found["noises"])):
        raise ValueError("strange")
    return Judge(found["mean"], found["scale"], layers, found["strange"], found["rows"], found["noises"])
