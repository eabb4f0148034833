"""The table that says how far to trust a prediction: every type left out in turn, every predictor, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gen_core.cells import intervals, metrics
from gen_core.cells.folds import Fold
from gen_core.cells.shift import PREDICTORS
from gen_core.memo import Memo

if TYPE_CHECKING:
    from gen_core.cells.perturb import Prediction
    from gen_core.cells.study import Study

Array = np.ndarray
ROWS = (*PREDICTORS, "ceiling")
MEAN = "mean of the types"


def table(made: Prediction) -> pd.DataFrame:
    """One row per left-out type and predictor, and per predictor the mean over types.

    Columns: cell_type, predictor, role ("source" types chose and calibrated the prediction, the "target" only scores it),
    n_control, n_perturbed, every score, and for those that need means only `SCORE_low` and `SCORE_high`, the central 90 %
    when the type's cells (or donors) are resampled.
    """
    study = made.study
    held = dict(made.folds.folds)
    at_measured = study.dose is not None or made.recipe.dose == 1
    if made.fold is not None and at_measured:
        held[study.target] = made.fold
    rows, draws = [], {}
    for name, fold in sorted(held.items()):
        role = "target" if name == study.target and not study.from_new_file else "source"
        spread = _draws(study, name, fold, made.recipe.dose if role == "target" else made.folds.dose)
        draws[name] = spread
        for predictor in ROWS:
            row: dict[str, Any] = {
                "cell_type": name,
                "predictor": predictor,
                "role": role,
                "n_control": fold.n_control,
                "n_perturbed": fold.n_perturbed,
            }
            rows.append(row | dict(fold.scores[predictor]) | _bounds(fold.scores[predictor], spread.get(predictor, {})))
    for predictor in ROWS if held else ():
        mean = {score: float(np.nanmean([fold.scores[predictor][score] for fold in held.values()])) for score in metrics.NAMES}
        pooled = (
            {score: np.mean([d[predictor][score] for d in draws.values()], axis=0) for score in intervals.METRICS}
            if predictor in PREDICTORS
            else {}
        )
        total = {"n_control": sum(f.n_control for f in held.values()), "n_perturbed": sum(f.n_perturbed for f in held.values())}
        rows.append({"cell_type": MEAN, "predictor": predictor, "role": "mean"} | total | mean | _bounds(mean, pooled))
    columns = ["cell_type", "predictor", "role", "n_control", "n_perturbed"]
    for score in metrics.NAMES:
        columns += [score] + ([f"{score}_low", f"{score}_high"] if score in intervals.METRICS else [])
    return pd.DataFrame(rows, columns=columns)


KEPT = Memo(64 << 20, lambda frame: 1 << 20)


def reference(made: Prediction) -> pd.DataFrame:
    """The table at the dose that was measured, whatever the dose asked for: kept, since a slider does not change it."""
    from gen_core.cells.perturb import predict

    dose = made.folds.dose
    key = (made.study.id, made.recipe.shift, dose)
    found: pd.DataFrame = KEPT.get(key, lambda: predict(made.recipe.replace(dose=dose)).held_out)
    return found


def _draws(study: Study, name: str, fold: Fold, dose: float) -> dict[str, dict[str, Array]]:
    """Resampled scores (B,) by predictor."""
    again = intervals.resampled(study, name, dose)
    return {predictor: again.scores(fold.moved(predictor), fold.truth) for predictor in fold.shifts}


def _bounds(scores: Mapping[str, float], draws: dict[str, Array]) -> dict[str, float]:
    spans = {name: intervals.span(scores[name], values) for name, values in draws.items()}
    return {f"{name}_low": low for name, (low, _) in spans.items()} | {f"{name}_high": high for name, (_, high) in spans.items()}
