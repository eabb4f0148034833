"""Find drift and diffusion constant from snapshots: verdict first, then the fit, then what stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from gen_core import kept
from gen_core.defects import (
    data,
    estimate,
    files,
    fokker_planck,
    gates,
    heldout,
    judged,
    metrics,
    propagated,
    score,
    spread,
    weak,
)
from gen_core.defects.estimate import Estimate
from gen_core.defects.libraries import Library
from gen_core.defects.pair_libraries import PairLibrary, distances, radial
from gen_core.defects.recipe import Infer
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.result import Notice, Result, unique

Array = np.ndarray
FINER = 12  # splines of the law that the band of the usual nine is compared with
Progress = Callable[[float, str], None]
_CHANGES = Memo(1 << 18, lambda change: 256)
_SCORES = Memo(16 << 20, lambda found: found.powers.nbytes + (1 << 14))


@dataclass(frozen=True, eq=False)
class Inferred:
    """What `defects.infer` found. Where the number of particles changes there is no fit, and no library.

    estimates: that which gives the numbers first. Where D is not identifiable, theta is that of drift over D, and `ratio` is set.
    baselines: the same with something left out. pair: distances (m,) and for each kind of pairs the fitted law, its 95 % band
    (2, m), and the true law where it is known.
    """

    snapshots: data.Snapshots
    verdict: gates.Verdict
    library: Library | None
    estimates: tuple[Estimate, ...]
    baselines: tuple[Estimate, ...]
    ratio: bool
    score: score.Score | None
    maps: fokker_planck.Maps | None
    check: fokker_planck.Check | None
    held_out: heldout.HeldOut | None
    pair: dict[str, PairLaw]
    spread: spread.Spread | None = None
    fokker_planck_noise: float | None = None

    def force(self, name: str | None = None) -> Callable[[Array], Array]:
        """The force that an estimate (the first) found, as a function of positions (n, N, d); over D where `ratio` is set."""
        assert self.library is not None
        found = next(one for one in (*self.estimates, *self.baselines) if name in (None, one.name))
        return estimate.force_of(self.library, found.theta)


@dataclass(frozen=True, eq=False)
class PairLaw:
    """The force of a pair at distances r (m,): fitted, its 95 % band (2, m), and true (m,) or None; error is relative, over the
    distances that were observed."""

    r: Array
    fitted: Array
    band: Array
    truth: Array | None
    error: float


def run(recipe: Infer, progress: Progress = lambda share, text: None) -> Result:
    """Run `defects.infer`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    begun = first(recipe, progress)
    made: Inferred = begun.content
    if made.library is None or made.score is None:
        return begun
    recipe = cast(Infer, begun.recipe)
    seconds = dict(begun.seconds)
    lap = _laps(seconds)
    found, known, best, identifiable = made.snapshots, made.score, made.estimates[0], not made.ratio
    progress(0.6, "flow, entropy and maps")
    force = estimate.force_of(made.library, best.theta)
    good = identifiable and best.D > 0
    check = fokker_planck.check(known, found, force, best.D, recipe.seed) if good else None
    progress(0.7, "flow, entropy and maps")
    maps = fokker_planck.maps(known, found, force if good else None, best.D)
    progress(0.8, "flow, entropy and maps")
    alone = fokker_planck.noise(found, force, best.D, _halves(recipe, found)) if good and recipe.model is None else None
    lap("maps")
    held = None
    if recipe.held_out and identifiable and best.name == "weak" and len(found.times) > data.FEWEST_TIMES:
        progress(0.9, "predicting the last snapshot")
        held = _held_out(recipe, found)
        lap("held_out")
    made = replace(made, maps=maps, check=check, held_out=held, fokker_planck_noise=alone)
    return replace(
        begun,
        content=made,
        files=files.writers(recipe, made),
        metrics=dict(begun.metrics) | judged.later(made),
        baselines=dict(begun.baselines) | judged.no_change(held),
        warnings=unique([*begun.warnings, *judged.close(made)]),
        seconds=seconds,
    )


def first(recipe: Infer, progress: Progress = lambda share, text: None) -> Result:
    """Verdict and fit, and what leaves something out: all of `run` but the maps, the flow and the snapshot left out, which take
    as long again. Raises as `run` does."""
    return kept.begun(recipe, lambda: _first(recipe, progress))


