"""What a reader of a prediction must be told, as warnings with codes that stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.cells.folds import SAME
from gen_core.cells.shift import BASELINES
from gen_core.datasets import named
from gen_core.result import Notice, unique

if TYPE_CHECKING:
    from gen_core.cells.perturb import Prediction

# Warnings with which no score is a recommendation.
DOUBTS = {"types_differ", "adds_nothing", "confounded", "extrapolated_dose", "few_samples", "off_manifold", "out_of_distribution"}
FEW_CELLS, FEW_SOURCES = 20, 3
UNLIKE = 1.5  # times the largest distance that a source type has to its nearest other type
ALIKE = 0.5  # share of the responses that one constant vector must explain to be called a common response
STRANGE = 95.0  # percentile from which points count as off the manifold


@dataclass(frozen=True)
class Verdict:
    """A prediction's score in a few words; `good` is None where it neither recommends nor advises against it."""

    text: str
    good: bool | None


def verdict(made: Prediction, warnings: Iterable[Notice]) -> Verdict | None:
    """How a scored prediction stands: against doing nothing, against the best other baseline, and with its warnings."""
    if made.fold is None:
        return None
    own = made.fold.correlation(made.predictor)
    theirs = max(made.fold.correlation(name) for name in BASELINES if name != made.predictor)
    if made.fold.scores[made.predictor]["e_distance_relative"] > 1:
        return Verdict("Farther off than doing nothing", False)
    if not own > theirs - SAME:
        return Verdict("A baseline is better", False)
    if own <= theirs + SAME:
        return Verdict("A baseline is as good", None)
    if any(warning.code in DOUBTS for warning in warnings):
        return Verdict("Ahead of every other baseline, with a warning", None)
    return Verdict("Beats every other baseline", True)


def warnings_of(made: Prediction, numbers: dict[str, Any]) -> tuple[Notice, ...]:
    """The warnings of a prediction, the gravest first."""
    study, recipe = made.study, made.recipe
    found: list[Notice] = []
    say = lambda code, text: found.append(Notice(code, text))  # noqa: E731
    if (known := named(recipe.data)) and known.synthetic:
        say("synthetic_data", "These cells are synthetic: made by a simulator, measured nowhere.")
    if study.saw_target:
        say(
            "target_in_training",
            f"This model learned from the {study.label(study.end)!r} cells of {study.target!r}, so it is not scored on them; "
            "train one without them.",
        )
    elif recipe.second is not None:
        both = f"{recipe.perturbed!r} and {recipe.second!r}"
        say(
            "no_truth",
            f"The sum of the responses to {both} was measured nowhere here and cannot be scored; each is taken as if the other "
            "did not change it.",
        )
    elif made.fold is None:
        where = f" at dose {recipe.dose:g}" if study.dose is not None and len(study.rows(study.target, True)) else ""
        cells = f"{study.label(study.end)!r} cells of {study.target!r}{where} were"
        missing = f"The new donor's {cells} not measured" if study.from_new_file else f"No {cells} measured"
        say("no_truth", f"{missing}, so this prediction cannot be scored; judge it by how the other types were predicted.")
    _similarity(made, say)
    if len(study.sources) < FEW_SOURCES:
        say(
            "few_samples",
            f"The response is taken from {len(study.sources)} other type{'s' * (len(study.sources) > 1)} only; "
            f"with fewer than {FEW_SOURCES} nothing tells how much types differ.",
        )
    if min(len(study.asked), len(made.observed) or 10**9) < FEW_CELLS:
        say(
            "few_samples",
            f"{study.target!r} has {len(study.asked)} {study.start} and {len(made.observed)} {study.end} cells; "
            "such scores are noise.",
        )
    _adds_nothing(made, say)
    if numbers["off_manifold_percentile"] > STRANGE:
        say(
            "off_manifold",
            f"The predicted cells lie farther from any measured cell than {numbers['off_manifold_percentile']:.0f} % of cells "
            "lie from each other: nothing like them was seen.",
        )
    if len(study.sources) >= FEW_SOURCES and made.likeness.share < ALIKE:
        say(
            "types_differ",
            f"One constant shift explains {100 * made.likeness.share:.0f} % of the types' responses in this latent space: "
            "they respond in unlike ways, and an average of them is nobody's response.",
        )
    if study.dose is not None and recipe.dose > study.doses[-1]:
        say("extrapolated_dose", f"Dose {recipe.dose:g} lies above the highest measured one ({study.doses[-1]:g}).")
    if study.dose is None and not 0 <= recipe.dose <= 1:
        say("extrapolated_dose", f"A dose of {recipe.dose:g} times the measured shift was never measured.")
    return unique([*found, *study.notices])


def _similarity(made: Prediction, say: Any) -> None:
    """Warn where the target's control cells are unlike those of every source, by the sources' own standard."""
    study = made.study
    centroids = np.stack([study.responses[name].centroid for name in study.sources])
    gap = np.linalg.norm(centroids - study.codes[study.asked].mean(0), axis=1).min()
    if len(centroids) >= 3:
        among = np.linalg.norm(centroids[:, None] - centroids[None], axis=2)
        np.fill_diagonal(among, np.inf)
        if gap > UNLIKE * among.min(1).max():
            say(
                "out_of_distribution",
                f"{study.target!r} is less like any other type than these are like each other; its response may be its own.",
            )


def _adds_nothing(made: Prediction, say: Any) -> None:
    """Warn where a simpler predictor does as well on the types whose answer is known."""
    held_out, used = made.folds, made.predictor
    if used == "no_change" or not held_out.folds:
        return
    simpler = BASELINES[: BASELINES.index(used)] if used in BASELINES else BASELINES
    mean = lambda name: held_out.mean(name, "pearson_delta_all")  # noqa: E731
    best, check = max(simpler, key=mean), made.study.check
    if used == "latent" and check is not None and held_out.flattered:
        say(
            "adds_nothing",
            f"On {check.type!r}, whose response a second training left out, {held_out.rival!r}, which is simpler, is as good or "
            f"better (r {check.baselines[held_out.rival]:.3f} against {check.left_out:.3f}).",
        )
    elif mean(best) >= mean(used) - SAME:
        say(
            "adds_nothing",
            f"On the other types {best!r}, which is simpler, predicts as well or better "
            f"(mean r {mean(best):.3f} against {mean(used):.3f}).",
        )
