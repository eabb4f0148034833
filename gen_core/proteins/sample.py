"""Draw new members of a family, filter them, and say how the draw compares with the family, simple baselines and naturals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gen_core.proteins import filters, metrics, order, places, plate, viability
from gen_core.proteins.filters import Verdict
from gen_core.proteins.known import Known, open_both
from gen_core.proteins.model import draw
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.order import Ordered
from gen_core.proteins.recipe import Filters, Sample
from gen_core.proteins.statistics import Moments, moments
from gen_core.proteins.values import values_of
from gen_core.proteins.viability import Viability
from gen_core.proteins.warn import STAND_INS, few_samples, warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
COMPARED = 1_000  # independent-site sequences drawn for the baseline


@dataclass(frozen=True, eq=False)
class Drawn:
    """n sequences codes (n, L) at latent points z (n, k), their values by name, the filters' verdicts, and who is kept (n,)."""

    recipe: Sample  # filled in
    model: FamilyModel
    known: Known
    z: Array
    steps: Array  # (n,) place on the path, from 1; 0 without one
    codes: Array
    values: Mapping[str, Array]
    verdicts: list[Verdict]
    kept: Array
    viability: Viability | None  # what the labels teach, where there are some

    @cached_property
    def rows(self) -> list[str]:
        """The sequences as rows of the family's alignment, gaps as `-`."""
        return self.model.rows(self.codes)

    @cached_property
    def moments(self) -> Moments:
        """Site frequencies and connected correlations of all samples, kept or not."""
        return moments(self.codes)

    @cached_property
    def ordered(self) -> Ordered | None:
        """The plate order, where one is asked for."""
        return order.ordered(self)


def draw_samples(recipe: Sample) -> Drawn:
    """The samples of a recipe. Raises what `known.open_both`, `places.locks_of` and `places.points` do."""
    return drawn_from(*open_both(recipe))


def drawn_from(recipe: Sample, model: FamilyModel, known: Known) -> Drawn:
    """The samples of a filled-in recipe from a model, compared with known sequences."""
    rng = np.random.default_rng([recipe.seed, 1])
    locks = places.locks_of(recipe, model)
    z, steps = places.points(recipe, model, locks, rng)
    codes = places.lock(draw(model.net, z, rng, recipe.temperature), locks)
    learned = viability.assess(recipe, model, str(recipe.family)) if recipe.labels else None
    values = _valued(codes, model, known, recipe.filters, learned)
    verdicts = filters.judge(recipe.filters, values, model.naturals, model.rows(codes), not known.synthetic)
    return Drawn(recipe, model, known, z, steps, codes, values, verdicts, filters.kept(verdicts, len(codes)), learned)


def _valued(codes: Array, model: FamilyModel, known: Known, asked: Filters, learned: Viability | None) -> dict[str, Array]:
    """Values by name, viability among them where there are labels."""
    values = values_of(codes, model, known.codes, patterns=asked.motifs or ())
    if learned is not None:
        values["viability"] = learned.chances(codes, model, values["profile_bits"])
    return values


