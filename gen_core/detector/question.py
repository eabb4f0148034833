"""What the detector page asks before a result is made: which models there are, and whether own events can be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen_core import checkpoint
from gen_core.datasets import path_of
from gen_core.detector import evaluate, inpaint, measure, modelfile, pareto, plots
from gen_core.detector.condition import PLAIN
from gen_core.detector.evaluate import USUAL as USUAL
from gen_core.detector.recipe import KINDS, Tracker, Train
from gen_core.detector.score import EXACT
from gen_core.inputs.hits import read_hits
from gen_core.recipe import DIGEST, Recipe
from gen_core.result import Result

SEEN = (evaluate.SOME, measure.JUDGED)  # events a side that classifiers saw for the cards: at each number of steps, and else
ABLE = {"detector.condition": PLAIN, "detector.inpaint": inpaint.ABLE, "detector.score": EXACT}


def check_hits(digest: str) -> tuple[int, int, int]:
    """Events, layers and channels of a file. Raises InputError where it holds no hit patterns."""
    n, layers, channels = read_hits(path_of(digest)).shape
    return n, layers, channels


def known() -> list[str]:
    """The models of this version: the learned ones whose weights are bundled, channels on their own, and the simulator."""
    return [*(kind for kind in KINDS if modelfile.there(kind)), *modelfile.UNLEARNED]


def warm() -> None:
    """Do once what the first view needs: the bundled models read."""
    for kind in KINDS:
        if modelfile.there(kind):
            modelfile.opened(kind)


def able(operation: str) -> list[str]:
    """The models of this version that can do what an operation asks."""
    return [name for name in known() if operation == "detector.generate" or name in ABLE[operation]]


def own(operation: str) -> dict[str, str]:
    """The models trained here that can do it: what each is called, by its digest."""
    found = {name: card for name, card in checkpoint.known("detector").items() if DIGEST.fullmatch(name)}
    return {
        name: called(name, card)
        for name, card in found.items()
        if operation == "detector.generate" or card.get("kind") in ABLE[operation]
    }


def title_of(name: str) -> str:
    """What a model is called."""
    if name in plots.TITLES:
        return plots.TITLES[name]
    card = checkpoint.known("detector").get(name)
    return called(name, card) if card is not None else "A model that is not on this machine"


def called(name: str, card: Mapping[str, Any]) -> str:
    """What a model of this card is called: bundled by its kind, trained here also by the beginning of its digest."""
    kind = str(card.get("kind"))
    title = plots.TITLES.get(kind, kind)
    return f"{title}, trained here ({name[7:13]})" if DIGEST.fullmatch(name) else title


def fitting(recipe: type[Tracker], layers: int, channels: int) -> dict[str, Any]:
    """The fields with which a question of own events begins: their shape, a model that knows it where there is one, else the
    channels on their own, and a region inside."""
    made: dict[str, Any] = {"layers": layers, "channels": channels, "dead": ()}
    names = [*able(recipe.operation), *own(recipe.operation)]
    fit = [name for name in names if name not in modelfile.UNLEARNED and fits(name, layers, channels)]
    if fit:
        made["model"] = fit[0]
    elif recipe.operation == "detector.generate":
        made["model"] = "independent"
    if "region" in recipe.model_fields:
        made["region"] = (layers // 3, max(2 * layers // 3, layers // 3 + 1), 0, channels)
    return made


def fits(name: str, layers: int, channels: int) -> bool:
    """Whether a model draws events of this shape."""
    return name in modelfile.UNLEARNED or modelfile.open_card(name)["shape"] == [layers, channels]


def steps_of(model: str) -> list[int]:
    """The numbers of steps that a model is offered with; none where it has none."""
    kind = kind_of(model)
    return list(evaluate.CURVE[kind]) if kind in evaluate.CURVE else []


def curved(model: str) -> dict[str, Any] | None:
    """The card of a model that tells of numbers of steps; None where it tells of none."""
    card = {} if model in modelfile.UNLEARNED else modelfile.open_card(model)
    return card if card.get("curve") else None


def kind_of(model: str) -> str:
    """The kind of a model. Raises CheckpointError where there is none."""
    return model if model in (*KINDS, *modelfile.UNLEARNED) else str(modelfile.open_card(model).get("kind"))


def point_of(result: Result) -> pareto.Point | None:
    """A result as a point among the bundled models; None where no classifier was asked, or where its events are not theirs."""
    numbers: dict[str, Any] = dict(result.metrics)
    if numbers.get("auc_features") is None or result.content.truth.own or result.recipe.world() != Tracker().world():  # type: ignore[attr-defined]
        return None
    speed, corr = float(numbers["events_per_second"]), float(numbers["corr_error"])
    area, low, high = (float(numbers[f"auc_features{end}"]) for end in ("", "_low", "_high"))
    return pareto.Point("this result", "now", speed, area, low, high, corr, "here")


def distilled() -> tuple[float, float] | None:
    """How many times faster the bundled student is than its teacher, and how much AUC that cost; None where one is missing."""
    found = {point.kind: point for point in pareto.points()}
    return pareto.against(found["ar"], found["student"]) if {"ar", "student"} <= found.keys() else None


def training_of(now: Recipe) -> Train:
    """The training of what a page shows: its tracker, or its own hits."""
    asked = now if isinstance(now, Tracker) else Tracker()
    fields = {name: getattr(asked, name) for name in Tracker.model_fields if name != "seed"}
    return Train.read(fields | {"data": getattr(asked, "data", None)})
