"""A result in few words and one small picture: what the list of runs and what stands beside something tell of it."""

from __future__ import annotations

from typing import Any

from app.parts import people
from app.parts.guard import plain
from gen_core import catalog, compare, palette, runs, scores, store
from gen_core.errors import UserError
from gen_core.recipe import DIGEST, Recipe, content_fields, model_fields

TOLD = 3  # fields that a title holds
# How a table is read, and which weights were found: they tell two runs apart last.
READING = {"layer", "condition_key", "control", "perturbed", "cell_type_key", "weights", "model_sha256"}


def title(run: runs.Run) -> str:
    """What its user called a run; one without a name is called after what was asked."""
    if run.name:
        return run.name
    return called(run.recipe) if run.recipe is not None else f"Run {run.id[:8]}"


def called(recipe: Recipe) -> str:
    """System, verb, and the first few fields that are not as the recipe would be by default: "Cells: perturb, dose 0.5"."""
    system, _, verb = recipe.operation.partition(".")
    fields, content = type(recipe).model_fields, content_fields(type(recipe))
    filled = {"family", *(name for name in model_fields(type(recipe)) if fields[name].default is None)}  # in with bundled ones
    changed = compare.flat(_changed(recipe))
    told = []
    for name in sorted(changed, key=lambda name: name == "seed"):
        value = changed[name]
        if name in READING or value is None or (name in filled and not DIGEST.fullmatch(str(value))):
            continue
        field = name.rpartition(".")[2].replace("_", " ")
        if name in content:
            told.append(name_of(str(value)))
        elif isinstance(value, bool):
            told.append(field if value else f"no {field}")
        else:
            told.append(f"{field} {spelled(value)[:30].replace('_', ' ')}")
    more = ["…"] if len(told) > TOLD else []
    return f"{catalog.system(system).title}: {', '.join([verb.replace('_', ' '), *told[:TOLD], *more])}"


def words(recipe: Recipe) -> str:
    """A recipe for reading (markdown): what it works on, and every field that is not as the recipe would be by default."""
    content = content_fields(type(recipe))
    changed = _changed(recipe)
    told = [(name, name_of(str(getattr(recipe, name)))) for name in content if getattr(recipe, name) is not None]
    told += [(name, spelled(value)) for name, value in changed.items() if name not in (*content, "weights")]
    return " · ".join(f":gray[{plain(name.replace('_', ' '))}] {plain(value)}" for name, value in told)


def _changed(recipe: Recipe) -> dict[str, Any]:
    """The fields that are not as they are where nothing is asked: a recipe may fill some of its own in."""
    changed: dict[str, Any] = recipe.model_dump(mode="json", exclude_defaults=True)
    try:
        default = type(recipe).read({}).fields()
    except UserError:  # something must be asked
        return changed
    return {name: value for name, value in changed.items() if value != default[name]}


def name_of(content: str) -> str:
    """A data set's title, or what its user called a stored file."""
    known = {data.name: data.title for data in catalog.DATA} | {f"sha256:{d.sha256}": d.title for d in catalog.DATA if d.sha256}
    if content in known or not DIGEST.fullmatch(content):
        return known.get(content, content)
    own = {entry.digest: entry.name for entry in store.recent(1000) if people.may_see(entry.digest)}
    return own.get(content) or f"a file of sha256 {content[7:15]}…"


def spelled(value: Any) -> str:
    """A field's value in few words."""
    if isinstance(value, list):
        many = len(value) > 4 or any(isinstance(v, list | dict) for v in value)
        return f"{len(value)} values" if many else ", ".join(map(str, value))
    if DIGEST.fullmatch(str(value)):
        return f"sha256 {str(value)[7:15]}…"
    text = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def numbers(metrics: Any) -> str:
    """The first few metrics, those that matter most."""
    return " · ".join(f"{scores.title(name)} {scores.text(name, metrics)}" for name in scores.names([metrics])[:3])


def figure_of(picture: str | None, dark: bool) -> Any:
    """A kept figure; None where there is none that can be read."""
    import plotly.io

    if picture is None:
        return None
    try:
        drawn = plotly.io.from_json(picture, skip_invalid=True)
    except (ValueError, TypeError, KeyError):
        return None
    if drawn.layout.paper_bgcolor == palette.role("paper", dark):  # else it was drawn for the other theme, and keeps its paper
        drawn.update_layout(paper_bgcolor="rgba(0,0,0,0)")
    return drawn


def thumbnail(picture: str | None, dark: bool) -> Any:
    """A kept figure, small and bare."""
    drawn = figure_of(picture, dark)
    if drawn is not None:
        drawn.update_layout(height=190, margin={"l": 4, "r": 4, "t": 4, "b": 4}, showlegend=False, title=None)
        drawn.update_xaxes(visible=False).update_yaxes(visible=False)
    return drawn
