"""What the numbers of a run say and what they do not, as sentences: each only where the numbers of this very run say so."""

from __future__ import annotations

import numpy as np

from gen_core.result import Notice
from gen_core.symmetry import boots, modelfile
from gen_core.symmetry.recipe import Recover, Rotate
from gen_core.symmetry.solved import Recovered, Turned

Array = np.ndarray
CONTROL = "augmented"
FEW = 20  # pictures below which an interval is wide
LITTLE = 15  # measurements that are few
LASSO = "lasso"
CLOSE = 0.25  # share of a gap within which it is that of the floors


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
    contrast = made.pictures.std((1, 2))
    if contrast.min() < 0.02:
        out.append(
            Notice("flat_output", "Some of these codes draw a nearly flat picture, whose error in dB is small for that alone.")
        )
    return out


def of_recovery(made: Recovered, recipe: Recover) -> list[Notice]:
    """The honest reading of curves of recovery."""
    out: list[Notice] = []
    names = [name for name in made.models if name != LASSO]
    count = len(made.truth)
    if count < FEW:
        out.append(Notice("few_samples", f"Only {count} picture{'s' * (count != 1)}: the intervals are wide."))
    other = [name for name in names if _learned_on(name, recipe) != recipe.data]
    if other:
        out.append(
            Notice(
                "out_of_distribution",
                f"{_list(other)} learned from other pictures than these: nothing is known of how well such a prior fits.",
            )
        )
    if recipe.test == "turned" and "plain" in names:
        out.append(
            Notice("unfair", "The plain model saw upright pictures alone, and these are turned: augmented is the fair control.")
        )
    if len(names) and count >= 4:
        for name in names:
            if CONTROL in names and name not in (CONTROL, "plain"):
                out += _against(made, name)
        out += _few(made, names)
        out += _classical(made, names)
    below = [m for m in made.measurements if m < recipe.dim]
    if below and names:
        out.append(
            Notice(
                "fewer_than_code",
                f"With {_list([str(m) for m in below])} measurements there are fewer than the {recipe.dim} numbers of a code: "
                "the prior fills in the rest.",
            )
        )
    return out


def _against(made: Recovered, name: str) -> list[Notice]:
    """A model beside the control: whether it gains, where that is its floor alone, and where it is more."""
    m = made.measurements[-1]
    floors = made.floors[CONTROL] - made.floors[name]
    gap = made.errors[CONTROL][m] - made.errors[name][m]
    value, low, high = boots.mean(gap)
    if low <= 0 <= high:
        return [
            Notice(
                "adds_nothing",
                f"With {m} measurements {name} is not told apart from {CONTROL}: the interval of the gap holds zero.",
            )
        ]
    if value < 0:
        return [Notice("adds_nothing", f"With {m} measurements {name} is worse than {CONTROL} by {-value:.4f}.")]
    _, rest_low, rest_high = boots.mean(gap - floors)
    gains = (
        f"With {m} measurements {name} beats {CONTROL} by {value:.4f} ({low:.4f} to {high:.4f}), and what the two can draw at "
    )
    gains += f"best differs by {float(floors.mean()):.4f}"
    if rest_low <= 0 <= rest_high or abs(value - float(floors.mean())) < CLOSE * value:
        out = [
            Notice(
                "gap_is_floor",
                f"{gains}: the gap is that of their floors. The symmetry makes the model fit better; it does not make a "
                "measurement worth more.",
            )
        ]
    else:
        out = [Notice("gap_over_floor", f"{gains}: the gap is more than that.")]
    more = [k for k in made.measurements[:-1] if _exceeds(made.errors[CONTROL][k] - made.errors[name][k], floors)]
    if more:
        out.append(
            Notice(
                "gap_over_floor",
                f"With {_list([str(k) for k in more])} measurements the gap between {CONTROL} and {name} is wider than that of "
                "their floors: the angle need not be found out among the numbers of the code.",
            )
        )
    return out


def _exceeds(gap: Array, floors: Array) -> bool:
    """Whether a gap is wider than that of the floors, beyond the interval and by more than a little."""
    return boots.mean(gap - floors)[1] > 0 and float(gap.mean()) * (1 - CLOSE) > float(floors.mean())


def _few(made: Recovered, names: list[str]) -> list[Notice]:
    """At how few measurements no gain over the control is seen."""
    if CONTROL not in names:
        return []
    none = []
    for m in made.measurements:
        rivals = [name for name in names if name not in (CONTROL, "plain")]
        gains = [boots.mean(made.errors[CONTROL][m] - made.errors[name][m])[1] for name in rivals]
        if m <= LITTLE and rivals and max(gains) <= 0:
            none.append(str(m))
    if not none:
        return []
    return [Notice("no_gain_at_few", f"With {_list(none)} measurements no symmetry gains anything over {CONTROL}.")]


def _classical(made: Recovered, names: list[str]) -> list[Notice]:
    m = made.measurements[-1]
    lasso = float(made.errors[LASSO][m].mean())
    beaten = [name for name in names if float(made.errors[name][m].mean()) >= lasso]
    if not beaten:
        return []
    return [
        Notice(
            "adds_nothing",
            f"With {m} measurements the sparse cosine transform, which learned nothing, is as good as {_list(beaten)}: a learned "
            "model stops at what it can draw.",
        )
    ]


def _learned_on(name: str, recipe: Recover) -> str:
    card = modelfile.open_card(modelfile.named(name, recipe.dim))
    return str((card.get("recipe") or {}).get("data", ""))


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
