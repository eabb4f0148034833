"""A family's model on disk: network, prior, couplings, profile and statistics in one safetensors file, and its card.

The sequences themselves are not in it. What may be asked of it without them is: samples, scores, and how the samples' moments
compare with those of the whole family and of the held-out part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.device import pick
from gen_core.errors import CheckpointError
from gen_core.memo import Memo
from gen_core.proteins.align import Profile
from gen_core.proteins.alphabet import GAP, Q, decode
from gen_core.proteins.couplings import Couplings
from gen_core.proteins.model import FamilyVAE
from gen_core.proteins.pack import pack, unpack
from gen_core.proteins.prior import Mixture
from gen_core.proteins.statistics import Moments
from gen_core.recipe import Recipe

Array = np.ndarray
NET, NATURALS = "net.", "naturals."
KEPT = Memo(1 << 30, lambda model: int(model.moments.pairs.nbytes * 4 + (4 << 20)))


@dataclass(frozen=True, eq=False)
class Codes:
    """Latent posteriors of the training sequences: means and spreads (n, k), weights (n,)."""

    means: Array
    spreads: Array
    weights: Array


@dataclass(frozen=True, eq=False)
class FamilyModel:
    """A trained model for use: arrays in, arrays out, nothing in it changes.

    `columns` (L,) are the places of its columns among the `width` columns of the alignment it was trained on; `naturals` maps
    each value that filters look at to those of held-out sequences; couplings are None where the family is too long for them.
    """

    net: FamilyVAE
    prior: Mixture
    profile: Profile
    couplings: Couplings | None
    moments: Moments  # of the whole weighted family
    held_out: Moments  # of the part that was not learned from
    codes: Codes
    naturals: Mapping[str, Array]
    columns: Array
    width: int
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def latent_dim(self) -> int:
        return self.net.latent_dim

    @cached_property
    def name(self) -> str:
        return str(self.card.get("name", "of this family"))

    def rows(self, codes: Array) -> list[str]:
        """Rows as wide as the alignment of codes (n, L); columns that the model left out are gaps."""
        full = np.full((len(codes), self.width), GAP, np.uint8)
        full[:, self.columns] = codes
        return decode(full)


def write_model(folder: Path, model: FamilyModel, card: dict[str, Any], recipe: Recipe) -> str:
    """Write the model into `folder`, the card after the weights: a card means a whole model. Returns the weights' sha256."""
    return checkpoint.put(folder, tensors_of(model), card, {"recipe.json": recipe.json(indent=1) + "\n"})


def tensors_of(model: FamilyModel) -> dict[str, torch.Tensor]:
    """The model as it is stored: network and codes in float16, pairs as bytes."""
    half = lambda values: torch.from_numpy(np.ascontiguousarray(values)).half()  # noqa: E731
    full = lambda values: torch.from_numpy(np.ascontiguousarray(values, np.float32))  # noqa: E731
    tensors = {f"{NET}{name}": value.half() for name, value in model.net.state_dict().items()}
    tensors |= {f"prior.{name}": full(getattr(model.prior, name)) for name in ("shares", "means", "roots")}
    tensors |= {
        "profile": torch.from_numpy(np.frombuffer(model.profile.text, np.uint8).copy()),
        "columns": torch.from_numpy(model.columns.astype(np.int32)),
        "width": torch.tensor([model.width], dtype=torch.int32),
        "codes.means": half(model.codes.means),
        "codes.spreads": half(model.codes.spreads),
        "codes.weights": full(model.codes.weights),
    }
    for name, found in (("moments", model.moments), ("held_out", model.held_out)):
        values, scales = pack(found.pairs)
        tensors |= {f"{name}.sites": full(found.sites), f"{name}.pairs": torch.from_numpy(values), f"{name}.scales": full(scales)}
    if model.couplings is not None:
        values, scales = model.couplings.packed()
        tensors |= {"couplings.fields": full(model.couplings.fields), "couplings.pairs": torch.from_numpy(values)}
        tensors["couplings.scales"] = full(scales)
    return tensors | {f"{NATURALS}{name}": full(values) for name, values in model.naturals.items()}


