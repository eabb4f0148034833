"""Draw new members of a family, filter them, and say how the draw compares with the family, simple baselines and naturals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.memo import Memo
from gen_core.proteins import filters, metrics, places
from gen_core.proteins.filters import Verdict
from gen_core.proteins.known import Known, open_both
from gen_core.proteins.model import draw
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Filters, Sample
from gen_core.proteins.statistics import Moments, density, moments
from gen_core.proteins.values import values_of
from gen_core.proteins.warn import STAND_INS, few_samples, warnings_of
from gen_core.result import Notice, Result, unique

Array = np.ndarray
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
    """A draw, the filters' verdicts on it, and who is kept (n,)."""

    recipe: Sample  # filled in
    draw: Draw
    verdicts: list[Verdict]
    kept: Array

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
    def values(self) -> Mapping[str, Array]:
        return self.draw.values

    @property
    def rows(self) -> list[str]:
        return self.draw.rows


def draw_samples(recipe: Sample) -> Drawn:
    """The samples of a recipe; another choice of filters does not draw them anew.

    Raises what `known.open_both`, `places.locks_of` and `places.points` do.
    """
    recipe, model, known = open_both(recipe)
    unfiltered = recipe.replace(filters=Filters(), structure=False).sha256
    return judged(recipe, DRAWS.get(unfiltered, lambda: draw_from(recipe, model, known)))


def drawn_from(recipe: Sample, model: FamilyModel, known: Known) -> Drawn:
    """The samples of a filled-in recipe from a model, compared with known sequences."""
    return judged(recipe, draw_from(recipe, model, known))


def draw_from(recipe: Sample, model: FamilyModel, known: Known) -> Draw:
    """The draw of a recipe."""
    rng = np.random.default_rng([recipe.seed, 1])
    locks = places.locks_of(recipe, model)
    z, steps = places.points(recipe, model, locks, rng)
    codes = places.lock(draw(model.net, z, rng, recipe.temperature), locks)
    return Draw(model, known, z, steps, codes, values_of(codes, model, known.codes))


def judged(recipe: Sample, made: Draw) -> Drawn:
    """A draw under the filters of a recipe."""
    verdicts = filters.judge(recipe.filters, made.values, made.model.naturals, made.rows, not made.known.synthetic)
    return Drawn(recipe, made, verdicts, filters.kept(verdicts, len(made.codes)))


def run(recipe: Sample, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.sample`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    if recipe.model == "train":
        from gen_core.proteins.train import trained

        recipe = trained(recipe, progress)
    opened = time.perf_counter()
    made = draw_samples(recipe)
    drawn = time.perf_counter()
    numbers, baselines = scores(made)
    return Result(
        recipe=made.recipe,
        content=made,
        files=files.sample_writers(made),
        metrics=numbers,
        baselines=baselines,
        warnings=unique([*warnings_of(made.model, made.known), *few_samples(made), *_on_filters(made)]),
        seconds={"train": opened - started, "sample": drawn - opened, "compare": time.perf_counter() - drawn},
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
    return numbers, baselines


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
    kept = judged(made.recipe, other).kept
    return metrics.of_values(other.values, other.codes, kept, bits) | other.compared


def _naturals(made: Drawn, bits: float) -> metrics.Numbers:
    """Held-out naturals, as few as they are: the ceiling that their number allows."""
    model = made.model
    values = model.naturals
    n = len(values["profile_bits"])
    chosen = made.recipe.filters.model_copy(update={"unique": False})
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
