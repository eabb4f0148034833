"""What the numbers of a run say and what they do not, as sentences: each only where the numbers of this very run say so."""

from __future__ import annotations

import numpy as np

from gen_core.result import Notice
from gen_core.symmetry import modelfile
from gen_core.symmetry.recipe import KINDS, Recover, Rotate
from gen_core.symmetry.solved import GAUSSIAN, LASSO, Recovered, Turned

Array = np.ndarray
CONTROL = "augmented"
FEW = 20  # pictures below which an interval is wide
LITTLE = 15  # measurements that are few
LEAST = 4  # pictures without which nothing is claimed


def of_turn(made: Turned, recipe: Rotate) -> list[Notice]:
    """How the code was turned, where that needs to be said."""
    out = []
    if made.kind in ("plain", "augmented"):
        out.append(
            Notice(
                "no_action",
                "This network has no way to turn a code: the code whose picture is nearest to the turned one was searched for, "
                "so that no motion of codes could do better.",
            )
        )
    elif made.used != made.angle:
        out.append(
            Notice(
                "nearest_element",
                f"{made.angle:g}° is no element of {made.kind.upper()}: the code was turned by the nearest one, {made.used:g}°.",
            )
        )
    elif made.kind != "orbit" and made.angle % (360 / int(made.kind[1:])):
        out.append(
            Notice(
                "between_elements",
                f"{made.angle:g}° is no element of {made.kind.upper()}: the Fourier parts of the code were turned by it, which "
                "the network follows only about.",
            )
        )
    if recipe.model not in KINDS and modelfile.learned_from(recipe.model, recipe.dim) != "galaxies":
        out.append(
            Notice(
                "other_pictures",
                "The bundled networks learned from other pictures and draw such: an error of theirs is no comparison, so none "
                "stands beside this one.",
            )
        )
    contrast = made.pictures.std((1, 2))
    if contrast.min() < 0.02:
        out.append(
            Notice("flat_output", "Some of these codes draw a nearly flat picture, whose error in dB is small for that alone.")
        )
    return out


def of_recovery(made: Recovered, recipe: Recover) -> list[Notice]:
    """The honest reading of curves of recovery."""
    out: list[Notice] = []
    names, count = made.networks, made.different
    if count < 2:
        out.append(Notice("few_samples", "Only one picture: intervals need more of them, and none is given."))
    elif count < FEW and count == len(made.truth) == recipe.images:  # else it was told with those that were kept aside
        out.append(Notice("few_samples", f"Only {count} pictures: the intervals are wide."))
    fit = [name for name in names if modelfile.learned_from(name, recipe.dim) == recipe.data]
    other = [modelfile.called(name) for name in names if name not in fit]
    if other:
        out.append(
            Notice(
                "out_of_distribution",
                f"{listed(other)} learned from other pictures than these, and {'are' if len(other) > 1 else 'is'} not compared "
                "with those that learned from such.",
            )
        )
    if recipe.test == "turned" and "plain" in fit:
        out.append(
            Notice("unfair", "The plain model saw upright pictures alone, and these are turned: augmented is the fair control.")
        )
    if count >= LEAST:
        for name in fit:
            if CONTROL in fit and name not in (CONTROL, "plain"):
                out += _against(made, name)
        out += _few(made, fit)
        out += _gaussian(made, fit)
        out += _classical(made, fit)
    numbers = recipe.dim if any(name in KINDS for name in names) else 0
    below = [str(m) for m in made.measurements if m < numbers]
    if below:
        out.append(
            Notice(
                "fewer_than_code",
                f"With {listed(below)} measurements there are fewer than the {numbers} numbers of a code: the prior fills in "
                "the rest.",
            )
        )
    return out


