"""Which systems, operations, models and data sets there are.

Everything is named by a string and imported on first use, so that asking what there is costs nothing.
"""

from __future__ import annotations

import difflib
import importlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_core import checkpoint, store
from gen_core import recipe as recipes
from gen_core.datasets import DATA as DATA
from gen_core.datasets import DataSet as DataSet
from gen_core.errors import InputError, RecipeError
from gen_core.recipe import Recipe
from gen_core.result import Result
from gen_core.training import Step

Progress = Callable[[float, str], None]  # (share done from 0 to 1, what is being done)


@dataclass(frozen=True)
class System:
    """One instrument: its name in recipes and links, and how it presents itself."""

    name: str
    title: str
    summary: str  # one sentence: what a scientist does with it
    icon: str  # a Material symbol
    picture: str  # a file in assets/pictures
    warm: str  # "module:name" of a function that does once what its first view needs


@dataclass(frozen=True)
class Operation:
    """A verb of a system: the class of its recipe and the function that runs it, as "module:name".

    Long work is a generator of steps instead, `steps(recipe, folder, device)`: it works in a folder, leaves its result
    there, and goes on from what it finds there. Such an operation has no `run`.
    """

    name: str
    summary: str
    recipe: str
    run: str | None = None
    uses_device: bool = False  # whether --device changes anything
    steps: str | None = None


SYSTEMS = (
    System(
        "cells",
        "Cells",
        "Predict how an untreated cell type would respond to a drug, a cytokine or a knock-out, and see how far to trust that.",
        ":material/biotech:",
        "cells.png",
        "gen_core.cells.plots:warm",
    ),
    System(
        "images",
        "Images",
        "Walk between two micrographs, put the texture of one on the structure of another, and change one property at a time.",
        ":material/texture:",
        "images.png",
        "gen_core.images.modelfile:warm",
    ),
    System(
        "proteins",
        "Proteins",
        "Draw new members of a protein family, filter them, and see how far they are from what nature made.",
        ":material/genetics:",
        "proteins.png",
        "gen_core.proteins.known:warm",
    ),
    System(
        "tomography",
        "Tomography",
        "Reconstruct a slice from few directions, and see which part of it was measured and which was invented.",
        ":material/radiology:",
        "tomography.png",
        "gen_core.tomography.kept:warm",
    ),
)