def _first(recipe: Infer, progress: Progress) -> Result:
    pick("cpu")
    seconds: dict[str, float] = {}
    lap = _laps(seconds)
    progress(0.0, "reading the snapshots")
    found = data.opened(recipe)
    notices = list(found.notices)
    if recipe.library is None:
        recipe = recipe.replace(library="pair" if found.particles > 1 else "gradient")
    library = estimate.library_of(recipe, found)
    lap("data")
    progress(0.1, "testing for change")
    change = _change(recipe, found, library)
    if found.number_changes:
        return _refused(recipe, found, change, notices, seconds)
    progress(0.15, "fitting the weak form")
    identifiable = change >= gates.CHANGED
    fitted: weak.Fit | propagated.Propagated
    known: estimate.Equations | None = None
    if recipe.estimators[0] == "propagated" and identifiable:
        if found.particles > 1 or found.box is not None:
            raise RecipeError("estimators: propagated is for single particles without a box; choose weak.")
        fitted = estimate.propagate(recipe, found)
        library = fitted.library
        best, j_test = Estimate("propagated", fitted.theta, fitted.D, fitted.draws), fitted.misfit
    else:
        known = estimate.equations(recipe, found, library)
        fitted = estimate.weakly(recipe, found, library, None if identifiable else 1.0, known)
        best, j_test = Estimate("weak", fitted.theta, fitted.D, fitted.draws), fitted.j_test
    lap(best.name)
    progress(0.3, "the score")
    recipe, told = _score(recipe, found)
    lap("score")
    others = []
    if identifiable:
        for name in recipe.estimators[1:]:
            progress(0.4, f"a second opinion: {name}")
            others.append(estimate.estimate(name, recipe, found, library, told))
            lap(name)
    estimates = (best, *others)
    verdict = gates.verdict(change, j_test, {one.name: one.D for one in estimates})
    progress(0.5, "beside it")
    baselines = _beside(recipe, found, library, known) if identifiable and known is not None else ()
    lap("baselines")
    finer = _finer(recipe, found, library) if identifiable else None
    pair = _pairs(found, library, fitted, finer) if identifiable and isinstance(fitted, weak.Fit) else {}
    lap("pairs")
    sure = told if identifiable and best.D > 0 else None
    noise = None if best.draws is None else spread.of(best.draws, best.theta, best.D, library, found, sure)
    made = Inferred(found, verdict, library, estimates, baselines, not identifiable, told, None, None, None, pair, noise)
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made),
        metrics=judged.numbers(made),
        baselines={one.name: judged.against_truth(one, made) for one in (*others, *baselines)},
        warnings=unique([*notices, *verdict.notices(), *judged.uncertain(made)]),
        seconds=seconds,
    )


def _laps(seconds: dict[str, float]) -> Callable[[str], None]:
    """Notes under a name how long it is since the last one."""
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[name], clock = now - clock, now

    return lap


def _score(recipe: Infer, found: data.Snapshots) -> tuple[Infer, score.Score]:
    """The network that the recipe names, else the score in closed form."""
    if recipe.model is None:
        return recipe, _SCORES.get((data.key(recipe), recipe.seed), lambda: score.closed(found, recipe.seed))
    from gen_core.defects import modelfile

    net, digest = modelfile.opened(recipe.model, recipe.weights, found)
    return recipe.replace(weights=digest), net


def _halves(recipe: Infer, found: data.Snapshots) -> list[score.ClosedScore]:
    """The scores of the two halves of single particles, which no choice of forces changes."""
    if found.particles > 1:
        return []
    key = data.key(recipe), recipe.seed
    return [_SCORES.get((*key, i), lambda i=i: fokker_planck.half(found, i, recipe.seed)) for i in (0, 1)]  # type: ignore[misc]


def _change(recipe: Infer, found: data.Snapshots, library: Library) -> float:
    """The change test, which depends on the forces no more than its test functions do."""
    key = data.key(recipe), recipe.seed, recipe.test_functions, isinstance(library, PairLibrary)
    tests = lambda: estimate.tests_of(recipe, found, library)  # noqa: E731
    return float(_CHANGES.get(key, lambda: gates.change_test(found.positions, tests(), found.followed)))


