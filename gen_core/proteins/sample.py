"""Draw new members of a family, filter them, and say how the draw compares with the family, simple baselines and naturals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gen_core.memo import Memo
from gen_core.proteins import filters, metrics, motifs, order, places, plate, viability
from gen_core.proteins.alphabet import ungapped
from gen_core.proteins.filters import Verdict
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.known import Known, open_both, ready
from gen_core.proteins.model import draw
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.order import Ordered
from gen_core.proteins.recipe import Sample
from gen_core.proteins.statistics import Moments, density, moments
from gen_core.proteins.values import values_of
from gen_core.proteins.viability import Viability
from gen_core.proteins.warn import STAND_INS, few_samples, warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
LABELS = ("labels", "label_column", "label_threshold", "label_kind")
FORMS = ("order", "structure", "template", "template_chain", "b_factor", "structure_format")
AFTERWARDS = ("filters", *LABELS, *FORMS)  # fields that do not change what is drawn
COMPARED = 1_000  # independent-site sequences drawn for the baseline
DRAWS = Memo(256 << 20, lambda made: int(made.codes.nbytes * 4 + made.known.moments.pairs.nbytes))
CEILINGS = Memo(1 << 20, lambda numbers: 1 << 10)


@dataclass(frozen=True, eq=False)
class Draw:
    """n sequences codes (n, L) at latent points z (n, k) and their values by name: what a draw is before any filter."""

    model: FamilyModel
    known: Known
    z: Array
    steps: Array  # (n,) place on the path, from 1; 0 without one
    codes: Array
    values: Mapping[str, Array]

    @cached_property
    def rows(self) -> list[str]:
        """The sequences as rows of the family's alignment, gaps as `-`."""
        return self.model.rows(self.codes)

    @cached_property
    def moments(self) -> Moments:
        """Site frequencies and connected correlations of all samples, kept or not."""
        return moments(self.codes)

    @cached_property
    def compared(self) -> metrics.Numbers:
        """How these moments compare with those of the family and of its held-out part."""
        return metrics.compared(self.moments, self.known.moments, self.model.held_out)

    @cached_property
    def pair_density(self) -> tuple[Array, Array]:
        """How the correlations of all pairs lie against the family's, see `statistics.density`."""
        return density(self.known.moments.pairs, self.moments.pairs)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A draw, its values by name with those that filters and labels add, the filters' verdicts, and who is kept (n,)."""

    recipe: Sample  # filled in
    draw: Draw
    values: Mapping[str, Array]
    verdicts: list[Verdict]
    kept: Array
    viability: Viability | None  # what the labels teach, where there are some

    @property
    def model(self) -> FamilyModel:
        return self.draw.model

    @property
    def known(self) -> Known:
        return self.draw.known

    @property
    def z(self) -> Array:
        return self.draw.z

    @property
    def steps(self) -> Array:
        return self.draw.steps

    @property
    def codes(self) -> Array:
        return self.draw.codes

    @property
    def rows(self) -> list[str]:
        return self.draw.rows

    @cached_property
    def ordered(self) -> Ordered | None:
        """The plate order, where one is asked for."""
        return order.ordered(self)


def draw_samples(recipe: Sample) -> Drawn:
    """The samples of a recipe; another choice of filters, labels, structures or orders does not draw them anew.

    Raises what `known.open_both`, `places.locks_of`, `places.points` and `viability.assess` do.
    """
    recipe, model, known = open_both(recipe)
    plain = {name: Sample.model_fields[name].default for name in AFTERWARDS}
    made = DRAWS.get(recipe.replace(**plain).sha256, lambda: draw_from(recipe, model, known))
    return judged(recipe, made, viability.assess(recipe, model, str(recipe.family)) if recipe.labels else None)


def drawn_from(recipe: Sample, model: FamilyModel, known: Known) -> Drawn:
    """The samples of a filled-in recipe without labels from a model, compared with known sequences."""
    return judged(recipe, draw_from(recipe, model, known), None)


def draw_from(recipe: Sample, model: FamilyModel, known: Known) -> Draw:
    """The draw of a recipe."""
    rng = np.random.default_rng([recipe.seed, 1])
    locks = places.locks_of(recipe, model)
    z, steps = places.points(recipe, model, locks, rng)
    codes = places.lock(draw(model.net, z, rng, recipe.temperature), locks)
    return Draw(model, known, z, steps, codes, values_of(codes, model, known.codes))


