"""Take the result away: its files, its recipe, its link, and the Python and the command that make it again."""

from __future__ import annotations

import json
import shlex
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app.parts import link, people, theme
from app.parts.guard import say
from gen_core import owner, palette, runs
from gen_core.errors import UserError
from gen_core.recipe import Recipe, content_fields, spell
from gen_core.result import Result
from gen_core.stamp import stamp

OPENS = {
    ".h5ad": "scanpy, Seurat, cellxgene",
    ".csv": "Excel, R, pandas",
    ".fasta": "any alignment viewer, Biopython",
    ".pdb": "PyMOL, ChimeraX, Mol*",
    ".cif": "PyMOL, ChimeraX, Mol*",
    ".npz": "NumPy",
    ".dcm": "any DICOM viewer, 3D Slicer",
    ".gz": "3D Slicer, ITK-SNAP, nibabel",
    ".png": "any picture viewer",
    ".gif": "any browser",
    ".svg": "Inkscape, Illustrator, any browser",
    ".tiff": "ImageJ, Fiji, QuPath",
    ".json": "any text editor; this app",
    ".html": "any browser, without a network",
    ".zip": "everything in this list, with result.json",
}
PACKED = {".h5ad", ".npz", ".png", ".gif"}  # compressed already: packing them again only costs time
EPOCH = (1980, 1, 1, 0, 0, 0)


def panel(result: Result, figures: Mapping[str, Callable[[], Any]] | None = None, key: str = "export") -> None:
    """Everything a result leaves behind. A file is made when it is asked for and costs nothing before.

    `figures` maps a file's stem ("volcano") to what draws a Plotly figure, saved as a page that stands alone. Must lie inside the
    page's fragment: outside it, it would export the recipe of the last full run.
    """
    recipe, dark = result.recipe, theme.dark()
    files: dict[str, Callable[[], bytes]] = {name: _of_file(name, write) for name, write in sorted(result.files.items())}
    for stem, figure in (figures or {}).items():
        files[f"{stem}.html"] = _of_file(f"{stem}.html", partial(write_figure, figure=figure, recipe=recipe, dark=dark))
    files["recipe.json"] = lambda: _document(recipe)
    packed = dict(files)
    files[f"{_name(recipe)}.zip"] = lambda: everything(result, packed)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(gap=None):
        for name, (make, told) in rows(files, recipe).items():
            _row(name, make, told, key, whole=name == f"{_name(recipe)}.zip")
    with right:
        st.caption("Each file carries the recipe: drop it on this app to come back to exactly this state. So do these.")
        shown = st.tabs(["Link", "Python", "Command line"])
        with shown[0]:
            link.share(recipe)
        with shown[1]:
            link.to_copy(snippet(recipe), "python")
            st.caption("Run it in the project's folder, with the Python in its `.venv`.")
        with shown[2]:
            link.to_copy(command(recipe), "bash")
            st.caption("In the project's folder, after `source .venv/bin/activate`.")
        keep(result, next(iter((figures or {}).values()), None), dark, key)


def rows(files: Mapping[str, Callable[[], bytes]], recipe: Recipe) -> dict[str, tuple[Callable[[], bytes], str]]:
    """What each row of the panel saves, and what opens it: a file, or all files of one folder as a zip."""
    found: dict[str, tuple[Callable[[], bytes], str]] = {}
    for name, make in files.items():
        folder, inside, _ = name.partition("/")
        if not inside:
            found[name] = make, OPENS.get(Path(name).suffix, "")
        elif f"{folder}.zip" not in found:
            some = {n: m for n, m in files.items() if n.startswith(f"{folder}/")}
            count = "1 file" if len(some) == 1 else f"{len(some)} files"
            kinds = dict.fromkeys(OPENS.get(Path(n).suffix, "") for n in some)
            told = f"{count}: {'; '.join(filter(None, kinds))}" if any(kinds) else count
            found[f"{folder}.zip"] = partial(_folder, some, recipe), told
    return found


def keep(result: Result, figure: Callable[[], Any] | None, dark: bool, key: str) -> None:
    """A button that keeps the result under Runs, with its first figure; a link to there once it is kept."""
    place = st.empty()
    known = any(people.may_see(id) for id in runs.kept(result.recipe))
    told = "Keeps the files, the recipe and the picture on this machine, to be reopened from Runs."
    if not known and place.button("Keep this run", icon=":material/bookmark_add:", key=f"{key}/keep", help=told):
        try:
            with st.spinner("Writing its files"):
                people.own(runs.keep(result, _picture(figure, dark)))
            known = True
        except UserError as error:
            say(error)
    if known:
        place.page_link("runs.py", label="Kept: see Runs", icon=":material/bookmark_added:")


