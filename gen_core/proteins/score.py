"""Score given sequences as members of a family: likelihood, coupling energy, profile, novelty, and each filter's word."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gen_core.datasets import path_of
from gen_core.inputs.sequences import read_sequences
from gen_core.proteins import filters, metrics, viability
from gen_core.proteins.alphabet import GAP
from gen_core.proteins.family import placed
from gen_core.proteins.filters import Verdict
from gen_core.proteins.known import Known, open_both, ready
from gen_core.proteins.model import likelihood
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Score
from gen_core.proteins.values import values_of
from gen_core.proteins.viability import Viability
from gen_core.proteins.warn import warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
SAMPLES = 8  # latent points per sequence in the bound on its likelihood


@dataclass(frozen=True, eq=False)
class Scored:
    """n sequences of a file: names (n,), codes (n, L) in the model's columns, bounds on their log likelihood (n,) in nats,
    their values by name, the filters' verdicts, and who passes all (n,)."""

    recipe: Score  # filled in
    model: FamilyModel
    known: Known
    names: Array
    codes: Array
    rows: list[str]
    log_likelihood: Array
    values: Mapping[str, Array]
    verdicts: list[Verdict]
    kept: Array
    notices: tuple[Notice, ...]
    viability: Viability | None


def score(recipe: Score) -> Scored:
    """The scores of a recipe's sequences. Raises what `known.open_both` and `read_sequences` do."""
    recipe, model, known = open_both(recipe)
    found = read_sequences(path_of(recipe.sequences, "sequences"))
    codes = placed(model.profile, model.columns, model.width, found)
    values = values_of(codes, model, known.codes, found.residues, recipe.filters.motifs or ())
    learned = None
    if recipe.labels:
        learned = viability.assess(recipe, model, str(recipe.family), (found.names, codes))
        values["viability"] = learned.chances(codes, model)
    bound = likelihood(model.net, model.prior, codes, SAMPLES, recipe.seed)
    whole = [row.decode() for row in found.residues]
    verdicts = filters.judge(recipe.filters, values, model.naturals, whole, not known.synthetic)
    notices = [*found.notices, *(learned.notices if learned else ())]
    if strangers := int((codes == GAP).all(1).sum()):
        notices.append(Notice("out_of_distribution", f"{strangers:,} sequences have no residue in the family's columns."))
    kept = filters.kept(verdicts, len(codes))
    return Scored(
        recipe, model, known, found.names, codes, model.rows(codes), bound, values, verdicts, kept, tuple(notices), learned
    )


def run(recipe: Score, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.score`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    recipe = ready(recipe, progress)
    opened = time.perf_counter()
    made = score(recipe)
    numbers: dict[str, float | int | str | bool | None] = {
        "n": len(made.codes),
        "n_kept": int(made.kept.sum()),
        "kept_fraction": float(made.kept.mean()),
        "log_likelihood_mean": float(made.log_likelihood.mean()),
        "identity_nearest_median": float(np.median(made.values["nearest_identity"])),
    }
    numbers |= {f"removed_{name}": count for name, count in filters.funnel(made.verdicts, len(made.codes)).items()}
    naturals = made.model.naturals
    baselines: dict[str, metrics.Numbers] = {
        "natural_holdout": {
            "n": len(naturals["profile_bits"]),
            "log_likelihood_mean": float(np.mean(naturals["log_likelihood"])),
            "identity_nearest_median": float(np.median(naturals["nearest_identity"])),
        }
    }
    if made.viability is not None:
        numbers |= made.viability.numbers | {"viability_mean": float(made.values["viability"].mean())}
        baselines |= made.viability.baselines
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.score_writers(made),
        metrics=numbers,
        baselines=baselines,
        warnings=unique([*warnings_of(made.model, made.known), *made.notices]),
        seconds={"train": opened - started, "score": time.perf_counter() - opened},
    )