def judged(recipe: Sample, made: Draw, learned: Viability | None) -> Drawn:
    """A draw under the filters of a recipe and what its labels taught."""
    values, patterns = dict(made.values), recipe.filters.motifs or ()
    if patterns != Filters().motifs:
        values["motifs"] = motifs.hits(ungapped(made.rows), patterns)
    if learned is not None:
        values["viability"] = learned.chances(made.codes, made.model, values["profile_bits"])
    verdicts = filters.judge(recipe.filters, values, made.model.naturals, made.rows, not made.known.synthetic)
    return Drawn(recipe, made, values, verdicts, filters.kept(verdicts, len(made.codes)), learned)


def run(recipe: Sample, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.sample`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files, structure
    from gen_core.proteins.template import source_of

    started = time.perf_counter()
    if recipe.structure:
        structure.refuse_early(recipe)
    recipe = ready(recipe, progress)
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
    model, chosen = made.model, made.recipe.filters
    bits = metrics.passing_bits(model, chosen.min_profile_percentile)
    numbers: dict[str, float | int | str | bool | None] = {
        "n": len(made.codes),
        "n_kept": int(made.kept.sum()),
        **metrics.of_values(made.values, made.codes, made.kept, bits),
        **made.draw.compared,
    }
    numbers |= {f"removed_{name}": count for name, count in filters.funnel(made.verdicts, len(made.codes)).items()}
    baselines = {
        "independent_sites": _numbers(independent_of(made), made, bits),
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


def independent_of(made: Drawn) -> Draw:
    """The draw of independent sites that stands beside this one: at most 1,000, the same for all filters and places."""
    model, known, n, seed = made.model, made.known, min(len(made.codes), COMPARED), made.recipe.seed

    def make() -> Draw:
        codes = metrics.independent(known.moments, n, np.random.default_rng([seed, 2]))
        return of_codes(codes, model, known)

    key = (model.card.get("sha256"), made.recipe.family, n, seed)
    return make() if key[0] is None else DRAWS.get(key, make)


def of_codes(codes: Array, model: FamilyModel, known: Known) -> Draw:
    """Sequences codes (n, L) that were drawn elsewhere, as a draw without latent points."""
    nowhere = np.zeros((len(codes), 0), np.float32)
    return Draw(model, known, nowhere, np.zeros(len(codes), int), codes, values_of(codes, model, known.codes))


def numbers_of(codes: Array, made: Drawn, bits: float) -> metrics.Numbers:
    """The metrics of other sequences codes (n, L) under the filters of a draw."""
    return _numbers(of_codes(codes, made.model, made.known), made, bits)


def _numbers(other: Draw, made: Drawn, bits: float) -> metrics.Numbers:
    found = judged(made.recipe, other, made.viability)
    return metrics.of_values(found.values, found.codes, found.kept, bits) | other.compared


def _naturals(made: Drawn, bits: float) -> metrics.Numbers:
    """Held-out naturals, as few as they are: the ceiling that their number allows."""
    model = made.model
    values = model.naturals
    n = len(values["profile_bits"])
    chosen = made.recipe.filters.model_copy(update={"unique": False})
    if chosen.motifs != Filters().motifs:  # what was counted in them
        chosen = chosen.model_copy(update={"motifs": None})
    passed = filters.kept(filters.judge(chosen, values, values, [], True), n)
    return _ceiling(made) | {
        "kept_fraction": float(passed.mean()),
        "identity_nearest_median": float(np.median(values["nearest_identity"])),
        "identity_nearest_mean": float(np.mean(values["nearest_identity"])),
        "profile_pass_fraction": float((values["profile_bits"] >= bits).mean()),
        "unique_fraction": float(model.card["unique_held_out"]),
    }


def _ceiling(made: Drawn) -> metrics.Numbers:
    """How the moments of the held-out naturals compare with those of the family: no filter changes that."""
    key = (made.model.card.get("sha256"), made.recipe.family)
    make = lambda: metrics.compared(made.model.held_out, made.known.moments, None)  # noqa: E731
    return make() if key[0] is None else dict(CEILINGS.get(key, make))


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
