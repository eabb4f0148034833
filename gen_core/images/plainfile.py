"""Plain autoencoders on disk and in use: arrays in, arrays out, nothing in them changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.device import pick
from gen_core.images.plain import LATENT, WIDTHS, PlainNet
from gen_core.images.space import BATCH, Array, check_kind, damaged, tensor
from gen_core.latent.density import Density
from gen_core.memo import Memo
from gen_core.recipe import Recipe

OPENED = Memo(64 << 20, lambda plain: 8 << 20)


@dataclass(frozen=True, eq=False)
class Plain:
    """One network trained with one weight of the divergence.

    codes (n, k) are drawn from the posteriors of training pictures; means and deviations (m, k) are the posteriors of
    pictures that were never trained on.
    """

    beta: float
    net: PlainNet
    codes: Array
    means: Array
    deviations: Array

    @cached_property
    def density(self) -> Density:
        """How dense the codes of training pictures lie."""
        return Density.of(self.codes)

    def encode(self, images: Array) -> tuple[Array, Array]:
        """Means and deviations (n, k) of the posteriors of pictures (n, 64, 64, 3) in [0, 1]."""
        with torch.no_grad():
            parts = [self.net.posterior(tensor(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        mean, spread = (torch.cat(part) for part in zip(*parts, strict=True))
        return mean.numpy(), (spread / 2).exp().numpy()

    def decode(self, z: Array) -> Array:
        """Pictures (n, 64, 64, 3) float32 in [0, 1] at codes z (n, k)."""
        at = torch.from_numpy(np.ascontiguousarray(z, np.float32))
        with torch.no_grad():
            parts = [self.net.decode(at[i : i + BATCH]) for i in range(0, len(at), BATCH)]
        return np.ascontiguousarray(torch.cat(parts).permute(0, 2, 3, 1).numpy())


@dataclass(frozen=True, eq=False)
class Plains:
    """A trained model: its networks by ascending beta, what is known of the pictures that scored it (m, F), and its card."""

    nets: tuple[Plain, ...]
    values: Array
    card: dict[str, Any]

    @property
    def betas(self) -> tuple[float, ...]:
        """The weights of the divergence."""
        return tuple(one.beta for one in self.nets)


def write_plain(folder: Path, made: Plains, recipe: Recipe) -> str:
    """Write the model into `folder`, the card after the weights, as float16. Returns the weights' sha256."""
    tensors = {"values": torch.from_numpy(np.asarray(made.values, np.float32))}
    for i, one in enumerate(made.nets):
        tensors |= {f"{i}.net.{name}": value.half().contiguous() for name, value in one.net.state_dict().items()}
        for name in ("codes", "means", "deviations"):
            tensors[f"{i}.{name}"] = torch.from_numpy(np.asarray(getattr(one, name), np.float16))
    return checkpoint.put(folder, tensors, made.card, {"recipe.json": recipe.json(indent=1) + "\n"})


def open_plain(name: str, expected: str | None, kind: str) -> Plains:
    """The model of a recipe, kept while it is used. Raises CheckpointError where it is missing, damaged, of another kind or
    not the one expected."""
    pick("cpu")  # one thread: two on busy cores are many times slower
    folder = checkpoint.find(name, "images")
    weights = folder / checkpoint.WEIGHTS
    key = (str(folder), weights.stat().st_mtime_ns if weights.exists() else 0, expected, kind)
    found: Plains = OPENED.get(key, lambda: read_plain(folder, expected, kind))
    return found


def read_plain(folder: Path, expected: str | None, kind: str) -> Plains:
    """The model in a folder. Raises CheckpointError as above."""
    check_kind(folder.name, checkpoint.read_card(folder), kind)
    tensors, card = checkpoint.load(folder, expected)
    try:
        values = tensors["values"].float().numpy()
        nets = []
        for i, beta in enumerate(card["betas"]):
            net = PlainNet(LATENT[kind], WIDTHS[kind])
            head = f"{i}.net."
            net.load_state_dict({k.removeprefix(head): v.float() for k, v in tensors.items() if k.startswith(head)})
            codes, means, deviations = (tensors[f"{i}.{name}"].float().numpy() for name in ("codes", "means", "deviations"))
            if {codes.shape[1:], means.shape[1:], deviations.shape[1:]} != {(LATENT[kind],)} or len(means) != len(values):
                raise ValueError("codes of another size")
            nets.append(Plain(float(beta), net.train(False).requires_grad_(False), codes, means, deviations))
        if not nets or values.shape[1] != len(card["known"]):
            raise ValueError("no networks, or factors of another number")
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError) as error:
        raise damaged(folder.name, error) from None
    return Plains(tuple(nets), values, card)
