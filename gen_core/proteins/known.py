"""The sequences that samples are compared with: those of the recipe's family, in the columns of its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gen_core import store
from gen_core.datasets import named, path_of
from gen_core.errors import InputError
from gen_core.memo import Memo
from gen_core.proteins import family as families
from gen_core.proteins import identity
from gen_core.proteins.alphabet import GAP
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.recipe import BUNDLED, Mutate, Relax, Sample, Score
from gen_core.proteins.statistics import Moments, moments
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.recipe import _Modelled

Array = np.ndarray
Asking = TypeVar("Asking", Sample, Score, Mutate, Relax)
STAND_INS = 1_000  # synthetic sequences that stand for the bundled family's own, which are not part of this software
DESIGNS = 12  # sequences of each kind in the example that is scored
KEPT = Memo(512 << 20, lambda known: int(known.codes.nbytes * 2 + known.moments.pairs.nbytes))


@dataclass(frozen=True, eq=False)
class Known:
    """codes (m, L) of known sequences, the moments of the whole family, and the sequences' names (m,), which may be missing.
    `synthetic`: no real protein is among them."""

    codes: Array
    moments: Moments
    synthetic: bool
    notices: tuple[Notice, ...]
    names: Array = field(default_factory=lambda: np.zeros(0, str))


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
        codes, names = family.codes, family.names
        if family.width != model.width or not np.array_equal(family.columns, model.columns):
            codes, names = _placed(model, source)
        return Known(codes, model.moments, synthetic, family.notices, names)
    codes, names = _placed(model, source)
    weights = identity.weights(codes)
    return Known(codes, moments(codes, weights), synthetic, (), names)


def _placed(model: FamilyModel, source: str) -> tuple[Array, Array]:
    """Sequences of another file in the columns of the model, and their names. Raises InputError where they are of another
    family."""
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
    kept = like & (codes != GAP).any(1)
    return codes[kept], found.names[kept]


def ready(recipe: Asking, progress: Callable[[float, str], None]) -> Asking:
    """The recipe with the model it is asked of: where that is `train`, the one trained now. Raises what `train.steps` does."""
    if recipe.model != "train":
        return recipe
    from gen_core.proteins.train import trained

    return trained(recipe, progress)


def stand_ins() -> Path:
    """An aligned FASTA file of synthetic sequences, drawn from the bundled model around its naturals: the bundled family as a
    data set."""
    from gen_core.proteins.model import draw

    def rows(model: FamilyModel) -> dict[str, str]:
        rng = np.random.default_rng(0)
        codes = draw(model.net, _around_naturals(model, STAND_INS, rng), rng)
        return {f"synthetic_{i}": row for i, row in enumerate(model.rows(codes), 1)}

    return _bundled("chorismate_mutase_synthetic", rows)


def designs() -> Path:
    """A FASTA file of synthetic sequences to score: drawn around the naturals, from the prior, nearly without chance, and site
    by site."""
    from gen_core.proteins import metrics
    from gen_core.proteins.model import draw

    def rows(model: FamilyModel) -> dict[str, str]:
        rng = np.random.default_rng(1)
        around, prior = _around_naturals(model, DESIGNS, rng), model.prior.sample(DESIGNS, rng)
        kinds = {
            "around_naturals": draw(model.net, around, rng),
            "prior": draw(model.net, prior, rng),
            "cold": draw(model.net, prior, rng, 0.1),
            "independent_sites": metrics.independent(model.moments, DESIGNS, rng),
        }
        return {
            f"synthetic_{kind}_{i}": row.replace("-", "")
            for kind, codes in kinds.items()
            for i, row in enumerate(model.rows(codes), 1)
        }

    return _bundled("chorismate_mutase_designs", rows)


def _around_naturals(model: FamilyModel, n: int, rng: np.random.Generator) -> Array:
    shares = model.codes.weights.astype(np.float64)
    which = rng.choice(len(shares), n, p=shares / shares.sum())
    noise = rng.standard_normal((n, model.latent_dim))
    return np.asarray(model.codes.means[which] + model.codes.spreads[which] * noise)


def _bundled(name: str, rows: Callable[[FamilyModel], dict[str, str]]) -> Path:
    """The FASTA file of sequences made from the bundled model, written when it is first asked for."""
    model = open_model(BUNDLED)
    path = store.home() / "bundled" / f"{name}_{model.card['sha256'][:12]}.fasta"
    if not path.is_file():
        text = "".join(f">{title}\n{row}\n" for title, row in rows(model).items())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text)
        partial.replace(path)
    return path


def warm() -> None:
    """Do once what the first view of the page needs: the bundled model, its family, its map, and the draw that it opens on."""
    from gen_core.proteins.atlas import atlas_of
    from gen_core.proteins.landscape import landscape
    from gen_core.proteins.recipe import Sample
    from gen_core.proteins.sample import run

    made = run(Sample()).content
    landscape(atlas_of(made.model), "energy")
