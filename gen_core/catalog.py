"""Which systems, operations, models and data sets there are.

Everything is named by a string and imported on first use, so that asking what there is costs nothing.
"""

from __future__ import annotations

import difflib
import importlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from gen_core import checkpoint, store, turns
from gen_core import recipe as recipes
from gen_core.datasets import DATA as DATA
from gen_core.datasets import DataSet as DataSet
from gen_core.device import linear_algebra
from gen_core.errors import InputError, RecipeError
from gen_core.operations import OPERATIONS as OPERATIONS
from gen_core.recipe import Recipe
from gen_core.result import Result
from gen_core.systems import SYSTEMS as SYSTEMS
from gen_core.systems import Operation as Operation
from gen_core.systems import System as System
from gen_core.training import Step

Progress = Callable[[float, str], None]  # (share done from 0 to 1, what is being done)


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
    """A path to a file (or a folder of pictures or volumes, or a list with paths in it) as the digest of its copy in the store;
    anything else as it is."""
    if isinstance(value, list | tuple):
        return [adopt(one) for one in value]
    if isinstance(value, str | Path) and not recipes.DIGEST.fullmatch(str(value)) and Path(value).is_dir():
        return _adopt_folder(Path(value))
    if isinstance(value, Path) or (isinstance(value, str) and not recipes.DIGEST.fullmatch(value) and Path(value).is_file()):
        return store.add(Path(value))
    if isinstance(value, str) and ("/" in value or "\\" in value or Path(value).suffix):
        raise InputError(f"There is no file {Path(value).name!r}.")
    return value


def _adopt_folder(folder: Path) -> str:
    """The digest of a folder's DICOM files, else of its pictures, else of its volumes and arrays, as one file in the store."""
    from gen_core.inputs.images import packed
    from gen_core.inputs.stacks import packed_stacks

    series = store.add_folder(folder)
    if series is not None:
        return series
    try:
        content = packed(folder)
    except InputError:
        volumes = packed_stacks(folder)
        if volumes is None:
            raise
        content = volumes
    return store.add(content, f"{folder.name}.zip")


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


def all_from_file(path: Path) -> dict[str, Recipe]:
    """The recipes in a zip of several runs, by the runs' folders; of any other exported file its one recipe, under "".

    A run whose recipe is wrong is left out as long as another's is right. Raises as `from_file` does.
    """
    from gen_core.stamp import read_stamps, readable

    return readable(read_stamps(path), from_document)


def read_document(path: Path) -> dict[str, Any]:
    """The recipe document inside any exported file, as it stands there. Raises InputError where there is none."""
    from gen_core.stamp import read_stamp

    if not path.exists():  # a Zarr store is a folder
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
    return _made(found.run, recipe, progress)


def in_two(recipe: Recipe) -> bool:
    """Whether some of its result can be shown before all of it is there."""
    return operation(recipe.operation).first is not None


def first(recipe: Recipe, progress: Progress | None = None) -> Result:
    """What can be shown of its result before all of it is there: fewer numbers, and perhaps no files. `run` goes on from it.

    Raises as `run` does, and LookupError where the result comes in one piece (see `in_two`).
    """
    found = operation(recipe.operation)
    if found.first is None:
        raise LookupError(f"{found.name} comes in one piece")
    return _made(found.first, recipe, progress)


def _made(reference: str, recipe: Recipe, progress: Progress | None) -> Result:
    work = load(reference)
    with turns.turn(progress or (lambda share, text: None)) as told, linear_algebra():
        result: Result = work(recipe, told)
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


def using(model: str) -> Recipe | None:
    """The recipe with which a model trained here is used; None where its system has none for such a model.

    Raises CheckpointError where it is not on this machine, or its card cannot be read.
    """
    card = checkpoint.read_card(store.model_folder(model))
    make = system(str(card.get("system"))).using
    try:
        recipe: Recipe | None = load(make)(model, card) if make else None
    except (LookupError, TypeError, ValueError):  # a card of another version
        return None
    return recipe


def load(reference: str) -> Any:
    """The object that "module:name" names."""
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)


def _named(items: Any, name: str, what: str) -> Any:
    found = next((item for item in items if item.name == name), None)
    if found is None:
        names = [item.name for item in items]
        near = difflib.get_close_matches(name, names, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"choose {', '.join(names)}."
        raise RecipeError(f"There is no {what} {recipes.shown(name)}: {hint}")
    return found
