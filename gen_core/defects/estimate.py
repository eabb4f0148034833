"""From snapshots to fits: which library and test functions fit them, and every estimator by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gen_core.defects import pair_libraries, propagated, strong, testfunctions, transport, weak
from gen_core.defects.additive import Additive
from gen_core.defects.data import Snapshots
from gen_core.defects.libraries import Library, Periodic, Polynomial
from gen_core.defects.recipe import Infer
from gen_core.defects.score import Score
from gen_core.errors import InputError, RecipeError

Array = np.ndarray
RADIAL = 24  # test functions of distances
PERIODS = 20  # half periods of the finest wave of a rough landscape over half the range
PAIR_TESTS = 30  # waves beside them, at most: a replica holds many particles


@dataclass(frozen=True, eq=False)
class Estimate:
    """One estimate: weights theta (L,) and D, with draws (B, L + 1) where the estimator has intervals."""

    name: str
    theta: Array
    D: float
    draws: Array | None = None


def library_of(recipe: Infer, snapshots: Snapshots) -> Library:
    """The library that the recipe names, for these data. Raises RecipeError where it makes no sense for them."""
    kind = recipe.library or ("pair" if snapshots.particles > 1 else "gradient")
    centre, scale, box = snapshots.centre, snapshots.scale, snapshots.box
    if kind == "additive":
        if snapshots.particles > 1 or box is not None:
            raise RecipeError("library: additive is for single particles without a box; choose another.")
        middle, reach = propagated.span_of(snapshots.pooled())
        return Additive(Polynomial(middle, scale, min(recipe.degree, 4), True), reach, PERIODS)
    if kind != "pair":
        if box is not None:
            return Periodic(box, max(recipe.degree // 2, 1), kind == "gradient")
        return Polynomial(centre, scale, recipe.degree, kind == "gradient")
    if snapshots.particles < 2:
        raise RecipeError("library: pair needs replicas of several particles, and here each holds one; choose gradient or full.")
    around: Polynomial | Periodic
    around = Periodic(box, 1, True) if box is not None else Polynomial(centre, scale, 2, True)
    apart = np.concatenate([pair_libraries.distances(x[: 4_000 // snapshots.particles], box) for x in snapshots.positions])
    laws = pair_libraries.soft_log(recipe.soft_length, apart) if recipe.pair_law == "soft_log" else pair_libraries.radial(apart)
    signed = recipe.pair_law == "soft_log" and snapshots.charges is not None
    return pair_libraries.PairLibrary(around, laws, snapshots.charges, box, signed)


def tests_of(recipe: Infer, snapshots: Snapshots, library: Library) -> testfunctions.TestFunctions:
    """The test functions of the weak form; with a pair library also those of distances."""
    pair = isinstance(library, pair_libraries.PairLibrary)
    count = min(recipe.test_functions, PAIR_TESTS) if pair else recipe.test_functions
    charges = snapshots.charges if pair else None
    return testfunctions.drawn(snapshots.scale, snapshots.d, count, RADIAL if pair else 0, recipe.seed, snapshots.box, charges)


@dataclass(frozen=True, eq=False)
class Equations:
    """The weak form's equations for a library: its test functions, their sums, and what tells their noise."""

    tests: testfunctions.TestFunctions
    sums: weak.Moments
    looks: weak.Looks


def equations(recipe: Infer, snapshots: Snapshots, library: Library) -> Equations:
    """The equations of the weak form."""
    tests = tests_of(recipe, snapshots, library)
    sums = weak.moments(snapshots.times, snapshots.positions, library, tests)
    return Equations(tests, sums, weak.look(snapshots.positions, library, tests))


def weakly(
    recipe: Infer, snapshots: Snapshots, library: Library, D: float | None = None, known: Equations | None = None
) -> weak.Fit:  # fmt: skip
    """The fit of the weak form, to equations that may be `known`. Raises InputError where they have no single solution."""
    made = known or equations(recipe, snapshots, library)
    try:
        return weak.fit(made.sums, snapshots.positions, library, made.tests, recipe.seed, recipe.bootstrap, D, looks=made.looks)
    except np.linalg.LinAlgError:
        raise InputError(
            "These snapshots are too few or too alike for this library: its equations have no single solution. Take a lower "
            "degree."
        ) from None


def propagate(recipe: Infer, snapshots: Snapshots) -> propagated.Propagated:
    """The fit of the propagated weak form, by the library of lowest degree that explains the snapshots; with `gradient` and
    `full` the recipe's degree is the highest that is tried."""
    degrees = range(2, recipe.degree + 1) if recipe.library != "additive" else [recipe.degree]
    libraries = [library_of(recipe.replace(degree=degree), snapshots) for degree in degrees]
    first = _beginning(recipe, snapshots, libraries[0])
    begin = None if first is None else lambda library: _beginning(recipe, snapshots, library) or first
    return propagated.fit(snapshots, libraries, recipe.seed, recipe.bootstrap, begin)


def _beginning(recipe: Infer, snapshots: Snapshots, library: Library) -> tuple[Array, float] | None:
    """Weights and D of the weak form, where the propagated one may begin: it has them nearly right where times are dense."""
    plain = library.polynomial if isinstance(library, Additive) else library
    try:
        found = weakly(recipe.replace(bootstrap=20), snapshots, plain)
    except InputError:
        return None
    waves = np.zeros(len(library.names) - len(found.theta))
    return (np.append(found.theta, waves), found.D) if found.D > 0 else None


def estimate(name: str, recipe: Infer, snapshots: Snapshots, library: Library, score: Score) -> Estimate:
    """An estimate by the strong form or by transport."""
    if name == "strong":
        return Estimate(name, *strong.fit(score, snapshots, library))
    if snapshots.particles > 1 or snapshots.box is not None:
        raise RecipeError("estimators: transport matches single particles without a box; leave it out here.")
    return Estimate(name, *transport.fit(score, snapshots, library))


def force_of(library: Library, theta: Array) -> Callable[[Array], Array]:
    """The force as a function of positions (n, N, d)."""
    return lambda x: (library.forces(x) @ theta).reshape(x.shape)