def _beside(recipe: Infer, found: data.Snapshots, library: Library, known: estimate.Equations) -> tuple[Estimate, ...]:
    """The weak form without instruments, and for several particles without interactions."""
    quick = recipe.replace(bootstrap=20)
    plain = weak.fit(known.sums, found.positions, library, known.tests, recipe.seed, 20, instruments=False, looks=known.looks)
    out = [Estimate("no_instruments", plain.theta, plain.D)]
    if isinstance(library, PairLibrary):
        alone = estimate.weakly(quick.replace(library="gradient", pair_law="radial"), found, library.trap)
        padded = np.concatenate([alone.theta, np.zeros(len(library.names) - len(alone.theta))])
        out.append(Estimate("no_interactions", padded, alone.D))
    return tuple(out)


def _held_out(recipe: Infer, found: data.Snapshots) -> heldout.HeldOut:
    fewer = found.first(len(found.times) - 1)
    library = estimate.library_of(recipe, fewer)
    fitted = estimate.weakly(recipe.replace(bootstrap=20), fewer, library)
    return heldout.predicted(found, estimate.force_of(library, fitted.theta), fitted.D, recipe.seed)


def _finer(recipe: Infer, found: data.Snapshots, library: Library) -> tuple[PairLibrary, weak.Fit] | None:
    """The fit with more splines, where the law of the pairs is in splines: how far it lies away tells of their own error."""
    if not isinstance(library, PairLibrary) or library.laws.names == ("strength",):
        return None
    apart = np.concatenate([distances(x[: 4_000 // found.particles], found.box) for x in found.positions])
    more = replace(library, laws=radial(apart, FINER))
    return more, estimate.weakly(recipe.replace(bootstrap=20), found, more)


def _pairs(
    found: data.Snapshots, library: Library, fitted: weak.Fit, finer: tuple[PairLibrary, weak.Fit] | None = None
) -> dict[str, PairLaw]:  # fmt: skip
    """The laws of the distance with their bands, over the distances that were observed. A band is the 95 % interval of the
    bootstrap, wider by the largest difference of a `finer` law near each distance."""
    from scipy.ndimage import maximum_filter1d

    if not isinstance(library, PairLibrary):
        return {}
    apart = np.concatenate([distances(x[:200], found.box) for x in found.positions])
    r = np.linspace(0, float(np.quantile(apart, 0.99)), 200)
    seen = np.sort(apart[apart < r[-1]])[:: max(len(apart) // 2_000, 1)]
    out = {}
    for kind in library.kinds:
        sign = -1.0 if kind == "unlike" else 1.0
        truth = None if found.world is None or found.world.pair is None else sign * found.world.pair(r)
        error = float("nan")
        if found.world is not None and found.world.pair is not None:
            error = metrics.relative(library.law(fitted.theta, kind, seen), sign * found.world.pair(seen))
        band = np.quantile(library.law(fitted.draws[:, :-1], kind, r), [0.025, 0.975], axis=0)
        law = library.law(fitted.theta, kind, r)
        if finer is not None:
            bias = maximum_filter1d(np.abs(finer[0].law(finer[1].theta, kind, r) - law), len(r) // 8)
            band = band + np.array([-1.0, 1.0])[:, None] * bias
        out[kind] = PairLaw(r, law, band, truth, error)
    return out


def _refused(recipe: Infer, found: data.Snapshots, change: float, notices: list[Notice], seconds: dict[str, float]) -> Result:
    """The result where the number of particles changes: the reason, and no force."""
    assert found.counts is not None
    told = gates.verdict(change, float("nan"), {"weak": float("nan")}, number_changes=True)
    made = Inferred(found, told, None, (), (), False, None, None, None, None, {})
    numbers: dict[str, float | int | str | bool | None] = {
        "D": None, "D_low": None, "D_high": None, "change_test": change, "j_test": None,
        "particles_first": float(found.counts[0]), "particles_last": float(found.counts[-1]),
    }  # fmt: skip
    return Result(recipe, made, files.writers(recipe, made), numbers, {}, unique([*notices, *told.notices()]), seconds)