def _against(made: Recovered, name: str) -> list[Notice]:
    """A model beside the control: whether it gains, and whether the gap is told apart from that of what the two can draw."""
    m, called = made.measurements[-1], modelfile.called(name)
    value, low, high = made.mean(made.errors[CONTROL][m] - made.errors[name][m])
    if low <= 0 <= high:
        return [
            Notice(
                "adds_nothing",
                f"With {m} measurements {called} is not told apart from {CONTROL}: the interval of the gap holds zero.",
            )
        ]
    if value < 0:
        return [Notice("adds_nothing", f"With {m} measurements {called} is worse than {CONTROL} by {-value:.4f}.")]
    floors = made.floors[CONTROL] - made.floors[name]
    wider: list[str] = []
    same: list[str] = []
    for k in made.measurements:
        gap = made.mean(made.errors[CONTROL][k] - made.errors[name][k])
        rest = made.mean(made.errors[CONTROL][k] - made.errors[name][k] - floors)
        if gap[1] > 0:
            (wider if rest[1] > 0 else same).append(str(k))
    gains = (
        f"With {m} measurements {called} beats {CONTROL} by {value:.4f} ({low:.4f} to {high:.4f}); what the two can draw at best "
        f"differs by {float(floors.mean()):.4f}."
    )
    out = []
    if same:
        text = f"With {listed(same)} measurements the gap is not wider than that."
        out.append(Notice("gap_is_floor", f"{gains} {text}"))
    if wider:
        text = f"With {listed(wider)} measurements the gap of {called} is wider than that of what the two can draw."
        out.append(Notice("gap_over_floor", text if same else f"{gains} {text}"))
    return out


def _few(made: Recovered, names: list[str]) -> list[Notice]:
    """At how few measurements no gain over the control is seen."""
    rivals = [name for name in names if name not in (CONTROL, "plain")]
    if CONTROL not in names or not rivals:
        return []
    none = []
    for m in made.measurements:
        gains = [made.mean(made.errors[CONTROL][m] - made.errors[name][m])[1] for name in rivals]
        if m <= LITTLE and max(gains) <= 0:
            none.append(str(m))
    if not none:
        return []
    return [Notice("no_gain_at_few", f"With {listed(none)} measurements no gain of a symmetry over {CONTROL} is seen.")]


def _gaussian(made: Recovered, names: list[str]) -> list[Notice]:
    """The networks beside a Gaussian prior: who is better, from the intervals of the paired differences."""
    if not names:
        return []
    errors = made.errors[GAUSSIAN]
    gaps = {m: {name: made.mean(made.errors[name][m] - errors[m]) for name in names} for m in made.measurements}
    wins = [m for m, row in gaps.items() if all(low > 0 for _, low, _ in row.values())]
    out = []
    if wins:
        m = wins[-1]
        best = min(names, key=lambda name: float(made.errors[name][m].mean()))
        told = f"{float(errors[m].mean()):.2g} against {float(made.errors[best][m].mean()):.2g} of {modelfile.called(best)}"
        told += ", the best of them" * (len(names) > 1) + f" (with {m})" * (len(wins) > 1)
        out.append(
            Notice(
                "gaussian_wins",
                f"With {listed([str(k) for k in wins])} measurements a Gaussian prior, which is the mean and the covariance of "
                f"such pictures, recovers better than {'every network' if len(names) > 1 else 'the network'} here: an error of "
                f"{told}.",
            )
        )
    rest = {m: row for m, row in gaps.items() if m not in wins}
    said: dict[tuple[str, tuple[int, ...]], list[str]] = {}  # those of whom the same is true, in one sentence
    for name in names:
        better = tuple(m for m, row in rest.items() if row[name][2] < 0)
        worse = tuple(m for m, row in rest.items() if row[name][1] > 0)
        same = tuple(m for m in rest if m not in better + worse)
        for told, found in (("better than", better), ("not told apart from", same), ("worse than", worse)):
            if found:
                said.setdefault((told, found), []).append(modelfile.called(name))
    for (told, found), called in said.items():
        at, verb = listed([str(m) for m in found]), "is" if len(called) == 1 else "are"
        code = "beats_gaussian" if told == "better than" else "adds_nothing"
        out.append(Notice(code, f"With {at} measurements {listed(called)} {verb} {told} a Gaussian prior."))
    return out


def _classical(made: Recovered, names: list[str]) -> list[Notice]:
    m = made.measurements[-1]
    lasso = float(made.errors[LASSO][m].mean())
    beaten = [modelfile.called(name) for name in names if float(made.errors[name][m].mean()) >= lasso]
    if not beaten:
        return []
    return [
        Notice(
            "adds_nothing",
            f"With {m} measurements the sparse cosine transform, which learned nothing, is as good as {listed(beaten)} or "
            "better.",
        )
    ]


def listed(names: list[str]) -> str:
    """Names with commas and a last "and" between them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