def snippet(recipe: Recipe) -> str:
    """Python that makes the same result: the fields that differ from their defaults, and what names data, model and seed."""
    lines = "".join(f"    {name}={value!r},\n" for name, value in _told(recipe).items())
    return f'import gen_core\n\nresult = gen_core.run(\n    "{recipe.operation}",\n{lines})\nresult.save("{_name(recipe)}")\n'


def command(recipe: Recipe) -> str:
    """The same for a shell."""
    settings = [f"--set {shlex.quote(f'{name}={spell(value)}')}" for name, value in _told(recipe).items()]
    return " \\\n  ".join([f"python -m gen_core run {recipe.operation}", *settings, f"--out {_name(recipe)}"])


def everything(result: Result, files: Mapping[str, Callable[[], bytes]]) -> bytes:
    """All files in one zip, the same bytes for the same result."""
    with tempfile.TemporaryFile() as out:
        with zipfile.ZipFile(out, "w") as archive:
            for name in sorted(files):
                _add(archive, name, files[name]())
            _add(archive, "result.json", (json.dumps(result.summary(), indent=1, allow_nan=False) + "\n").encode())
        out.seek(0)
        return out.read()


def write_figure(path: Path, figure: Callable[[], Any], recipe: Recipe, dark: bool) -> None:
    """A figure as one HTML file that needs no network: plotly.js is inside it, and the recipe in a meta tag."""
    import plotly.graph_objects as go

    paper = palette.role("paper", dark)
    whole = go.Figure(figure()).update_layout(paper_bgcolor=paper)
    html = whole.to_html(include_plotlyjs=True, div_id="figure", config=palette.CONFIG | {"responsive": True})
    path.write_text(
        html.replace("</head>", f"<style>body {{ margin: 1rem; background: {paper} }}</style></head>", 1), encoding="utf-8"
    )
    stamp(path, recipe)


def _picture(figure: Callable[[], Any] | None, dark: bool) -> str | None:
    """A figure as JSON, on the paper of its theme, which its colours were chosen for."""
    import plotly.graph_objects as go
    import plotly.io

    if figure is None:
        return None
    return plotly.io.to_json(go.Figure(figure()).update_layout(paper_bgcolor=palette.role("paper", dark)), validate=False)


def _folder(files: Mapping[str, Callable[[], bytes]], recipe: Recipe) -> bytes:
    """The files of one folder in one zip with the recipe, the same bytes for the same result."""
    with tempfile.TemporaryFile() as out:
        with zipfile.ZipFile(out, "w") as archive:
            for name in sorted(files):
                _add(archive, name, files[name]())
            _add(archive, "recipe.json", _document(recipe))
        out.seek(0)
        return out.read()


def _row(name: str, make: Callable[[], bytes], told: str, key: str, whole: bool) -> None:
    what, opens, button = st.columns([4, 5, 2], vertical_alignment="center")
    what.markdown(f"`{name}`")
    opens.caption(told)
    button.download_button(
        "Save",
        data=owner.bound(make),  # it is made in another thread, when it is asked for
        file_name=name,
        key=f"{key}/{name}",
        on_click="ignore",
        icon=":material/download:",
        type="secondary" if whole else "tertiary",
        width="stretch",
        help=f"Save {name}",
    )


def _of_file(name: str, write: Callable[[Path], None]) -> Callable[[], bytes]:
    def make() -> bytes:
        with tempfile.TemporaryDirectory(prefix="latent-") as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            return path.read_bytes()

    return make


def _document(recipe: Recipe) -> bytes:
    return (recipe.json(indent=1) + "\n").encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _told(recipe: Recipe) -> dict[str, Any]:
    changed = recipe.model_dump(mode="json", exclude_defaults=True)
    always = {"model", "seed", *content_fields(type(recipe))}
    return {name: value for name, value in recipe.fields().items() if name in changed or (name in always and value is not None)}


def _name(recipe: Recipe) -> str:
    return recipe.operation.replace(".", "-")