OPERATIONS = (
    Operation(
        "cells.perturb",
        "Predict the response of one cell type to a perturbation from the responses of the others.",
        "gen_core.cells.recipe:Perturb",
        "gen_core.cells.perturb:run",
    ),
    Operation(
        "cells.decode",
        "Decode latent vectors into expression profiles.",
        "gen_core.cells.recipe:Decode",
        "gen_core.cells.decode:run",
    ),
    Operation(
        "cells.train",
        "Learn the latent space of cells without the response of one cell type, and score it there.",
        "gen_core.cells.recipe:Train",
        uses_device=True,
        steps="gen_core.cells.train:steps",
    ),
    Operation(
        "images.sample",
        "Draw new pictures from the prior, or around one.",
        "gen_core.images.recipe:Sample",
        "gen_core.images.sample:run",
    ),
    Operation(
        "images.interpolate",
        "Walk from one picture to another, at constant speed if asked.",
        "gen_core.images.recipe:Interpolate",
        "gen_core.images.interpolate:run",
    ),
    Operation(
        "images.grid",
        "All pictures between four corners.",
        "gen_core.images.recipe:Grid",
        "gen_core.images.grid:run",
    ),
    Operation(
        "images.mix",
        "Put the styles of some pictures on the structure of others, beside the rendered truth.",
        "gen_core.images.recipe:Mix",
        "gen_core.images.mix:run",
    ),
    Operation(
        "images.edit",
        "Change known factors of a picture, each in its own unit.",
        "gen_core.images.recipe:Edit",
        "gen_core.images.edit:run",
    ),
    Operation(
        "images.invert",
        "Find the codes that draw a picture best, and show what is left of it.",
        "gen_core.images.recipe:Invert",
        "gen_core.images.invert:run",
    ),
    Operation(
        "images.stylize",
        "Put a blend of styles on the structure of one picture.",
        "gen_core.images.recipe:Stylize",
        "gen_core.images.stylize:run",
    ),
    Operation(
        "images.decode",
        "Draw latent vectors as pictures.",
        "gen_core.images.recipe:Decode",
        "gen_core.images.decode:run",
    ),
    Operation(
        "images.map",
        "Draw any spot on the map of the training pictures, and sum up a region of it.",
        "gen_core.images.recipe:Map",
        "gen_core.images.map:run",
    ),
    Operation(
        "images.plane",
        "Draw the plane of an autoencoder whose code is two numbers, and where pictures lie on it.",
        "gen_core.images.recipe:Plane",
        "gen_core.images.plane:run",
    ),
    Operation(
        "images.train",
        "Learn structure and style from rendered micrographs or from pictures of your own, or a plain autoencoder.",
        "gen_core.images.recipe:Train",
        uses_device=True,
        steps="gen_core.images.train:steps",
    ),
    Operation(
        "proteins.sample",
        "Draw new members of a protein family and filter them.",
        "gen_core.proteins.recipe:Sample",
        "gen_core.proteins.sample:run",
    ),
    Operation(
        "proteins.score",
        "Score given sequences as members of a protein family.",
        "gen_core.proteins.recipe:Score",
        "gen_core.proteins.score:run",
    ),
    Operation(
        "proteins.mutate",
        "Score every single change of a sequence of a protein family.",
        "gen_core.proteins.recipe:Mutate",
        "gen_core.proteins.mutate:run",
    ),
    Operation(
        "proteins.relax",
        "Put side chains on sequences threaded on the family's template and relax them (OpenMM and PDBFixer, optional).",
        "gen_core.proteins.recipe:Relax",
        "gen_core.proteins.relax:run",
    ),
    Operation(
        "proteins.decode",
        "Decode latent vectors into sequences.",
        "gen_core.proteins.recipe:Decode",
        "gen_core.proteins.decode:run",
    ),
    Operation(
        "proteins.train",
        "Learn a protein family's latent space and couplings, and score them on sequences left out.",
        "gen_core.proteins.recipe:Train",
        uses_device=True,
        steps="gen_core.proteins.train:steps",
    ),
    Operation(
        "tomography.reconstruct",
        "Reconstruct a slice from projections over a limited range of angles, by several methods side by side.",
        "gen_core.tomography.recipe:Reconstruct",
        "gen_core.tomography.reconstruct:run",
    ),
    Operation(
        "tomography.train",
        "Learn a prior of slices from synthetic anatomies, and score it beside the other methods.",
        "gen_core.tomography.recipe:Train",
        uses_device=True,
        steps="gen_core.tomography.train:steps",
    ),
)


def system(name: str) -> System:
    """The system of this name. Raises RecipeError with the nearest name where there is none."""
    return _named(SYSTEMS, name, "system")


def operation(name: str) -> Operation:
    """The operation of this name (`cells.perturb`). Raises RecipeError with the nearest name where there is none."""
    return _named(OPERATIONS, name, "operation")


def data_sets(system_name: str) -> list[DataSet]:
    """The data sets of a system, bundled ones first."""
    return sorted((d for d in DATA if d.system == system_name and d.role == "data"), key=lambda d: d.url is not None)


def recipe_class(name: str) -> type[Recipe]:
    """The recipe class of an operation."""
    found: type[Recipe] = load(operation(name).recipe)
    return found


def make_recipe(name: str, fields: Mapping[str, Any]) -> Recipe:
    """A recipe from fields that a person typed: a path to a file is copied into the store and named by its digest.

    A folder of pictures is kept as a zip, DICOM files without the names of patients (see `store`).
    """
    cls = recipe_class(name)
    given = dict(fields)
    for key in recipes.content_fields(cls):
        if key in given:
            given[key] = adopt(given[key])
    for key in recipes.model_fields(cls):
        if key in given:
            given[key] = adopt_model(given[key])
    return cls.read(given)


