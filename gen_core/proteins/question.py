"""What the proteins page asks before a result is made: bounds of the filters, positions as text, which files are usable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import RecipeError, UserError
from gen_core.inputs.labels import read_labels
from gen_core.inputs.labels import value_columns as columns_of_values
from gen_core.inputs.sequences import read_sequences
from gen_core.inputs.structures import read_structure
from gen_core.memo import Memo
from gen_core.proteins.alphabet import decode
from gen_core.proteins.atlas import Atlas
from gen_core.proteins.family import open_family
from gen_core.proteins.filters_recipe import MAX_RESIDUES, Filters
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.recipe import BUNDLED, Decode, Mutate, Sample, Score, Train
from gen_core.proteins.template import BUNDLED as TEMPLATE
from gen_core.proteins.template import source_of
from gen_core.recipe import Recipe

# The chorismate mutase domain of E. coli's P-protein (UniProt P0A9J8), numbered as its structure 1ECM is
COLI = "MTSENPLLALREKISALDEKLLALLAERRELAVEVGKAKLLSHRPVRDIDRERDLLERLITLGKAHHLDAHYITRLFQLIIEDSVLTQQALLQQH"
EXAMPLES = "chorismate_mutase_designs"
POSITIONS = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")
TITLES = {
    "unique": "Each sequence once",
    "min_length": "Shortest (residues)",
    "max_length": "Longest (residues)",
    "length_tail": "Usual length (% cut at each end)",
    "max_homopolymer": "Longest run of one residue",
    "min_complexity": "Complexity (bits)",
    "min_profile_percentile": "Profile score (percentile)",
    "max_energy_percentile": "Coupling energy (percentile)",
    "motifs": "Forbidden motifs (one on a line)",
    "min_charge": "Charge at least",
    "max_charge": "Charge at most",
    "charge_tail": "Usual charge (% cut at each end)",
    "min_pi": "pI at least",
    "max_pi": "pI at most",
    "pi_tail": "Usual pI (% cut at each end)",
    "min_gravy": "GRAVY at least",
    "max_gravy": "GRAVY at most",
    "gravy_tail": "Usual GRAVY (% cut at each end)",
    "max_gravy_percentile": "GRAVY (percentile)",
    "max_composition_percentile": "Composition (percentile)",
    "max_instability": "Instability index at most",
    "min_viability": "Viability at least",
    "max_identity": "New: identity at most",
    "min_identity": "Near: identity at least",
}
START = {  # where a filter starts that is off by default
    "min_length": 40,
    "max_length": 120,
    "min_identity": 0.3,
    "min_charge": -15,
    "max_charge": 15,
    "min_pi": 4.5,
    "max_pi": 9.5,
    "min_gravy": -1,
    "max_gravy": 0,
    "charge_tail": 1,
    "gravy_tail": 1,
    "max_instability": 40,
    "max_composition_percentile": 95,
    "min_viability": 0.5,
}
LIMITS = {  # of the control, not of the recipe
    **dict.fromkeys(("min_length", "max_length"), (1, 1_000)),
    **dict.fromkeys(("min_charge", "max_charge"), (-30, 30)),
    "max_homopolymer": (1, 20),
    "max_instability": (0, 100),
}
COLUMNS = Memo(1 << 20, lambda found: 64 * len(found[0]))
CHAINS = Memo(1 << 20, lambda names: 64 * len(names))
NEEDS_LABELS = {"min_viability"}
NO_LABELS: dict[str, Any] = {"labels": None, "label_column": None, "label_threshold": None, "label_kind": None}


@dataclass(frozen=True)
class Bound:
    """One field of the filters as a control: its kind, its range and step, and where it starts when it is switched on."""

    name: str
    title: str
    help: str
    kind: Literal["switch", "number", "words", "other"]
    default: Any
    low: float = 0
    high: float = 0
    step: float = 1
    start: Any = None


@cache
def bounds() -> tuple[Bound, ...]:
    """All filters as controls, read off the fields of `Filters`: one that is added there appears here."""
    return tuple(_bound(name, info) for name, info in Filters.model_fields.items())


def in_rows(wide: int, labelled: bool) -> list[tuple[Bound, ...]]:
    """The filters that have a control, so many in a row; some only where there are labels."""
    shown = [bound for bound in bounds() if bound.kind != "other" and (labelled or bound.name not in NEEDS_LABELS)]
    return [tuple(shown[i : i + wide]) for i in range(0, len(shown), wide)]


def _bound(name: str, info: Any) -> Bound:
    title, told = TITLES.get(name, name.replace("_", " ").capitalize()), info.description or ""
    kinds = _kinds(info.annotation)
    default = info.get_default(call_default_factory=True)
    if bool in kinds:
        return Bound(name, title, told, "switch", default)
    if kinds & {int, float}:
        rules = _rules(info.annotation) + list(info.metadata)
        low = next((r.ge for r in rules if getattr(r, "ge", None) is not None), 0)
        highs = [r.le for r in rules if getattr(r, "le", None) is not None]
        low, high = LIMITS.get(name, (low, min(highs, default=100)))
        whole = float not in kinds
        step = 1 if whole or high > 20 else 0.01 if high <= 1 else 0.1
        start = default if default is not None else START.get(name, (low + high) / 2)
        number = int if whole else float
        return Bound(name, title, told, "number", default, number(low), number(high), number(step), number(start))
    if kinds & {tuple, list}:
        return Bound(name, title, told, "words", default, start=default or ())
    return Bound(name, title, told, "other", default)


def _kinds(annotation: Any) -> set[Any]:
    """The plain types inside an annotation."""
    origin = getattr(annotation, "__origin__", None)
    if annotation in (bool, int, float, str, tuple, list, dict):
        return {annotation}
    if origin in (tuple, list, dict):
        return {origin}
    return set().union(*(_kinds(part) for part in get_args(annotation))) if get_args(annotation) else set()


def _rules(annotation: Any) -> list[Any]:
    """The limits inside an annotation, also those of a named kind of number."""
    found: list[Any] = []
    for part in get_args(annotation):
        found += getattr(part, "metadata", []) or []
        found += [part] if hasattr(part, "ge") or hasattr(part, "le") else _rules(part)
    return found


def positions(text: str, field: str = "locks") -> tuple[int, ...]:
    """Positions such as `11, 28, 30-35`. Raises RecipeError where the text is none."""
    found: list[int] = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;\s]+(?![-–])", text))):
        match = POSITIONS.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not match or not 1 <= first <= last <= MAX_RESIDUES:
            raise RecipeError(
                f"{field}: {part[:30]!r} is no position; write numbers and ranges with commas, such as 11, 28, 30-35."
            )
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found))


def as_text(numbers: tuple[int, ...]) -> str:
    """The inverse of `positions`: runs of three or more as ranges."""
    parts: list[str] = []
    ordered = np.array(sorted(numbers), int)
    for run in np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1):
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(n) for n in run]
    return ", ".join(parts)


def sequences_in(text: str) -> tuple[str, ...]:
    """The sequences in what was typed or pasted: FASTA, or one on each line."""
    if ">" not in text:
        return tuple("".join(line.split()) for line in text.splitlines() if line.strip())
    records = [record.partition("\n")[2] for record in text[text.index(">") + 1 :].split("\n>")]
    return tuple(row for row in ("".join(record.split()) for record in records) if row)


def one_sequence(text: str, field: str = "reference") -> str | None:
    """The one sequence in what was typed, None where it is empty. Raises RecipeError where there are several."""
    found = sequences_in(text)
    if len(found) > 1 and ">" not in text:
        found = ("".join(found),)  # one sequence on several lines
    if len(found) > 1:
        raise RecipeError(f"{field}: one sequence is needed here, and {len(found)} were given.")
    return found[0] if found else None


def off(bound: Bound) -> Any:
    """The value that switches a filter off."""
    return None if type(None) in get_args(Filters.model_fields[bound.name].annotation) else ()


def family_of(model: str) -> str:
    """What a model's recipes call the family that it was trained on."""
    return str(open_model(model).card["family"])


