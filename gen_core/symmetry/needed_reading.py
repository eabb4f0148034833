"""The numbers in curves of errors, and what may be said of them: each sentence only where an interval says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from gen_core.result import Notice
from gen_core.symmetry import boots, modelfile
from gen_core.symmetry.lines import Curves, Line, flat, lines, times
from gen_core.symmetry.recipe import KINDS
from gen_core.symmetry.solved import GAUSSIAN

CONTROL = "augmented"


def read(made: Curves, fit: Collection[str] | None = None) -> tuple[dict[str, float], list[Notice]]:
    """The numbers, and what may be said of them; `fit` are the models that learned from such pictures, all where it is None."""
    out: dict[str, float] = {}
    notices: list[Notice] = []
    fit = made.errors.keys() if fit is None else fit
    for name, sizes in made.floors.items():
        for d, floor in sizes.items():
            out[f"{name}.floor.{d}"] = float(floor.mean())
    for target in made.targets:
        found, simple = lines(made, target), flat(made, target)
        for name, line in found.items():
            key = f"{name}.needed.{target:g}"
            for i, d in enumerate(line.dims):
                _put(out, f"{key}.{d}", float(line.needed[i]), line.ends(i), line.fewest)
            _best(out, key, line)
            notices += _line(out, name, target, line)
        if CONTROL in found and CONTROL in fit:
            for name, line in found.items():
                if name != CONTROL and name in fit:
                    notices += _saving(out, name, target, line, found[CONTROL])
        if simple is not None:
            _put(out, f"{GAUSSIAN}.needed.{target:g}", float(simple.needed[0]), simple.ends(0), simple.fewest)
            notices += _gaussian(out, target, {name: line for name, line in found.items() if name in fit}, simple)
    return out, notices


def written(value: float, fewest: float) -> str:
    """A number of measurements for reading: "≤ 5" where the fewest do already, a dash where none is known or none does."""
    if not np.isfinite(value):
        return "–"
    return f"≤ {fewest:.0f}" if value <= fewest else f"{value:.0f}"


def marks(made: Curves, numbers: Mapping[str, Any]) -> dict[str, str]:
    """What stands before a number in a table, or in its place where it is none."""
    out = {name.removesuffix("_at_most"): "≤ " for name in numbers if name.endswith("_at_most")}
    for target in made.targets:
        found = lines(made, target)
        control = found.get(CONTROL)
        for name, line in found.items() if control is not None else ():
            for i, d in enumerate(line.dims):
                key = f"{name}.saving.{target:g}.{d}"
                if control is not None and d in control.dims and key in numbers:
                    mark = _mark(float(control.needed[control.dims.index(d)]), float(line.needed[i]), line.fewest)
                    out |= {key: mark} if mark else {}
    return out


def _mark(control: float, line: float, fewest: float) -> str:
    if np.isinf(control):
        return "by neither" if np.isinf(line) else "by this alone"
    if np.isinf(line):
        return "not reached"
    if line <= fewest:
        return "both by the fewest" if control <= fewest else "≥ "
    return "≤ " if control <= fewest else ""


def _put(out: dict[str, float], key: str, value: float, ends: tuple[float, float], fewest: float) -> None:
    """A number of measurements with its interval; where the fewest do, `_at_most` says so; NaN where it is never reached."""
    out[key], (out[f"{key}_low"], out[f"{key}_high"]) = value, ends
    for name in (key, f"{key}_low", f"{key}_high"):
        if np.isinf(out[name]):
            out[name] = float("nan")
    if value <= fewest:
        out[f"{key}_at_most"] = True
        if ends[1] <= fewest:
            out[f"{key}_low"] = out[f"{key}_high"] = float("nan")


def _best(out: dict[str, float], key: str, line: Line) -> None:
    """The fewest over all sizes, with its interval: sizes are chosen anew in each draw."""
    value = float(line.needed.min())
    _put(out, f"{key}.best", value, boots.interval(line.again.min(1)), line.fewest)
    if np.isfinite(value):
        out[f"{key}.best_dim"] = float(line.dims[int(line.needed.argmin())])


def _line(out: dict[str, float], name: str, target: float, line: Line) -> list[Notice]:
    value, again = line.fitted()
    if np.isnan(value).any():
        return []
    for i, word in enumerate(("intercept", "slope")):
        key = f"{name}.{word}.{target:g}"
        out[key], (out[f"{key}_low"], out[f"{key}_high"]) = float(value[i]), boots.interval(again[:, i])
    low, high = out[f"{name}.intercept.{target:g}_low"], out[f"{name}.intercept.{target:g}_high"]
    if not (low > 0 or high < 0):
        return []
    through = [str(d) for d, known in zip(line.dims, line.sound, strict=True) if known]
    alone = f" (through {', '.join(through)} numbers alone)" if len(through) < len(line.dims) else ""
    return [
        Notice(
            "no_proportion",
            f"{modelfile.called(name)}: the measurements needed for an error of {target:g} are no proportion of the numbers in a "
            f"code; the line{alone} meets zero numbers at {value[0]:.0f} ({low:.0f} to {high:.0f}) measurements and changes by "
            f"{signed(value[1])} for each number.",
        )
    ]


def signed(value: float, digits: int = 2) -> str:
    """A change with its sign, a proper minus, and none before a zero."""
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", "−")


def _saving(out: dict[str, float], name: str, target: float, line: Line, control: Line) -> list[Notice]:
    """How many times fewer than the control, at each size."""
    shown, called = [], modelfile.called(name)
    for i, d in enumerate(line.dims):
        if d not in control.dims:
            continue
        j = control.dims.index(d)
        ratio, low, high = times(control, j, line, i)
        key = f"{name}.saving.{target:g}.{d}"
        for end, value in (("", ratio), ("_low", low), ("_high", high)):
            out[key + end] = value if np.isfinite(value) else float("nan")
        if np.isinf(control.needed[j]) and np.isfinite(line.needed[i]):
            out[key] = out[f"{key}_high"] = float("nan")
            doubt = "" if np.isfinite(line.ends(i)[1]) else ", with other pictures perhaps by neither"
            shown.append(f"reached by {called} alone with {d} numbers{doubt}")
        elif np.isfinite(ratio) and ratio > 0 and not np.isnan(low):
            said = "" if low > 1 else ", a loss" if high < 1 else ", which may be no gain"
            mark = "at least " if line.needed[i] <= line.fewest else "at most " if control.needed[j] <= line.fewest else ""
            end = f"{high:.2f}" if np.isfinite(high) else "no end"
            shown.append(f"{mark}{ratio:.2f} ({low:.2f} to {end}) with {d} numbers{said}")
        elif np.isfinite(control.needed[j]) and np.isinf(line.needed[i]):
            out[key] = float("nan")
            shown.append(f"not reached by {called} with {d} numbers")
    if not shown:
        return []
    text = f"Error {target:g}: {CONTROL} needs so many times the measurements of {called}: {'; '.join(shown)}."
    return [Notice("saving", text)]


def _gaussian(out: dict[str, float], target: float, found: dict[str, Line], simple: Line) -> list[Notice]:
    """The Gaussian prior beside every network: which of them need fewer, and what it saves itself against the control."""
    fewer: list[str] = []
    same: list[str] = []
    more: list[str] = []
    for name, line in found.items():
        groups: dict[str, list[str]] = {"fewer": [], "same": [], "more": []}
        for i, d in enumerate(line.dims):
            ratio, low, high = times(simple, 0, line, i)
            key = f"{name}.saving_gaussian.{target:g}.{d}"
            for end, value in (("", ratio), ("_low", low), ("_high", high)):
                out[key + end] = value if np.isfinite(value) and not np.isinf(line.needed[i]) else float("nan")
            groups["fewer" if low > 1 else "more" if high < 1 or np.isinf(line.needed[i]) else "same"].append(str(d))
        for told, group in ((fewer, "fewer"), (same, "same"), (more, "more")):
            if groups[group]:
                sizes = f" with {', '.join(groups[group])} numbers" if name in KINDS else ""  # one of one's own says it itself
                told.append(f"{modelfile.called(name)}{sizes}")
    if CONTROL in found:
        control = found[CONTROL]
        for j, d in enumerate(control.dims):
            values = times(control, j, simple, 0)
            for end, value in zip(("", "_low", "_high"), values, strict=True):
                out[f"{GAUSSIAN}.saving.{target:g}.{d}" + end] = value if np.isfinite(value) and value > 0 else float("nan")
    if not fewer + same + more:
        return []
    low, high = simple.ends(0)
    value = float(simple.needed[0])
    count = f"{written(value, simple.fewest)} measurements" if np.isfinite(value) else "more measurements than were made"
    ends = f" ({low:.0f} to {high:.0f})" if np.isfinite([low, high]).all() and high > simple.fewest else ""
    words = {"fewer": fewer, "as many, so far as the intervals tell": same, "more, or never": more}
    parts = [f"{word}: {', '.join(told)}" for word, told in words.items() if told]
    text = f"Error {target:g}: a Gaussian prior needs {count}{ends}. Networks that need {'; '.join(parts)}."
    return [Notice("against_gaussian" if fewer or same else "gaussian_wins", text)]
