"""What a reader of a prediction must be told, as warnings with codes that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.cells.folds import SAME
from gen_core.cells.shift import BASELINES
from gen_core.datasets import DATA
from gen_core.result import Notice, unique

if TYPE_CHECKING:
    from gen_core.cells.perturb import Prediction

FEW_CELLS, FEW_SOURCES = 20, 3
UNLIKE = 1.5  # times the largest distance that a source type has to its nearest other type
STRANGE = 95.0  # percentile from which points count as off the manifold


def warnings_of(made: Prediction, numbers: dict[str, Any]) -> tuple[Notice, ...]:
    """The warnings of a prediction, the gravest first."""
    study, recipe = made.study, made.recipe
    found: list[Notice] = []
    say = lambda code, text: found.append(Notice(code, text))  # noqa: E731
    if any(d.name == recipe.data and d.synthetic for d in DATA):
        say("synthetic_data", "These cells are synthetic: made by a simulator, measured nowhere.")
    if made.fold is None:
        where = f" at dose {recipe.dose:g}" if study.dose is not None and len(study.rows(study.target, True)) else ""
        say(
            "no_truth",
            f"No {recipe.perturbed!r} cells of {study.target!r}{where} were measured, so this prediction cannot be scored; "
            "judge it by how the other types were predicted.",
        )
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
            f"{study.target!r} has {len(study.asked)} control and {len(made.observed)} perturbed cells; such scores are noise.",
        )
    _adds_nothing(made, say)
    if numbers["off_manifold_percentile"] > STRANGE:
        say(
            "off_manifold",
            f"The predicted cells lie farther from any measured cell than {numbers['off_manifold_percentile']:.0f} % of cells "
            "lie from each other: nothing like them was seen.",
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
    own = held_out.mean(used, "pearson_delta_all")
    best = max(simpler, key=lambda name: held_out.mean(name, "pearson_delta_all"))
    if held_out.mean(best, "pearson_delta_all") >= own - SAME:
        say(
            "adds_nothing",
            f"On the other types {best!r}, which is simpler, predicts as well or better "
            f"({held_out.mean(best, 'pearson_delta_all'):.3f} against {own:.3f}).",
        )