def examples(model: str) -> str:
    """Sequences to score before any were given: synthetic designs, or for a model of one's own the family itself."""
    return EXAMPLES if model == BUNDLED else str(open_model(model).card["data"])


def reference_of(model: str) -> str:
    """A sequence of the model's family to start from: E. coli's for the bundled one, the first of the user's own; where that
    file is not here, the likeliest sequence at the middle of the latent space."""
    if model == BUNDLED:
        return COLI
    opened = open_model(model)
    try:
        return decode(open_family(str(opened.card["data"])).codes[:1])[0].replace("-", "")
    except UserError:
        from gen_core.proteins.atlas import atlas_of, spot_at

        return spot_at(atlas_of(opened), opened.codes.means.mean(0)).row.replace("-", "")


def training_of(recipe: Recipe) -> Train | None:
    """The training that a recipe asks for: its own, or that of `model=train`; None where its model is there."""
    if isinstance(recipe, Train):
        return recipe
    if not isinstance(recipe, Sample | Score | Mutate) or recipe.model != "train":
        return None
    shared = {name: value for name, value in recipe.fields().items() if name in Train.model_fields and value is not None}
    return Train.read(shared)


def ends(atlas: Atlas) -> tuple[list[float], list[float]]:
    """Two naturals far apart on the map, as latent points: where a path starts that was not drawn yet."""
    across = atlas.places[:, 0]
    rows = np.argsort(across, kind="stable")[[len(across) // 20, -1 - len(across) // 20]]
    first, last = atlas.latent(atlas.places[rows]).tolist()
    return first, last


def for_model(recipe: Sample | Score | Decode | Mutate, model: str) -> Sample | Score | Decode | Mutate:
    """The same question to another model: what names places of the old one's latent space is dropped."""
    if isinstance(recipe, Decode):
        dim = open_model(model).latent_dim
        return Decode(model=model, z=((0.0,) * dim,), seed=recipe.seed)
    changes: dict[str, Any] = {"model": model, "weights": None, "family": None, **NO_LABELS, "reference": None}
    changes["reference_offset"] = 0
    if isinstance(recipe, Mutate):
        return recipe.replace(**changes | {"reference": reference_of(model)})
    changes["filters"] = recipe.filters.model_copy(update=dict.fromkeys(NEEDS_LABELS)).model_dump(mode="json")
    if isinstance(recipe, Sample):
        changes |= {"around": "naturals" if recipe.around == "naturals" else None, "path": None, "locks": ()}
        changes |= {"order": None, "structure": False, "template": None, "template_chain": None}
    return recipe.replace(**changes)


def check_family(digest: str) -> None:
    """Raise InputError where this content is no family that can be learned from."""
    open_family(digest)


def check_labels(digest: str) -> None:
    """Raise InputError where this content is no table of labels; which of its columns holds the values may be open."""
    found, usual = value_columns(digest)
    read_labels(path_of(digest, "labels"), usual if usual or not found else found[-1])


def value_columns(labels: str) -> tuple[list[str], str | None]:
    """The columns of a table of labels that can hold the values, and the one that does where none is named."""
    found: tuple[list[str], str | None] = COLUMNS.get(labels, lambda: columns_of_values(path_of(labels, "labels")))
    return found


def check_template(digest: str) -> None:
    """Raise InputError where this content is no structure; whether it is of the family is said where it is used."""
    read_structure(path_of(digest, "template"))


def chains(template: str) -> list[str]:
    """The protein chains of a structure, in the file's order."""
    found: list[str] = CHAINS.get(
        template, lambda: [chain.name for chain in read_structure(path_of(template, "template")).chains]
    )
    return found


def has_template(model: FamilyModel) -> bool:
    """Whether a model's family has a template of its own."""
    try:
        return bool(source_of(Sample(), model.card))
    except RecipeError:
        return False


def names_its_own(recipe: Sample) -> bool:
    """Whether the template that a recipe names is the one it would have without."""
    return recipe.template == TEMPLATE and recipe.model == BUNDLED


def check_sequences(digest: str) -> None:
    """Raise InputError where this content holds no sequences that can be scored."""
    read_sequences(path_of(digest, "sequences"))


def described(recipe: Train) -> str:
    """What would be learned from, in words."""
    family = open_family(recipe.family)
    n, length = family.codes.shape
    return f"{n:,} sequences in {length:,} columns ({family.effective:,.0f} effective)"


def seconds(recipe: Train) -> float:
    """About how long a training takes on one core of today, without the time of placing unaligned sequences."""
    from gen_core.proteins import train
    from gen_core.proteins.alphabet import Q

    n, length = open_family(recipe.family).codes.shape
    epochs = recipe.epochs or train.epochs_for(n, length)
    network = epochs * n / train.BATCH * 3e-3 * (0.4 + 0.6 * length / 100)
    couplings = 60 * train.coupling_epochs_for(n, length) * n * (length * Q) ** 2 / train.COUPLING_WORK
    return 8 + network + couplings


def notices(recipe: Train) -> list[str]:
    """What was seen in the family's file, in sentences."""
    return [notice.text for notice in open_family(recipe.family).notices]


def automatic_epochs(recipe: Train) -> int:
    """Passes over the family that its size asks for."""
    from gen_core.proteins import train

    return train.epochs_for(*open_family(recipe.family).codes.shape)
