"""What a family's map is coloured by: a landscape beneath it, and what is known of each natural on it.

Of the naturals themselves a model keeps no more than their codes. Where their alignment is on this machine, their names,
lengths and scores are those of the sequences; where it is not, what the model decodes at their codes stands for them, and its
title says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gen_core.errors import UserError
from gen_core.memo import Memo
from gen_core.proteins.alphabet import GAP, decode, ungapped
from gen_core.proteins.atlas import Atlas
from gen_core.proteins.family import open_family
from gen_core.proteins.model import likelihood, probabilities
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.score import SAMPLES

Array = np.ndarray
SIDE = 48  # spots along each side of a landscape
MANY = 8  # species told apart by colour
SPECIES = re.compile(r"_([A-Z0-9]{3,5})(?:[/\s]|$)")  # the mnemonic of a UniProt name: CHMU_ECOLI
LANDSCAPES = {
    "energy": "Coupling energy",
    "bits": "Profile score (bits)",
    "entropy": "Freedom (bits per site)",
    "strange": "Unlike the naturals (%)",
}
COLOURS = {
    "density": "Density (log)",
    "relatives": "Relatives (at 80 % identity)",
    "cluster": "Cluster of the prior",
    "length": "Length",
    "energy": "Coupling energy",
    "bits": "Profile score (bits)",
    "likelihood": "Log likelihood (nats)",
    "species": "Species (UniProt code)",
}
KEPT = Memo(64 << 20, lambda found: 1 << 18)


@dataclass(frozen=True, eq=False)
class Landscape:
    """values (s, s), row by row from the bottom, at x (s,) and y (s,) of the map; percentile (s, s): how unlike any natural."""

    x: Array
    y: Array
    values: Array
    percentile: Array


@dataclass(frozen=True, eq=False)
class Naturals:
    """The training sequences where their alignment is on this machine: names (n,) and codes (n, L) in the model's columns."""

    names: Array
    codes: Array


@dataclass(frozen=True, eq=False)
class Colouring:
    """What colours the naturals: numbers (n,), or words (n,) of which there are few; its title, and whether it is decoded."""

    title: str
    values: Array
    decoded: bool = False

    @property
    def words(self) -> bool:
        return self.values.dtype.kind in "US"


def landscapes(model: FamilyModel) -> list[str]:
    """The landscapes that this model has."""
    return [name for name in LANDSCAPES if name != "energy" or model.couplings is not None]


def landscape(atlas: Atlas, kind: str) -> Landscape:
    """A value of the likeliest sequence at each spot of a lattice over the map, made once for each model."""
    found: Landscape = KEPT.get((_key(atlas.model), "landscape", kind), lambda: _landscape(atlas, kind))
    return found


def _landscape(atlas: Atlas, kind: str) -> Landscape:
    (left, right), (bottom, top) = atlas.spans
    x, y = np.linspace(left, right, SIDE), np.linspace(bottom, top, SIDE)
    p, strange = KEPT.get((_key(atlas.model), "lattice"), lambda: _decoded_at(atlas, x, y))
    model, codes = atlas.model, p.argmax(2).astype(np.uint8)
    if kind == "energy":
        assert model.couplings is not None
        values = model.couplings.energy(codes)
    elif kind == "bits":
        values = model.profile.bits([row.encode() for row in ungapped(decode(codes))])
    elif kind == "entropy":
        values = entropy(p).mean(1)
    else:
        values = strange
    square = lambda flat: np.asarray(flat, np.float32).reshape(SIDE, SIDE)  # noqa: E731
    return Landscape(x, y, square(values), square(strange))


def _decoded_at(atlas: Atlas, x: Array, y: Array) -> tuple[Array, Array]:
    z = atlas.latent(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2))
    return probabilities(atlas.model.net, z).astype(np.float16), atlas.percentile(z)


def entropy(p: Array) -> Array:
    """Entropy in bits (n, L) of probabilities (n, L, Q)."""
    p = np.asarray(p, np.float32)
    return np.asarray(-(p * np.log2(np.maximum(p, 1e-7))).sum(-1))


def naturals_of(model: FamilyModel) -> Naturals | None:
    """The sequences that a model was trained on; None where their alignment is not on this machine."""
    found: Naturals | None = KEPT.get((_key(model), "naturals", _where(model)), lambda: _naturals(model))
    return found


def _where(model: FamilyModel) -> bool:
    """Whether the alignment is here: asked each time, since it may be added or deleted meanwhile."""
    from gen_core.datasets import path_of

    try:
        return str(model.card["data"]).startswith("sha256:") and bool(path_of(str(model.card["data"]), "family"))
    except UserError:
        return False


