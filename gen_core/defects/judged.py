"""What an inference is judged by: its metrics, each estimate against the truth where that is known, and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core.defects import estimate, gates, heldout, metrics, spread
from gen_core.defects.estimate import Estimate
from gen_core.defects.libraries import Polynomial
from gen_core.defects.pair_libraries import PairLibrary
from gen_core.result import Metrics, Notice

if TYPE_CHECKING:
    from gen_core.defects.infer import Inferred

Array = np.ndarray


def numbers(made: Inferred) -> dict[str, float | int | str | bool | None]:
    """The metrics: D is null where the snapshots cannot tell it."""
    first = made.estimates[0]
    low, high = (None, None) if first.draws is None else np.quantile(first.draws[:, -1], [0.025, 0.975]).tolist()
    nothing = made.ratio
    numbers: dict[str, float | int | str | bool | None] = {
        "D": None if nothing else first.D,
        "D_low": None if nothing else low,
        "D_high": None if nothing else high,
        "change_test": made.verdict.change,
        "j_test": made.verdict.j_test,
        "disagreement": None if nothing else made.verdict.disagreement,
    }
    numbers |= {k: v for k, v in against_truth(first, made).items() if k != "D"}
    if made.spread is not None:
        numbers["drift_noise"] = made.spread.drift
    if made.pair:
        numbers["pair_force_error"] = max(law.error for law in made.pair.values())
    if isinstance(made.library, PairLibrary) and made.library.laws.names == ("strength",):
        numbers["strength"] = float(first.theta[-1])
    return numbers


def later(made: Inferred) -> dict[str, float | int | str | bool | None]:
    """The metrics of what is worked out last."""
    numbers: dict[str, float | int | str | bool | None] = {}
    if made.held_out is not None:
        numbers |= {"heldout_w1": made.held_out.w1, "heldout_w1_floor": made.held_out.floor}
    if made.check is not None:
        numbers |= {
            "fokker_planck_difference": _middle(made.check.difference),
            "entropy_production": float(np.trapezoid(made.check.entropy, made.check.times)),
            "fokker_planck_noise": made.fokker_planck_noise,
            "entropy_noise": None if made.spread is None else made.spread.entropy,
            "flow_w1": float(made.check.flow_w1[-1]),
            "stochastic_w1": float(made.check.stochastic_w1[-1]),
        }
    return numbers


def against_truth(one: Estimate, made: Inferred) -> dict[str, float | int | str | bool | None]:
    """An estimate against the truth, where that is known."""
    numbers: dict[str, float | int | str | bool | None] = {"D": one.D}
    world = made.snapshots.world
    if world is None or made.library is None:
        return numbers
    at = np.concatenate([x[: 10_000 // made.snapshots.particles] for x in made.snapshots.positions])
    truth = world.force(at) / (world.D if made.ratio else 1.0)
    found = estimate.force_of(made.library, one.theta)(at)
    d = made.snapshots.d
    if not made.ratio:
        numbers["D_error"] = abs(one.D - world.D) / world.D
    numbers["drift_error"] = metrics.relative(found, truth)
    numbers["drift_cosine"] = metrics.cosine(found.reshape(-1, d), truth.reshape(-1, d))
    numbers["drift_nmae"] = metrics.normalised_mae(found.reshape(-1, d), truth.reshape(-1, d))
    if world.window is not None:
        numbers |= _over_window(made, one, world.window)
    if isinstance(made.library, Polynomial) and made.ratio:
        numbers["drift_over_D_error"] = numbers.pop("drift_error")
    return numbers


def _over_window(made: Inferred, one: Estimate, window: float) -> dict[str, float]:
    """The drift over a square, as the paper of these landscapes judges it: mean absolute error of both components over the mean
    absolute truth, and the mean cosine."""
    assert made.library is not None
    assert made.snapshots.world is not None
    line = np.linspace(-window, window, 50)
    at = np.stack(np.meshgrid(line, line), -1).reshape(-1, 1, 2)
    found, truth = estimate.force_of(made.library, one.theta)(at)[:, 0], made.snapshots.world.force(at)[:, 0]
    return {
        "grid_nmae": float(np.abs(found - truth).sum() / np.abs(truth).sum()),
        "grid_cosine": metrics.cosine(found, truth),
    }


def _middle(values: Array) -> float:
    """The median of what is known."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def no_change(held: heldout.HeldOut | None) -> dict[str, Metrics]:
    return {} if held is None else {"no_change": {"heldout_w1": held.w1_no_change}}


def close(made: Inferred) -> list[Notice]:
    """The warning where the prediction is no better than taking the snapshot before."""
    held = made.held_out
    if held is None or held.w1 < held.w1_no_change or held.w1_no_change < 1.5 * held.floor:
        return []
    return [Notice("adds_nothing", "The snapshot before predicts the last one as well as the fitted motion does.")]


def uncertain(made: Inferred) -> tuple[Notice, ...]:
    """The warnings where the interval of D, or that of the drift, tells nothing."""
    first = made.estimates[0]
    told = () if made.spread is None else spread.notices(made.spread, made.verdict.j_test)
    if made.ratio or first.draws is None:
        return told
    low, high = np.quantile(first.draws[:, -1], [0.025, 0.975]).tolist()
    return (*gates.uncertain(first.D, low, high), *told)