def model_of(tensors: Mapping[str, torch.Tensor], card: dict[str, Any]) -> FamilyModel:
    """The inverse of `tensors_of`, with what it rounds. Raises KeyError, ValueError or RuntimeError where parts do not fit."""
    get = lambda name: tensors[name].numpy()  # noqa: E731
    columns, width, k = get("columns").astype(np.int64), int(get("width")[0]), get("prior.means").shape[1]
    net = FamilyVAE(len(columns), k)
    net.load_state_dict({n.removeprefix(NET): v.float() for n, v in tensors.items() if n.startswith(NET)})
    prior = Mixture(get("prior.shares"), get("prior.means"), get("prior.roots"))
    found = [Moments(get(f"{n}.sites"), unpack(get(f"{n}.pairs"), get(f"{n}.scales"))) for n in ("moments", "held_out")]
    couplings = None
    if "couplings.pairs" in tensors:
        couplings = Couplings.of_packed(get("couplings.fields"), get("couplings.pairs"), get("couplings.scales"))
    codes = Codes(*(get(f"codes.{n}").astype(np.float32) for n in ("means", "spreads", "weights")))
    naturals = {n.removeprefix(NATURALS): get(n) for n in tensors if n.startswith(NATURALS)}
    profile = Profile(get("profile").tobytes())
    _fits(columns, width, prior, found, couplings, codes, profile, k)
    net = net.train(False).requires_grad_(False)
    return FamilyModel(net, prior, profile, couplings, found[0], found[1], codes, naturals, columns, width, card)


def open_model(name: str, expected: str | None = None) -> FamilyModel:
    """The model of a recipe: a bundled one by its name, one trained here by its weights. Raises CheckpointError."""
    pick("cpu")  # one thread: two on busy cores are many times slower
    folder = checkpoint.find(name, "proteins")
    digest = str(checkpoint.read_card(folder).get("sha256"))
    if expected is not None and digest != expected:
        checkpoint.load(folder, expected)  # says so
    model: FamilyModel = KEPT.get((str(folder), digest), lambda: read_model(folder, expected))
    return model


def read_model(folder: Path, expected: str | None = None) -> FamilyModel:
    """The model in a folder. Raises CheckpointError where it is missing, damaged, or no model of a protein family."""
    tensors, card = checkpoint.load(folder, expected)
    checkpoint.check_system(card, "proteins", folder.name)
    try:
        for name in ("data", "family"):
            if not isinstance(card[name], str):
                raise TypeError(name)
        model = model_of(tensors, card)
        if not {"profile_bits", "nearest_identity", "length", "log_likelihood"} <= set(model.naturals):
            raise ValueError("naturals")
        float(card["unique_held_out"]), float(card["n_effective"])
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"The model {folder.name!r} cannot be used: its weights and its card do not fit together ({type(error).__name__})."
        ) from None
    return model


def _fits(
    columns: Array,
    width: int,
    prior: Mixture,
    found: list[Moments],
    couplings: Couplings | None,
    codes: Codes,
    profile: Profile,
    k: int,
) -> None:
    """Raise ValueError where the parts are not of one size."""
    L = len(columns)
    pairs = (L * (L - 1) // 2, Q * Q)
    sizes = [
        (prior.means.shape[1:], (k,)),
        (prior.roots.shape, (len(prior.shares), k, k)),
        (codes.means.shape, (len(codes.weights), k)),
        (codes.spreads.shape, codes.means.shape),
        ((profile.length,), (L,)),
        *((part.sites.shape, (L, Q)) for part in found),
        *((part.pairs.shape, pairs) for part in found),
    ]
    if couplings is not None:
        sizes += [(couplings.fields.shape, (L, Q)), (couplings.pairs.shape, pairs)]
    if any(a != b for a, b in sizes) or (np.diff(columns) <= 0).any() or columns[0] < 0 or columns[-1] >= width:
        raise ValueError("sizes")