def _naturals(model: FamilyModel) -> Naturals | None:
    if not _where(model):
        return None
    family = open_family(str(model.card["data"]))
    rows, _ = family.split(int(model.card.get("recipe", {}).get("seed", 0)))
    if len(rows) != len(model.codes.weights) or not np.array_equal(family.columns, model.columns):
        return None
    return Naturals(np.asarray(family.names)[rows], family.codes[rows])


def colours(model: FamilyModel) -> list[str]:
    """The names of what the naturals of this model can be coloured by."""
    known = naturals_of(model)
    left_out = set() if model.couplings is not None else {"energy"}
    if known is None:
        left_out |= {"likelihood", "species"}
    elif not (species(known) != "").any():
        left_out |= {"species"}
    return [name for name in COLOURS if name not in left_out]


def colouring(atlas: Atlas, name: str) -> Colouring:
    """What colours the naturals by a name of `colours`, made once for each model."""
    model = atlas.model
    key = (_key(model), "colour", name, _where(model))
    found: Colouring = KEPT.get(key, lambda: _colouring(atlas, name))
    return found


def _colouring(atlas: Atlas, name: str) -> Colouring:
    model, known = atlas.model, naturals_of(atlas.model)
    if name == "species":
        assert known is not None
        return Colouring(COLOURS[name], commonest(species(known)))
    of_codes: dict[str, Callable[[], Array]] = {
        "density": partial(model.prior.log_density, model.codes.means),
        "relatives": lambda: np.round(1 / model.codes.weights),
        "cluster": lambda: np.array([f"cluster {i + 1}" for i in clusters(model)]),
    }
    if name in of_codes:
        return Colouring(COLOURS[name], _as_sent(of_codes[name]()))
    codes = known.codes if known is not None else _decoded(model)
    of_sequences: dict[str, Callable[[], Array]] = {
        "length": lambda: (codes != GAP).sum(1),
        "energy": lambda: np.zeros(len(codes)) if model.couplings is None else model.couplings.energy(codes),
        "bits": lambda: model.profile.bits([row.encode() for row in ungapped(decode(codes))]),
        "likelihood": lambda: likelihood(model.net, model.prior, codes, SAMPLES),
    }
    decoded = known is None
    return Colouring(COLOURS[name] + (", decoded" if decoded else ""), _as_sent(of_sequences[name]()), decoded)


def _decoded(model: FamilyModel) -> Array:
    """The likeliest sequences (n, L) at the naturals' codes."""
    codes: Array = KEPT.get(
        (_key(model), "decoded"), lambda: probabilities(model.net, model.codes.means).argmax(2).astype(np.uint8)
    )
    return codes


def clusters(model: FamilyModel) -> Array:
    """The component (n,) of the prior that each natural's code most likely came from, the largest component first."""
    from gen_core.proteins.prior import Mixture

    prior = model.prior
    one = np.ones(1, np.float32)
    terms = [
        np.log(share) + Mixture(one, mean[None], root[None]).log_density(model.codes.means)
        for share, mean, root in zip(prior.shares, prior.means, prior.roots, strict=True)
    ]
    which = np.argmax(terms, axis=0)
    order = np.argsort(-np.bincount(which, minlength=len(terms)), kind="stable")
    return np.argsort(order)[which]


def species(known: Naturals) -> Array:
    """The species' mnemonic (n,) in names such as CHMU_ECOLI/1-96; empty where a name has none."""
    found = (SPECIES.search(str(name)) for name in known.names)
    return np.array([match[1] if match else "" for match in found])


def find(model: FamilyModel, text: str) -> Array:
    """The naturals (m,) whose names hold a text, upper or lower case; none without one or without names."""
    known = naturals_of(model) if text.strip() else None
    if known is None:
        return np.zeros(0, int)
    wanted = text.strip().casefold()
    return np.array([i for i, name in enumerate(known.names) if wanted in str(name).casefold()], int)


def commonest(words: Array) -> Array:
    """The eight commonest words (n,), all else as `other`."""
    names, counts = np.unique(words[words != ""], return_counts=True)
    kept = names[np.argsort(-counts, kind="stable")][:MANY]
    return np.where(np.isin(words, kept), words, "other")


def _as_sent(values: Array) -> Array:
    return values if values.dtype.kind in "US" else np.asarray(values, np.float32)


def _key(model: FamilyModel) -> object:
    return model.card.get("sha256") or id(model)
