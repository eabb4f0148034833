"""The sequences that samples are compared with: those of the recipe's family, in the columns of its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import store
from gen_core.datasets import named, path_of
from gen_core.errors import InputError
from gen_core.memo import Memo
from gen_core.proteins import family as families
from gen_core.proteins import identity
from gen_core.proteins.alphabet import GAP
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.recipe import BUNDLED
from gen_core.proteins.statistics import Moments, moments
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.recipe import _Modelled

Array = np.ndarray
STAND_INS = 1_000  # synthetic sequences that stand for the bundled family's own, which are not part of this software
KEPT = Memo(512 << 20, lambda known: int(known.codes.nbytes * 2 + known.moments.pairs.nbytes))


@dataclass(frozen=True, eq=False)
class Known:
    """codes (m, L) of known sequences, and the moments of the whole family. `synthetic`: no real protein is among them."""

    codes: Array
    moments: Moments
    synthetic: bool
    notices: tuple[Notice, ...]


def open_both(recipe: _Modelled) -> tuple[Any, FamilyModel, Known]:
    """The recipe filled in, its model and the known sequences. Raises what opening either does."""
    model = open_model(recipe.model_name, recipe.weights)
    source = recipe.family or str(model.card["family"])
    filled = recipe.replace(weights=model.card["sha256"], family=source)
    key = (model.card["sha256"], source)
    return filled, model, KEPT.get(key, lambda: _known(model, source))


def _known(model: FamilyModel, source: str) -> Known:
    entry = named(source)
    synthetic = bool(entry and entry.synthetic)
    own = source in (model.card["data"], model.card["family"])
    if own:
        family = families.open_family(source)
        codes = family.codes
        if family.width != model.width or not np.array_equal(family.columns, model.columns):
            codes = _placed(model, source)
        return Known(codes, model.moments, synthetic, family.notices)
    codes = _placed(model, source)
    weights = identity.weights(codes)
    return Known(codes, moments(codes, weights), synthetic, ())


def _placed(model: FamilyModel, source: str) -> Array:
    """Sequences of another file in the columns of the model. Raises InputError where they are of another family."""
    from gen_core.inputs.sequences import read_sequences

    found = read_sequences(path_of(source, "family"))
    codes = families.placed(model.profile, model.columns, model.width, found)
    bits = model.profile.bits(found.residues)
    like = bits >= max(float(np.percentile(model.naturals["profile_bits"], 1)) / 2, 1.0)
    if like.mean() < 0.5:
        raise InputError(
            f"Of these {len(found):,} sequences only {like.sum():,} are like the family of the model {model.name!r}: name the "
            "model of their own family, or model=train."
        )
    return codes[like & (codes != GAP).any(1)]


def stand_ins() -> Path:
    """An aligned FASTA file of synthetic sequences, drawn from the bundled model around its naturals: the bundled family as a
    data set."""
    from gen_core.proteins.model import draw

    model = open_model(BUNDLED)
    path = store.home() / "bundled" / f"chorismate_mutase_synthetic_{model.card['sha256'][:12]}.fasta"
    if not path.is_file():
        rng = np.random.default_rng(0)
        shares = model.codes.weights.astype(np.float64)
        rows = rng.choice(len(shares), STAND_INS, p=shares / shares.sum())
        noise = rng.standard_normal((STAND_INS, model.latent_dim))
        codes = draw(model.net, model.codes.means[rows] + model.codes.spreads[rows] * noise, rng)
        text = "".join(f">synthetic_{i}\n{row}\n" for i, row in enumerate(model.rows(codes), 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text)
        partial.replace(path)
    return path


def warm() -> None:
    """Do once what the first view of the page needs: open the bundled model and its family."""
    from gen_core.proteins.recipe import Sample

    open_both(Sample())