def run(recipe: Sample, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.sample`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files, structure
    from gen_core.proteins.template import source_of

    started = time.perf_counter()
    if recipe.structure:
        structure.refuse_early(recipe)
    if recipe.model == "train":
        from gen_core.proteins.train import trained

        recipe = trained(recipe, progress)
    opened = time.perf_counter()
    made = draw_samples(recipe)
    drawn = time.perf_counter()
    numbers, baselines = scores(made)
    compared = time.perf_counter()
    models: list[structure.Threaded] = []
    if made.recipe.structure:
        made = replace(made, recipe=made.recipe.replace(template=source_of(made.recipe, made.model.card)))
        models = structure.models_of(made, structure.written_rows(made))
    told = structure.notices_of(made) if made.recipe.structure else []
    plated = made.ordered.notices if made.ordered else ()
    if made.ordered:
        numbers["n_ordered"] = len(made.ordered.rows)
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.sample_writers(made, models),
        metrics=numbers,
        baselines=baselines,
        warnings=unique(
            [*warnings_of(made.model, made.known), *few_samples(made), *_on_filters(made), *_on_labels(made), *told, *plated]
        ),
        seconds={
            "train": opened - started,
            "sample": drawn - opened,
            "compare": compared - drawn,
            "structure": time.perf_counter() - compared,
        },
    )


def scores(made: Drawn) -> tuple[dict[str, float | int | str | bool | None], dict[str, metrics.Numbers]]:
    """The numbers of a draw, and the same of independent sites and of held-out naturals."""
    model, known, chosen = made.model, made.known, made.recipe.filters
    bits = metrics.passing_bits(model, chosen.min_profile_percentile)
    numbers: dict[str, float | int | str | bool | None] = {
        "n": len(made.codes),
        "n_kept": int(made.kept.sum()),
        **metrics.of_values(made.values, made.codes, made.kept, bits),
        **metrics.compared(made.moments, known.moments, model.held_out),
    }
    numbers |= {f"removed_{name}": count for name, count in filters.funnel(made.verdicts, len(made.codes)).items()}
    baselines = {
        "independent_sites": _independent(made, bits),
        "natural_holdout": _naturals(made, bits),
    }
    if made.viability is not None:
        numbers |= made.viability.numbers | _expected(made, made.viability)
        for name, values in made.viability.baselines.items():
            baselines[name] = baselines.get(name, {}) | values
    return numbers, baselines


def _expected(made: Drawn, learned: Viability) -> metrics.Numbers:
    """How many of 96 kept samples, the likeliest and not too alike, should be functional, with its interval."""
    rows = np.flatnonzero(made.kept)
    names = ("expected_functional_per_96", "expected_functional_per_96_low", "expected_functional_per_96_high")
    if not len(rows):
        return dict.fromkeys(names, None)
    chances = made.values["viability"][rows]
    best = plate.picked(chances, made.codes[rows], plate.WELLS, plate.ALIKE)
    found = plate.expected(learned, chances[best])
    scaled = (value * plate.WELLS / len(best) for value in found)
    return {"viability_mean": float(chances.mean()), **dict(zip(names, scaled, strict=True))}


def _independent(made: Drawn, bits: float) -> metrics.Numbers:
    rng = np.random.default_rng([made.recipe.seed, 2])
    return numbers_of(metrics.independent(made.known.moments, min(len(made.codes), COMPARED), rng), made, bits)


def numbers_of(codes: Array, made: Drawn, bits: float) -> metrics.Numbers:
    """The metrics of other sequences codes (n, L) under the filters of a draw."""
    model, known = made.model, made.known
    values = _valued(codes, model, known, made.recipe.filters, made.viability)
    verdicts = filters.judge(made.recipe.filters, values, model.naturals, model.rows(codes), not known.synthetic)
    numbers = metrics.of_values(values, codes, filters.kept(verdicts, len(codes)), bits)
    return numbers | metrics.compared(moments(codes), known.moments, model.held_out)


def _naturals(made: Drawn, bits: float) -> metrics.Numbers:
    """Held-out naturals, as few as they are: the ceiling that their number allows."""
    model = made.model
    values = model.naturals
    n = len(values["profile_bits"])
    chosen = made.recipe.filters.model_copy(update={"unique": False})
    if chosen.motifs != Filters().motifs:  # what was counted in them
        chosen = chosen.model_copy(update={"motifs": None})
    passed = filters.kept(filters.judge(chosen, values, values, [], True), n)
    return metrics.compared(model.held_out, made.known.moments, None) | {
        "kept_fraction": float(passed.mean()),
        "identity_nearest_median": float(np.median(values["nearest_identity"])),
        "identity_nearest_mean": float(np.mean(values["nearest_identity"])),
        "profile_pass_fraction": float((values["profile_bits"] >= bits).mean()),
        "unique_fraction": float(model.card["unique_held_out"]),
    }


def _on_labels(made: Drawn) -> list[Notice]:
    if made.viability is None:
        return []
    text = "Viability and the number expected to be functional extrapolate from the labelled sequences to designs unlike them."
    return [*made.viability.notices, Notice("extrapolation", text)]


def _on_filters(made: Drawn) -> list[Notice]:
    """What a reader of the funnel must know."""
    chosen = made.recipe.filters
    told = []
    if made.known.synthetic and (chosen.max_identity is not None or chosen.min_identity is not None):
        told.append(Notice("synthetic_data", f"The novelty filter is off: {STAND_INS}"))
    if made.model.couplings is None and chosen.max_energy_percentile is not None:
        told.append(Notice("no_couplings", "The family is too long for couplings: the energy filter is off."))
    if not made.kept.any():
        told.append(Notice("nothing_kept", "No sample passes all filters: loosen the one that removes most."))
    return told
