"""Draw events of a model, and tell how far they are from the truth and how many a second there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import numpy as np

from gen_core import kept
from gen_core.detector import evaluate, files, measure, modelfile, observables
from gen_core.detector.draw import Source, clock, rate, source_of
from gen_core.detector.evaluate import CURVE, USUAL
from gen_core.detector.pareto import hours_for
from gen_core.detector.recipe import Asked, Generate
from gen_core.detector.simulate import World
from gen_core.detector.spool import Spool
from gen_core.detector.truth import Truth, truth_of
from gen_core.device import pick
from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.result import Notice, Result, unique

Array = np.ndarray
Progress = Callable[[float, str], None]
SHOWN = 20_000  # events that are kept at hand and measured; all of them are in the files
TRACKED = 1_000  # events in which tracks are looked for
TIMED = 0.2  # seconds of drawing from which on they tell the speed themselves
PATIENCE = 50  # events drawn for one of the numbers of hits that is asked for
FEW = 1_000  # events below which classifiers and correlations tell little
_TABLES = Memo(16 << 20, lambda found: 1 << 14)
_JUDGED = Memo(16 << 20, lambda found: 1 << 12)
_RATES = Memo(1 << 20, lambda found: 256)


@dataclass(frozen=True, eq=False)
class Made:
    """Events drawn and what they are compared with."""

    spool: Spool
    hits: Array  # the first ones (m, layers, channels)
    truth: Truth
    world: World
    source: Source
    speeds: dict[str, float]
    tracks: dict[str, dict[str, float]] = field(default_factory=dict)  # observables of the events and of the truth, once found

    @property
    def hours(self) -> float:
        """Hours for 10^9 events at the speed measured here."""
        return hours_for(1e9, self.speeds["events_per_second"])


def run(recipe: Generate, progress: Progress = lambda share, text: None) -> Result:
    """Run `detector.generate`. Raises RecipeError, InputError and CheckpointError where it cannot be done."""
    begun = first(recipe, progress)
    recipe, made = cast(Generate, begun.recipe), begun.content
    world, truth, source = made.world, made.truth, made.source
    progress(0.3, "looking for tracks")
    tracks = {"generated": observables.summary(made.hits[:TRACKED], world), "truth": _of_truth(truth, world)}
    made = replace(made, tracks=tracks)
    last = {name: value for name, value in begun.metrics.items() if name == "kept_share"}
    numbers: dict[str, Any] = {k: v for k, v in begun.metrics.items() if k not in last} | tracks["generated"] | last
    if source.name in ("ar", "made") and source.learned is not None:
        numbers["log_likelihood_truth"] = float(evaluate.likelihoods(source.learned, truth.first[:2_000]).mean())
    baselines: dict[str, dict[str, Any]] = {name: dict(row) for name, row in begun.baselines.items()}
    if recipe.classifiers:
        said = measure.classified(made.hits, truth.first, recipe.seed, lambda: progress(0.4, "asking classifiers"))
        numbers = measure.with_classifiers(numbers, said)
        told = lambda: progress(0.6, "asking them of the truth itself")  # noqa: E731
        for name, said in _judged(truth, told).items():
            baselines[name] = measure.with_classifiers(baselines[name], said)
    baselines["floor"] |= tracks["truth"]
    return replace(begun, content=made, files=files.writers(recipe, made), metrics=numbers, baselines=baselines)


def first(recipe: Generate, progress: Progress = lambda share, text: None) -> Result:
    """The events, and how far they are from the truth as far as that is told at once: all of `run` but the tracks, and what
    classifiers say. Raises as `run` does."""
    plain = recipe.replace(classifiers=False)
    found = kept.begun(plain, lambda: _drawn(plain, progress))
    return replace(found, recipe=found.recipe.replace(classifiers=recipe.classifiers))


def _drawn(recipe: Generate, progress: Progress) -> Result:
    pick("cpu")
    recipe, source, notices = prepared(recipe)
    world = recipe.world()
    truth, source = beside(recipe, source)
    progress(0.0, "drawing events")
    spool, began, told, seen = Spool(source.shape), clock(), 0, list[int]()
    for some in conditioned(source, recipe, seen):
        spool.add(some)
        if spool.n - told >= recipe.n // 50:
            told = spool.n
            progress(0.2 * spool.n / recipe.n, f"{spool.n:,} of {recipe.n:,} events")
    seconds = clock() - began
    hits = spool.first(SHOWN)
    progress(0.2, "comparing them with the truth")
    share = spool.n / sum(seen) if seen else 1.0
    own = (sum(seen) or spool.n) / seconds if seconds > TIMED else None
    speeds = {name: share * value for name, value in _speeds(source, recipe, own).items()}
    numbers = measure.counted(hits, truth.first) | speeds | ({"kept_share": share} if seen else {})
    return Result(
        recipe=recipe,
        content=Made(spool, hits, truth, world, source, speeds),
        files={},
        metrics=numbers,
        baselines=_tables(truth, world),
        warnings=unique([*notices, *_told(recipe, truth, source)]),
        seconds={"drawing": seconds, "billion_events": 1e9 / speeds["events_per_second"]},
    )


def prepared(recipe: Any) -> tuple[Any, Source, list[Notice]]:
    """The recipe with its weights and steps filled in, what draws its events, and what must be told of it.

    Raises RecipeError where the model is of another shape than the tracker.
    """
    notices = []
    if recipe.model in modelfile.UNLEARNED:
        kind, card = recipe.model, {}
    else:
        card = modelfile.open_card(recipe.model)
        kind = str(card.get("kind"))
        recipe = recipe.replace(weights=recipe.weights or card.get("sha256"))
        _same_shape(recipe, card)
        learned = modelfile.world_of(card)
        if learned is not None and learned != recipe.world():
            notices.append(
                Notice(
                    "out_of_distribution",
                    "The model has learned another tracker than the one set here; the truth is of this one.",
                )
            )
    if kind in CURVE:
        recipe = recipe.replace(steps=recipe.steps or USUAL)
    elif recipe.steps is not None:
        notices.append(Notice("steps_ignored", f"{kind} has no number of steps to choose; K is of masked and middle."))
    if kind == "middle" and recipe.steps > max(CURVE["middle"]):
        notices.append(Notice("out_of_distribution", f"middle has learned 2 to 8 steps; {recipe.steps} are more than it knows."))
    how = {"temperature": recipe.temperature, "order": recipe.order if kind == "masked" else "spread"}
    if kind in modelfile.UNLEARNED and recipe.temperature != 1:
        notices.append(Notice("temperature_ignored", f"{kind} has no temperature."))
    return recipe, source_of(recipe.model, recipe.world(), recipe.weights, recipe.steps, **how), notices


def _same_shape(recipe: Asked, card: dict[str, Any]) -> None:
    layers, channels = card["shape"]
    if (layers, channels) != (recipe.layers, recipe.channels):
        if getattr(recipe, "data", None):
            raise RecipeError(
                f"model: {recipe.model[:30]!r} draws {layers} layers of {channels} channels, your hits have {recipe.layers} of "
                f"{recipe.channels}; name a model that has learned such hits, or train one on them (detector.train)."
            )
        raise RecipeError(
            f"model: {recipe.model[:30]!r} draws {layers} layers of {channels} channels, and the tracker has {recipe.layers} of "
            f"{recipe.channels}; set layers and channels to that, or name another model."
        )


def beside(recipe: Generate, source: Source) -> tuple[Truth, Source]:
    """The truth of a recipe, and what draws its events: of own hits, independent channels have the frequencies.

    Raises RecipeError where numbers of hits are asked for that no event had which the model has learned from.
    """
    card = {} if source.learned is None else source.learned.card
    data = recipe.data or card.get("content")
    truth = truth_of(recipe.world(), data, min(recipe.n, SHOWN), recipe.seed, learned=data == card.get("content"))
    check_bounds(recipe, card, truth)
    if source.name == "independent" and truth.own:
        source = replace(source, frequencies=truth.second.mean(0))
    return truth, source


def check_bounds(recipe: Generate, card: dict[str, Any], truth: Truth) -> None:
    """Raise RecipeError where numbers of hits are asked for that no event had which the model has learned from."""
    if recipe.multiplicity is None:
        return
    low, high = recipe.multiplicity
    if low > high:
        raise RecipeError(
            f"multiplicity: the fewest hits ({low}) are more than the most ({high}); give the smaller number first."
        )
    sums = truth.first.sum((1, 2))
    least, most = card.get("multiplicity") or (int(sums.min()), int(sums.max()))
    if low > most or high < least:
        raise RecipeError(
            f"multiplicity: {low} to {high} hits lie outside of what was learned from; its events have {least} to {most} hits."
        )


def conditioned(source: Source, recipe: Generate, drawn: list[int]) -> Iterator[Array]:
    """Batches of the events that are asked for; with bounds of their hits, `drawn` takes the number of all that were drawn.

    Raises RecipeError where they are met too rarely.
    """
    if recipe.multiplicity is None:
        yield from source.batches(recipe.n, recipe.batch, recipe.seed)
        return
    low, high = recipe.multiplicity
    found = 0
    for some in source.batches(recipe.n * PATIENCE, recipe.batch, recipe.seed):
        sums = some.sum((1, 2))
        kept = some[(sums >= low) & (sums <= high)][: recipe.n - found]
        found += len(kept)
        drawn.append(len(some))
        yield kept
        if found >= recipe.n:
            return
    raise RecipeError(
        f"multiplicity: of {sum(drawn):,} events only {found:,} had {low} to {high} hits; give wider bounds, or fewer events."
    )


def _speeds(source: Source, recipe: Generate, own: float | None) -> dict[str, float]:
    """Events a second in batches of one, of a hundred and of the recipe's size, measured once while the programme runs.

    `own` is what the events themselves took, where that was long enough to be told.
    """
    name = (recipe.weights or source.name, source.world, recipe.steps, recipe.order)
    out = {f"batch{size}.events_per_second": _RATES.get((name, size), partial(rate, source, size)) for size in (1, 100)}
    if own is not None:
        return out | {"events_per_second": own}
    size = min(recipe.batch, max(recipe.n, 100), 10_000)
    return out | {"events_per_second": _RATES.get((name, size), partial(rate, source, size))}


def _of_truth(truth: Truth, world: World) -> dict[str, float]:
    """The same of the truth, and where its tracks are known also how many of them the finder finds, and how many it makes up."""
    found = observables.find(truth.first[:TRACKED], world)
    told = observables.summary(truth.first[:TRACKED], world, found)
    return told if truth.tracks is None else told | observables.efficiency(found, truth.tracks[:TRACKED], world)


def _tables(truth: Truth, world: World) -> dict[str, dict[str, Any]]:
    """What the truth scores against itself, and channels on their own, without classifiers: kept, since no model changes them."""

    def make() -> dict[str, dict[str, Any]]:
        speeds = _RATES.get(world, lambda: evaluate.rates(Source("simulator", world)))
        return {
            "floor": measure.counted(truth.second, truth.first) | speeds,
            "independent": measure.counted(evaluate.on_their_own(truth), truth.first),
        }

    found: dict[str, dict[str, Any]] = _TABLES.get(truth.key, make)
    return found


def _judged(truth: Truth, told: Callable[[], None]) -> dict[str, dict[str, float]]:
    """What classifiers say of the same, kept likewise."""

    def make() -> dict[str, dict[str, float]]:
        return {
            "floor": measure.classified(truth.second, truth.first, 0, told),
            "independent": measure.classified(evaluate.on_their_own(truth), truth.first, 0, told),
        }

    found: dict[str, dict[str, float]] = _JUDGED.get(truth.key, make)
    return found


def _told(recipe: Generate, truth: Truth, source: Source) -> list[Notice]:
    notices = []
    if not truth.own:
        notices.append(Notice("synthetic_data", "The truth is a toy tracker: its events are simulated, not measured."))
    if source.learned is not None and not truth.own:
        notices.append(
            Notice(
                "adds_nothing",
                "The toy simulator is faster than any of the models. A real one takes seconds an event, and there they pay.",
            )
        )
    if (n := min(recipe.n, len(truth.first))) < FEW:
        more = "the file has no more that may be used" if n < recipe.n else "draw more to tell models apart"
        notices.append(Notice("few_samples", f"With {n:,} events the floor itself is high; {more}."))
    return notices
