"""The verbs of the proteins page, and a recipe of any of them as the values of its widgets."""

from __future__ import annotations

from typing import Any

from gen_core.proteins import question
from gen_core.proteins.order_recipe import Order
from gen_core.proteins.recipe import Decode, Mutate, Region, Sample, Score, Spot
from gen_core.recipe import Recipe

PAGE = "proteins"
TYPES = ["fasta", "fa", "fas", "afa", "faa", "a2m", "a3m", "sto", "stk", "stockholm", "aln", "txt", "gz"]
VERBS: dict[str, type[Sample] | type[Score] | type[Mutate] | type[Decode]] = {
    "Sample": Sample,
    "Score": Score,
    "Single changes": Mutate,
    "Decode": Decode,
}
HIDDEN = {"Decode"}  # shown where a link or a file asks for it
Asked = Sample | Score | Mutate | Decode


def verb_of(recipe: Asked) -> str:
    """What the page calls a recipe's operation."""
    return next(name for name, kind in VERBS.items() if isinstance(recipe, kind))


def verbs(recipe: Asked) -> list[str]:
    """What can be chosen: of what is seldom asked for only what this recipe asks."""
    return [name for name in VERBS if name not in HIDDEN or name == verb_of(recipe)]


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if not isinstance(recipe, Asked) or recipe.model == "train":
        return widgets(Sample())
    fields = recipe.fields()
    values: dict[str, Any] = {"verb": verb_of(recipe), "model": recipe.model, "seed": recipe.seed}
    if isinstance(recipe, Decode):
        return values | {"temperature": recipe.temperature}
    for bound in question.bounds() if "filters" in fields else ():
        value = fields["filters"][bound.name]
        values[f"on_{bound.name}"] = value if bound.kind == "switch" else value is not None
        shown = bound.start if value is None else value
        values[f"to_{bound.name}"] = "\n".join(shown) if bound.kind == "words" else shown
    values |= {
        "family": recipe.family,
        "labels": recipe.labels,
        "label_column": recipe.label_column or "",
        "label_threshold": recipe.label_threshold,
    }
    values |= {
        "label_kind": recipe.label_kind or "",
        "reference": recipe.reference or "",
        "reference_offset": recipe.reference_offset,
    }
    if isinstance(recipe, Mutate):
        return values
    if isinstance(recipe, Score):
        return values | {"sequences": recipe.sequences}
    values |= {name: fields[name] for name in ("n", "temperature", "radius", "steps")}
    values |= {"where": "prior", "spot": None, "spot_radius": 0.5, "region": None, "around": "", "click_sets": "start"}
    values |= {"path_a": "", "path_b": "", "path_a_z": None, "path_b_z": None}
    around, path = recipe.around, recipe.path
    if path is not None:
        values["where"] = "path"
        for name, end in zip(("a", "b"), path, strict=True):
            values[f"path_{name}"] = end if isinstance(end, str) else ""
            values[f"path_{name}_z"] = None if isinstance(end, str) else list(end)
    elif isinstance(around, Spot):
        values |= {"where": "spot", "spot": list(around.z), "spot_radius": around.radius}
    elif isinstance(around, Region):
        values |= {"where": "region", "region": [list(corner) for corner in around.region]}
    elif around == "naturals":
        values["where"] = "naturals"
    elif around is not None:
        values |= {"where": "sequences", "around": around if isinstance(around, str) else "\n".join(around)}
    own = question.names_its_own(recipe)  # which is what no template means
    values |= {
        "template": None if own else recipe.template,
        "template_chain": recipe.template_chain or "",
        "save_structures": recipe.structure,
    }
    values |= {"structure_format": recipe.structure_format}
    return values | ordering(recipe.order) | {"b_factor": recipe.b_factor, "locks": question.as_text(recipe.locks)}


def ordering(asked: Order | None) -> dict[str, Any]:
    """An order as the values of its widgets; those of an order that is off are its defaults."""
    order = asked or Order()
    values = {f"order_{name}": value for name, value in order.model_dump(mode="json").items()}
    return values | {"order_on": asked is not None, "order_gc": (order.min_gc, order.max_gc), "order_tag": order.tag or ""}