def adopt(value: Any) -> Any:
    """A path to a file (or a folder of pictures, or a list with paths in it) as the digest of its copy in the store; anything
    else as it is."""
    if isinstance(value, list | tuple):
        return [adopt(one) for one in value]
    if isinstance(value, str | Path) and not recipes.DIGEST.fullmatch(str(value)) and Path(value).is_dir():
        from gen_core.inputs.images import packed

        series = store.add_folder(Path(value))
        return series or store.add(packed(Path(value)), f"{Path(value).name}.zip")
    if isinstance(value, Path) or (isinstance(value, str) and not recipes.DIGEST.fullmatch(value) and Path(value).is_file()):
        return store.add(Path(value))
    if isinstance(value, str) and ("/" in value or "\\" in value or Path(value).suffix):
        raise InputError(f"There is no file {Path(value).name!r}.")
    return value


def adopt_model(value: Any) -> Any:
    """A folder that training made as the digest of its weights, a copy being kept; anything else as it is."""
    if not isinstance(value, str | Path) or recipes.DIGEST.fullmatch(str(value)) or not Path(value).is_dir():
        if isinstance(value, str) and ("/" in value or "\\" in value):
            raise InputError(f"There is no folder {Path(value).name!r}.")
        return value
    checkpoint.load(Path(value))  # damaged weights are not kept
    with tempfile.TemporaryDirectory(prefix="latent-") as folder:
        copy = shutil.copytree(value, Path(folder) / "model")
        return store.add_model(copy)


def from_document(document: Mapping[str, Any]) -> Recipe:
    """The recipe in a document found in a file. Raises RecipeError where it is of no known operation or a field is wrong."""
    name, fields = recipes.split(document)
    return recipe_class(name).read(fields)


def from_query(text: str, default_operation: str) -> Recipe:
    """The recipe in a query string; a link without an operation means the page's own. Raises RecipeError as above."""
    fields = recipes.parse_query(text)
    return from_document({"operation": default_operation} | fields)


def from_file(path: Path) -> Recipe:
    """The recipe inside any exported file. Raises InputError where there is none, RecipeError where it is wrong."""
    return from_document(read_document(path))


def read_document(path: Path) -> dict[str, Any]:
    """The recipe document inside any exported file, as it stands there. Raises InputError where there is none."""
    from gen_core.stamp import read_stamp

    if not path.is_file():
        raise InputError(f"There is no file {path.name!r}.")
    return read_stamp(path)


def run(recipe: Recipe, progress: Progress | None = None) -> Result:
    """Run a recipe: the same call for the page, the command line and a notebook.

    Raises RecipeError where the operation is long work, which needs a folder to work in (see `steps`).
    """
    found = operation(recipe.operation)
    if found.run is None:
        system, _, verb = found.name.partition(".")
        raise RecipeError(f"{found.name} is long work: use `python -m gen_core {verb} {system}`, or the page.")
    result: Result = load(found.run)(recipe, progress or (lambda share, text: None))
    return result


def steps(recipe: Recipe, folder: Path, device: str = "auto") -> Generator[Step, None, Any]:
    """The steps of long work in a folder. Raises RecipeError where the operation has none: `run` it."""
    found = operation(recipe.operation)
    if found.steps is None:
        raise RecipeError(f"{found.name} is no long work: use `python -m gen_core run {found.name}`.")
    work: Generator[Step, None, Any] = load(found.steps)(recipe, folder, device)
    return work


def models() -> list[dict[str, Any]]:
    """The cards of the bundled models."""
    return [checkpoint.read_card(path.parent) for path in sorted(checkpoint.BUNDLED.glob(f"*/{checkpoint.CARD}"))]


def load(reference: str) -> Any:
    """The object that "module:name" names."""
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)


def _named(items: Any, name: str, what: str) -> Any:
    found = next((item for item in items if item.name == name), None)
    if found is None:
        names = [item.name for item in items]
        near = difflib.get_close_matches(name, names, 1, 0.5)
        raise RecipeError(
            f"There is no {what} {name!r}: " + (f"did you mean {near[0]!r}?" if near else f"choose {', '.join(names)}.")
        )
    return found
