"""The command line: `python -m gen_core list | run | train | batch | show`.

Whatever a user can mend is said in one line on standard error, with exit code 2 and nothing half written.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

try:
    import typer
except ModuleNotFoundError:  # another Python than the one that was set up
    sys.exit("This Python lacks what the software needs: in the project's folder use .venv/bin/python -m gen_core …")

# Before numpy is loaded, as the app does: of linear algebra on small matrices one thread is faster than two.
os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("LATENT_THREADS", "1"))

import gen_core
from gen_core import catalog
from gen_core import device as devices
from gen_core import recipe as recipes
from gen_core.datasets import DATA
from gen_core.errors import OutputError, RecipeError, UserError
from gen_core.recipe import Recipe
from gen_core.result import refuse_full

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Latent Sandbox: recipes in, results out.",
)

RecipeFile = Annotated[Path | None, typer.Option("--recipe", help="A recipe.json, or any exported file with a recipe inside.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE, VALUE as JSON or plain text; KEY may be dotted.", metavar="KEY=VALUE"),
]


def _folder(path: Path) -> Path:
    """A folder to write into, past a link to it. Raises OutputError where it is the one this process stands in, or above it."""
    real = path.resolve()
    if real == Path.cwd() or real in Path.cwd().parents:
        raise OutputError(f"--out {path}: this is where the command runs, or above it; name a folder inside.")
    return real if path.is_symlink() else path


Out = Annotated[Path, typer.Option("--out", help="Folder for the result; it must be empty or new.", callback=_folder)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")]


@app.command("list")
def list_(
    operation: Annotated[str | None, typer.Argument(help="SYSTEM.OPERATION, to see what may be asked of it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    table: Annotated[bool, typer.Option("--table", help="The bundled models beside the simple methods, as Markdown.")] = False,
) -> None:
    """Systems, operations, bundled models with their metrics, data sets; or the fields of one operation."""
    if operation is not None:
        fields = _fields(catalog.operation(operation).name)
        print(json.dumps(fields, indent=1) if as_json else "\n".join(_field(name, told) for name, told in fields.items()))
        return
    if table:
        from gen_core import cards

        print(cards.table(), end="")
        return
    told = {
        "version": gen_core.__version__,
        "systems": [{"name": s.name, "summary": s.summary} for s in catalog.SYSTEMS],
        "operations": [
            {"name": o.name, "summary": o.summary, "batch": o.shards is not None, "fields": _fields(o.name)}
            for o in catalog.OPERATIONS
        ],
        "models": catalog.models(),
        "data": [
            {
                k: getattr(d, k)
                for k in ("name", "system", "role", "summary", "synthetic", "licence", "source", "url", "sha256", "size")
            }
            for d in DATA
        ],
    }
    if as_json:
        print(json.dumps(told, indent=1))
        return
    for heading, rows in told.items():
        if isinstance(rows, list) and rows:
            print(heading)
            wide = max(len(row["name"]) for row in rows)
            for row in rows:
                print(f"  {row['name']:{wide}s} {row.get('summary') or ', '.join(f'{k} {v}' for k, v in row['metrics'].items())}")


@app.command()
def run(
    operation: Annotated[str, typer.Argument(help="SYSTEM.OPERATION, such as cells.perturb")],
    out: Out,
    recipe: RecipeFile = None,
    set_: Settings = None,
    force: Force = False,
    device: Device = "auto",
) -> None:
    """Run one recipe and write its result."""
    made = _recipe(operation, recipe, set_ or [])
    devices.check(device)
    if not catalog.operation(operation).uses_device and device not in ("auto", "cpu"):
        print(f"{operation} computes on the CPU; --device {device} changes nothing.", file=sys.stderr)
    refuse_full(out, force)  # before the work, not after it
    result = catalog.run(made, progress())
    result.save(out, force)
    for warning in result.warnings:
        print(f"{warning.code}: {warning.text}", file=sys.stderr)
    print(out)


@app.command()
def train(
    system: Annotated[str, typer.Argument(help="SYSTEM, such as cells")],
    out: Out,
    recipe: RecipeFile = None,
    set_: Settings = None,
    force: Force = False,
    device: Device = "auto",
) -> None:
    """Train a model; stopped and called again in the same way, it goes on where it was."""
    catalog.system(system)
    made = _recipe(f"{system}.train", recipe, set_ or [])
    tell = progress()
    with _aside(out, force) as begun, contextlib.closing(catalog.steps(made, out, device)) as steps:
        try:
            for step in steps:
                begun()
                losses = [f"{name.removesuffix('_loss')} {value:.4g}" for name, value in step.metrics.items() if "loss" in name]
                tell(step.done / max(step.total, 1), f"{step.text} {', '.join(losses)}".strip())
        except KeyboardInterrupt:
            print(f"Stopped; the same command goes on where {out.name!r} was left.", file=sys.stderr)
            raise typer.Exit(130) from None
    print(out)


@app.command()
def batch(
    operation: Annotated[
        str, typer.Argument(help="SYSTEM.OPERATION that draws samples, such as proteins.sample; or cells.perturb")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the batch: empty, new, or one to go on with.", callback=_folder)],
    n: Annotated[int | None, typer.Option("--n", help="Samples in all, over all shards; not of cells.perturb.")] = None,
    recipe: RecipeFile = None,
    set_: Settings = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of an existing Dask scheduler, tcp://…; without it this machine does the work.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes on this machine; as many as there are cores.")] = None,
    force: Force = False,
) -> None:
    """Draw many samples, or predict a whole file, in shards; stopped and called again, it goes on where it was."""
    from gen_core import batch as batches

    batches.asked(catalog.operation(operation).name)
    made, tell = _recipe(operation, recipe, set_ or []), progress()
    with _aside(out, force) as begun:
        try:
            batches.batch(made, n, out, scheduler, workers, tell, begun)
        except KeyboardInterrupt:
            print(f"Stopped; the same command goes on where {out.name!r} was left.", file=sys.stderr)
            raise typer.Exit(130) from None
    print(out)


@app.command()
def show(file: Annotated[Path, typer.Argument(help="Any exported file")]) -> None:
    """Print the recipe found inside any exported file."""
    print(catalog.from_file(file).json(indent=1))


@contextlib.contextmanager
def _aside(folder: Path, force: bool) -> Iterator[Callable[[], None]]:
    """With `force`, what is in the folder is out of the way, for good once the work has begun (it says so by a call)."""
    old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    if force and folder.is_dir():
        folder.rename(old)
    try:
        yield lambda: shutil.rmtree(old, ignore_errors=True)
    finally:
        if old.is_dir():
            old.rename(folder)


def _recipe(operation: str, file: Path | None, settings: list[str]) -> Recipe:
    """The recipe of an operation from a file and settings, later ones winning."""
    catalog.operation(operation)
    fields: dict[str, Any] = {}
    if file is not None:
        found, fields = recipes.split(catalog.read_document(file))
        if found != operation:
            raise RecipeError(f"{file.name} holds a recipe of {found}, not of {operation}.")
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key:
            raise RecipeError(f"--set {setting}: KEY=VALUE was expected.")
        recipes.set_dotted(fields, key, recipes.unspell(value))
    return catalog.make_recipe(operation, fields)


def _fields(operation: str) -> dict[str, str]:
    return {name: info.description or "" for name, info in catalog.recipe_class(operation).model_fields.items()}


def _field(name: str, told: str) -> str:
    """A field of a recipe and what it is, for a terminal."""
    return f"{name:20s} {told}".rstrip()


def progress() -> Callable[[float, str], None]:
    """Tells how far the work is: a bar on a terminal, a line at each tenth elsewhere, on standard error."""
    terminal, last = sys.stderr.isatty(), [-1]

    def tell(share: float, text: str) -> None:
        tenth = int(share * 10)
        if terminal:
            print(
                f"\r[{'#' * round(share * 30):30s}] {share:4.0%} {text:40.40s}",
                end="\n" if share >= 1 else "",
                file=sys.stderr,
                flush=True,
            )
        elif tenth != last[0]:
            last[0] = tenth
            print(f"{share:4.0%} {text}", file=sys.stderr, flush=True)

    return tell


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = app(arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except UserError as error:
        message = str(error)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        message = f"{str(error.filename)[-40:]!r} is the end of a name that is too long for this system."
    except Exception as error:
        if not hasattr(error, "format_message"):  # one of click's, whose module typer keeps to itself
            raise
        message = error.format_message()
        if not message:  # no arguments at all: the help was printed
            return 0
    except KeyboardInterrupt:
        return 130
    print(" ".join(message.split()), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
